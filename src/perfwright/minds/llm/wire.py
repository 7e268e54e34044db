"""Requests to models in one plain form: what is journaled, and what `exec:` minds read.

    {"schema": 1, "role": "...", "system": "...", "messages": [...],
     "output_schema": {...}, "tools": [{"name", "description", "parameters"}]}

Messages are `{"role": "user", "content"}`, `{"role": "assistant", "content", "tool_calls"}` and
`{"role": "tool", "name", "content"}`.  Nothing of a key, an address or a header is in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
)
from pydantic_ai.models import ModelRequestParameters

SCHEMA = 1


def plain_request(
    role: str, messages: Sequence[ModelMessage], parameters: ModelRequestParameters
) -> dict[str, Any]:
    """One request in plain form."""
    system = ""
    said: list[dict[str, Any]] = []
    for message in messages:
        if isinstance(message, ModelRequest):
            system = message.instructions or system
            said += _asked(message)
        else:
            said.append(_answered(message))
    return {
        "schema": SCHEMA,
        "role": role,
        "system": system,
        "messages": said,
        "output_schema": output_schema(parameters),
        "tools": [
            {
                "name": tool.name,
                "description": tool.description or "",
                "parameters": tool.parameters_json_schema,
            }
            for tool in parameters.function_tools
        ],
    }


def request_text(request: Mapping[str, Any]) -> str:
    """All that a model reads of a request: what its tokens are counted from."""
    said = [request["system"]]
    for message in request["messages"]:
        said.append(message["content"])
        said += [json.dumps(call) for call in message.get("tool_calls", ())]
    tools = [json.dumps(tool) for tool in request["tools"]]
    return "\n".join([*said, json.dumps(request["output_schema"]), *tools])


def request_digest(request: Mapping[str, Any]) -> str:
    """What identifies a request: equal requests need asking only once."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def output_schema(parameters: ModelRequestParameters) -> dict[str, Any]:
    """The JSON Schema of the answer."""
    if parameters.output_object is not None:
        return parameters.output_object.json_schema
    return parameters.output_tools[0].parameters_json_schema if parameters.output_tools else {}


def _asked(message: ModelRequest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for part in message.parts:
        name = getattr(part, "tool_name", None)
        text = text_of(part)
        if name:
            found.append({"role": "tool", "name": name, "content": text})
        else:
            found.append({"role": "user", "content": text})
    return found


def text_of(part: Any) -> str:
    """The text of a part of a request: a prompt, a tool's result, or what to do better."""
    for method in ("model_response_str", "model_response"):
        if hasattr(part, method):
            return str(getattr(part, method)())
    content = part.content
    return content if isinstance(content, str) else json.dumps(content, default=str)


def _answered(message: ModelResponse) -> dict[str, Any]:
    text = "".join(part.content for part in message.parts if isinstance(part, TextPart))
    calls = [
        {"name": part.tool_name, "arguments": _arguments(part)}
        for part in message.parts
        if isinstance(part, ToolCallPart)
    ]
    return {"role": "assistant", "content": text, "tool_calls": calls}


def _arguments(part: ToolCallPart) -> Any:
    """What a tool was called with; as text when it is no JSON object."""
    try:
        return part.args_as_dict(raise_if_invalid=True)
    except (ValueError, AssertionError):
        return part.args_as_json_str()
