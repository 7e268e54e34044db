"""The server's side of every tool: what a client reads of it, and what it may call it with.

Every tool's description and schema goes into the agent's context, in every conversation: words
that say nothing are left out.
"""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp_types import CallToolResult, InputRequiredResult, Tool
from pydantic import ValidationError

from perfwright.errors import UserError, unknown_name
from perfwright.mcp.answers import bounded_error, refusal
from perfwright.mcp.arguments import require_known, said_of

_NULL = {"type": "null"}
_UNSAID = {"title", "maxLength", "maxItems", "pattern", "exclusiveMaximum", "additionalProperties"}
"""Titles are the names of fields once more; limits of length no honest call comes near."""
BROKEN = """\
perfwright itself failed in this call
  cause: a fault of the server, not of what you asked; the details are in its standard error
  try:   call status and go on, or ask the user to report it"""


class LeanServer(MCPServer[Any]):
    """A server whose list of tools is short."""

    async def list_tools(self) -> list[Tool]:
        """The tools, described in as few words as say the same."""
        return [_lean_tool(tool) for tool in await super().list_tools()]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """What a tool answers.

        Raises:
            ToolError: the call is wrong, or the tool says no: in few clean words.
            UnexpectedToolError: the tool broke; the server writes down where.
        """
        try:
            await self._check(name, arguments)
            return await super().call_tool(name, arguments, context)
        except UnexpectedToolError as error:
            raise UnexpectedToolError(BROKEN) from error
        except (ToolError, UserError) as error:
            raise ToolError(bounded_error(_words(error))) from error

    async def _check(self, name: str, arguments: dict[str, Any]) -> None:
        """The protocol's library ignores what a tool does not know: a typo would have no effect."""
        tools = {tool.name: tool for tool in await super().list_tools()}
        if name not in tools:
            raise unknown_name("tool", name, tools, limit=len(tools))
        require_known(name, arguments, tools[name].input_schema.get("properties", {}))


def _words(error: Exception) -> str:
    """What was said, without what the library says around it."""
    cause = error.__cause__
    if isinstance(error, UserError):
        return refusal(error)
    if isinstance(cause, ValidationError):
        return said_of(cause)
    return str(cause if isinstance(cause, ToolError) else error)


def _lean_tool(tool: Tool) -> Tool:
    changes = {
        "description": " ".join((tool.description or "").split()),
        "input_schema": _not_null(lean(tool.input_schema)),
        "output_schema": lean(tool.output_schema),
    }
    return tool.model_copy(update=changes)


def lean(schema: Any) -> Any:
    """A JSON schema without what a model need not read."""
    if isinstance(schema, list):
        return [lean(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {k: lean(v) for k, v in schema.items() if k not in _UNSAID or isinstance(v, dict)}


def _not_null(schema: Any) -> Any:
    """A schema of arguments that does not offer null where leaving out does.

    Not for results: clients hold them against their schema, and there null occurs.
    """
    if isinstance(schema, list):
        return [_not_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _not_null(value) for key, value in schema.items()}
    some = [part for part in kept.get("anyOf", ()) if part != _NULL]
    if len(some) == 1 and kept.get("default", "") is None:
        rest = {k: v for k, v in kept.items() if k not in ("anyOf", "default")}
        return {**some[0], **rest}
    return kept
