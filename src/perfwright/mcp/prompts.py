"""Prompts: what an agent is asked in each role.  The words are in `prompts/*.md`."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.prompts import Prompt

ROLES = {
    "scorer": "Say which functions are worth looking at.",
    "analyst": "Say what keeps the hot code from being faster.",
    "reasoner": "Propose one candidate.",
    "evaluator": "Say what a trial has taught.",
}


def add_prompts(server: MCPServer[Any]) -> None:
    """Register one prompt a role."""
    for role, about in ROLES.items():
        server.add_prompt(Prompt.from_function(_telling(role), name=role, description=about))


def _telling(role: str) -> Any:
    def prompt() -> str:
        return text_of(role)

    return prompt


def text_of(role: str) -> str:
    """The prompt of a role."""
    return files("perfwright.mcp").joinpath(f"prompts/{role}.md").read_text(encoding="utf-8")
