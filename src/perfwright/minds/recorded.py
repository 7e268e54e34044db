"""The scorer's and the analyst's answers on record, and who gave them.

The facts of a campaign do not change, so each is asked once: what they said is a step of the
journal, from which later rounds, `resume`, `replay` and `explain` read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from perfwright.core.evidence import Fact
from perfwright.core.protocols import Journal
from perfwright.minds.assignment import BUILTIN
from perfwright.minds.roles import Analysis, Analyst, Diagnosis, Priorities, Priority, Scorer

PRIORITIES = "priorities"
ANALYSIS = "analysis"
"""The steps of the journal."""

SCENE = "scene"
SHOWN_IR = "shown IR"
CONSTRAINED = "constrained roles"
"""More steps: what models' briefs are made of beside the ground, and which models' servers hold
answers to a schema.  With them a replay can take the recorded answers through the roles again."""


@dataclass
class StandIn:
    """Rules behind a model, that know whether they had to answer in its place."""

    rules: Any
    answered: bool = False

    def score(self, facts: Sequence[Fact]) -> Sequence[Priority]:
        """See `Scorer`."""
        self.answered = True
        found: Sequence[Priority] = self.rules.score(facts)
        return found

    def analyse(self, facts: Sequence[Fact], priorities: Sequence[Priority]) -> Sequence[Diagnosis]:
        """See `Analyst`."""
        self.answered = True
        found: Sequence[Diagnosis] = self.rules.analyse(facts, priorities)
        return found


@dataclass(frozen=True)
class Signature:
    """Who answers for a role: its mind, or the rules behind it when they had to."""

    mind: str
    rules: StandIn | None = None

    def of(self) -> dict[str, str]:
        """The fields `by` and `instead_of` of an answer that has just been given."""
        if self.rules is not None and self.rules.answered:
            return {"by": BUILTIN, "instead_of": self.mind}
        return {"by": self.mind}


@dataclass(frozen=True)
class RecordedScorer:
    """Implements `perfwright.minds.roles.Scorer`: asked once, then read."""

    inner: Scorer
    journal: Journal
    signature: Signature

    def score(self, facts: Sequence[Fact]) -> Sequence[Priority]:
        """What was recorded, or what is said now and recorded."""

        def ask() -> Priorities:
            said = tuple(self.inner.score(facts))
            return Priorities(said, **self.signature.of())

        return self.journal.once(PRIORITIES, Priorities, ask).functions


@dataclass(frozen=True)
class RecordedAnalyst:
    """Implements `perfwright.minds.roles.Analyst`: asked once, then read."""

    inner: Analyst
    journal: Journal
    signature: Signature

    def analyse(self, facts: Sequence[Fact], priorities: Sequence[Priority]) -> Sequence[Diagnosis]:
        """What was recorded, or what is said now and recorded."""

        def ask() -> Analysis:
            said = tuple(self.inner.analyse(facts, priorities))
            return Analysis(said, **self.signature.of())

        return self.journal.once(ANALYSIS, Analysis, ask).diagnoses


def recorded(role: str, played: Any, mind: str, journal: Journal) -> Any:
    """A role whose answer is the same all through a campaign, on record; others as they are.

    `played` by a model must be a dataclass with the rules behind it in its field `fallback`.
    """
    wrap = {"scorer": RecordedScorer, "analyst": RecordedAnalyst}.get(role)
    if wrap is None:
        return played
    fallback = getattr(played, "fallback", None)
    if fallback is None:
        return wrap(played, journal, Signature(mind))
    behind = StandIn(fallback)
    return wrap(replace(played, fallback=behind), journal, Signature(mind, behind))
