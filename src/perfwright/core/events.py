"""What a reporter hears while a campaign runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from perfwright.core.trial import Contribution, Trial
from perfwright.core.verdict import Comparison


@dataclass(frozen=True)
class StageBegan:
    """A stage of the loop begins: `observe`, `propose`, `build`, `check`, `measure`, ..."""

    stage: str
    detail: str = ""


@dataclass(frozen=True)
class Warned:
    """Something the user must know, with what can be done about it."""

    text: str
    hint: str = ""


@dataclass(frozen=True)
class PairTimed:
    """One pair was timed; `estimate` is the ratio so far."""

    pairs: int
    estimate: float


@dataclass(frozen=True)
class RoundBegan:
    """A round begins; `of` is 0 when only time limits their number."""

    number: int
    of: int


@dataclass(frozen=True)
class TrialEnded:
    """A trial reached its state."""

    trial: Trial
    best_so_far: float


@dataclass(frozen=True)
class EditPriced:
    """Attribution resolved (or gave up on) one edit of the winner."""

    contribution: Contribution
    kept: bool


@dataclass(frozen=True)
class Confirmed:
    """Fresh runs of the final candidate against the baseline are in."""

    comparison: Comparison
    workloads: tuple[str, ...] = field(default=())


Event = StageBegan | Warned | PairTimed | RoundBegan | TrialEnded | EditPriced | Confirmed


class Reporter(Protocol):
    """Hears every step; must not raise and must not write to standard output."""

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        ...


def silent(event: Event) -> None:
    """The reporter that says nothing."""
