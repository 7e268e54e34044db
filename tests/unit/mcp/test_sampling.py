"""A role's question as a sampling request, and the client's answer as a model's."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("mcp")

from mcp_types import (
    CreateMessageRequestParams,
    CreateMessageResult,
    CreateMessageResultWithTools,
    ImageContent,
    ListRootsResult,
    SamplingMessage,
    TextContent,
    ToolUseContent,
)
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from perfwright.app.agent.tuning import Sample
from perfwright.mcp.sampling import message_request, reply_to, response_from
from perfwright.minds.llm.brief import CHARACTERS_A_TOKEN
from perfwright.minds.llm.guest import Prompt
from perfwright.minds.llm.prices import price_of

SCHEMA = {"type": "object", "properties": {"cause": {"type": "string"}}}
PARAMETERS = ModelRequestParameters(
    function_tools=[ToolDefinition(name="explain_pass", description="what it does")],
    output_tools=[ToolDefinition(name="answer", parameters_json_schema=SCHEMA)],
)
CALLS = ModelResponse(
    [
        TextPart("let me see"),
        ToolCallPart("explain_pass", {"name": "licm"}, tool_call_id="a"),
        ToolCallPart("explain_pass", '{"name": "gvm"}', tool_call_id="b"),
    ]
)
RESULTS = ModelRequest(
    [
        ToolReturnPart("explain_pass", "hoists", tool_call_id="a"),
        ToolReturnPart("explain_pass", "no such pass", tool_call_id="b", outcome="retried"),
        UserPromptPart("now answer"),
    ],
    instructions="# Reasoner",
)
ASKED = ModelRequest([UserPromptPart("the brief")], instructions="# Reasoner")


def request_of(*messages: ModelMessage, tools: bool) -> CreateMessageRequestParams:
    return message_request(Prompt("reasoner", messages, PARAMETERS), tools=tools).params


def blocks(message: SamplingMessage) -> list[Any]:
    return message.content_as_list


def test_a_client_with_tools_is_offered_ours_and_the_answer() -> None:
    params = request_of(ASKED, tools=True)
    assert params.system_prompt == "# Reasoner"
    assert [tool.name for tool in params.tools or []] == ["explain_pass", "answer"]
    assert params.messages == [
        SamplingMessage(role="user", content=TextContent(text="the brief")),
    ]


def test_a_client_without_tools_gets_the_form_of_the_answer_instead() -> None:
    params = request_of(ASKED, tools=False)
    assert params.tools is None
    assert (params.system_prompt or "").endswith(json.dumps(SCHEMA))


def test_nothing_of_other_conversations_is_asked_for() -> None:
    assert request_of(ASKED, tools=True).include_context == "none"


def test_calls_and_their_results_are_told_apart_by_their_ids() -> None:
    _, called, results, after = request_of(ASKED, CALLS, RESULTS, tools=True).messages
    assert [block.type for block in blocks(called)] == ["text", "tool_use", "tool_use"]
    assert blocks(called)[2].input == {"name": "gvm"}
    assert [(b.tool_use_id, b.is_error) for b in blocks(results)] == [("a", None), ("b", True)]
    assert blocks(after)[0].text == "now answer"


def test_a_dialogue_with_tools_can_go_on_in_words() -> None:
    messages = request_of(ASKED, CALLS, RESULTS, tools=False).messages
    texts = [block.text for message in messages for block in blocks(message)]
    assert texts == [
        "the brief",
        "let me see",
        'explain_pass({"name":"licm"})',
        'explain_pass({"name":"gvm"})',
        "explain_pass returned:\nhoists",
        'explain_pass returned:\n{"error":"no such pass"}',
        "now answer",
    ]


def test_arguments_that_are_no_json_do_not_end_the_dialogue() -> None:
    broken = ModelResponse([ToolCallPart("explain_pass", '{"name": ', tool_call_id="a")])
    _, called = request_of(ASKED, broken, tools=True).messages
    assert blocks(called)[0].name == "explain_pass"


def test_an_empty_answer_is_left_out_of_the_dialogue() -> None:
    assert len(request_of(ASKED, ModelResponse([]), tools=True).messages) == 1


def test_an_answer_names_its_model_and_costs_estimated_tokens_but_no_money() -> None:
    params = request_of(ASKED, tools=False)
    content = TextContent(text="x" * 400)
    result = CreateMessageResult(
        role="assistant", model="gpt-4o\x1b[2J", content=content, stop_reason="maxTokens"
    )
    response = response_from(result, params)
    assert response.parts == [TextPart("x" * 400)]
    assert (response.model_name or "").startswith("gpt-4o")
    assert "\x1b" not in (response.model_name or "")
    assert response.finish_reason == "length"
    assert response.usage.input_tokens == round(
        len(params.model_dump_json(exclude_none=True)) / CHARACTERS_A_TOKEN
    )
    assert 120 <= response.usage.output_tokens < 170
    assert price_of(response) is None


def test_calls_of_tools_come_back_as_calls() -> None:
    content: list[Any] = [
        TextContent(text="hm"),
        ToolUseContent(name="explain_pass", id="c", input={"name": "gvn"}),
    ]
    result = CreateMessageResultWithTools(role="assistant", model="m", content=content)
    response = response_from(result, request_of(ASKED, tools=True))
    assert response.parts == [
        TextPart("hm"),
        ToolCallPart("explain_pass", {"name": "gvn"}, tool_call_id="c"),
    ]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (
            CreateMessageResult(
                role="assistant", model="m", content=ImageContent(data="", mime_type="image/png")
            ),
            "an answer in the form 'image'",
        ),
        (ListRootsResult(roots=[]), "an answer to something else"),
    ],
)
def test_what_is_no_text_is_the_models_misbehaviour(result: Any, said: str) -> None:
    sample = Sample("sample-1", Prompt("reasoner", (ASKED,), PARAMETERS))
    outcome = reply_to(sample, result, tools=False).outcome
    assert isinstance(outcome, UnexpectedModelBehavior)
    assert said in str(outcome)
