"""Pages: a model's context is scarce, so every list comes in small pieces.

A cursor is the number of the first thing that was not shown; it means the same as long as what
is listed stays the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from perfwright.errors import UserError, shortened
from perfwright.report.printable import printable

T = TypeVar("T")

MOST_CHARACTERS = 1600
"""Of one page: with what stands around it, a result stays under 2 kB."""

FENCE = "~~~"
_IN_A_FENCE = re.compile("~(?=~~)")
_LONGEST_LINE = 240
_LONGEST_CURSOR = 12
_CUT = " ... "


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list; `next` is the cursor of the rest, empty at the end."""

    items: tuple[T, ...]
    total: int
    next: str


def page_of(
    items: Sequence[T],
    cursor: str,
    limit: int,
    size: Callable[[T], int],
    most: int = MOST_CHARACTERS,
) -> Page[T]:
    """The page from a cursor on: at most `limit` things and `most` characters, at least one.

    Raises:
        UserError: the cursor is none of ours.
    """
    start = start_of(cursor)
    taken: list[T] = []
    room = most
    for item in items[start : start + max(1, limit)]:
        room -= size(item)
        if taken and room < 0:
            break
        taken.append(item)
    end = start + len(taken)
    return Page(tuple(taken), len(items), str(end) if end < len(items) else "")


def start_of(cursor: str) -> int:
    """Where a cursor points.

    Raises:
        UserError: it is none of ours.
    """
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _LONGEST_CURSOR):
        raise UserError(
            f"{shortened(cursor)!r} is no cursor", hint="use the `next` of the page before, or none"
        )
    return int(cursor)


def fenced(lines: Sequence[str], language: str = "") -> str:
    """Text that comes from the program, marked as data; a fence inside it is broken up."""
    body = "\n".join(shown(line) for line in lines)
    return f"{FENCE}{language}\n{body}\n{FENCE}"


def shown(text: str, most: int = _LONGEST_LINE) -> str:
    """One line that came from the program or a tool: printable, and cut when it is long."""
    line = " ".join(printable(text).split("\n"))
    return shortened(_IN_A_FENCE.sub("~ ", line), most)


def bounded(text: str, most: int) -> str:
    """Clean text of any number of lines: its beginning, and in a long one its end as well.

    The end of an error is its hint.
    """
    clean = printable(text)
    if len(clean) <= most:
        return clean
    end = most // 3
    return f"{clean[: most - end - len(_CUT)]}{_CUT}{clean[-end:]}"
