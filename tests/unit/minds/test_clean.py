"""Answers of models, made fit to be written down."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.usage import RequestUsage

from perfwright.minds.llm.clean import RESPONSE, cleaned, shortened, without
from perfwright.minds.llm.ledger import UnusableError

KEY = "sk-1234567890"


def said(*parts: Any, secrets: tuple[str, ...] = (KEY,)) -> list[Any]:
    """The parts of an answer as they are believed."""
    return list(cleaned(ModelResponse(parts), "asked", secrets).parts)


def test_a_key_is_taken_out_wherever_it_stands() -> None:
    call = ToolCallPart("answer", {"a": [f"my {KEY}"], KEY: 1}, tool_call_id=KEY)
    found = said(TextPart(f"it is {KEY}"), call, ToolCallPart("answer", f'{{"a": "{KEY}"}}'))
    assert KEY not in repr(found)
    assert found[1].args == {"a": ["my ***"], "***": 1}


def test_a_word_that_somebody_uses_as_key_stays() -> None:
    assert said(TextPart("all the rest"), secrets=("rest",))[0].content == "all the rest"


def test_halves_of_characters_go_and_whole_ones_stay() -> None:
    pair = "\ud83d\ude00"
    assert said(TextPart(f"a \ud83d b {pair} \U0001f600"))[0].content == (
        "a \ufffd b \U0001f600 \U0001f600"
    )


@pytest.mark.parametrize("depth", [400, 5000])
def test_what_is_nested_too_deeply_is_unusable(depth: int) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    with pytest.raises(UnusableError, match="nested too deeply"):
        said(ToolCallPart("answer", {"cause": deep}))


def test_more_calls_than_anybody_makes_are_left_out() -> None:
    calls = [ToolCallPart("look", tool_call_id=str(number)) for number in range(100)]
    found = said(TextPart("first"), *calls)
    assert len(found) == 33
    assert found[-1].tool_call_id == "31"


def test_an_answer_is_cut_where_no_answer_is_that_long() -> None:
    text, call = said(TextPart("x" * 400_000), ToolCallPart("a", {"b": "y" * 400_000}))
    assert len(text.content) == 300_000
    assert len(call.args) == 4_000


def test_a_credible_usage_is_believed_as_it_is() -> None:
    usage = RequestUsage(input_tokens=7, output_tokens=3, cache_read_tokens=2)
    assert cleaned(ModelResponse([TextPart("x")], usage=usage), "asked", ()).usage == usage


def test_only_what_cannot_be_is_estimated() -> None:
    usage = RequestUsage(input_tokens=-7, output_tokens=3)
    found = cleaned(ModelResponse([TextPart("x")], usage=usage), "a" * 330, ()).usage
    assert (found.input_tokens, found.output_tokens) == (100, 3)


def test_an_ordinary_answer_stays_as_it_is() -> None:
    usage = RequestUsage(input_tokens=7, output_tokens=3)
    answer = ModelResponse([TextPart("x"), ToolCallPart("a", "{}")], usage=usage, model_name="m")
    assert RESPONSE.dump_json(cleaned(answer, "asked", (KEY,))) == RESPONSE.dump_json(answer)


def test_what_is_said_again_is_short() -> None:
    errors = [{"type": "t", "loc": (n,), "msg": "m" * 9000, "input": "i" * 9000} for n in range(99)]
    dialogue: list[ModelMessage] = [
        ModelRequest([UserPromptPart("brief " * 10_000)]),
        ModelResponse([TextPart("x" * 50_000), ToolCallPart("a", {"b": "y" * 50_000})]),
        ModelRequest([ToolReturnPart("a", errors, tool_call_id="1")]),
    ]
    brief, answer, told = shortened(dialogue)
    assert brief == dialogue[0]
    assert len(repr(answer)) < 10_000
    assert len(repr(told)) < 10_000


def test_an_ordinary_dialogue_is_said_again_as_it_is() -> None:
    dialogue: list[ModelMessage] = [
        ModelRequest([UserPromptPart("brief")]),
        ModelResponse([ToolCallPart("a", '{"b": 1}', tool_call_id="1")]),
        ModelRequest([ToolReturnPart("a", "seen", tool_call_id="1")]),
    ]
    assert shortened(dialogue) == dialogue


@pytest.mark.parametrize("word", ["", "a", "tool", "sk-1234"])
def test_what_is_too_short_for_a_key_stays(word: str) -> None:
    assert without([word], "a tool says sk-1234") == "a tool says sk-1234"


def test_a_key_that_is_escaped_as_in_json_is_taken_out() -> None:
    key = 'sk-secret"quo\\te'

    assert without([key], f"it is {json.dumps(key)}, {key}") == 'it is "***", ***'
