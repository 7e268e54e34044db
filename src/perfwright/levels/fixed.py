"""A level with one edit: a build plan that is already known, as a recipe has it."""

from __future__ import annotations

from dataclasses import dataclass

from perfwright.core.candidate import Candidate, Edit
from perfwright.core.protocols import Refusal
from perfwright.levels.protocol import Mended
from perfwright.program.plan import BuildPlan

NAME = "recipe"
AS_HANDED_OVER = Candidate((Edit(NAME, "as handed over"),))


@dataclass(frozen=True)
class FixedLevel:
    """Implements `perfwright.levels.protocol.Level` for `AS_HANDED_OVER`."""

    fixed: BuildPlan

    def repair(self, edits: tuple[Edit, ...]) -> Mended | Refusal:
        """Nothing to mend."""
        return Mended(edits)

    def plan(self, edits: tuple[Edit, ...], base: BuildPlan) -> BuildPlan | Refusal:
        """The plan, whatever the base is: it was made on one."""
        del edits, base
        return self.fixed
