"""Which IR a model is shown: whole functions where they fit, else their innermost loops."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from perfwright.minds.llm.fence import closed, plain

_LONGEST_LINE = 1000
_NOTE = 60
_LABEL = re.compile(r'^(?:"([^"]+)"|([\w.$-]+)):')
_TARGET = re.compile(r'label %(?:"([^"]+)"|([\w.$-]+))')


def ir_part(symbols: Sequence[str], ir: Mapping[str, str], room: int) -> str:
    """The IR of these functions, first the hottest, in so many characters.

    Each is shown whole or, where that is too long, with its innermost loops; what does not fit
    even so is named.  Of the very first there is always something.
    """
    shown: list[str] = []
    missing: list[str] = []
    for symbol in dict.fromkeys(symbol for symbol in symbols if symbol in ir):
        lines = [plain(line, _LONGEST_LINE) for line in ir[symbol].splitlines() if line.strip()]
        fits = [part for part in (lines, loops_only(lines)) if part and size(part) <= room]
        if not fits and not shown and not missing:
            fits = [beginning(loops_only(lines) or lines, room)]
        if not fits:
            missing.append(plain(symbol, 200))
            continue
        room -= size(fits[0])
        shown += fits[0]
    rest = f" Left out as too long: {', '.join(missing)}." if missing else ""
    return f"IR of the hottest, where -O3 begins to vectorise.{rest}\n{closed(shown)}"


def shortened(lines: Sequence[str], room: int) -> str:
    """A function between fences: whole, else its innermost loops, else as much as fits."""
    parts = [part for part in (lines, loops_only(lines)) if part]
    fits = [part for part in parts if size(part) <= room]
    return closed(fits[0] if fits else beginning(parts[-1], room) if parts else [])


def size(lines: Sequence[str]) -> int:
    """The characters of some lines with their ends."""
    return sum(len(line) + 1 for line in lines)


def loops_only(lines: Sequence[str]) -> list[str]:
    """A function's first line and its innermost loops; empty if it has none.

    A loop is taken to be what stands between a block and a jump back to it.  That is how LLVM
    prints loops that its passes have rotated and simplified; of others a block may be missing.
    """
    starts = {name: index for index, line in enumerate(lines) if (name := _name(_LABEL, line))}
    spans: set[tuple[int, int]] = set()
    for index, line in enumerate(lines):
        targets = (_given(match) for match in _TARGET.finditer(line))
        back = [starts[name] for name in targets if starts.get(name, index) < index]
        spans.update((start, index) for start in back)
    inner = sorted(span for span in spans if not any(_within(other, span) for other in spans))
    if not inner:
        return []
    first = next((i for i, line in enumerate(lines) if line.startswith("define ")), 0)
    shown = {index for start, end in inner for index in range(start, end + 1)}  # they may overlap
    kept = [*lines[: first + 1], *(lines[index] for index in sorted(shown))]
    return [*kept, f"; only its innermost loops: {len(lines) - len(kept)} lines left out", "}"]


def beginning(lines: Sequence[str], room: int) -> list[str]:
    """As many lines as fit, and how many do not."""
    kept: list[str] = []
    room -= _NOTE
    for line in lines:
        if len(line) + 1 > room:
            break
        room -= len(line) + 1
        kept.append(line)
    return [*kept, f"; {len(lines) - len(kept)} more lines left out"]


def _within(inner: tuple[int, int], outer: tuple[int, int]) -> bool:
    return inner != outer and outer[0] <= inner[0] and inner[1] <= outer[1]


def _name(pattern: re.Pattern[str], line: str) -> str:
    match = pattern.match(line)
    return _given(match) if match else ""


def _given(match: re.Match[str]) -> str:
    return match[1] or match[2]
