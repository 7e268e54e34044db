"""A level whose edits change nothing, for A/A campaigns.

A null candidate is the baseline in another order of its functions.  Its own layouts are drawn
apart from the baseline's, so that it has the luck that a real candidate has, and no merit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perfwright.core.candidate import Candidate, Edit
from perfwright.core.protocols import Lesson, Refusal, Situation
from perfwright.core.trial import Trial
from perfwright.levels.protocol import Mended
from perfwright.measure.schedule import layout_seed
from perfwright.program.plan import BuildPlan

NAME = "null"


@dataclass(frozen=True)
class NullLevel:
    """Implements `perfwright.levels.protocol.Level` for edits `nothing 1`, `nothing 2`, ..."""

    seed: int = 0

    def repair(self, edits: tuple[Edit, ...]) -> Mended | Refusal:
        """Nothing to mend."""
        return Mended(edits, (), {edit: (edit,) for edit in edits})

    def plan(self, edits: tuple[Edit, ...], base: BuildPlan) -> BuildPlan | Refusal:
        """The base in an order that depends on the edit."""
        number = sum(int(edit.text.rpartition(" ")[2]) for edit in edits)
        return base.model_copy(update={"layout_seed": layout_seed(self.seed, 1_000_000 + number)})


@dataclass(frozen=True)
class NullMind:
    """Implements `perfwright.core.protocols.Mind`: proposes a null candidate every round."""

    def propose(self, situation: Situation) -> Sequence[Candidate]:
        """One that was not tried before."""
        return (Candidate((Edit(NAME, f"nothing {len(situation.trials) + 1}"),)),)

    def learn(self, situation: Situation, trial: Trial) -> Lesson:
        """Nothing."""
        del situation
        return Lesson(trial.id, "there is nothing to learn from a null candidate")
