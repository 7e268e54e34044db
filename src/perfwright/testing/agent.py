"""Campaigns over scripted doubles that an agent leads or its client's model: without LLVM, in no
time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from typing import cast as as_type

from perfwright.app.agent.session import Session
from perfwright.app.agent.tuning import Tuning
from perfwright.app.campaign.tune import Cast, Ended, Lead
from perfwright.app.record.story import loop_settings
from perfwright.app.request import AGENT, TuneRequest
from perfwright.app.workplace import Workplace
from perfwright.core.budget import Usage
from perfwright.core.campaign import Campaign, Status, Team
from perfwright.core.events import Reporter
from perfwright.core.evidence import Fact
from perfwright.minds.assignment import ROLES, SAMPLING
from perfwright.minds.team import RoleMind
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
class MemoryRecorder:
    """Implements `perfwright.minds.llm.ledger.Recorder` in memory."""

    known: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)

    def recall(self, role: str, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """See `Recorder.recall`."""
        del role
        return self.known.get(json.dumps(request))

    def record(
        self,
        role: str,
        request: Mapping[str, Any],
        answer: Mapping[str, Any],
        tokens: int,
        usd: float,
    ) -> None:
        """See `Recorder.record`."""
        del role
        self.known[json.dumps(request)] = answer
        self.usage = replace(
            self.usage, tokens=self.usage.tokens + tokens, usd=self.usage.usd + usd
        )

    def sent(self) -> None:
        """See `Recorder.sent`."""
        self.usage = replace(self.usage, requests=self.usage.requests + 1)

    def used(self) -> Usage:
        """See `Recorder.used`."""
        return self.usage


@dataclass
class ScriptedConduct:
    """Implements `perfwright.app.agent.conducted.Conduct` over a journal in memory.

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


def scripted_tuning(
    program: ScriptedProgram,
    *,
    rounds: int = 3,
    facts: tuple[Fact, ...] = (),
    mind_timeout: float = 600.0,
) -> Tuning:
    """A campaign whose program is scripted, and all of whose roles ask the model outside."""
    request = TuneRequest(
        program="scripted.c",  # type: ignore[arg-type]
        mind=SAMPLING,
        rounds=rounds,
        mind_timeout=mind_timeout,
    )
    recorder = MemoryRecorder()

    def cast(place: Workplace) -> Lead:
        # Models are an extra; what else is here needs none.
        from perfwright.minds.llm.mind import Connection, model_role  # noqa: PLC0415
        from perfwright.minds.llm.roles import Study  # noqa: PLC0415

        connection = Connection(recorder, guests=place.guests)
        roles = [model_role(role, connection.line(SAMPLING, role), Study()) for role in ROLES]
        return Lead(RoleMind(*roles))

    return Tuning(request, ScriptedConduct(program, request, facts), cast=cast)
