from __future__ import annotations

import json
from typing import Any

import pytest

from perfwright.testing.model_cases import expand, reply
from perfwright.testing.model_replies import (
    Answer,
    Fault,
    HttpError,
    Output,
    Reply,
    Request,
    Slowly,
    Tokens,
    ToolCall,
)

SCHEMA = {"properties": {"symbol": {"type": "string"}}, "required": ["symbol"]}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": SCHEMA}}
    for name in ("show_ir", "explain_pass", "answer")
]
REQUEST = Request(
    1, "POST", "/v1/chat/completions", {}, False, json.dumps({"tools": TOOLS}).encode()
)


def test_large_things_are_written_small() -> None:
    small = {"a": {"$text": "gvn,", "times": 3}, "b": [{"$times": 2, "of": {"c": 1}}]}
    assert expand(small) == {"a": "gvn,gvn,gvn,", "b": [[{"c": 1}, {"c": 1}]]}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"text": "x", "finish": "length"}, Answer("x", finish_reason="length")),
        ({"raw": "{"}, Output("{")),
        ({"output": {"a": 1}, "tokens": [-1, 2]}, Output({"a": 1}, Tokens(-1, 2))),
        ({"output": {"a": 1}, "slowly": True}, Slowly(Output({"a": 1}))),
        ({"status": 429, "message": "m", "retry_after": "1"}, HttpError(429, "m", "1")),
        ({"fault": "reset"}, Fault.RESET),
        (
            {"calls": [{"name": "$first", "arguments": "$fitting"}]},
            Answer(tool_calls=(ToolCall("show_ir", '{"symbol": "work"}'),)),
        ),
        (
            {"calls": [{"name": "$each", "arguments": "{"}]},
            Answer(tool_calls=(ToolCall("show_ir", "{"), ToolCall("explain_pass", "{"))),
        ),
    ],
)
def test_a_reply_from_data(told: dict[str, Any], expected: Reply) -> None:
    assert reply(told, REQUEST) == expected


def test_edits_make_one_candidate() -> None:
    said = reply({"edits": ["remove licm#1", "remove gvn#1"]}, REQUEST)
    assert isinstance(said, Output)
    (candidate,) = said.value["candidates"]
    assert [edit["edit"] for edit in candidate["edits"]] == ["remove licm#1", "remove gvn#1"]


def test_an_answer_may_come_without_a_count_of_tokens() -> None:
    said = reply({"edits": [], "counted": False}, REQUEST)
    assert isinstance(said, Answer)
    assert not said.counted
