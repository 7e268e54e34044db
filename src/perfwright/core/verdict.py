"""Verdicts: what a comparison of two builds says, always with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What was measured of a candidate against its reference."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"
    """The interval lies within the smallest effect that matters."""
    INCONCLUSIVE = "inconclusive"
    """The budget ended before the interval was narrow enough."""


@dataclass(frozen=True)
class Comparison:
    """A candidate against its reference, from runs of both that were interleaved.

    `ratio` is time of the reference over time of the candidate (above 1: the candidate is
    faster), with its interval `[low, high]` at the stated `confidence`; `pairs` counts the
    timed pairs behind it, and `method` names how the interval was made.  A verdict of
    `faster` has `low > 1`, one of `slower` has `high < 1`.
    """

    verdict: Verdict
    ratio: float
    low: float
    high: float
    pairs: int
    confidence: float = 0.95
    method: str = ""

    def __str__(self) -> str:
        interval = f"[{self.low:.3f}, {self.high:.3f}]"
        return f"{self.verdict} {self.ratio:.3f}x {interval} from {self.pairs} pairs"


def geometric_mean(ratios: list[float]) -> float:
    """The mean that speed-ups have; 1.0 for none."""
    return math.exp(math.fsum(math.log(r) for r in ratios) / len(ratios)) if ratios else 1.0
