"""What the built-in mind may look at for free: drafts, compiled but not run."""

from __future__ import annotations

from dataclasses import dataclass

from perfwright.core.candidate import Candidate
from perfwright.core.protocols import Refusal
from perfwright.levels.workshop import EditWorkshop
from perfwright.minds.roles import Draft


@dataclass(frozen=True)
class WorkshopBench:
    """Implements `perfwright.minds.roles.Bench` by compiling in the workshop."""

    workshop: EditWorkshop

    def draft(self, candidate: Candidate, reference: Candidate) -> Draft | Refusal:
        """See `Bench.draft`."""
        mine = self.workshop.look(candidate)
        other = self.workshop.look(reference)
        if isinstance(mine, Refusal):
            return mine
        if isinstance(other, Refusal):
            return other
        if mine.repairs:
            # Of an option that this LLVM lacks, repair makes a similar one: another idea.
            return Refusal(f"not as drafted: {'; '.join(mine.repairs)}")
        names = mine.functions.keys() | other.functions.keys()
        changed = [n for n in names if mine.functions.get(n) != other.functions.get(n)]
        return Draft(mine.code, mine.size_bytes, tuple(sorted(changed)))
