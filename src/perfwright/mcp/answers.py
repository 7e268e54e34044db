"""What a tool says becomes an answer: small JSON, or an error that the agent can act on.

Both are cleaned and bounded here, whatever they are made of: a model's context is the scarce
thing, and text from a program or a tool may hide words in it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult, TextContent
from pydantic import BaseModel

from perfwright.errors import PerfwrightError
from perfwright.mcp.paging import bounded, fenced
from perfwright.mcp.words import spoken

_MOST = 6000
"""Characters of an answer; the tools mean theirs to be a third of that."""
_MOST_OF_AN_ERROR = 1500
_MOST_FENCED = 12
"""Lines of what a tool wrote: the last ones say what went wrong."""
_TIGHTER = ((4000, 200), (1000, 40), (200, 20), (100, 8), (60, 4))
"""Longest text and longest list, tried in turn until an answer fits."""


def answering(tool: Callable[..., Any]) -> Callable[..., Any]:
    """A tool, plain or asynchronous, as the server takes it.

    Its result, a model, is sent in full as structured content and as text without whatever has
    its default: the text is what goes into a model's context.
    """
    wrapped = _later(tool) if inspect.iscoroutinefunction(tool) else _now(tool)
    signature = inspect.signature(tool, eval_str=True)
    typed: Any = Annotated[CallToolResult, signature.return_annotation]
    wrapped.__signature__ = signature.replace(return_annotation=typed)  # type: ignore[attr-defined]
    return wrapped


def _now(tool: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(tool)
    def called(*args: Any, **kwargs: Any) -> CallToolResult | InputRequiredResult:
        try:
            return answer(tool(*args, **kwargs))
        except PerfwrightError as error:
            raise ToolError(refusal(error)) from error

    return called


def _later(tool: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(tool)
    async def called(*args: Any, **kwargs: Any) -> CallToolResult | InputRequiredResult:
        try:
            return answer(await tool(*args, **kwargs))
        except PerfwrightError as error:
            raise ToolError(refusal(error)) from error

    return called


def answer(result: BaseModel) -> CallToolResult | InputRequiredResult:
    """A result in both of its forms; what asks the client for more is none yet."""
    if isinstance(result, InputRequiredResult):
        return result
    for longest, most in _TIGHTER:
        said = type(result).model_validate(_fitted(result.model_dump(), longest, most))
        text = said.model_dump_json(exclude_defaults=True)
        if len(text) <= _MOST:
            break
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=said.model_dump(mode="json"),
    )


def _fitted(value: Any, longest: int, most: int) -> Any:
    """A value with clean texts of this length at most, in lists of so many."""
    if isinstance(value, str):
        return bounded(value, longest)
    if isinstance(value, list):
        more = [f"and {len(value) - most} more"] if len(value) > most else []
        kept = [_fitted(part, longest, most) for part in value[:most]]
        return [*kept, *more] if kept and isinstance(kept[0], str) else kept
    if isinstance(value, dict):
        return {key: _fitted(part, longest, most) for key, part in value.items()}
    return value


def refusal(error: PerfwrightError) -> str:
    """An error as an agent can act on it; what a tool wrote stands between fences."""
    *above, last = (error.cause.strip().splitlines() or [""])[-_MOST_FENCED:]
    cause = f"  cause:\n{fenced([*above, last])}" if above else f"  cause: {last}"
    said = [
        error.fact,
        cause if error.cause else "",
        f"  try:   {error.hint}" if error.hint else "",
    ]
    return spoken("\n".join(filter(None, said)))


def bounded_error(text: str) -> str:
    """The words of an error, clean, and no more of them than anybody reads."""
    return bounded(text, _MOST_OF_AN_ERROR)
