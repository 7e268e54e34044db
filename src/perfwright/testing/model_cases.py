"""Replies of models as data, for files of cases.

One of these, each with what else is named behind it:

    {"edits": ["remove licm#1"]}            a reasoner's candidate; "pipeline", "counted": false
    {"output": {...}}                       a structured answer of any role; "tokens": [in, out]
    {"raw": "{..."}                         the same as text that may be broken
    {"text": "..."}                         text instead of a structured answer; "finish"
    {"refusal": "..."}                      text in the field that OpenAI has for refusals
    {"calls": [{"name", "arguments"}]}      calls of tools
    {"status": 429, "message": "..."}       an error of HTTP; "retry_after"
    {"fault": "reset"}                      see `perfwright.testing.model_replies.Fault`

An answer with `"slowly": true` drips in.  `{"$text": T, "times": N}` is the text T N times over,
`{"$times": N, "of": V}` a list of N values V.  The tool `$first` is the first that is offered,
`$each` all of them; arguments that are `"$fitting"` fit the tool's schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

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

Case: TypeAlias = dict[str, Any]


def expand(value: Any) -> Any:
    """The value with everything that is large in its place."""
    if isinstance(value, dict):
        if "$text" in value:
            return value["$text"] * value["times"]
        if "$times" in value:
            return [expand(value["of"])] * value["$times"]
        return {key: expand(inner) for key, inner in value.items()}
    return [expand(inner) for inner in value] if isinstance(value, list) else value


def reply(told: Case, request: Request) -> Reply:
    """The reply that a case describes, to this request."""
    if "status" in told:
        return HttpError(told["status"], told["message"], told.get("retry_after", ""))
    if "fault" in told:
        return Fault(told["fault"])
    answer = _answer(told, request)
    return Slowly(answer) if told.get("slowly") else answer


def _edit(text: str) -> dict[str, Any]:
    return {"edit": text, "claim": "work is called in the loop", "evidence": ["rem-1"]}


def _answer(told: Case, request: Request) -> Answer | Output:
    tokens = Tokens(*told["tokens"]) if "tokens" in told else None
    if "calls" in told:
        return Answer(tool_calls=tuple(_calls(told["calls"], request)))
    if "text" in told:
        return Answer(told["text"], finish_reason=told.get("finish", ""))
    if "refusal" in told:
        return Answer(refusal=told["refusal"])
    if "raw" in told or "output" in told:
        return Output(told.get("raw", told.get("output")), tokens)
    proposal = {"edits": [_edit(text) for text in told.get("edits", [])]}
    output = {"candidates": [{**proposal, "pipeline": told.get("pipeline", "")}]}
    if told.get("counted", True):
        return Output(output, tokens)
    call = ToolCall(request.output_tool or "", json.dumps(output))
    return Answer(tool_calls=(call,), counted=False)


def _calls(calls: list[Case], request: Request) -> Iterator[ToolCall]:
    offered = {
        tool["function"]["name"]: tool["function"]["parameters"]
        for tool in request.json.get("tools", [])
        if tool["function"]["name"] != request.output_tool
    }
    for call in calls:
        names = {"$first": list(offered)[:1], "$each": list(offered)}
        for name in names.get(call["name"], [call["name"]]):
            arguments = call["arguments"]
            if arguments == "$fitting":
                arguments = _fitting(offered[name])
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            yield ToolCall(name, text)


def _fitting(schema: Case) -> Case:
    values = {"string": "work", "array": [], "integer": 1, "number": 1.0, "boolean": True}
    properties = schema["properties"]
    return {name: values[properties[name]["type"]] for name in schema.get("required", [])}
