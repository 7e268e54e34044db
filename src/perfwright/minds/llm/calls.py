"""What models asked of tools, read from requests in plain form (`perfwright.minds.llm.wire`).

Apart from there, so that reading a record does not wait for pydantic-ai to be imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class AnsweredCall:
    """A tool that a model called while it thought, and what it was told."""

    tool: str
    arguments: Any
    answer: str


def answered_calls(request: Mapping[str, Any]) -> Iterator[AnsweredCall]:
    """The calls whose answers this request brings: of a whole record, each call once.

    Calls of no tool that was offered are left out, as is `answer`, which ends the dialogue.
    """
    messages = request["messages"]
    offered = {tool["name"] for tool in request["tools"]}
    said = [n for n, message in enumerate(messages) if message["role"] == "assistant"]
    if not said:
        return
    results = [m for m in messages[said[-1] + 1 :] if m["role"] == "tool"]
    for call in messages[said[-1]].get("tool_calls", ()):
        name = call["name"]
        told = next((result for result in results if result["name"] == name), None)
        if told is not None:
            results.remove(told)
            if name in offered:
                yield AnsweredCall(name, call["arguments"], told["content"])
