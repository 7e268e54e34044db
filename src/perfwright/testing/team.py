"""A whole team of doubles around one scripted program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from perfwright.core.budget import Budget
from perfwright.core.campaign import Campaign, Outcome, Settings, Team
from perfwright.core.candidate import Candidate
from perfwright.core.protocols import Journal, Mind, PairLog
from perfwright.testing.journal import MemoryJournal
from perfwright.testing.measurer import ScriptedMeasurer, ScriptedPair
from perfwright.testing.mind import ScriptedMind
from perfwright.testing.program import (
    ScriptedChecker,
    ScriptedObserver,
    ScriptedProgram,
    ScriptedWorkshop,
)
from perfwright.testing.reporter import RecordingReporter


class ScriptedTeam:
    """Everyone whom a campaign calls, within reach of a test.

    `journal` and `pairs` default to memory; give those of an earlier team to resume it.
    """

    def __init__(
        self,
        program: ScriptedProgram,
        mind: Mind | Sequence[Candidate],
        *,
        journal: Journal | None = None,
        pairs: PairLog[ScriptedPair] | None = None,
        spent: Callable[[], float] = lambda: 0.0,
        seed: int = 0,
        noise: float = 0.002,
    ) -> None:
        memory = MemoryJournal[ScriptedPair]()
        self.journal = journal or memory
        self.pairs = pairs or memory
        self.reporter = RecordingReporter()
        self.observer = ScriptedObserver(program)
        self.mind = ScriptedMind(mind) if isinstance(mind, Sequence) else mind
        self.workshop = ScriptedWorkshop(program)
        self.checker = ScriptedChecker(program)
        self.measurer = ScriptedMeasurer(
            program, self.pairs, seed=seed, noise=noise, reporter=self.reporter
        )
        self.spent = spent

    @property
    def team(self) -> Team:
        """As core wants it."""
        return Team(
            observer=self.observer,
            mind=self.mind,
            workshop=self.workshop,
            checker=self.checker,
            measurer=self.measurer,
            journal=self.journal,
            reporter=self.reporter,
            spent=self.spent,
        )

    def run(self, budget: Budget | None = None, *, deduplicate: bool = True) -> Outcome:
        """Run a campaign with this team to its end."""
        settings = Settings(budget or Budget(), deduplicate=deduplicate)
        return Campaign(self.team, settings).run()

    @property
    def timed_labels(self) -> list[str]:
        """The comparisons for which pairs were really timed, in order."""
        return list(dict.fromkeys(label for label, _ in self.measurer.timed))
