"""What a model said, made fit to be believed, sent back and written down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    RetryFeedbackPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.usage import RequestUsage
from pydantic_core import PydanticSerializationError

from perfwright.minds.llm.brief import CHARACTERS_A_TOKEN
from perfwright.minds.llm.ledger import UnusableError

RESPONSE = TypeAdapter(ModelResponse)
P = TypeVar("P")

_MOST_CALLS = 32
"""Of tools in one answer."""
_LONGEST_ANSWER = 300_000
"""Characters; no answer that fits a role's schema and that anybody means is longer."""
_LONGEST_SAID = 4_000
"""Characters of an earlier answer, or of what was wrong with it, that are sent again."""
_MOST_ERRORS, _LONGEST_INPUT, _LONGEST_MESSAGE = 5, 200, 400
_MOST_TOKENS = 10_000_000
"""Of one request or answer: more than any model takes, so it was counted wrongly."""
_SHORTEST_KEY = 8
"""Characters; what is shorter is no key, and may be a word that a model needs."""


def without(secrets: Sequence[str], text: str) -> str:
    """The text with stars in the place of keys, as they are or escaped as in JSON."""
    for secret in (secret for secret in secrets if len(secret) >= _SHORTEST_KEY):
        text = text.replace(secret, "***").replace(json.dumps(secret)[1:-1], "***")
    return text


def cleaned(response: ModelResponse, asked: str, secrets: Sequence[str]) -> ModelResponse:
    """An answer without keys and halves of characters, bounded, with a credible usage.

    Args:
        response: as it came.
        asked: the text of the request.
        secrets: the keys.

    Raises:
        UnusableError: it is nested too deeply to be written down.
    """
    try:
        plain = _walked(RESPONSE.dump_python(response), secrets)
        response = RESPONSE.validate_python(plain)
        parts = [_bounded(part) for part in _first_calls(response.parts)]
        response = replace(response, parts=parts)
        RESPONSE.dump_json(response)
    except (RecursionError, PydanticSerializationError) as error:
        raise UnusableError("an answer that is nested too deeply") from error
    answered = sum(len(_text(part)) for part in response.parts)
    return replace(response, usage=_credible(response.usage, len(asked), answered))


def shortened(messages: Sequence[ModelMessage]) -> list[ModelMessage]:
    """A dialogue without the bulk of answers that were of no use, and of what is said of them."""
    return [
        replace(message, parts=[_said_again(part) for part in message.parts])
        if isinstance(message, ModelResponse)
        else replace(message, parts=[_told_again(part) for part in message.parts])
        for message in messages
    ]


def _walked(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, str):
        # A pair of surrogates is a character, a single one nothing that can be written.
        whole = value if value.isascii() else _without_halves(value)
        return without(secrets, whole)
    if isinstance(value, dict):
        return {_walked(key, secrets): _walked(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_walked(inner, secrets) for inner in value]
    return value


def _without_halves(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _first_calls(parts: Sequence[ModelResponsePart]) -> Iterator[ModelResponsePart]:
    left = _MOST_CALLS
    for part in parts:
        if isinstance(part, ToolCallPart):
            left -= 1
            if left < 0:
                continue
        yield part


def _bounded(part: ModelResponsePart) -> ModelResponsePart:
    """A part whose text is cut where no answer is that long; that makes it no JSON."""
    text = _text(part)
    if len(text) <= _LONGEST_ANSWER:
        return part
    if isinstance(part, ToolCallPart):
        return _with(part, args=text[:_LONGEST_SAID])
    return _with(part, content=text[:_LONGEST_ANSWER]) if isinstance(part, TextPart) else part


def _said_again(part: ModelResponsePart) -> ModelResponsePart:
    text = _text(part)
    if len(text) <= _LONGEST_SAID:
        return part
    if isinstance(part, ToolCallPart):
        return _with(part, args={"cut": text[:_LONGEST_SAID]})  # providers want an object
    # Thoughts are signed: a provider refuses them when they are not whole.
    return _with(part, content=_cut(text)) if isinstance(part, TextPart) else part


def _told_again(part: ModelRequestPart) -> ModelRequestPart:
    if not isinstance(part, ToolReturnPart | RetryFeedbackPart):
        return part
    content: Any = part.content
    if isinstance(content, str) and len(content) > _LONGEST_SAID:
        return _with(part, content=_cut(content))
    if isinstance(content, list):
        return _with(part, content=[_brief(error) for error in content[:_MOST_ERRORS]])
    return part


def _with(part: P, **fields: Any) -> P:
    return cast(P, replace(cast(Any, part), **fields))


def _brief(error: Any) -> Any:
    """What was wrong in one place, with the beginning of what stood there."""
    if not isinstance(error, dict):
        return error
    given = str(error.get("input", ""))
    short = error if len(given) <= _LONGEST_INPUT else {**error, "input": given[:_LONGEST_INPUT]}
    return {**short, "msg": str(error.get("msg", ""))[:_LONGEST_MESSAGE]}


def _cut(text: str) -> str:
    return f"{text[:_LONGEST_SAID]}\n... ({len(text)} characters)"


def _text(part: ModelResponsePart) -> str:
    if isinstance(part, ToolCallPart):
        return part.args if isinstance(part.args, str) else json.dumps(part.args or {})
    return part.content if isinstance(part, TextPart | ThinkingPart) else ""


def _credible(usage: RequestUsage, asked: int, answered: int) -> RequestUsage:
    """What was used, or about what the texts make when that cannot be: limits depend on it."""

    def fits(tokens: int, characters: int) -> bool:
        return min(1, characters) <= tokens <= _MOST_TOKENS

    if fits(usage.input_tokens, asked) and fits(usage.output_tokens, answered):
        return usage
    return RequestUsage(
        input_tokens=usage.input_tokens
        if fits(usage.input_tokens, asked)
        else round(asked / CHARACTERS_A_TOKEN),
        output_tokens=usage.output_tokens
        if fits(usage.output_tokens, answered)
        else round(answered / CHARACTERS_A_TOKEN),
    )
