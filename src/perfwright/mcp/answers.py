"""What a tool says becomes an answer: small JSON, or an error that the agent can act on."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel

from perfwright.errors import PerfwrightError


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
    def called(*args: Any, **kwargs: Any) -> CallToolResult:
        try:
            return answer(tool(*args, **kwargs))
        except PerfwrightError as error:
            raise ToolError(str(error)) from error

    return called


def _later(tool: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(tool)
    async def called(*args: Any, **kwargs: Any) -> CallToolResult:
        try:
            return answer(await tool(*args, **kwargs))
        except PerfwrightError as error:
            raise ToolError(str(error)) from error

    return called


def answer(result: BaseModel) -> CallToolResult:
    """A result in both of its forms."""
    text = result.model_dump_json(exclude_defaults=True)
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=result.model_dump(mode="json"),
    )
