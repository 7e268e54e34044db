"""Errors in an agent's words: what is typed on the command line is a tool's parameter there.

All of perfwright speaks to somebody at a command line.  An agent has tools in place of it; what
no tool can do, it must ask its user for.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NUMBER = r"\d+"
PARAMETERS = {
    "metric": "cpu|wall|instructions|cycles",
    "toolchain": r"\d[\w.]*\w|\d",
    "cpu": r"native|[a-z][-\w]*\d\w*",
    "mind": "builtin|sampling",
    "time": r"\d+(?:ms|s|m|h)",
    "rounds": _NUMBER,
    "seed": _NUMBER,
    "max-requests": _NUMBER,
    "max-tokens": _NUMBER,
    "tool-calls": _NUMBER,
    "ir-tokens": _NUMBER,
    "mind-timeout": r"\d+(?:ms|s|m|h)",
}
"""Options of `perfwright tune` that `open` or `tune` take as parameters, and their values."""

_SWITCHES = ("weak-oracle",)
_OPTION = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)\b")
_FOR_THE_USER = "doctor|clean|mcp|verify|runs|replay|report|bench|cc"
_COMMANDS: tuple[tuple[str, str], ...] = (
    (r"opt --print-passes lists them", 'call look_up(what="passes")'),
    (r"opt --help-hidden lists them", 'call look_up(what="options")'),
    (r"opt -passes='default<O3>' -print-pipeline-passes prints them",
     'call look_up(what="pipeline")'),
    (r"perfwright mcp; its tool (\w+), with (\S+)", r"call \1 with \2"),
    (r"perfwright mcp; its tool (\w+\()", r"call \1"),
    (r"let your agent call the tool tune of `perfwright mcp`", "call tune"),
    (r"perfwright tune PROGRAM\b", "call open with the program's path"),
    (r"perfwright tune (\S+)", r'call open(program="\1")'),
    (r"perfwright (?:show|explain) \S+(?: shows them)?", "call history"),
    (r"perfwright recipe \S+ --format (\w+)", r'call recipe(format="\1")'),
    (r"perfwright resume last", "call again with its campaign"),
    (rf"(?<!ask the user to run )(?<!it: )(?<!there: )(perfwright (?:{_FOR_THE_USER})\b)",
     r"ask the user to run \1"),
)  # fmt: skip


def spoken(text: str) -> str:
    """A message as an agent can act on it."""
    for pattern, words in _COMMANDS:
        text = re.sub(pattern, words, text)
    for name, values in PARAMETERS.items():
        text = re.sub(rf"(?<![\w-])--{name}[ =]({values})(?![\w-])", _set(name), text)
    return _OPTION.sub(_named, text)


def _set(name: str) -> Callable[[re.Match[str]], str]:
    def parameter(match: re.Match[str]) -> str:
        value = match[1] if PARAMETERS[name] == _NUMBER else f'"{match[1]}"'
        return f"{_identifier(name)}={value}"

    return parameter


def _named(match: re.Match[str]) -> str:
    name = match[1]
    if name in _SWITCHES:
        return f"{_identifier(name)}=true"
    return _identifier(name) if name in PARAMETERS else match[0]


def _identifier(name: str) -> str:
    return name.replace("-", "_")
