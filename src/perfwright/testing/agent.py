"""Sessions over scripted doubles: an agent's campaign without LLVM, in no time."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast as as_type

from perfwright.app.request import AGENT, TuneRequest
from perfwright.app.session import Session
from perfwright.app.story import loop_settings
from perfwright.app.tune import Cast, Ended
from perfwright.app.workplace import Workplace
from perfwright.core.campaign import Campaign, Status, Team
from perfwright.core.events import Reporter
from perfwright.core.evidence import Fact
from perfwright.report.document import CampaignDocument, ResultRecord, stillborn
from perfwright.testing.journal import MemoryJournal
from perfwright.testing.measurer import ScriptedMeasurer, ScriptedPair
from perfwright.testing.program import (
    ScriptedChecker,
    ScriptedObserver,
    ScriptedProgram,
    ScriptedWorkshop,
)

CAMPAIGN = "scripted-000000"


@dataclass
class ScriptedConduct:
    """Implements `perfwright.app.session.Conduct` over a journal in memory.

    `names` lists what it was asked to resume; an empty name is a beginning.
    """

    program: ScriptedProgram
    request: TuneRequest
    facts: tuple[Fact, ...] = ()
    journal: MemoryJournal[ScriptedPair] = field(default_factory=MemoryJournal)
    names: list[str] = field(default_factory=list)

    def __call__(self, name: str, reporter: Reporter, cast: Cast, /) -> Ended:
        """Run the loop to its end."""
        self.names.append(name)
        place = SimpleNamespace(journal=SimpleNamespace(campaign=CAMPAIGN), must_stop=None)
        lead = cast(as_type(Workplace, place))
        team = Team(
            observer=ScriptedObserver(self.program, self.facts),
            mind=lead.mind,
            workshop=ScriptedWorkshop(self.program),
            checker=ScriptedChecker(self.program),
            measurer=ScriptedMeasurer(self.program, self.journal),
            journal=self.journal,
            reporter=reporter,
            last_look=lead.last_look,
        )
        try:
            outcome = Campaign(team, loop_settings(self.request)).run()
        except KeyboardInterrupt:
            return Ended(stillborn(Status.INTERRUPTED), interrupted=True)
        said = outcome.confirmation
        result = said and ResultRecord(
            speedup=said.ratio,
            low=said.low,
            high=said.high,
            pairs=said.pairs,
            correct=outcome.correctness,
        )
        edits = [str(edit) for edit in outcome.final.edits]
        changes = {"campaign": CAMPAIGN, "result": result, "edits": edits}
        document: CampaignDocument = stillborn(outcome.status).model_copy(update=changes)
        return Ended(document)


def scripted_session(
    program: ScriptedProgram, *, rounds: int = 3, facts: tuple[Fact, ...] = ()
) -> Session:
    """A session whose program is scripted."""
    request = TuneRequest(program="scripted.c", mind=AGENT, rounds=rounds)  # type: ignore[arg-type]
    return Session(request, ScriptedConduct(program, request, facts))
