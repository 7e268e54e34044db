"""What a client reads of each tool, without words that say nothing.

Every tool's description and schema goes into the agent's context, in every conversation.
"""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp_types import Tool

_NULL = {"type": "null"}


class LeanServer(MCPServer[Any]):
    """A server whose list of tools is short."""

    async def list_tools(self) -> list[Tool]:
        """The tools, described in as few words as say the same."""
        return [_lean_tool(tool) for tool in await super().list_tools()]


def _lean_tool(tool: Tool) -> Tool:
    changes = {
        "description": " ".join((tool.description or "").split()),
        "input_schema": _not_null(lean(tool.input_schema)),
        "output_schema": lean(tool.output_schema),
    }
    return tool.model_copy(update=changes)


def lean(schema: Any) -> Any:
    """A JSON schema without titles: they are the names of fields once more."""
    if isinstance(schema, list):
        return [lean(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {k: lean(v) for k, v in schema.items() if k != "title" or not isinstance(v, str)}


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
