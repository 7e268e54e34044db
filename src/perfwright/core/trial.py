"""Trials: the life of one candidate, which ends in exactly one state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from perfwright.core.candidate import Candidate
from perfwright.core.evidence import Fact
from perfwright.core.verdict import Comparison, Verdict


class TrialState(StrEnum):
    """The only five ways a trial can end (DESIGN.md, section 2)."""

    REJECTED = "rejected"
    UNBUILDABLE = "unbuildable"
    IDENTICAL = "identical"
    WRONG = "wrong"
    MEASURED = "measured"


class Correctness(StrEnum):
    """How an accepted edit is known to be right; unproven is never called proved."""

    BY_CONSTRUCTION = "by-construction"
    """Valid compiler passes and options only; has passed the oracle as well."""
    PROVED = "proved"
    TESTED = "tested"


@dataclass(frozen=True)
class Trial:
    """What became of one candidate.

    `against_incumbent` and `over_baseline` are set for measured trials only; `reason` says
    why for every other state, and what the candidate was identical to.  `consequences` are
    facts on what the candidate changed in the code (sizes, remarks, hot functions).
    `correctness` says how a measured trial is known to be right.
    """

    id: str
    round: int
    candidate: Candidate
    state: TrialState
    reason: str = ""
    repairs: tuple[str, ...] = ()
    reproducer: str = ""
    against_incumbent: Comparison | None = None
    over_baseline: Comparison | None = None
    consequences: tuple[Fact, ...] = ()
    accepted: bool = False
    correctness: Correctness | None = None

    @property
    def verdict(self) -> Verdict | None:
        """The verdict against the incumbent; `None` unless measured."""
        return self.against_incumbent.verdict if self.against_incumbent else None


@dataclass(frozen=True)
class Contribution:
    """What one edit is worth: what was left of the winner against the same without that edit.

    `resolved` is false when the cap on pairs ended before the interval left 1.
    """

    edit: str
    comparison: Comparison
    resolved: bool
