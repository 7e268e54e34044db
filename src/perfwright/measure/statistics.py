"""The one statistic behind every verdict: the signed-rank interval for a log-ratio.

A timed pair gives `log(time of the reference / time of the candidate)`.  Both are run in
random order, so if the two are equally fast the value is as likely to be +x as -x, whatever
the noise looks like: heavy-tailed, one-sided, bimodal or drifting.  The Wilcoxon signed-rank
test needs just that symmetry, not a normal distribution (Wilcoxon 1945, Biometrics Bulletin
1:80).  Its interval and its estimate come from the Walsh averages `(x_i + x_j) / 2`, i <= j:
the estimate is their median (Hodges and Lehmann 1963, Annals of Mathematical Statistics
34:598), the interval runs from the k-th smallest to the k-th largest (Hollander, Wolfe and
Chicken 2014, Nonparametric Statistical Methods, 3rd ed., sections 3.1 to 3.3).  It leaves out
0 exactly when the test rejects, so what is printed and what is decided cannot disagree.

Assumed: values are independent and symmetric about one true log-ratio.  Not assumed: their
distribution, or any moment.  Not covered: a bias that every pair shares, such as the luck of
one layout; `perfwright.measure.confirm` deals with that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfwright.core.attribution import SMALLEST_EFFECT
from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import InternalError

Values = NDArray[np.float64]

_ONE_SIGMA = 0.15865525393145707
"""The normal distribution's share below minus one standard deviation."""


@dataclass(frozen=True)
class Location:
    """Where the values lie, on the log scale; an unbounded interval where too few say so."""

    estimate: float
    low: float
    high: float


def as_values(data: ArrayLike) -> Values:
    """Data as floats.

    Raises:
        InternalError: one of them is not a finite number.
    """
    values = np.asarray(data, dtype=np.float64)
    if not np.isfinite(values).all():
        raise InternalError(
            "a measured log-ratio is not a finite number",
            cause="a time of zero, or a pair that was never finished",
            hint="discard the pair and run it again",
        )
    return values


@lru_cache(maxsize=512)
def null_tails(count: int) -> Values:
    """P(W <= w) for w = 0 ... count(count+1)/2, W the signed-rank sum of `count` values.

    Exact: under the null hypothesis every rank has its sign from a fair coin.
    """
    chances = np.zeros(count * (count + 1) // 2 + 1)
    chances[0] = 1.0
    for rank in range(1, count + 1):
        shifted = np.zeros_like(chances)
        shifted[rank:] = chances[:-rank]
        chances = (chances + shifted) / 2
    tails = np.cumsum(chances)
    tails.setflags(write=False)
    return tails


def rank_within(count: int, tail: float) -> int:
    """The largest k whose one-sided error is at most `tail`; 0 if there is none.

    The interval from the k-th smallest to the k-th largest Walsh average misses the truth
    on either side with probability `null_tails(count)[k - 1]`.
    """
    return int(np.searchsorted(null_tails(count), tail, side="right"))


def walsh_averages(values: Values) -> Values:
    """All `(x_i + x_j) / 2` with i <= j, ascending; shape n -> n(n+1)/2."""
    rows, columns = np.triu_indices(len(values))
    averages: Values = np.sort((values[rows] + values[columns]) / 2)
    return averages


def locate(averages: Values, rank: int) -> Location:
    """Estimate and interval from ascending Walsh averages; `rank` 0 leaves it unbounded."""
    middle = len(averages) // 2
    centre = (averages[middle] + averages[-1 - middle]) / 2
    low, high = (averages[rank - 1], averages[-rank]) if rank else (-math.inf, math.inf)
    return Location(float(centre), float(low), float(high))


def standard_error(averages: Values, count: int) -> float:
    """The estimate's standard error, from the interval that would be one of it wide.

    Robust like the interval itself; needs three values or more.
    """
    rank = max(rank_within(count, _ONE_SIGMA), 1)
    return float(averages[-rank] - averages[rank - 1]) / 2


def judge(
    where: Location, pairs: int, confidence: float, method: str, smallest: float = SMALLEST_EFFECT
) -> Comparison:
    """The comparison that a located log-ratio amounts to.

    `same` when the whole interval lies within the smallest effect that matters, also where it
    leaves out 1: counts without noise tell a hundredth of a percent apart.  Otherwise `faster`
    when `low > 1`, `slower` when `high < 1`.
    """
    ratio, low, high = (math.exp(x) for x in (where.estimate, where.low, where.high))
    if max(-where.low, where.high) <= math.log1p(smallest):
        verdict = Verdict.SAME
    elif low > 1:
        verdict = Verdict.FASTER
    elif high < 1:
        verdict = Verdict.SLOWER
    else:
        verdict = Verdict.INCONCLUSIVE
    return Comparison(verdict, ratio, low, high, pairs, confidence, method)


def compare_once(
    data: ArrayLike, confidence: float = 0.95, smallest: float = SMALLEST_EFFECT
) -> Comparison:
    """Compare log-ratios whose number was fixed before the first was seen.

    For a series that is looked at while it grows, see `perfwright.measure.sequential`.
    """
    values = as_values(data).ravel()
    if not len(values):
        return judge(Location(0.0, -math.inf, math.inf), 0, confidence, "no pairs", smallest)
    rank = rank_within(len(values), (1 - confidence) / 2)
    where = locate(walsh_averages(values), rank)
    return judge(where, len(values), confidence, "signed-rank", smallest)
