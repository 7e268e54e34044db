"""The levers: ideas with their edits, and which of them the evidence calls for.

The table itself is `levers.toml`.  Its beliefs are opinions of ordinary size, not
measurements; measured candidates correct them (`perfwright.minds.builtin.beliefs`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from pydantic import ConfigDict, TypeAdapter

from perfwright.core.candidate import Claim, Edit
from perfwright.minds.roles import Diagnosis

LEVEL = "pipeline"
_INLINE_MARGIN = 50.0
_INLINE_MOST = 2000.0


@dataclass(frozen=True)
class Lever:
    """One idea.  An edit text may use numbers of the diagnosis, in braces."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    group: str
    edits: tuple[str, ...]
    calls: Mapping[str, float]
    expects: str
    gain: float
    spread: float
    risk: str
    against: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Called:
    """A lever that the evidence calls for, with the prior belief in it and its edits."""

    lever: Lever
    edits: tuple[Edit, ...]
    mean: float
    deviation: float
    reasons: tuple[Diagnosis, ...]

    def claims(self) -> tuple[Claim, ...]:
        """Why, with the ids of the facts behind it."""
        cited = tuple(dict.fromkeys(fact for d in self.reasons for fact in d.evidence))
        because = "; ".join(d.text for d in self.reasons[:2])
        text = f"{because}: {self.lever.expects}" if because else self.lever.expects
        return tuple(Claim(edit, text, cited[:6]) for edit in self.edits)


def read_levers(text: str) -> tuple[Lever, ...]:
    """The levers of a table (`levers.toml` says what its columns are).

    Raises:
        ValidationError: a line lacks a column, or has one that is unknown.
    """
    return TypeAdapter(tuple[Lever, ...]).validate_python(tomllib.loads(text)["lever"])


LEVERS = read_levers(files(__package__).joinpath("levers.toml").read_text(encoding="utf-8"))


def called(diagnoses: Sequence[Diagnosis], levers: Sequence[Lever] = LEVERS) -> list[Called]:
    """The levers that the diagnoses call for, with prior beliefs; the most hopeful first."""
    strength = strengths(diagnoses)
    found = []
    for lever in levers:
        pull = max(
            (strength.get(kind, 0.0) * loud for kind, loud in lever.calls.items()), default=0
        )
        push = max(
            (strength.get(kind, 0.0) * loud for kind, loud in lever.against.items()), default=0
        )
        if pull <= 0:
            continue
        reasons = sorted(
            (d for d in diagnoses if d.kind in lever.calls),
            key=lambda d: -d.weight * lever.calls[d.kind],
        )
        mean = lever.gain * pull - lever.spread * push
        edits = tuple(Edit(LEVEL, _filled(text, reasons)) for text in lever.edits)
        found.append(Called(lever, edits, mean, lever.spread * pull, tuple(reasons[:4])))
    return sorted(found, key=lambda c: (-(c.mean + c.deviation), c.lever.name))


def strengths(diagnoses: Sequence[Diagnosis]) -> dict[str, float]:
    """The share of the run time that each kind of diagnosis touches, at most 1.

    A function counts once for each kind, with the heaviest of its diagnoses.
    """
    heaviest: dict[tuple[str, str], float] = {}
    for diagnosis in diagnoses:
        key = diagnosis.kind, diagnosis.symbol
        heaviest[key] = max(heaviest.get(key, 0.0), diagnosis.weight)
    total: dict[str, float] = {}
    for (kind, _), weight in heaviest.items():
        total[kind] = min(1.0, total.get(kind, 0.0) + weight)
    return total


def _filled(text: str, reasons: Sequence[Diagnosis]) -> str:
    """The edit with the diagnosis's numbers in it."""
    costs = [float(d.data["cost"]) for d in reasons if "cost" in d.data]
    enough = min(_INLINE_MOST, max(costs, default=250.0) + _INLINE_MARGIN)
    return text.replace("{enough}", f"{enough:.0f}")
