"""The tool `tune`: a whole campaign, whose roles the client's own model may play.

How the model is asked depends on the revision of the protocol: see `perfwright.mcp.sampling`.
Where a call is answered with questions, the campaign waits in its thread between the calls; the
state that the client hands back says which one, and how often it was asked in this call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import InputRequiredResult, ToolAnnotations
from mcp_types.version import is_version_at_least
from pydantic import BaseModel, Field

from perfwright.app.agent.tuning import Sample, Tuning
from perfwright.app.request import TuneRequest
from perfwright.errors import UserError
from perfwright.mcp import results
from perfwright.mcp.answers import answering
from perfwright.mcp.arguments import (
    Count,
    Rounds,
    Seed,
    Symbol,
    Text,
    Time,
    Version,
    Words,
    seconds,
)
from perfwright.mcp.desk import Desk
from perfwright.mcp.waiting import attended, threaded
from perfwright.minds.assignment import SAMPLING

Ctx = Context[Any, Any]
Role = Literal["scorer", "analyst", "reasoner", "evaluator"]
Player = Literal["sampling", "builtin", "none"]
"""No other minds: an agent must not spend its user's keys, or start commands."""

RUNNING = "running"
_QUESTIONS_IN_ANSWERS = "2026-07-28"
"""The revision from which on a server sends no requests of its own."""
_MOST_QUESTIONS = 10
"""In one call: clients built on the official SDKs give up after that many."""
_MIND_SECONDS = 600.0


class Tuned(BaseModel):
    """How the campaign ended; or where it is, and how to go on."""

    campaign: str
    status: str = Field(description="improved, no-gain; or running: call again")
    confirmed: results.Confirmed | None = None
    requests: int = Field(default=0, description="to models")
    tokens: int = Field(default=0, description="about so many, in and out")
    next_calls: list[str] = []


@dataclass(frozen=True)
class Tuner:
    """The tool over one desk."""

    desk: Desk

    def add_to(self, server: MCPServer[Any]) -> None:
        """Register it."""
        hints = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
        server.add_tool(answering(self.tune), annotations=hints)

    async def tune(
        self,
        ctx: Ctx,
        *,
        program: Symbol = "",
        arguments: Words | None = None,
        campaign: Annotated[Text, Field(description="go on with this one instead")] = "",
        mind: Literal["sampling", "builtin"] = "sampling",
        roles: Annotated[
            dict[Role, Player] | None,
            Field(description="other minds for single roles; none leaves a role out"),
        ] = None,
        rounds: Rounds = 3,
        time: Time = "",
        metric: Literal["", "cpu", "wall", "instructions", "cycles"] = "",
        cpu: Text = "",
        toolchain: Version = "",
        seed: Seed = 0,
        max_requests: Count | None = None,
        max_tokens: Count | None = None,
        tool_calls: Annotated[Count, Field(description="of the reasoner, a proposal")] = 6,
        ir_tokens: Annotated[
            Count, Field(description="of IR for the analyst; 0 sends none")
        ] = 1800,
        mind_timeout: Annotated[Time, Field(description="of one question, as 10m")] = "",
        weak_oracle: bool = False,
    ) -> Tuned:
        """Run a whole campaign (very slow): measure, propose, confirm, hand over a recipe.

        mind: sampling asks your client's model for every role; builtin is rules and search.
        Report only what `confirmed` says.
        """
        name, asked = _state(ctx.request_state) if ctx.request_state else (campaign, 0)
        if name:
            tuning = self.desk.retune(name)
            _require_client(ctx, tuning.request)
        else:
            request = TuneRequest(
                program=self.desk.permitted(program or "."),
                arguments=tuple(arguments or ()),
                cwd=self.desk.here,
                mind=mind,
                roles=cast("dict[str, str]", roles or {}),
                rounds=rounds,
                seconds=seconds(time) if time else None,
                metric=metric or None,
                cpu=cpu or None,
                toolchain=toolchain or None,
                seed=seed,
                max_requests=max_requests,
                max_tokens=max_tokens,
                tool_calls=tool_calls,
                ir_tokens=ir_tokens,
                mind_timeout=seconds(mind_timeout) if mind_timeout else _MIND_SECONDS,
                weak_oracle=weak_oracle,
            )
            _require_client(ctx, request)
            tuning = self.desk.tune(request)
        return await self._attend(ctx, tuning, asked)  # type: ignore[return-value]

    async def _attend(self, ctx: Ctx, tuning: Tuning, asked: int) -> Tuned | InputRequiredResult:
        """Go on with a campaign that nobody else goes on with now."""
        if tuning.attended:
            raise UserError(
                "another call is still at work", hint="wait for its answer, or cancel it"
            )
        tuning.attended = True
        try:
            return await attended(ctx, tuning, lambda: _run(ctx, tuning, asked))
        finally:
            tuning.attended = False
            if not tuning.campaign:
                self.desk.drop(tuning)


def _state(text: str) -> tuple[str, int]:
    """Which campaign goes on, and how often this call has asked already.

    Raises:
        UserError: the text is none that this server gave.
    """
    match = re.fullmatch(r"([\w.-]+) (\d{1,3})", text, re.ASCII)
    if match is None:
        raise UserError(
            "the state that came with this call is none of this server's",
            hint="call tune with the id of the campaign",
        )
    return match[1], int(match[2])


def _require_client(ctx: Ctx, request: TuneRequest) -> None:
    """Make sure that there is a model to ask, before anything is run.

    Raises:
        UserError: the client lends none.
    """
    capabilities = ctx.client_capabilities
    lent = capabilities is not None and capabilities.sampling is not None
    if SAMPLING in request.assignment.models and not lent:
        raise UserError(
            "the client does not lend its model",
            cause="it has not declared the capability sampling",
            hint='call open, propose and measure, and think yourself; or tune with mind="builtin"',
        )


async def _run(ctx: Ctx, tuning: Tuning, asked: int) -> Tuned | InputRequiredResult:
    """Until the campaign has ended, or wants something that only another call can bring."""
    by_answers = is_version_at_least(ctx.protocol_version or "", _QUESTIONS_IN_ANSWERS)
    _deliver(ctx, tuning)
    while True:
        sample = await threaded(tuning.next)
        if sample is None:
            return _ended(tuning)
        if not by_answers:
            await _push(ctx, tuning, sample)
        elif asked < _MOST_QUESTIONS:
            return _question(ctx, tuning, sample, asked + 1)
        else:
            onward = f'tune(campaign="{tuning.campaign}")'
            return Tuned(campaign=tuning.campaign, status=RUNNING, next_calls=[onward])


async def _push(ctx: Ctx, tuning: Tuning, sample: Sample) -> None:
    """Ask the client while it waits."""
    from perfwright.mcp.sampling import pushed

    seconds = tuning.request.mind_timeout
    tuning.answer(await pushed(ctx, sample, tuning.campaign, seconds))


def _question(ctx: Ctx, tuning: Tuning, sample: Sample, asked: int) -> InputRequiredResult:
    """Ask the client by the answer to its call."""
    from perfwright.mcp.sampling import lends_tools, message_request

    return InputRequiredResult(
        input_requests={sample.key: message_request(sample.prompt, tools=lends_tools(ctx))},
        request_state=f"{tuning.campaign} {asked}",
    )


def _deliver(ctx: Ctx, tuning: Tuning) -> None:
    """What the client brings with this call, if it is what the campaign waits for."""
    sample = tuning.asked
    if sample is None or sample.key not in (ctx.input_responses or {}):
        return
    from perfwright.mcp.sampling import lends_tools, reply_to

    result = (ctx.input_responses or {})[sample.key]
    tuning.answer(reply_to(sample, result, tools=lends_tools(ctx)))


def _ended(tuning: Tuning) -> Tuned:
    document = tuning.document()
    confirmed = results.confirmed(document)
    return Tuned(
        campaign=tuning.campaign,
        status=document.status,
        confirmed=confirmed,
        requests=document.usage.requests,
        tokens=document.usage.tokens,
        next_calls=confirmed.next_calls,
    )
