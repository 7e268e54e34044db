"""Pruning: leave out one edit at a time until each that remains earns its place.

An edit whose removal leaves the machine code unchanged goes without being measured; groups
are tried before single edits; an edit that the cap on pairs cannot resolve stays only if its
estimate is at least the smallest effect that matters, and is marked as unresolved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from perfwright.core import events
from perfwright.core.candidate import Edit
from perfwright.core.events import Reporter
from perfwright.core.protocols import (
    Build,
    Checker,
    Journal,
    Measurer,
    Refusal,
    Workshop,
    WrongResultError,
)
from perfwright.core.trial import Contribution, Correctness
from perfwright.core.verdict import Comparison, Verdict

SMALLEST_EFFECT = 0.005
"""Half a percent: smaller differences are not worth an edit (DESIGN.md, section 4)."""

_GROUP_FROM = 4
"""From so many edits on, halves are tried before single edits."""


class Pruners(Protocol):
    """The part of a campaign's team that pruning calls."""

    @property
    def workshop(self) -> Workshop: ...  # noqa: D102 - see perfwright.core.protocols
    @property
    def checker(self) -> Checker: ...  # noqa: D102
    @property
    def measurer(self) -> Measurer: ...  # noqa: D102
    @property
    def journal(self) -> Journal: ...  # noqa: D102
    @property
    def reporter(self) -> Reporter: ...  # noqa: D102


@dataclass(frozen=True)
class Pruned:
    """What is left of the winner, how it is known to be right, and what each edit is worth."""

    build: Build
    correctness: Correctness
    contributions: tuple[Contribution, ...] = ()


def prune(winner: Build, correctness: Correctness, team: Pruners) -> Pruned:
    """Drop every edit of `winner` that does not earn its place.

    Nothing is compared with the baseline here: that is the confirmation, which also prices
    a winner that has one edit.
    """
    pruned = Pruned(winner, correctness)
    priced: dict[Edit, Contribution] = {}
    for group in _groups(winner.candidate.edits):
        left = pruned.build.candidate.edits
        dropped = [edit for edit in group if edit in left]
        if not dropped or len(dropped) == len(left):
            continue
        lesser = _without(pruned, dropped, team)
        if lesser is None:
            continue
        if lesser.build.code == pruned.build.code:
            pruned = lesser
            continue
        comparison = _compare(pruned.build, lesser.build, team)
        if isinstance(comparison, Refusal):
            continue
        kept = _earns_its_place(comparison)
        if len(dropped) == 1:
            resolved = comparison.verdict is not Verdict.INCONCLUSIVE
            contribution = Contribution(str(dropped[0]), comparison, resolved)
            team.reporter(events.EditPriced(contribution, kept))
            priced[dropped[0]] = contribution
        if not kept:
            pruned = lesser
    last = pruned.build.candidate.edits
    return replace(pruned, contributions=tuple(priced[edit] for edit in last if edit in priced))


def _groups(edits: tuple[Edit, ...]) -> Iterator[tuple[Edit, ...]]:
    """Halves first when there are many edits, then each edit, the last proposed first."""
    if len(edits) >= _GROUP_FROM:
        middle = len(edits) // 2
        yield edits[middle:]
        yield edits[:middle]
    for edit in reversed(edits):
        yield (edit,)


def _without(pruned: Pruned, dropped: list[Edit], team: Pruners) -> Pruned | None:
    """The winner less some edits, built and checked; `None` if that cannot be had."""
    candidate = pruned.build.candidate.without(*dropped)
    key = f"prune {candidate.id}"
    build: Build | Refusal = team.journal.once(
        f"{key}/build", Build | Refusal, lambda: team.workshop.build(candidate)
    )
    if isinstance(build, Refusal):
        return None
    if build.code == pruned.build.code:
        return replace(pruned, build=build)
    checked: Correctness | Refusal = team.journal.once(
        f"{key}/check", Correctness | Refusal, lambda: team.checker.check(build)
    )
    return None if isinstance(checked, Refusal) else Pruned(build, checked)


def _compare(winner: Build, lesser: Build, team: Pruners) -> Comparison | Refusal:
    """The winner against less of it; a refusal if the lesser one turns out wrong."""
    label = f"prune {lesser.candidate.id} from {winner.candidate.id}"

    def attribute() -> Comparison | Refusal:
        try:
            return team.measurer.attribute(label, winner, lesser)
        except WrongResultError as error:
            if error.build.candidate != lesser.candidate:
                raise
            return error.refusal

    return team.journal.once(f"{label}/compare", Comparison | Refusal, attribute)


def _earns_its_place(comparison: Comparison) -> bool:
    if comparison.verdict is Verdict.INCONCLUSIVE:
        return comparison.ratio >= 1 + SMALLEST_EFFECT
    return comparison.verdict is Verdict.FASTER
