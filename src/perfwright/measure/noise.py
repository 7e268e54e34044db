"""What is wrong with the machine, or with the benchmark: warnings as data, with hints.

A warning changes no verdict: intervals widen by themselves.  It tells the user why they are
wide, and what to do.  Every threshold says where it comes from; those that were calibrated
here raise a false alarm on at most 1 % of quiet series (Gaussian, 15 runs or more; see the
tests).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from perfwright.measure.statistics import Values, as_values
from perfwright.units import Seconds, format_duration

SHORTEST = Seconds(5e-3)
"""hyperfine warns below 5 ms (`MIN_EXECUTION_TIME`, src/benchmark/mod.rs): starting a process
takes about a millisecond, which no edit can make faster."""

OUTLIER_SCORE = 3.5
"""Modified z-score of an outlier (Iglewicz and Hoaglin 1993, How to Detect and Handle
Outliers, ASQC Basic References in Quality Control 16)."""

OUTLIER_SHARE = 0.15
"""The signed-rank interval holds until 29 % of the values are arbitrary (Hodges and Lehmann's
estimate: Huber 1981, Robust Statistics, chapter 3); one value comes from two runs."""

SLOW_START_SCORE = 14.826
"""hyperfine's threshold for a slow first run: ten standard deviations, in units of the median
absolute deviation (`OUTLIER_THRESHOLD`, src/outlier_detection.rs)."""

DRIFT_P_VALUE = 1e-3
"""Mann-Kendall test for a trend (Mann 1945, Econometrica 13:245)."""

DRIFT_SIZE = 0.01
"""A smaller change over the series (slope: Sen 1968, JASA 63:1379) is not worth a word."""

BIMODAL_SEPARATION = 0.9
"""Share of the variance that the best split into two groups explains (Otsu 1979, IEEE Trans.
SMC 9:62), the outer twentieth on both sides pulled in; 0.64 for a long normal series, 0.75
for an even one.  Calibrated here."""

BIMODAL_SHARE = 0.15
"""A rarer second mode is called outliers."""

NOISY_SPREAD = 0.03
"""Robust standard deviation over median.  Here selection misses a gain of 2 % in every second
campaign: it is two thirds of the noise (benchmarks/study_statistics.py, power)."""

BUSY_SHARE = 0.05
"""Share of the wall time for which a run had to wait for a CPU, beyond what the least
disturbed run of the series waited (input and output wait every time)."""

_FEWEST = 15
"""Fewer runs say little about their distribution."""

_MAD_TO_SIGMA = 1.4826
"""From the median absolute deviation to a normal standard deviation."""


class NoiseKind(StrEnum):
    """What may be wrong with a series of times."""

    TOO_SHORT = "too-short"
    SLOW_START = "slow-start"
    OUTLIERS = "outliers"
    DRIFT = "drift"
    BIMODAL = "bimodal"
    NOISY = "noisy"
    BUSY = "busy"


@dataclass(frozen=True)
class NoiseWarning:
    """One thing that is wrong, how much of it there is, and what helps."""

    kind: NoiseKind
    fact: str
    hint: str
    value: float
    threshold: float

    def __str__(self) -> str:
        return f"{self.fact}; {self.hint}"


def inspect_times(
    times: ArrayLike, *, wall_times: ArrayLike | None = None
) -> tuple[NoiseWarning, ...]:
    """What is wrong with the times of one arm, in the order of measuring.

    Args:
        times: seconds of one build on one workload, by the campaign's metric.
        wall_times: wall seconds of the same runs, when `times` are CPU seconds; without them
            a busy machine is not told from a noisy one.

    Raises:
        InternalError: a time is not a finite number.
    """
    series = as_values(times).ravel()
    if not len(series) or np.median(series) <= 0:
        return ()
    found = [_too_short(series)]
    if len(series) >= _FEWEST:
        checks: tuple[Callable[[Values], NoiseWarning | None], ...] = (
            _slow_start,
            _outliers,
            _drift,
            _bimodal,
            _noisy,
        )
        found += [check(series) for check in checks]
        if wall_times is not None:
            found.append(_busy(series, as_values(wall_times).ravel()))
    return tuple(warning for warning in found if warning)


def modified_scores(values: Values) -> Values:
    """How far each value lies from the median, in robust standard deviations, signed."""
    deviations = values - np.median(values)
    scale = max(float(np.median(np.abs(deviations))) * _MAD_TO_SIGMA, np.finfo(float).tiny)
    scores: Values = deviations / scale
    return scores


def _relative_spread(series: Values) -> float:
    middle = float(np.median(series))
    return _MAD_TO_SIGMA * float(np.median(np.abs(series - middle))) / middle


def _too_short(series: Values) -> NoiseWarning | None:
    middle = float(np.median(series))
    if middle >= SHORTEST:
        return None
    return NoiseWarning(
        NoiseKind.TOO_SHORT,
        f"a run takes {format_duration(middle)}, much of it to start the process",
        f"give the workload more to do: {format_duration(SHORTEST)} at least, 50 ms are better",
        middle,
        SHORTEST,
    )


def _slow_start(series: Values) -> NoiseWarning | None:
    score = float(modified_scores(series)[0]) * _MAD_TO_SIGMA
    excess = float(series[0] / np.median(series)) - 1
    if score <= SLOW_START_SCORE or excess < DRIFT_SIZE:
        return None
    return NoiseWarning(
        NoiseKind.SLOW_START,
        f"the first run was {excess:.0%} slower than the others",
        "caches were cold: use more warm-up runs",
        score,
        SLOW_START_SCORE,
    )


def _outliers(series: Values) -> NoiseWarning | None:
    far = np.abs(modified_scores(series)) > OUTLIER_SCORE
    # Discrete timers make the median deviation 0 and everything else an outlier.
    far &= np.abs(series / np.median(series) - 1) > DRIFT_SIZE / 10
    share = float(far.mean())
    if share <= OUTLIER_SHARE or _bimodal(series):
        return None
    return NoiseWarning(
        NoiseKind.OUTLIERS,
        f"{share:.0%} of the runs were far from the others",
        "something interrupts the program: stop other work, or use a machine that is not shared",
        share,
        OUTLIER_SHARE,
    )


def _drift(series: Values) -> NoiseWarning | None:
    places = np.arange(len(series))
    # Half a second to import, and only long series need it.
    from scipy import stats  # noqa: PLC0415

    slope = float(stats.theilslopes(series, places)[0])
    change = slope * (len(series) - 1) / float(np.median(series))
    p_value = float(stats.kendalltau(places, series)[1])
    if abs(change) < DRIFT_SIZE or not p_value < DRIFT_P_VALUE:
        return None
    direction = "slower" if change > 0 else "faster"
    return NoiseWarning(
        NoiseKind.DRIFT,
        f"the machine became {abs(change):.1%} {direction} while it was measured",
        "interleaving cancels that, but check for heat, frequency scaling and other users",
        change,
        DRIFT_SIZE,
    )


def _bimodal(series: Values) -> NoiseWarning | None:
    low, high, separation = _best_split(_winsorised(series))
    if separation < BIMODAL_SEPARATION or high / low - 1 < DRIFT_SIZE:
        return None
    return NoiseWarning(
        NoiseKind.BIMODAL,
        f"runs take either {format_duration(low)} or {format_duration(high)}",
        "look for two kinds of CPU, frequency steps, or an input that differs from run to run",
        separation,
        BIMODAL_SEPARATION,
    )


def _winsorised(series: Values) -> Values:
    """Ascending, the outer twentieth on both sides replaced by its nearest neighbour."""
    ascending: Values = np.sort(series)
    outer = math.ceil(len(series) / 20)
    return np.clip(ascending, ascending[outer], ascending[-1 - outer])


def _best_split(body: Values) -> tuple[float, float, float]:
    """Means of the two groups that explain most of the variance, and the share they explain.

    `body` ascends; each group holds at least `BIMODAL_SHARE` of it.
    """
    count, total = len(body), float(body.sum())
    sizes = np.arange(1, count)
    below = np.cumsum(body)[:-1]
    low, high = below / sizes, (total - below) / (count - sizes)
    between = sizes * (count - sizes) / count**2 * (high - low) ** 2
    between[np.minimum(sizes, count - sizes) < BIMODAL_SHARE * count] = 0.0
    best = int(np.argmax(between))
    variance = float(body.var())
    explained = float(between[best]) / variance if variance else 0.0
    return float(low[best]), float(high[best]), explained


def _noisy(series: Values) -> NoiseWarning | None:
    spread = _relative_spread(series)
    if spread <= NOISY_SPREAD:
        return None
    return NoiseWarning(
        NoiseKind.NOISY,
        f"times of the same program spread by {spread:.1%}",
        "small gains will not be seen: allow more pairs, or use a quieter machine",
        spread,
        NOISY_SPREAD,
    )


def _busy(series: Values, wall: Values) -> NoiseWarning | None:
    waiting = 1 - series / wall
    share = float(np.median(waiting) - np.min(waiting))
    if share <= BUSY_SHARE:
        return None
    return NoiseWarning(
        NoiseKind.BUSY,
        f"half of the runs waited {share:.0%} of their time or more for a CPU",
        "the machine is busy: stop other work; times are CPU times and stay comparable",
        share,
        BUSY_SHARE,
    )
