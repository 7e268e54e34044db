"""Fixed designs for confirmation at about the same number of pairs, by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats
from simulated_campaigns import Noise

from perfwright.core.verdict import Verdict
from perfwright.measure.statistics import Values, compare_once

Faster = Callable[[Values], bool]
"""Whether a table of log-ratios, layouts x pairs, is confirmed as a gain at 95 %."""


def pooled_t(table: Values) -> bool:
    """A t-test over all pairs, as if layouts did not exist."""
    return _t_says_faster(table.ravel())


def t_over_layouts(table: Values) -> bool:
    """A t-test over the layouts' means."""
    return _t_says_faster(table.mean(axis=1))


def t_over_medians(table: Values) -> bool:
    """A t-test over the layouts' medians."""
    return _t_says_faster(np.median(table, axis=1))


def signed_rank_over_layouts(table: Values) -> bool:
    """The signed-rank interval over the layouts' medians."""
    return compare_once(np.median(table, axis=1)).verdict is Verdict.FASTER


def _t_says_faster(values: Values) -> bool:
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return bool(values.mean() > half)


@dataclass(frozen=True)
class FixedDesign:
    """So many layouts, so many pairs each, judged so."""

    layouts: int
    pairs: int
    faster: Faster

    def __str__(self) -> str:
        return f"{self.layouts} x {self.pairs}, {self.faster.__name__.replace('_', ' ')}"


DESIGNS = (
    FixedDesign(5, 7, pooled_t),
    FixedDesign(5, 7, t_over_layouts),
    FixedDesign(9, 4, t_over_layouts),
    FixedDesign(12, 3, t_over_medians),
    FixedDesign(12, 3, signed_rank_over_layouts),
    FixedDesign(18, 2, signed_rank_over_layouts),
    FixedDesign(24, 1, signed_rank_over_layouts),
    FixedDesign(36, 1, t_over_layouts),
    FixedDesign(36, 1, signed_rank_over_layouts),
)


@dataclass(frozen=True)
class Truth:
    """What is so: a log speed-up, and the spread of each program's luck over its layouts."""

    noise: Noise
    layout: float
    gain: float


def chance_of_gain(design: FixedDesign, truth: Truth, seed: int, times: int) -> float:
    """How often the design confirms a gain."""
    rng = np.random.default_rng(seed)
    runs = 2 * design.layouts * design.pairs
    confirmed = 0
    for _ in range(times):
        pairs = truth.noise(rng, runs).reshape(-1, 2)
        # Which arm of a block comes first is random, as in the schedule.
        noises = (pairs[:, 0] - pairs[:, 1]) * rng.choice((-1, 1), len(pairs))
        luck = truth.layout * math.sqrt(2) * rng.standard_normal((design.layouts, 1))
        confirmed += design.faster(truth.gain + luck + noises.reshape(design.layouts, -1))
    return confirmed / times
