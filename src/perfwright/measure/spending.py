"""How much error each look at growing data may spend: group-sequential boundaries.

A test that is repeated after every pair until it rejects will reject in the end.  Alpha
spending (Lan and DeMets 1983, Biometrika 70:659) hands out the allowed error over the looks;
the spending function here is their Pocock-like one, `alpha log(1 + (e - 1) t)`, which spends
early: pairs are dear, and most candidates that are better are much better.

The chance of crossing at each look comes from recursive integration over a Brownian motion
(Armitage, McPherson and Rowe 1969, JRSS A 132:235; Jennison and Turnbull 2000, Group
Sequential Methods, chapter 19) that is stopped at the normal quantile of the *exact*
signed-rank tail (the significance-level approach, same book, chapter 3).  Its clock is the
information in n values, `n(2n+1)/(n+1)`: the signed-rank sums of m < n values correlate by
exactly `sqrt(I(m)/I(n))`.

What is exact and what is not: the first look is exact.  For the later ones the normal
approximation to the joint distribution was found up to 11 % too optimistic (10^5 to 4x10^5
simulated series; errors of 0.01 to 0.2, 6 to 100 looks), and noise that triples while a series
is measured adds another 12 %.  Looks after the first therefore share 0.8 of the error only: at
0.05 and 30 looks, 0.044 are used by steady noise, 0.049 by noise that triples, 0.054 by noise
that grows tenfold, which is beyond what is promised.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from perfwright.errors import InternalError
from perfwright.measure.statistics import Values, as_values, null_tails

_LATER_SHARE = 0.8
_STEP = 0.05
"""Grid step in standard deviations of one value; halving it moves no boundary below 60."""
_REACH = 7.0
"""The grid ends so many standard deviations out."""


@dataclass(frozen=True)
class Look:
    """One look at the data.

    `rank` says which Walsh averages bound the interval then (0: no verdict is possible yet),
    `tail` is that interval's own one-sided error, `spent` the two-sided error used so far.
    """

    count: int
    rank: int
    tail: float
    spent: float


def spending(fraction: float) -> float:
    """The share of the error that may be spent at this fraction of the planned values."""
    return math.log1p((math.e - 1) * min(max(fraction, 0.0), 1.0))


def information(count: int) -> float:
    """Information in `count` values, in units of one value far from the start."""
    return count * (2 * count + 1) / (2 * (count + 1))


@lru_cache(maxsize=64)
def boundaries(counts: tuple[int, ...], error: float) -> tuple[Look, ...]:
    """The looks after `counts` values, together wrong with probability at most `error`.

    Raises:
        InternalError: the counts do not ascend, or the error is not between 0 and 1.
    """
    if not counts or counts[0] < 1 or any(a >= b for a, b in itertools.pairwise(counts)):
        raise InternalError(f"looks must ascend from 1, not {counts}")
    if not 0 < error < 1:
        raise InternalError(f"an error rate lies between 0 and 1, not at {error}")
    walk = _Walk(counts[-1])
    looks: list[Look] = []
    rank, spent, clock = 0, 0.0, 0.0
    for count in counts:
        walk.spread(information(count) - clock)
        clock = information(count)
        allowed = error * spending(count / counts[-1])
        tails = null_tails(count)[: count * (count + 1) // 4 + 1]
        if spent:
            chances = walk.chances_outside(-ndtri(tails) * math.sqrt(clock))
            allowed = allowed * _LATER_SHARE - spent
        else:
            chances = 2 * tails
        found = int(np.searchsorted(chances, allowed, side="right"))
        # A rank that was good for fewer values costs nothing later: the number of Walsh
        # averages on one side of the truth only grows.
        if found > rank:
            walk.stop_outside(-float(ndtri(tails[found - 1])) * math.sqrt(clock))
            rank, spent = found, spent + float(chances[found - 1])
        looks.append(Look(count, rank, float(tails[rank - 1]) if rank else 0.0, spent))
    return tuple(looks)


class _Walk:
    """The density of a Brownian motion that has not been stopped yet, on a grid."""

    def __init__(self, count: int) -> None:
        half = math.ceil(_REACH * math.sqrt(information(count)) / _STEP)
        self._places = as_values(np.arange(-half, half + 1) * _STEP)
        self._mass: Values = np.zeros(2 * half + 1)
        self._mass[half] = 1.0

    def spread(self, variance: float) -> None:
        """Let it run for `variance` of time."""
        half = min(math.ceil(_REACH * math.sqrt(variance) / _STEP), len(self._places) // 2)
        kernel = np.exp(-0.5 * (np.arange(-half, half + 1) * _STEP) ** 2 / variance)
        self._mass = as_values(np.convolve(self._mass, kernel / kernel.sum(), mode="same"))

    def chances_outside(self, distances: Values) -> Values:
        """Probability to be alive and farther than each distance from 0, both sides."""
        beyond = self._mass.sum() - np.cumsum(self._mass)
        chances: Values = 2 * np.interp(distances, self._places + _STEP / 2, beyond)
        return chances

    def stop_outside(self, distance: float) -> None:
        """Stop all that is farther than `distance` from 0."""
        self._mass *= np.clip((distance - np.abs(self._places)) / _STEP + 0.5, 0.0, 1.0)
