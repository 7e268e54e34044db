"""Reads a line that is nearly an edit as the edit that was probably meant.

Synonyms of verbs, list bullets, quotes, `-mllvm` in front, spaces around `=`: what people and
models write.  Names are not looked at; see `perfwright.pipeline.repair_edit`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from perfwright.errors import shortened
from perfwright.pipeline.edits import (
    MAX_REPEAT,
    VERBS,
    EditError,
    LinkMode,
    PipelineEdit,
    Side,
    check_length,
    parse_edit,
)
from perfwright.pipeline.forbidden import flag_allowed
from perfwright.pipeline.loose import read_loosely
from perfwright.pipeline.options import nearest

_SYNONYMS = {
    "add": "insert",
    "delete": "remove",
    "drop": "remove",
    "disable": "remove",
    "duplicate": "repeat",
    "opt": "option",
    "mllvm": "option",
    "cflag": "flag",
    "param": "set",
    "parameter": "set",
}
_SIDES = {"behind": "after", "following": "after", "ahead": "before", "preceding": "before"}

_BULLET = re.compile(r"^(?:[-*+]|\d+[.)])\s+")
_LINE = re.compile(
    r"-{0,2}(?P<verb>[A-Za-z]+)"
    r'(?:\s+in\s+(?P<unit>"(?:[^"\\]|\\.)*"|[^\s":]+)\s*:)?'
    r"\s+(?P<body>\S.*)"
)
_SETTING = re.compile(
    r"(?:-mllvm[=\s]+)?-{0,2}(?P<name>[A-Za-z0-9][\w.-]*)"
    r"(?:(?:\s*[=:]\s*|\s+to\s+|\s+)(?P<value>\S+))?"
)
_REPEAT = re.compile(r"(?P<place>\S+)\s+[xX*]?\s*(?P<times>\d{1,6})(?:\s*(?:x|times))?")
_SET = re.compile(
    r"(?P<place>[^\s<]+)[\s<]+(?P<param>[^\s<>=]+)(?:\s*=\s*(?P<value>[^\s>]+))?\s*>?"
)


def read_edit(text: str, repairs: list[str]) -> PipelineEdit:
    """The edit that a line means.

    Args:
        text: the line.
        repairs: what had to be changed is added here.

    Raises:
        EditError: nothing can be made of it.
    """
    check_length(text)
    try:
        return parse_edit(text)
    except EditError as error:
        line = _BULLET.sub("", " ".join(text.split())).strip("`'\"*; ").rstrip(".")
        normal = _normalised(line)
        if normal is None:
            raise
        first = error
    try:
        edit = parse_edit(normal)
    except EditError:
        raise first from None
    repairs.append(f"'{shortened(text.strip())}' was read as '{shortened(str(edit))}'")
    return edit


def _normalised(line: str) -> str | None:
    if flag_allowed(line):
        return f"flag {line}"
    match = _LINE.fullmatch(line)
    if match is not None and not line.startswith("-mllvm"):
        word = match["verb"].lower()
        verb = _SYNONYMS.get(word) or nearest(word, VERBS)
        if verb is not None:
            body = _BODIES[verb](match["body"].strip())
            scope = f" in {match['unit']}:" if match["unit"] else ""
            return None if body is None else f"{verb}{scope} {body}"
    if line.startswith("-") or "=" in line:
        setting = _setting(line)
        return None if setting is None else f"option {setting}"
    return None


def _same(body: str) -> str:
    return body


def _setting(body: str) -> str | None:
    match = _SETTING.fullmatch(body)
    return match and f"{match['name']}={match['value'] or 'true'}"


def _repeat(body: str) -> str | None:
    match = _REPEAT.fullmatch(body)
    return match and f"{match['place']} x{min(max(int(match['times']), 2), MAX_REPEAT)}"


def _set(body: str) -> str | None:
    match = _SET.fullmatch(body)
    return match and match["param"].join((f"{match['place']} ", _value(match["value"])))


def _value(value: str | None) -> str:
    return f"={value}" if value else ""


def _insert(body: str) -> str | None:
    found = _around_side(body)
    if found is None:
        return None
    nodes = read_loosely(found[0], [])
    return f"{nodes[0]} {found[1]} {found[2]}" if len(nodes) == 1 else None


def _move(body: str) -> str | None:
    found = _around_side(body)
    return found and " ".join(found)


def _around_side(body: str) -> tuple[str, str, str] | None:
    """What, on which side, of what: `licm right after gvn#1`."""
    words = [word for word in body.split() if word not in ("of", "right", "directly", "to")]
    for index in range(1, len(words) - 1):
        word = words[index].lower()
        side = _SIDES.get(word) or nearest(word, Side)
        if side is not None:
            return "".join(words[:index]), str(side), "".join(words[index + 1 :])
    return None


def _link(body: str) -> str | None:
    return nearest("-".join(body.lower().replace("_", "-").split()), LinkMode)


def _pipeline(body: str) -> str | None:
    return ",".join(map(str, read_loosely(body, []))) or None


_BODIES: dict[str, Callable[[str], str | None]] = {
    "insert": _insert,
    "remove": _same,
    "move": _move,
    "repeat": _repeat,
    "set": _set,
    "option": _setting,
    "flag": _same,
    "link": _link,
    "pipeline": _pipeline,
}
