"""What a scripted model says, and how an OpenAI-compatible server puts it on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

MODEL = "scripted"
MOVED_TO = "http://127.0.0.1:9/v1/chat/completions"
_OUTPUT_TOOLS = ("final_result", "answer")
_ROLES = {
    "functions": "scorer",
    "bottlenecks": "analyst",
    "candidates": "reasoner",
    "cause": "evaluator",
}
"""A field that only this role's answer has."""

_PIECE = 16  # characters in one event of a stream
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class Tokens:
    """What the server says that a request has used; models and proxies may say anything."""

    input: int
    output: int


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool; `arguments` is JSON as a model writes it, so it may be broken."""

    name: str
    arguments: str = "{}"


@dataclass(frozen=True)
class Answer:
    """What the model says: text, calls of tools, or both.

    Attributes:
        text: the content of the message.
        tool_calls: what it calls.
        tokens: the usage that is reported; by size of request and answer when `None`.
        counted: whether a usage is reported at all.
        finish_reason: why it stopped; `stop` or `tool_calls` when empty.
        refusal: said in the field that OpenAI has for it, without any content.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tokens: Tokens | None = None
    counted: bool = True
    finish_reason: str = ""
    refusal: str = ""

    @property
    def finish(self) -> str:
        """The reason as sent."""
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")


@dataclass(frozen=True)
class Output:
    """A structured answer, given in the way that the request asks for.

    As arguments of its output tool (`answer`, `final_result...`) when it offers one, else as text.
    `value` is anything that JSON can say; a string is sent as it is, and may be broken.
    """

    value: Any
    tokens: Tokens | None = None

    @property
    def text(self) -> str:
        """The value as JSON."""
        return self.value if isinstance(self.value, str) else json.dumps(self.value)


@dataclass(frozen=True)
class Slowly:
    """A right answer that comes a few bytes at a time."""

    answer: Answer | Output


@dataclass(frozen=True)
class HttpError:
    """A status that is not 200, with a body as OpenAI has it."""

    status: int
    message: str = "scripted failure"
    retry_after: str = ""
    """Seconds or a date, as in the header of that name; `50ms` goes into OpenAI's own
    `Retry-After-Ms`.  Left out when empty."""


class Fault(StrEnum):
    """What can go wrong below HTTP, or in its body."""

    RESET = "reset"
    """The connection is reset instead of an answer."""
    HANG = "hang"
    """Nothing comes until the server is closed, or its patience ends."""
    TRUNCATED = "truncated"
    """The connection closes in the middle of the body, or of the stream."""
    EMPTY_BODY = "empty-body"
    WRONG_TYPE = "wrong-type"
    """A page of HTML with status 200, as captive portals and proxies send."""
    BROKEN_JSON = "broken-json"
    """A complete body that is no JSON."""
    ERROR_BODY = "error-body"
    """An error in a body with status 200, as routers in front of several providers send."""
    MOVED = "moved"
    """A redirect to another address, `MOVED_TO`."""
    BOMB = "bomb"
    """A few kilobytes of gzip that unpack to many megabytes."""
    ENDLESS = "endless"
    """A body that goes on until the client goes away."""
    NO_CHOICES = "no-choices"
    """A right completion, but for the answer in it."""
    DEEP = "deep"
    """JSON nested deeper than Python's stack is high."""


@dataclass(frozen=True)
class Request:
    """One request as the server got it.

    Attributes:
        number: counted from 1.
        path: with `/v1` in front.
        headers: names in lower case; keys are masked.
        keyed: whether it brought a key.
        body: as it came.
    """

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    keyed: bool
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body; empty when it is no JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation so far."""
        return list(self.json.get("messages", ()))

    @property
    def streaming(self) -> bool:
        """Whether it wants a stream."""
        return bool(self.json.get("stream"))

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools that it offers."""
        return tuple(tool["function"]["name"] for tool in self.json.get("tools", ()))

    @property
    def role(self) -> str:
        """Which of perfwright's roles is asked: known by the schema of the answer."""
        tools = self.json.get("tools", [])
        schemas = [t["function"]["parameters"] for t in tools if _is_output(t["function"]["name"])]
        asked = self.json.get("response_format", {}).get("json_schema", {}).get("schema", {})
        fields = (schemas[0] if schemas else asked).get("properties", {})
        return next((role for field, role in _ROLES.items() if field in fields), "")

    @property
    def text(self) -> str:
        """What was said so far, instructions included, as one text."""
        return "\n".join(str(message.get("content")) for message in self.messages)

    @property
    def output_tool(self) -> str | None:
        """The tool that takes the structured answer, if there is one."""
        return next(filter(_is_output, self.tools), None)


def _is_output(tool: str) -> bool:
    return tool.startswith(_OUTPUT_TOOLS)


Reply: TypeAlias = Answer | Output | Slowly | HttpError | Fault


def said(reply: Answer | Output, request: Request) -> Answer:
    """The answer as the request wants it: see `Output`."""
    if isinstance(reply, Answer):
        return reply
    if request.output_tool is None:
        return Answer(reply.text, tokens=reply.tokens)
    return Answer(tool_calls=(ToolCall(request.output_tool, reply.text),), tokens=reply.tokens)


def completion(answer: Answer, request: Request) -> dict[str, Any]:
    """The object `chat.completion` for an answer."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.refusal:
        message |= {"content": None, "refusal": answer.refusal}
    if answer.tool_calls:
        message["content"] = answer.text or None
        message["tool_calls"] = [
            _call(number, call, request) for number, call in enumerate(answer.tool_calls)
        ]
    choice = {"index": 0, "message": message, "finish_reason": answer.finish}
    whole = {**_head("chat.completion", request), "choices": [choice]}
    return {**whole, "usage": _usage(answer, request)} if answer.counted else whole


def events(answer: Answer, request: Request) -> Iterator[bytes]:
    """The same as server-sent events, the texts in pieces."""
    head = _head("chat.completion.chunk", request)

    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _event({**head, "choices": [choice]})

    yield event({"role": "assistant", "content": ""})
    for piece in _pieces(answer.text):
        yield event({"content": piece})
    for number, call in enumerate(answer.tool_calls):
        begun = _call(number, call, request)
        begun["function"]["arguments"] = ""
        yield event({"tool_calls": [{"index": number, **begun}]})
        for piece in _pieces(call.arguments):
            delta = {"index": number, "function": {"arguments": piece}}
            yield event({"tool_calls": [delta]})
    yield event({}, answer.finish)
    if answer.counted and (request.json.get("stream_options") or {}).get("include_usage"):
        yield _event({**head, "choices": [], "usage": _usage(answer, request)})
    yield b"data: [DONE]\n\n"


def _event(value: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def _head(kind: str, request: Request) -> dict[str, Any]:
    model = str(request.json.get("model", MODEL))
    return {"id": f"chat-{request.number}", "object": kind, "created": 0, "model": model}


def _call(number: int, call: ToolCall, request: Request) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": f"call-{request.number}-{number}", "type": "function", "function": function}


def _usage(answer: Answer, request: Request) -> dict[str, int]:
    said = len(answer.text) + sum(len(call.arguments) for call in answer.tool_calls)
    by_size = Tokens(len(request.body) // _CHARACTERS_PER_TOKEN, 1 + said // _CHARACTERS_PER_TOKEN)
    tokens = answer.tokens or by_size
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
    }
