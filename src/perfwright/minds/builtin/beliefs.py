"""Beliefs about levers: Bayesian linear regression on the logarithm of the speed-up.

The logarithm of a candidate's speed-up over the baseline is taken to be the sum of what its
levers bring, plus noise for interactions between them.  Priors come from the table of
levers, every measured trial updates them (Bishop, Pattern Recognition and Machine Learning,
2006, section 3.3).  A bundle that failed thus casts doubt on each of its levers in
proportion to how little was known of it, and clears those that others explain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from perfwright.core.candidate import Edit
from perfwright.core.trial import Trial, TrialState
from perfwright.minds.builtin.levers import Called

_INTERACTION = 0.02
"""Standard deviation of what levers do to each other, in log speed-up."""

_WRONG = -0.3
"""What a wrong or unbuildable candidate counts as: enough to leave its levers alone."""

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Beliefs:
    """What each lever brings, in log speed-up, after everything that was measured.

    `covariance` is a matrix over the levers: those that were measured together are believed
    to share what was seen.
    """

    levers: tuple[Called, ...]
    means: Vector
    covariance: Vector

    @property
    def deviations(self) -> Vector:
        """The standard deviation of each lever."""
        return np.sqrt(np.clip(np.diag(self.covariance), 0.0, None))

    def hopes(self, curiosity: float) -> Vector:
        """The upper bound that each lever is judged by: mean + curiosity * deviation."""
        return self.means + curiosity * self.deviations

    def step(self, before: Sequence[Edit], after: Sequence[Edit]) -> NormalDist:
        """The log speed-up of one set of edits over another, interactions included."""
        change = _pulled(after, self.levers) - _pulled(before, self.levers)
        variance = max(0.0, float(change @ self.covariance @ change)) + _INTERACTION**2
        return NormalDist(float(change @ self.means), math.sqrt(variance))


def uses(edits: Sequence[Edit], lever: Called) -> bool:
    """Whether a candidate with these edits pulls the lever."""
    return set(lever.edits) <= set(edits)


def believe(levers: Sequence[Called], trials: Sequence[Trial]) -> Beliefs:
    """The posterior after these trials."""
    means = np.array([c.mean for c in levers], dtype=np.float64)
    covariance = np.diag([max(c.deviation, 1e-4) ** 2 for c in levers])
    for trial in trials:
        outcome = _outcome(trial)
        pulled = _pulled(trial.candidate.edits, levers)
        if outcome is None or not pulled.any():
            continue
        observed, deviation = outcome
        spread = covariance @ pulled
        gain = spread / (pulled @ spread + deviation**2 + _INTERACTION**2)
        means = means + gain * (observed - pulled @ means)
        covariance = covariance - np.outer(gain, spread)
    return Beliefs(tuple(levers), means, covariance)


def _pulled(edits: Sequence[Edit], levers: Sequence[Called]) -> Vector:
    """One for each lever that these edits pull, zero for the others."""
    return np.array([uses(edits, lever) for lever in levers], dtype=np.float64)


def _outcome(trial: Trial) -> tuple[float, float] | None:
    """Log speed-up over the baseline and its standard deviation; `None` says nothing."""
    if trial.state is TrialState.MEASURED and trial.over_baseline is not None:
        over = trial.over_baseline
        width = math.log(over.high / over.low) if over.low > 0 else 0.2
        return math.log(over.ratio), max(width / 4, 1e-3)
    if trial.state in (TrialState.WRONG, TrialState.UNBUILDABLE):
        return _WRONG, 0.1
    return None
