"""Whole campaigns by the client's own model: the official SDK, both transports, both revisions."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp")
pytest.importorskip("pydantic_ai")

import anyio
import httpx2
from anyio.streams.text import TextReceiveStream
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CreateMessageRequestParams,
    CreateMessageResult,
    CreateMessageResultWithTools,
    SamplingCapability,
    SamplingToolsCapability,
    TextContent,
    ToolUseContent,
)

from perfwright.app.campaign.tune import resume
from perfwright.app.record.campaigns import document_of, list_runs
from perfwright.app.record.explain import explain
from perfwright.app.record.replay import replay
from perfwright.core.events import silent
from perfwright.errors import UserError

pytestmark = [pytest.mark.e2e, pytest.mark.llvm]

BUNDLED = Path(__file__).parents[2] / "suites" / "smoke" / "bits"
TOKEN = "a-token-for-this-test-only"
COMMAND = [sys.executable, "-m", "perfwright", "mcp"]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A bundled program whose user has switched off what makes it fast: a gain that is sure."""
    folder = shutil.copytree(BUNDLED, tmp_path / "bits")
    description = folder / "perfwright.toml"
    slow = description.read_text().replace('["-O3"]', '["-O3", "-fno-unroll-loops"]')
    description.write_text(slow)
    return folder


@dataclass
class Model:
    """Plays all four roles; `asked` and `called` say what it was asked and which tools it used."""

    asked: list[str] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    hangs_as: str = ""
    hanging: anyio.Event = field(default_factory=anyio.Event)

    async def __call__(self, context: Any, params: CreateMessageRequestParams) -> Any:
        del context
        role = (params.system_prompt or "").split()[1].lower()
        if role == self.hangs_as:
            self.hangs_as = ""
            self.hanging.set()
            await anyio.sleep_forever()
        self.asked.append(role)
        last = params.messages[-1].content_as_list
        if params.tools and role == "reasoner" and last[0].type != "tool_result":
            return self._call("explain_option", {"name": "unroll-threshold"})
        if params.tools:
            return self._call("answer", self._answer(role, params))
        text = TextContent(text=f"Here: {json.dumps(self._answer(role, params))}")
        return CreateMessageResult(role="assistant", model="theirs-1", content=text)

    def _call(self, name: str, arguments: dict[str, Any]) -> CreateMessageResultWithTools:
        self.called.append(name)
        return CreateMessageResultWithTools(
            role="assistant",
            model="theirs-1",
            content=[ToolUseContent(name=name, id=f"call-{len(self.called)}", input=arguments)],
            stop_reason="toolUse",
        )

    def _answer(self, role: str, params: CreateMessageRequestParams) -> dict[str, Any]:
        brief = params.messages[0].content_as_list[0].text  # type: ignore[union-attr]
        facts = re.findall(r"\[([a-z]+-[^\]\s]+)\]", brief)
        if role == "scorer":
            symbols = re.findall(r"^(\w+) \| ", brief, re.MULTILINE) or ["main"]
            named = [{"symbol": s, "weight": 1, "reason": "hot"} for s in symbols[:5]]
            return {"functions": named}
        if role == "analyst":
            found = {"kind": "loop-overhead", "symbol": "main", "weight": 1, "text": "loop"}
            return {"bottlenecks": [{**found, "evidence": facts[:3]}]}
        if role == "evaluator":
            return {"cause": "the loops are unrolled now", "next": "leave it"}
        if "1.1:" in brief:
            return {"candidates": []}
        edit = {"edit": "flag -funroll-loops", "claim": "as -O3 does", "evidence": facts[:1]}
        return {"candidates": [{"edits": [edit]}]}


def environment() -> dict[str, str]:
    return {**os.environ, "PERFWRIGHT_MCP_TOKEN": TOKEN}


@asynccontextmanager
async def over_stdio(folder: Path, **asked: Any) -> AsyncIterator[Client]:
    server = StdioServerParameters(
        command=COMMAND[0], args=COMMAND[1:], cwd=folder, env=environment()
    )
    async with Client(server, **asked) as client:
        yield client


@asynccontextmanager
async def over_http(folder: Path, **asked: Any) -> AsyncIterator[Client]:
    server = await anyio.open_process([*COMMAND, "--http"], cwd=folder, env=environment())
    async with server:
        assert server.stderr is not None
        found = re.search(
            r"127\.0\.0\.1:(\d+)/mcp", await TextReceiveStream(server.stderr).receive()
        )
        assert found, "the address is the first line"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        try:
            async with httpx2.AsyncClient(headers=headers, timeout=60) as http_client:
                address = f"http://127.0.0.1:{found[1]}/mcp"
                transport = streamable_http_client(address, http_client=http_client)
                async with Client(transport, **asked) as client:
                    yield client
        finally:
            server.terminate()
            with anyio.CancelScope(shield=True):
                await server.wait()


async def tuned(client: Client, **arguments: Any) -> dict[str, Any]:
    """What `tune` comes to, however many calls it takes."""
    while True:
        answer = await client.call_tool("tune", arguments)
        assert not answer.is_error, answer.content
        assert len(answer.content[0].text) < 2048  # type: ignore[union-attr]
        found: dict[str, Any] = answer.structured_content or {}
        if found["status"] != "running":
            return found
        arguments = {"campaign": found["campaign"]}


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        with anyio.fail_after(180):
            await story()

    anyio.run(bounded)


def check(model: Model, end: dict[str, Any]) -> None:
    """The campaign was improved by the model's idea, and everything of it is on record."""
    assert end["status"] == "improved"
    assert end["confirmed"]["edits"] == ["flag -funroll-loops"]
    assert end["confirmed"]["low"] > 1.0
    assert set(model.asked) == {"scorer", "analyst", "reasoner", "evaluator"}
    document = document_of(end["campaign"])
    assert document.mind == "sampling"
    assert document.usage.requests == end["requests"]
    assert document.usage.tokens == end["tokens"] > 1000
    assert "as -O3 does" in explain(end["campaign"]).model_dump_json()
    again = replay(end["campaign"])
    assert again.document.status == "improved"
    assert "the roles make the same of the answers" in "".join(again.read_again)
    assert "not read" not in "".join(again.read_again)


def test_the_clients_model_tunes_a_bundled_program_by_questions_in_answers(program: Path) -> None:
    model = Model()
    ends: list[dict[str, Any]] = []

    async def story() -> None:
        lends = SamplingCapability(tools=SamplingToolsCapability())
        asked = {"sampling_callback": model, "sampling_capabilities": lends}
        async with over_stdio(program, **asked) as client:
            ends.append(await tuned(client, program=".", rounds=2))
            recipe = await client.call_tool("recipe", {"format": "make"})
            assert "-funroll-loops" in recipe.content[0].text  # type: ignore[union-attr]

    run(story)
    check(model, ends[0])
    assert "explain_option" in model.called
    assert ends[0]["requests"] == len(model.asked)


def test_a_campaign_by_requests_of_the_server_goes_on_in_another_one_but_not_without(
    program: Path,
) -> None:
    model = Model(hangs_as="evaluator")
    asked = {"sampling_callback": model, "mode": "legacy"}
    ends: list[dict[str, Any]] = []

    async def begin(client: Client) -> None:
        answer = await client.call_tool("tune", {"program": ".", "rounds": 1})
        raise AssertionError(f"it ended before the model was asked: {answer.content}")

    async def story() -> None:
        async with over_http(program, **asked) as client, anyio.create_task_group() as group:
            group.start_soon(begin, client)
            await model.hanging.wait()
            group.cancel_scope.cancel()
        campaign = document_of("last").campaign or ""
        assert document_of(campaign).status == "interrupted"
        with pytest.raises(UserError) as caught:
            resume(campaign, silent)
        assert caught.value.hint == f'perfwright mcp; its tool tune(campaign="{campaign}")'
        async with over_http(program, **asked) as client:
            ends.append(await tuned(client, campaign=campaign))

    run(story)
    check(model, ends[0])
    assert model.asked == ["scorer", "analyst", "reasoner", "evaluator"]


def test_a_client_without_a_model_to_lend_is_told_before_anything_is_run(program: Path) -> None:
    async def story() -> None:
        async with over_stdio(program) as client:
            answer = await client.call_tool("tune", {"program": "."})
            assert "does not lend its model" in answer.content[0].text  # type: ignore[union-attr]

    run(story)
    assert list_runs().campaigns == []
