"""Beliefs about levers: Bayesian linear regression on the logarithm of the speed-up.

The logarithm of a candidate's speed-up over the baseline is taken to be the sum of what its
levers bring, plus what they do to each other in just this candidate.  Priors come from the
table of levers, every measured trial updates them (Bishop, Pattern Recognition and Machine
Learning, 2006, section 3.3).  A bundle that failed thus casts doubt on each of its levers in
proportion to how little was known of it, and clears those that others explain.

What is special to a candidate is believed in too.  An incumbent was accepted because it did
well, and in part that was its own: the next candidate on top of it has another interplay, and
a step from the incumbent starts that much lower.
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

_LEAST_DEVIATION = 1e-3
"""No candidate is known better than this, measured or not."""

_WRONG = -0.3
"""What a wrong or unbuildable candidate counts as: enough to leave its levers alone."""

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Beliefs:
    """What each lever brings, in log speed-up, after everything that was measured.

    Attributes:
        levers: in the order of `means` and `deviations`.
        own: the candidates whose interplay is believed in, by their edits.
        joint: the means of all levers, then of the interplay in each of these candidates.
        covariance: over all of them; what was measured together shares what was seen.
    """

    levers: tuple[Called, ...]
    own: tuple[frozenset[Edit], ...]
    joint: Vector
    covariance: Vector

    @property
    def means(self) -> Vector:
        """The mean of each lever."""
        return self.joint[: len(self.levers)]

    @property
    def deviations(self) -> Vector:
        """The standard deviation of each lever."""
        return np.sqrt(np.clip(np.diag(self.covariance), 0.0, None))[: len(self.levers)]

    def hopes(self, curiosity: float) -> Vector:
        """The upper bound that each lever is judged by: mean + curiosity * deviation."""
        return self.means + curiosity * self.deviations

    def step(self, before: Sequence[Edit], after: Sequence[Edit]) -> NormalDist:
        """The log speed-up of one set of edits over another, interactions included."""
        change = _row(after, self.levers, self.own) - _row(before, self.levers, self.own)
        new = sum(
            _explained(edits, self.levers) and frozenset(edits) not in self.own
            for edits in (before, after)
        )
        variance = float(change @ self.covariance @ change) + new * _INTERACTION**2
        variance = max(variance, _LEAST_DEVIATION**2)
        return NormalDist(float(change @ self.joint), math.sqrt(variance))


def uses(edits: Sequence[Edit], lever: Called) -> bool:
    """Whether a candidate with these edits pulls the lever."""
    return set(lever.edits) <= set(edits)


def believe(levers: Sequence[Called], trials: Sequence[Trial]) -> Beliefs:
    """The posterior after these trials."""
    told = [(trial.candidate.edits, outcome) for trial in trials if (outcome := _outcome(trial))]
    own = tuple({frozenset(e): None for e, _ in told if _explained(e, levers)})
    joint = np.array([*(c.mean for c in levers), *(0.0 for _ in own)], dtype=np.float64)
    deviations = [*(max(c.deviation, 1e-4) for c in levers), *(_INTERACTION for _ in own)]
    covariance = np.diag(np.square(deviations))
    for edits, (observed, deviation) in told:
        row = _row(edits, levers, own)
        if not row.any():
            continue
        noise = deviation**2 + (0.0 if frozenset(edits) in own else _INTERACTION**2)
        spread = covariance @ row
        gain = spread / (row @ spread + noise)
        joint = joint + gain * (observed - row @ joint)
        covariance = covariance - np.outer(gain, spread)
    return Beliefs(tuple(levers), own, joint, covariance)


def _row(edits: Sequence[Edit], levers: Sequence[Called], own: Sequence[frozenset[Edit]]) -> Vector:
    """One for each lever that these edits pull, and for the candidate that they are."""
    pulled = [uses(edits, lever) for lever in levers]
    return np.array([*pulled, *(frozenset(edits) == one for one in own)], dtype=np.float64)


def _explained(edits: Sequence[Edit], levers: Sequence[Called]) -> bool:
    """Whether there are edits, and all are of levers: what others bring is no interplay."""
    known = {edit for lever in levers if uses(edits, lever) for edit in lever.edits}
    return bool(edits) and set(edits) <= known


def _outcome(trial: Trial) -> tuple[float, float] | None:
    """Log speed-up over the baseline and its standard deviation; `None` says nothing."""
    if trial.state is TrialState.MEASURED and trial.over_baseline is not None:
        over = trial.over_baseline
        width = math.log(over.high / over.low) if over.low > 0 else 0.2
        return math.log(over.ratio), max(width / 4, _LEAST_DEVIATION)
    if trial.state in (TrialState.WRONG, TrialState.UNBUILDABLE):
        return _WRONG, 0.1
    return None
