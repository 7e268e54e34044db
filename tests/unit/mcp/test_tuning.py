"""The tool `tune` in this process: both ways of asking, refusals, limits, cancellation."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest

pytest.importorskip("mcp")

from mcp import Client
from mcp_types import (
    CreateMessageRequestParams,
    CreateMessageResult,
    ErrorData,
    ImageContent,
    SamplingCapability,
    SamplingToolsCapability,
    TextContent,
)

from perfwright.app.agent.tuning import Tuning
from perfwright.core.evidence import Fact
from perfwright.errors import UserError
from perfwright.mcp.desk import Desk
from perfwright.mcp.server import build_server
from perfwright.mcp.tuning import _state
from perfwright.testing.agent import CAMPAIGN, scripted_session, scripted_tuning
from perfwright.testing.program import ScriptedProgram

PROGRAM = ScriptedProgram(speedups={"fast": 1.3})
FACTS = (Fact("fun-f", "function", "opt", "a.c:1", "f in a.c", {"symbol": "f"}),)
ANSWERS: dict[str, dict[str, Any]] = {
    "Scorer": {"functions": [{"symbol": "f", "weight": 1, "reason": "hot"}]},
    "Analyst": {
        "bottlenecks": [
            {"kind": "loop", "symbol": "f", "weight": 1, "text": "t", "evidence": ["fun-f"]}
        ]
    },
    "Reasoner": {"candidates": [{"edits": [{"edit": "fast", "claim": "c"}]}]},
    "Evaluator": {"cause": "it is", "next": "stop"},
}
BY_ANSWERS, BY_REQUESTS = "auto", "legacy"
"""The client's modes: questions in answers to its calls, or requests of the server's own."""
EITHER_WAY = pytest.mark.parametrize("mode", [BY_ANSWERS, BY_REQUESTS])


def role_of(params: CreateMessageRequestParams) -> str:
    return (params.system_prompt or "").split()[1]


def said(text: str) -> CreateMessageResult:
    return CreateMessageResult(role="assistant", model="m", content=TextContent(text=text))


class Model:
    """Answers every role; keeps which were asked."""

    def __init__(self) -> None:
        self.roles: list[str] = []

    async def __call__(self, context: Any, params: CreateMessageRequestParams) -> Any:
        del context
        self.roles.append(role_of(params))
        return said(json.dumps(ANSWERS[self.roles[-1]]))


def talk(
    story: Callable[[Client], Awaitable[None]],
    model: Any,
    mode: str,
    *,
    rounds: int = 1,
    mind_timeout: float = 600.0,
    tools: bool = False,
) -> Tuning:
    """Let a client talk to a server on which a campaign waits with its first question."""
    tuning = scripted_tuning(PROGRAM, facts=FACTS, rounds=rounds, mind_timeout=mind_timeout)
    lends = SamplingCapability(tools=SamplingToolsCapability() if tools else None)

    async def connected() -> None:
        desk = Desk(Path.cwd(), (Path.cwd(),))
        desk.take(tuning).next()
        with closing(desk), anyio.fail_after(30):
            client = Client(
                build_server(desk), mode=mode, sampling_callback=model, sampling_capabilities=lends
            )
            async with client:
                await story(client)

    anyio.run(connected)
    return tuning


async def call(client: Client, **arguments: Any) -> Any:
    return await client.call_tool("tune", {"campaign": CAMPAIGN, **arguments})


async def fail(client: Client, **arguments: Any) -> str:
    answer = await call(client, **arguments)
    assert answer.is_error
    text: str = answer.content[0].text
    return text


@EITHER_WAY
def test_the_clients_model_plays_every_role(mode: str) -> None:
    model = Model()

    async def story(client: Client) -> None:
        answer = (await call(client)).structured_content
        assert answer["status"] == "improved"
        assert answer["confirmed"]["edits"] == ["fast"]
        again = await client.call_tool("history", {})
        assert (again.structured_content or {})["total"] == 1

    talk(story, model, mode)
    assert model.roles == ["Scorer", "Analyst", "Reasoner", "Evaluator"]


@EITHER_WAY
def test_only_a_client_whose_model_has_tools_is_offered_some(mode: str) -> None:
    offered: dict[str, list[str]] = {}
    model = Model()

    async def noting(context: Any, params: CreateMessageRequestParams) -> Any:
        offered[role_of(params)] = [tool.name for tool in params.tools or []]
        return await model(context, params)

    async def story(client: Client) -> None:
        assert not (await call(client)).is_error

    talk(story, noting, mode, tools=True)
    assert offered["Scorer"] == ["answer"]
    assert "query_facts" in offered["Reasoner"]
    talk(story, noting, mode)
    assert set(map(tuple, offered.values())) == {()}


@EITHER_WAY
def test_a_client_that_lends_no_model_is_told_what_to_do_instead(mode: str) -> None:
    async def story(client: Client) -> None:
        text = await fail(client)
        assert "does not lend its model" in text
        assert "call open, propose and measure" in text
        assert 'mind="builtin"' in text

    tuning = talk(story, None, mode)
    assert tuning.ended is not None


def test_a_refusal_fails_the_campaign_and_says_how_to_go_on() -> None:
    async def refuse(*_: Any) -> ErrorData:
        return ErrorData(code=-1, message="User rejected sampling request")

    async def story(client: Client) -> None:
        text = await fail(client)
        assert "cause: the client says: User rejected sampling request" in text
        assert f'call tune with campaign="{CAMPAIGN}"' in text

    talk(story, refuse, BY_REQUESTS)


def test_a_refusal_by_giving_up_the_call_leaves_the_question_for_the_next_one() -> None:
    model = Model()
    refused: list[str] = []

    async def reluctant(context: Any, params: CreateMessageRequestParams) -> Any:
        if not refused:
            refused.append(role_of(params))
            return ErrorData(code=-1, message="User rejected sampling request")
        return await model(context, params)

    async def story(client: Client) -> None:
        with pytest.raises(Exception, match="rejected"):
            await call(client)
        assert not (await call(client)).is_error

    talk(story, reluctant, BY_ANSWERS)
    assert refused == ["Scorer"]
    assert model.roles == ["Scorer", "Analyst", "Reasoner", "Evaluator"]


def test_a_hanging_model_is_not_waited_for_longer_than_the_limit() -> None:
    async def hang(*_: Any) -> Any:
        await anyio.sleep_forever()

    async def story(client: Client) -> None:
        assert "it gave none within 0.05 s" in await fail(client)

    talk(story, hang, BY_REQUESTS, mind_timeout=0.05)


@EITHER_WAY
@pytest.mark.parametrize(
    "garbage",
    [
        said("I would rather not."),
        said('{"functions": "all of them"}'),
        CreateMessageResult(
            role="assistant", model="m", content=ImageContent(data="", mime_type="image/png")
        ),
    ],
)
def test_garbage_alone_fails_the_campaign(mode: str, garbage: CreateMessageResult) -> None:
    async def babble(*_: Any) -> CreateMessageResult:
        return garbage

    async def story(client: Client) -> None:
        answer = await call(client)
        while not answer.is_error:
            assert answer.structured_content["status"] == "running"
            answer = await call(client)
        assert "no usable answer in 3 drafts" in answer.content[0].text

    talk(story, babble, mode)


@EITHER_WAY
def test_a_cancelled_call_goes_on_without_asking_again_what_was_answered(mode: str) -> None:
    model = Model()
    hanging = anyio.Event()

    async def slow(context: Any, params: CreateMessageRequestParams) -> Any:
        if role_of(params) == "Reasoner" and not hanging.is_set():
            hanging.set()
            await anyio.sleep_forever()
        return await model(context, params)

    async def story(client: Client) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(call, client)
            await hanging.wait()
            group.cancel_scope.cancel()
        answer = await call(client)
        assert answer.structured_content["status"] == "improved"

    talk(story, slow, mode)
    assert model.roles == ["Scorer", "Analyst", "Reasoner", "Evaluator"]


def test_a_call_ends_before_the_client_gives_up_on_its_questions() -> None:
    asked: list[str] = []

    async def babble(_: Any, params: CreateMessageRequestParams) -> CreateMessageResult:
        asked.append(role_of(params))
        return said("no JSON")

    async def story(client: Client) -> None:
        answer = (await call(client)).structured_content
        assert answer["status"] == "running"
        assert answer["next_calls"] == [f'tune(campaign="{CAMPAIGN}")']
        assert answer["confirmed"] is None
        assert len(asked) == 10

    talk(story, babble, BY_ANSWERS)


def test_a_second_call_is_refused_while_one_is_at_work() -> None:
    model = Model()
    answers: list[str] = []

    async def story(client: Client) -> None:
        async def intrude(context: Any, params: CreateMessageRequestParams) -> Any:
            if not answers:
                answers.append(await fail(client))
            return await model(context, params)

        holder[0] = intrude
        assert not (await call(client)).is_error

    holder: list[Any] = [model]

    async def outer(context: Any, params: CreateMessageRequestParams) -> Any:
        return await holder[0](context, params)

    talk(story, outer, BY_REQUESTS)
    assert "another call is still at work" in answers[0]


def test_the_tools_of_an_agents_own_campaign_say_who_leads_this_one() -> None:
    async def story(client: Client) -> None:
        answer = await client.call_tool("propose", {"edits": [{"edit": "fast"}]})
        assert f'call tune with campaign="{CAMPAIGN}", or close' in answer.content[0].text  # type: ignore[union-attr]
        opened = await client.call_tool("open", {"program": "."})
        assert "call tune with its id to end it, or close" in opened.content[0].text  # type: ignore[union-attr]
        status = (await client.call_tool("status", {})).structured_content
        assert (status or {})["doing"] == "ask scorer"
        closed = await client.call_tool("close", {})
        assert CAMPAIGN in closed.content[0].text  # type: ignore[union-attr]

    talk(story, Model(), BY_ANSWERS)


def test_an_agents_own_campaign_keeps_the_desk() -> None:
    async def story() -> None:
        desk = Desk(Path.cwd(), (Path.cwd(),))
        desk.take(scripted_session(PROGRAM)).begin()
        with closing(desk):
            async with Client(build_server(desk), sampling_callback=Model()) as client:
                answer = await client.call_tool("tune", {"program": "."})
                assert "call confirm to end it" in answer.content[0].text  # type: ignore[union-attr]

    anyio.run(story)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"program": "/etc"}, "may not be opened here"),
        ({"campaign": "nothing-like-it"}, "there is no campaign"),
        ({"mind": "exec:sh"}, "'sampling' or 'builtin'"),
        ({"roles": {"reasoner": "openai:x"}}, "'sampling', 'builtin' or 'none'"),
        ({"roles": {"thinker": "builtin"}}, "scorer"),
        ({"mind_timeout": "soon"}, "soon"),
    ],
)
def test_mistakes_are_errors_that_say_what_to_do(arguments: dict[str, Any], wrong: str) -> None:
    async def story() -> None:
        desk = Desk(Path.cwd(), (Path.cwd(),))
        async with Client(build_server(desk), sampling_callback=Model()) as client:
            answer = await client.call_tool("tune", arguments)
            assert answer.is_error
            assert wrong in answer.content[0].text  # type: ignore[union-attr]

    anyio.run(story)


@pytest.mark.parametrize("text", ["", "x", "x y", "a 9999999", "a -1", "../x 1", f"a {'9' * 5000}"])
def test_a_state_that_is_not_ours_is_refused_plainly(text: str) -> None:
    with pytest.raises(UserError, match="none of this server's"):
        _state(text)
    assert _state("prog-0a1b2c 3") == ("prog-0a1b2c", 3)
