"""Selection: judge a candidate pair by pair, and stop as soon as the verdict is clear.

Method: repeated confidence intervals (Jennison and Turnbull 1989, JRSS B 51:305) from the
signed-rank test (`perfwright.measure.statistics`) with alpha spending over a look after every
pair (`perfwright.measure.spending`).  All intervals of one series together cover the true
log-ratio with the stated confidence, so stopping at any of them, for whatever reason, keeps
the stated error: at 95 %, an equally fast candidate is called `faster` in at most 2.5 % of
all comparisons, and `slower` in at most 2.5 %.  No test that trusts nothing but the random
order can reject sooner than all signs agree: 2/2^n, hence the first possible stop after
seven pairs of a cap of 30.

Futility: a series also ends when, going on as it is, `faster` would be reached at the cap
with less than 5 % probability (predictive power: Spiegelhalter, Freedman and Blackburn 1986,
Controlled Clinical Trials 7:8; Jennison and Turnbull 2000, chapter 10).  The rule does not
bind: it can only lose gains, never invent them.

Not guaranteed: anything about a layout, an environment or a workload that was not measured.
A single lucky layout is a real difference to this test; confirmation is for that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import ndtr, ndtri

from perfwright.core.attribution import SMALLEST_EFFECT
from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import InternalError, UserError
from perfwright.measure.spending import Look, boundaries
from perfwright.measure.statistics import (
    Location,
    Values,
    as_values,
    judge,
    locate,
    standard_error,
)

METHOD = "sequential signed-rank"

_MOST_PAIRS = 500
"""Walsh averages grow with the square of the pairs; beyond this a step takes over 10 ms."""


class Stop(StrEnum):
    """Why a series ended."""

    CLEAR = "clear"
    """The interval decides: faster, slower or same."""
    FUTILE = "futile"
    """Going on, `faster` is out of reach."""
    BUDGET = "budget"
    """The cap on pairs, or the caller's time, is used up."""


@dataclass(frozen=True)
class SequentialSettings:
    """What one series of pairs may cost and how sure it must be.

    `pairs` is the cap.  `futility` is the predictive power under which a series ends; 0 turns
    that off, for questions to which `same` or `slower` is an answer worth waiting for.
    `runs_per_value` counts the timed pairs behind one value (the number of workloads when a
    value is their mean).

    Raises:
        UserError: so few pairs can never give a verdict at this confidence, or too many.
    """

    pairs: int = 30
    confidence: float = 0.95
    smallest_effect: float = SMALLEST_EFFECT
    futility: float = 0.05
    runs_per_value: int = 1

    def __post_init__(self) -> None:
        if not 0.5 < self.confidence < 1:
            raise UserError(f"a confidence of {self.confidence} makes no sense", hint="try 0.95")
        least = math.ceil(1 - math.log2(1 - self.confidence))
        if not least <= self.pairs <= _MOST_PAIRS:
            raise UserError(
                f"{self.pairs} pairs cannot be judged at {self.confidence:.0%} confidence",
                cause=f"the test works with {least} to {_MOST_PAIRS} pairs",
                hint=f"allow at least {least} pairs",
            )

    @property
    def looks(self) -> tuple[Look, ...]:
        """The look after each pair, up to the cap."""
        return boundaries(tuple(range(1, self.pairs + 1)), 1 - self.confidence)


PRUNING = SequentialSettings(pairs=15)
"""For attribution: about half the pairs, and `unresolved` is an answer."""


class SequentialTest:
    """One series: fed log-ratios as they are measured, it says when to stop.

    >>> test = SequentialTest()
    >>> for _ in range(7):
    ...     comparison = test.add(0.1)
    >>> print(comparison)
    faster 1.105x [1.105, 1.105] from 7 pairs
    """

    def __init__(self, settings: SequentialSettings = SequentialSettings()) -> None:
        self.settings = settings
        self.stopped: Stop | None = None
        self._looks = settings.looks
        self._values: Values = np.empty(0)
        self._averages: Values = np.empty(0)

    @property
    def count(self) -> int:
        """How many values have been added."""
        return len(self._values)

    def add(self, value: float) -> Comparison | None:
        """Take the next log-ratio; the comparison if the series ends with it, else `None`.

        Raises:
            InternalError: the series has ended already, or the value is no finite number.
        """
        if self.stopped is not None:
            raise InternalError(
                "a value was added to a series that has ended",
                cause="its verdict has been given",
                hint="start another series, or use record() for one that ends with another",
            )
        self.record(value)
        comparison = self._judged()
        if comparison.verdict is not Verdict.INCONCLUSIVE:
            self.stopped = Stop.CLEAR
        elif self.count == self.settings.pairs:
            self.stopped = Stop.BUDGET
        elif self._futile():
            self.stopped = Stop.FUTILE
        return comparison if self.stopped else None

    def record(self, value: float) -> None:
        """Take the next log-ratio and go on, whatever it says.

        For a series that ends when another one does, such as a candidate against the baseline
        while the incumbent decides: all its intervals together cover the truth, so the one at
        the other's end does.

        Raises:
            InternalError: the cap is used up, or the value is no finite number.
        """
        if self.count == self.settings.pairs:
            raise InternalError(
                f"a series of {self.count} pairs was planned, and another one was added",
                cause="beyond its cap the stated error rate does not hold",
            )
        self._values = np.append(self._values, as_values(value))
        fresh = (self._values + self._values[-1]) / 2
        self._averages = np.sort(np.concatenate((self._averages, fresh)))

    def conclude(self) -> Comparison:
        """The comparison as it stands, ending the series: the time is up.

        Before the first look its interval is unbounded and the verdict `inconclusive`.
        """
        self.stopped = self.stopped or Stop.BUDGET
        return self._judged()

    def _judged(self) -> Comparison:
        if not self.count:
            where = Location(0.0, -math.inf, math.inf)
        else:
            where = locate(self._averages, self._looks[self.count - 1].rank)
        set_ = self.settings
        pairs = self.count * set_.runs_per_value
        return judge(where, pairs, set_.confidence, METHOD, set_.smallest_effect)

    def _futile(self) -> bool:
        if not self._looks[self.count - 1].rank:
            return False
        power = predictive_power(self._averages, self.count, self._looks[-1])
        return power < self.settings.futility


def predictive_power(averages: Values, count: int, last: Look) -> float:
    """Chance that the interval at the `last` look will lie above 0, going on as it is.

    `averages` are the ascending Walsh averages of `count` values.  The true location gets a
    flat prior; the final estimate is then normal about the present one.
    """
    where, error = locate(averages, 0), standard_error(averages, count)
    if error == 0:
        return float(where.estimate > 0)
    needed = -float(ndtri(last.tail)) * error * math.sqrt(count / last.count)
    spread = error * math.sqrt(1 - count / last.count)
    return float(ndtr((where.estimate - needed) / spread))
