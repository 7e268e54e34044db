"""The tools that work: open a campaign, try candidates, confirm.  The session does it all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ToolAnnotations
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from perfwright.app.agent.meeting import Asked
from perfwright.app.agent.session import Hopes, Idea
from perfwright.app.inside import builds
from perfwright.app.request import TuneRequest
from perfwright.mcp import results
from perfwright.mcp.answers import answering
from perfwright.mcp.arguments import (
    EditText,
    EditTexts,
    Prose,
    Rounds,
    Seed,
    Symbol,
    Text,
    Texts,
    Time,
    Version,
    Words,
    seconds,
)
from perfwright.mcp.desk import Desk
from perfwright.mcp.waiting import awaited

Ctx = Context[Any, Any]

_WORKS = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)


class ProposedEdit(BaseModel):
    """One edit, and why."""

    model_config = ConfigDict(extra="forbid")

    edit: EditText = Field(description="e.g. 'option inline-threshold=600'; see look_up(edits)")
    claim: Prose = Field(default="", description="why it should help, in one sentence")
    evidence: Texts = Field(default=[], description="ids of facts")

    def idea(self) -> Idea:
        """As the session takes it."""
        return Idea(self.edit, self.claim, tuple(self.evidence))


def _as_edit(given: Any) -> Any:
    """An edit without a claim may be written as its text alone."""
    return {"edit": given} if isinstance(given, str) else given


Edits = Annotated[
    list[
        Annotated[
            ProposedEdit, BeforeValidator(_as_edit, json_schema_input_type=ProposedEdit | str)
        ]
    ],
    Field(max_length=100),
]


@dataclass(frozen=True)
class Working:
    """These tools over one desk."""

    desk: Desk

    def add_to(self, server: MCPServer[Any]) -> None:
        """Register them."""
        tools: list[Callable[..., Any]] = [self.open, self.draft, self.propose, self.measure]
        tools += [self.confirm, self.close]
        for tool in tools:
            server.add_tool(answering(tool), annotations=_WORKS)

    async def open(
        self,
        ctx: Ctx,
        *,
        program: Symbol = "",
        arguments: Words | None = None,
        campaign: Text = "",
        rounds: Rounds = 3,
        time: Time = "",
        metric: Literal["", "cpu", "wall", "instructions", "cycles"] = "",
        cpu: Text = "",
        toolchain: Version = "",
        seed: Seed = 0,
        weak_oracle: bool = False,
    ) -> results.Opened:
        """Open a campaign: build the baseline, check the oracle, gather the evidence (slow).

        A round is one measured candidate, or three that failed before.  `time` ("20m") limits
        wall time, your thinking included.  `campaign` goes on with an interrupted one instead.
        """
        if campaign:
            session = self.desk.reopen(campaign)
        else:
            request = TuneRequest(
                program=self.desk.permitted(program or "."),
                arguments=tuple(arguments or ()),
                cwd=self.desk.here,
                rounds=rounds,
                seconds=seconds(time) if time else None,
                metric=metric or None,
                toolchain=toolchain or None,
                cpu=cpu or None,
                seed=seed,
                weak_oracle=weak_oracle,
            )
            session = self.desk.open(request)

        def begin() -> Asked:
            self.desk.settle()  # what was cancelled may still hold the campaign that is asked for
            return session.begin()

        try:
            asked = await awaited(ctx, session, begin)
        finally:
            if session.asked is None:
                self.desk.drop(session)
        return results.opened(session, asked)

    async def draft(
        self, ctx: Ctx, edits: Edits, without: EditTexts | None = None
    ) -> results.DraftView:
        """Build an idea to look at it: repairs, size, what changes in hot code.  Free: no trial,
        no round.  Edits come on top of the incumbent; `without` drops edits of it."""
        session = self.desk.session

        def look() -> results.DraftView:
            with session.inside() as place:
                candidate = session.candidate([edit.idea() for edit in edits], without or ())
                seen = builds.drafted(place, candidate, session.situation.incumbent)
            return results.draft_view(seen)

        return await awaited(ctx, session, look)

    async def propose(
        self,
        ctx: Ctx,
        edits: Edits,
        *,
        without: EditTexts | None = None,
        expects: Annotated[Prose, Field(description="what will change, in code and time")] = "",
        confidence: Annotated[float | None, Field(ge=0, le=1)] = None,
        lesson: Annotated[Prose, Field(description="what the last trial taught, briefly")] = "",
    ) -> results.Happened:
        """Try a candidate, one idea: it is repaired, built and checked; `ready` waits for measure.

        Edits come on top of the incumbent; `without` drops edits of it.  A `ready` one that is
        not measured is dropped by the next proposal.
        """
        session = self.desk.session
        ideas = [edit.idea() for edit in edits]
        hopes = Hopes(expects, confidence)

        def call() -> Asked:
            return session.propose(ideas, without=without or (), hopes=hopes, lesson=lesson)

        return results.happened(session.campaign, await awaited(ctx, session, call))

    async def measure(self, ctx: Ctx) -> results.Happened:
        """Time the ready candidate against incumbent and baseline (slow).  The rules accept it
        or roll it back; believe the verdict, not the plain ratio."""
        session = self.desk.session
        asked = await awaited(ctx, session, session.measure)
        return results.happened(session.campaign, asked)

    async def confirm(self, ctx: Ctx, lesson: Prose = "") -> results.Confirmed:
        """End the search (slow): prune the winner, confirm it on fresh runs of held-back
        workloads, write recipe and report.  Only this figure is to be reported."""
        session = self.desk.session
        document = await awaited(ctx, session, lambda: session.confirm(lesson))
        return results.confirmed(document)

    def close(self) -> results.Names:
        """Put the campaign away; one that has not ended can be opened again by its id."""
        name = self.desk.close()
        lines = [f"put away: {name}" if name else "nothing was open"]
        lines += [f"to go on: {self.desk.onward}"] if self.desk.onward else []
        return results.Names(lines=lines, total=len(lines))
