"""Quantities with their units in the type, and their text forms."""

from __future__ import annotations

import re
from typing import NewType

from perfwright.errors import UserError

Seconds = NewType("Seconds", float)
"""A duration or a CPU time in seconds."""

Bytes = NewType("Bytes", int)
"""A size in bytes."""

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|m|h|)")
_SECONDS_PER = {"ms": 1e-3, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> Seconds:
    """Seconds from `90`, `90s`, `10m`, `1.5h`, `1h30m` or `250ms`.

    Raises:
        UserError: the text is no duration.
    """
    position, total = 0, 0.0
    stripped = text.strip().lower()
    while position < len(stripped):
        match = _DURATION.match(stripped, position)
        if match is None:
            break
        total += float(match["number"]) * _SECONDS_PER[match["unit"]]
        position = match.end()
    if not stripped or position != len(stripped):
        raise UserError(f"{text!r} is not a duration", hint="write for example 90s, 10m or 1h30m")
    return Seconds(total)


def format_duration(seconds: float) -> str:
    """A duration as people read it: `0.412 s`, `48 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    if seconds < 0.1:
        return f"{seconds * 1e3:.1f} ms"
    if seconds < 10:
        return f"{seconds:.3g} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def format_bytes(size_bytes: float) -> str:
    """A size as people read it: `512 B`, `1.4 KiB`, `20.0 MiB`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("unreachable")


def format_ratio(ratio: float) -> str:
    """A speed-up with three decimals, as everywhere in reports: `1.083x`."""
    return f"{ratio:.3f}x"
