"""What a tool says becomes an answer: small JSON, or an error that the agent can act on."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult, TextContent
from pydantic import BaseModel

from perfwright.errors import PerfwrightError
from perfwright.mcp.words import spoken


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
            raise ToolError(spoken(str(error))) from error

    return called


def _later(tool: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(tool)
    async def called(*args: Any, **kwargs: Any) -> CallToolResult | InputRequiredResult:
        try:
            return answer(await tool(*args, **kwargs))
        except PerfwrightError as error:
            raise ToolError(spoken(str(error))) from error

    return called


def answer(result: BaseModel) -> CallToolResult | InputRequiredResult:
    """A result in both of its forms; what asks the client for more is none yet."""
    if isinstance(result, InputRequiredResult):
        return result
    text = result.model_dump_json(exclude_defaults=True)
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=result.model_dump(mode="json"),
    )
