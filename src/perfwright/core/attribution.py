"""Pruning: leave out one edit at a time until each that remains earns its place.

An edit whose removal leaves the machine code unchanged goes without being measured; groups
are tried before single edits; an edit that the cap on pairs cannot resolve stays only if its
estimate is at least the smallest effect that matters, and is marked as unresolved.  A series
that ended before it could say anything (time was up, nothing could be counted) takes no edit.

What is lost adds up: what would be left is compared with the winner itself, not with what was
left before, so that many edits of less than the smallest effect each cannot all go.  Once the
program was called faster without an edit, or was estimated faster by the smallest effect, that
one stands for the winner: else what was gained there would pay for losing good edits.  The
price of both rules: after a loss that no series could resolve, an edit worth nothing stays more
often.

Every comparison is a series of fresh pairs of its own, at the measurer's confidence: at 95 %, in
at most 2.5 % of all cases what is no slower without an edit is called slower, and the edit
stays.  Unresolved edits that stay by their estimate come on top of that; how often is in
docs/decisions/0004-statistics.md.  Nothing is corrected for the number of edits, since a wrong
decision here is an edit too many or too few; the figure for the user comes from the
confirmation, which sees none of these pairs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

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
class WrongWinner:
    """A winner itself gave a wrong result while it was compared with less of it."""

    winner: Refusal


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

    Raises:
        WrongResultError: the winner, or what was left of it so far, turned out wrong.
    """
    pruned = Pruned(winner, correctness)
    reference = winner
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
            if reference.code == lesser.build.code:
                reference = lesser.build
            pruned = lesser
            continue
        comparison = _compare(reference, lesser.build, team)
        if isinstance(comparison, Refusal):
            continue
        kept = _earns_its_place(comparison)
        if len(dropped) == 1:
            # Against the winner an edit that stays would be charged with what went before it.
            price = _compare(pruned.build, lesser.build, team) if kept else comparison
            if not isinstance(price, Refusal):
                priced[dropped[0]] = _priced(dropped[0], price, team, kept=kept)
        if not kept:
            pruned = lesser
            reference = lesser.build if _harms(comparison) else reference
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

    def attribute() -> Comparison | Refusal | WrongWinner:
        try:
            return team.measurer.attribute(label, winner, lesser)
        except WrongResultError as error:
            wrong_winner = error.build.candidate == winner.candidate
            return WrongWinner(error.refusal) if wrong_winner else error.refusal

    kinds: Any = Comparison | Refusal | WrongWinner
    said: Comparison | Refusal | WrongWinner = team.journal.once(
        f"{label}/compare", kinds, attribute
    )
    if isinstance(said, WrongWinner):
        raise WrongResultError(winner, said.winner)
    return said


def _priced(edit: Edit, price: Comparison, team: Pruners, *, kept: bool) -> Contribution:
    """What the edit is worth, told to whoever listens."""
    contribution = Contribution(str(edit), price, price.verdict is not Verdict.INCONCLUSIVE)
    team.reporter(events.EditPriced(contribution, kept))
    return contribution


def _earns_its_place(comparison: Comparison) -> bool:
    if comparison.verdict is Verdict.INCONCLUSIVE:
        return _says_nothing(comparison) or comparison.ratio >= 1 + SMALLEST_EFFECT
    return comparison.verdict is Verdict.FASTER


def _harms(comparison: Comparison) -> bool:
    """Whether the program is faster without; a hopeless series ends before it is resolved."""
    if comparison.verdict is Verdict.INCONCLUSIVE:
        return comparison.ratio * (1 + SMALLEST_EFFECT) <= 1
    return comparison.verdict is Verdict.SLOWER


def _says_nothing(comparison: Comparison) -> bool:
    """Whether there were too few pairs for any interval, or none."""
    return math.isinf(comparison.high)
