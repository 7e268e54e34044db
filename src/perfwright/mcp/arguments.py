"""What a call may bring: texts of bounded length, known names, and plain words on what is wrong.

Everything that an agent sends may be long, garbled or meant to do harm; it is refused here, with
the cause, before any tool sees it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from perfwright.errors import UserError, unknown_name
from perfwright.report.printable import one_line, printable
from perfwright.units import Seconds, parse_duration

_MOST_SAID = 4
"""Of what is wrong with one call."""
_LONGEST_SECONDS = 30 * 24 * 3600.0


def _plain(text: str) -> str:
    """The text itself, if nothing in it is hidden.

    Raises:
        ValueError: it has control characters, half characters, or turns the direction of writing.
    """
    if printable(text) != text:
        raise ValueError("has control characters, or such as hide text or turn its direction")
    return text


def _version(text: str) -> str:
    """The text itself, if it is a version, or empty.

    Raises:
        ValueError: it is not.
    """
    if not re.fullmatch(r"(\d{1,4}(\.\d{1,4}){0,3})?", text, re.ASCII):
        raise ValueError("is a version of an installed LLVM, as 22 or 22.1.8, and no path")
    return text


Text = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
"""A name or a choice."""
Symbol = Annotated[str, Field(max_length=4000), AfterValidator(_plain)]
"""A function's name, or a path: C++ makes long ones."""
EditText = Annotated[str, Field(max_length=20_000), AfterValidator(_plain)]
"""An edit; -O3 as a text has 4,000 characters."""
Prose = Annotated[str, Field(max_length=1000), AfterValidator(one_line)]
"""Sentences: shown and kept in one line, without what could hide words."""
Texts = Annotated[list[Text], Field(max_length=100)]
Words = Annotated[list[Symbol], Field(max_length=200)]
"""Arguments of a program."""
EditTexts = Annotated[list[EditText], Field(max_length=100)]
Cursor = Annotated[Text, Field(description="`next` of the page before")]
Time = Annotated[Text, Field(max_length=20)]
Version = Annotated[Text, AfterValidator(_version)]
"""Of an installed LLVM; never a path: an agent does not choose which binary is run."""
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Rounds = Annotated[int, Field(ge=1, lt=1000)]
Count = Annotated[int, Field(ge=0, lt=2**63)]


def seconds(text: str) -> Seconds:
    """A time of a budget.

    Raises:
        UserError: it is no duration, or one that nobody means.
    """
    found = parse_duration(text)
    if not 0 < found <= _LONGEST_SECONDS:
        raise UserError(f"{text!r} is no time to wait", hint="write for example 90s, 10m or 1h30m")
    return found


def require_known(tool: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Make sure that a tool has all the arguments that it is given.

    Raises:
        UserError: it lacks one; the nearest comes first.
    """
    names = list(known)
    for name in given:
        if name not in names:
            raise unknown_name(f"argument of {tool}", name, names, limit=len(names))


def said_of(error: ValidationError) -> str:
    """What is wrong with the arguments, one line each."""
    lines = [
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg'].removeprefix('Value error, ')}"
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    more = len(lines) - _MOST_SAID
    return "\n".join([*lines[:_MOST_SAID], *([f"and {more} more"] if more > 0 else [])])
