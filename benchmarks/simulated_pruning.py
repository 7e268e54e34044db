"""Pruning on a simulated machine: the real rules and the real test, 1 % Gaussian noise a run."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from perfwright.core.attribution import prune
from perfwright.core.protocols import Build
from perfwright.core.trial import Correctness
from perfwright.core.verdict import Comparison
from perfwright.measure.sequential import PRUNING, SequentialTest
from perfwright.testing.measurer import ScriptedMeasurer
from perfwright.testing.mind import draft
from perfwright.testing.program import ScriptedProgram
from perfwright.testing.team import ScriptedTeam

_PAIR_SPREAD = 0.01 * math.sqrt(2)


@dataclass(frozen=True)
class Left:
    """What pruning left of a winner: how many edits, the log speed-up that went, what it cost."""

    edits: int
    lost: float
    pairs: int


def simulated_pruning(gains: Sequence[float], seed: int) -> Left:
    """Prune a winner whose edits bring these log speed-ups."""
    texts = [f"edit-{number}" for number in range(len(gains))]
    worth = dict(zip(texts, gains, strict=True))
    program = ScriptedProgram({text: math.exp(gain) for text, gain in worth.items()})
    team = ScriptedTeam(program, [])
    team.measurer = _Noisy(program, team.pairs, seed=seed)
    pruned = prune(program.build(draft(*texts)), Correctness.BY_CONSTRUCTION, team.team)
    left = [edit.text for edit in pruned.build.candidate.edits]
    lost = sum(gains) - sum(worth[text] for text in left)
    return Left(len(left), lost, len(team.measurer.timed))


class _Noisy(ScriptedMeasurer):
    """Times pairs until the real test stops."""

    def attribute(self, label: str, winner: Build, without: Build) -> Comparison:
        test = SequentialTest(PRUNING)
        dice = random.Random(f"{self.seed}/{label}")
        times = [self.program.seconds(b.candidate, searching=True) for b in (winner, without)]
        for number in itertools.count():
            self.timed.append((label, number))
            comparison = test.add(math.log(times[1] / times[0]) + dice.gauss(0, _PAIR_SPREAD))
            if comparison is not None:
                return comparison
        raise AssertionError("the test has a cap")
