"""TOML files whose mistakes are named by file, line and key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from perfwright.errors import UserError, unknown_name

Key = tuple[str | int, ...]
"""Where a value stands: `("workload", 0, "args")`."""

M = TypeVar("M", bound=BaseModel)

_HEADER = re.compile(r"\s*(?P<open>\[{1,2})\s*(?P<name>[\w.\-\" ]+?)\s*\]{1,2}")
_ENTRY = re.compile(r"\s*(?P<name>[\w.\-\"]+)\s*=")


def read(path: Path, model: type[M], examples: Mapping[str, str]) -> M:
    """The file as a model.

    Args:
        path: the TOML file.
        model: its shape; a model that forbids extra keys.
        examples: for a key (its last name) the line to write, used as the hint.

    Raises:
        UserError: the file is unreadable, no TOML, or of another shape.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"cannot read {path}", cause=str(error), hint="check the path and its permissions"
        ) from error
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, text, str(error)) from error
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        found = [(_key_of(details, tables), details) for details in error.errors()]
        # The first in the file; of several on one line the one that says most about the place.
        key, details = min(found, key=lambda one: (line_of(text, one[0]), -len(one[0])))
        raise _shape_error(f"{path}:{line_of(text, key)}", key, model, details, examples) from error


def mistake(path: Path, key: Key, fact: str, *, cause: str = "", hint: str = "") -> UserError:
    """The error for a value that is of the right type and still wrong."""
    line = line_of(path.read_text(encoding="utf-8"), key)
    return UserError(f"{path}:{line}: {fact}", cause=cause, hint=hint)


def line_of(text: str, key: Sequence[str | int]) -> int:
    """The line, from 1, on which a key stands; its nearest parent's when it is not found.

    >>> line_of('[program]\\nname = "a"\\n[[workload]]\\nargs = 1', ("workload", 0, "args"))
    4
    """
    best_line, best_depth = 1, 0
    table: Key = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        entry = _ENTRY.match(line)
        if header:
            table = _table_key(header, counts)
            here = table
        elif entry:
            here = (*table, *_parts(entry["name"]))
        else:
            continue
        depth = min(len(here), len(key))
        if depth > best_depth and tuple(key[:depth]) == here[:depth]:
            best_line, best_depth = number, depth
    return best_line


def dotted(key: Sequence[str | int]) -> str:
    """A key as people write it: `workload[0].args`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _table_key(header: re.Match[str], counts: dict[str, int]) -> Key:
    parts = _parts(header["name"])
    if header["open"] == "[":
        return parts
    index = counts.get(header["name"], 0)
    counts[header["name"]] = index + 1
    return (*parts, index)


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part.strip().strip('"') for part in name.split("."))


def _syntax_error(path: Path, text: str, message: str) -> UserError:
    place = re.search(r"\(at line (\d+), column (\d+)\)", message)
    lines = text.rstrip().splitlines() or [""]
    # tomllib says "at end of document" where there is nothing left to point at.
    end = len(lines), len(lines[-1]) + 1
    line, column = (int(place[1]), int(place[2])) if place else end
    shown = lines[line - 1].strip() if line <= len(lines) else ""
    return UserError(
        f"{path}:{line}:{column}: this is no TOML",
        cause=re.sub(r"\s*\(at .*\)", "", message) + (f": {shown}" if shown else ""),
        hint='strings stand in quotes, lists in brackets: args = ["-n", "3"]',
    )


def _key_of(details: ErrorDetails, tables: Mapping[str, Any]) -> Key:
    """The place of a mistake in the file.

    Pydantic puts the alternatives of a union into the place; they are no keys of the file.
    """
    node: Any = tables
    key: list[str | int] = []
    for position, part in enumerate(details["loc"]):
        last = position == len(details["loc"]) - 1
        inside = isinstance(node, dict) and part in node
        numbered = isinstance(node, list) and isinstance(part, int) and part < len(node)
        if inside or numbered:
            node = node[part]
            key.append(part)
        elif last and details["type"] == "missing":
            key.append(part)
    return tuple(key)


def _shape_error(
    place: str,
    key: Key,
    model: type[BaseModel],
    details: ErrorDetails,
    examples: Mapping[str, str],
) -> UserError:
    name = next((part for part in reversed(key) if isinstance(part, str) and part in examples), "")
    if details["type"] == "extra_forbidden":
        last = str(key[-1])
        table = dotted(key[:-1])
        error = unknown_name("key", last, _known_keys(model, key[:-1]), limit=12)
        where = f" in [{table}]" if table else ""
        return UserError(f"{place}: {error.fact}{where}", cause=error.cause, hint=error.hint)
    if details["type"] == "missing":
        return UserError(
            f"{place}: {dotted(key)} is missing",
            cause="it is required",
            hint=examples.get(name, ""),
        )
    said = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return UserError(
        f"{place}: {dotted(key)}: {said}",
        cause=f"it is {details['input']!r}",
        hint=examples.get(name, ""),
    )


def _known_keys(model: type[BaseModel], key: Sequence[str | int]) -> list[str]:
    """The keys of the table at `key`, followed through nested models and lists of them."""
    for part in key:
        if isinstance(part, str) and part in model.model_fields:
            inner = _model_in(model.model_fields[part].annotation)
            if inner is not None:
                model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in inner if model is not None), None)
