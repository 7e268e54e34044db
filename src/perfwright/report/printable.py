"""Text from programs, tools and models, made safe to show."""

from __future__ import annotations

import re

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
"""Control characters, half characters, and those that turn the direction of writing."""


def printable(text: str) -> str:
    """The text with everything replaced that could move a terminal's cursor or hide words.

    Line feeds and tabs stay.

    >>> printable("red: \\x1b[31m")
    'red: \ufffd[31m'
    """
    return _CONTROL.sub("\ufffd", text)


def one_line(text: str) -> str:
    """The printable text in one line."""
    return " ".join(printable(text).split())
