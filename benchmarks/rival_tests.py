"""Tests that perfwright could have used for selection, for comparison in the study.

Each takes a series of log-ratios and returns its verdict and the pairs that it used.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import stats
from scipy.special import logsumexp

from perfwright.core.verdict import Verdict
from perfwright.measure.sequential import SequentialSettings, SequentialTest
from perfwright.measure.spending import spending
from perfwright.measure.statistics import Values

Rival = Callable[[Values], tuple[Verdict, int]]

_ERROR = 0.05
_FIRST = 5
"""The rivals' first look."""


def signed_rank(series: Values) -> tuple[Verdict, int]:
    """What perfwright uses, without its futility rule, which no rival has."""
    return _until_clear(series, SequentialSettings(pairs=len(series), futility=0.0))


def signed_rank_with_futility(series: Values) -> tuple[Verdict, int]:
    """What perfwright uses."""
    return _until_clear(series, SequentialSettings(pairs=len(series)))


def _until_clear(series: Values, settings: SequentialSettings) -> tuple[Verdict, int]:
    test = SequentialTest(settings)
    for value in series:
        comparison = test.add(float(value))
        if comparison is not None:
            return comparison.verdict, comparison.pairs
    raise AssertionError("the cap is the length of the series")


def fixed_t(series: Values) -> tuple[Verdict, int]:
    """One t-test after all pairs."""
    return _by_sign(_t(series), float(stats.t.ppf(1 - _ERROR / 2, len(series) - 1))), len(series)


def peeking_t(series: Values) -> tuple[Verdict, int]:
    """A t-test at 5 % after every pair: the mistake that sequential methods are there for."""
    return _first_crossing(series, lambda n: float(stats.t.ppf(1 - _ERROR / 2, n - 1)))


def spending_t(series: Values) -> tuple[Verdict, int]:
    """A t-test after every pair, each at what the spending function adds (Bonferroni)."""

    def bound(n: int) -> float:
        before = spending((n - 1) / len(series)) if n > _FIRST else 0.0
        share = _ERROR * (spending(n / len(series)) - before)
        return float(stats.t.ppf(1 - share / 2, n - 1))

    return _first_crossing(series, bound)


def asymptotic_sequence(series: Values) -> tuple[Verdict, int]:
    """Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, Annals of Statistics 52:2613,
    theorem 2.2, tuned to be narrowest at two thirds of the cap.
    """
    aim = len(series) * 2 / 3
    log_term = -2 * math.log(_ERROR)
    rho2 = (log_term + math.log(log_term + 1)) / aim

    def bound(n: int) -> float:
        grown = n * rho2 + 1
        half = math.sqrt(2 * grown / (n * n * rho2) * math.log(math.sqrt(grown) / _ERROR))
        return half * math.sqrt(n - 1)  # in units of the n-1 standard error

    return _first_crossing(series, bound)


def symmetric_martingale(series: Values) -> tuple[Verdict, int]:
    """A mixture of exp(lambda S - lambda^2 V / 2), V the sum of squares, over lambda.

    A supermartingale for any symmetric noise (de la Pena 1999, Annals of Probability 27:537;
    Howard, Ramdas, McAuliffe and Sekhon 2020, Probability Surveys 17:257): valid for ever,
    without a cap.  Its mixture is given the true scale of the noise, which favours it.
    """
    rates = np.geomspace(3.0, 300.0, 40)
    total = squares = 0.0
    for count, value in enumerate(series, start=1):
        total, squares = total + float(value), squares + float(value) ** 2
        up, down = (
            float(logsumexp(sign * rates * total - rates**2 * squares / 2)) - math.log(len(rates))
            for sign in (1, -1)
        )
        if max(up, down) >= math.log(2 / _ERROR):
            return (Verdict.FASTER if up > down else Verdict.SLOWER), count
    return Verdict.INCONCLUSIVE, len(series)


def _t(series: Values) -> float:
    error = float(series.std(ddof=1)) / math.sqrt(len(series))
    return float(series.mean()) / error if error else 0.0


def _by_sign(score: float, bound: float) -> Verdict:
    if abs(score) <= bound:
        return Verdict.INCONCLUSIVE
    return Verdict.FASTER if score > 0 else Verdict.SLOWER


def _first_crossing(series: Values, bound: Callable[[int], float]) -> tuple[Verdict, int]:
    for count in range(_FIRST, len(series) + 1):
        verdict = _by_sign(_t(series[:count]), bound(count))
        if verdict is not Verdict.INCONCLUSIVE:
            return verdict, count
    return Verdict.INCONCLUSIVE, len(series)


RIVALS: dict[str, Rival] = {
    "signed-rank, spending, futility (ours)": signed_rank_with_futility,
    "signed-rank, spending": signed_rank,
    "symmetric supermartingale": symmetric_martingale,
    "asymptotic confidence sequence": asymptotic_sequence,
    "t-test, spending (Bonferroni)": spending_t,
    "t-test after every pair": peeking_t,
    "t-test once, after 30 pairs": fixed_t,
}
