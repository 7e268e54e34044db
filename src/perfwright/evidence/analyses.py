"""What `opt` prints for its analyses: function properties, loops, trip counts.

Pure parsers of `print<func-properties>`, `print<loops>` and `print<scalar-evolution>`,
which LLVM 17 to 22 write alike but for properties that only newer ones know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_PROPERTIES = re.compile(r"Printing analysis results of CFA for function '(.*)':")
_PROPERTY = re.compile(r"(\w+): (-?\d+)$")
_LOOPS = re.compile(r"Loop info for function '(.*)':")
_LOOP = re.compile(r"( *)(?:Parallel )?Loop at depth (\d+) containing: (.*)")
_BLOCK = re.compile(r'%(?:"((?:[^"\\]|\\.)*)"|([-\w$.]+))((?:<\w+>)*)')
_COUNTS = re.compile(r"Determining loop execution counts for: @(.*)")
_COUNT = re.compile(
    r'Loop %(?:"((?:[^"\\]|\\.)*)"|([-\w$.]+)): (?:<multiple exits> )?'
    r"(backedge-taken count|(?:constant )?max backedge-taken count|Trip multiple) is (.*)"
)
_CONSTANT = re.compile(r"(?:i(\d+) )?(-?\d+)")
_MEANINGLESS_COUNT = 1 << 30
"""A bound near the range of a type says nothing of how often a loop runs."""


@dataclass(frozen=True, slots=True)
class LoopBlocks:
    """One loop: its depth (1 is outermost) and its blocks, by name."""

    header: str
    depth: int
    latches: tuple[str, ...]
    blocks: tuple[str, ...]
    parent: str = ""


@dataclass(frozen=True, slots=True)
class TripCount:
    """How often the body of a loop runs each time the loop is entered.

    Attributes:
        exact: the constant count; `None` if it is not constant.
        limit: no more often than that; `None` if nothing useful is known.
        multiple: the count is a multiple of it.
        computable: whether it is known when the loop is entered.
    """

    exact: int | None = None
    limit: int | None = None
    multiple: int = 1
    computable: bool = False


@dataclass(frozen=True)
class Analyses:
    """The printed analyses of a module, by function; inner maps by property or header."""

    properties: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    loops: Mapping[str, tuple[LoopBlocks, ...]] = field(default_factory=dict)
    trips: Mapping[str, Mapping[str, TripCount]] = field(default_factory=dict)


def parse_analyses(text: str) -> Analyses:
    """Read what `opt -passes=...` wrote to standard error, in whatever order."""
    properties: dict[str, dict[str, int]] = {}
    loops: dict[str, list[LoopBlocks]] = {}
    counts: dict[str, dict[str, dict[str, str]]] = {}
    function = ""
    for line in text.splitlines():
        if heading := _PROPERTIES.match(line):
            function = heading[1]
            properties[function] = {}
        elif heading := _LOOPS.match(line):
            function = heading[1]
            loops[function] = []
        elif heading := _COUNTS.match(line):
            function = _bare(heading[1])
            counts[function] = {}
        elif match := _COUNT.match(line):
            header = match[1] or match[2]
            counts.setdefault(function, {}).setdefault(header, {})[match[3]] = match[4]
        elif match := _LOOP.match(line):
            found = loops.setdefault(function, [])
            found.append(_loop(int(match[2]), match[3], found))
        elif (match := _PROPERTY.match(line)) and function in properties:
            properties[function][match[1]] = int(match[2])
    trips = {
        name: {header: _trip_count(said) for header, said in headers.items()}
        for name, headers in counts.items()
    }
    return Analyses(properties, {name: tuple(found) for name, found in loops.items()}, trips)


def _loop(depth: int, blocks_text: str, before: list[LoopBlocks]) -> LoopBlocks:
    blocks: list[str] = []
    latches: list[str] = []
    header = ""
    for quoted, plain, marks in _BLOCK.findall(blocks_text):
        name = quoted or plain
        blocks.append(name)
        if "<header>" in marks:
            header = name
        if "<latch>" in marks:
            latches.append(name)
    # Loops are printed in preorder: the parent is the last one that is one less deep.
    parent = next((loop.header for loop in reversed(before) if loop.depth == depth - 1), "")
    return LoopBlocks(header, depth, tuple(latches), tuple(blocks), parent if depth > 1 else "")


def _trip_count(said: Mapping[str, str]) -> TripCount:
    taken = said.get("backedge-taken count", "")
    limit = said.get("constant max backedge-taken count", said.get("max backedge-taken count", ""))
    multiple = _CONSTANT.fullmatch(said.get("Trip multiple", "1"))
    return TripCount(
        exact=_runs(taken),
        limit=_runs(limit),
        multiple=int(multiple[2]) if multiple else 1,
        computable=bool(taken),
    )


def _runs(backedges: str) -> int | None:
    """Runs of the body for a constant number of times that the loop goes back."""
    match = _CONSTANT.fullmatch(backedges.strip())
    if match is None:
        return None
    # Scalar evolution prints unsigned counts as if they were signed.
    count = int(match[2]) % (1 << int(match[1] or 64)) + 1
    return count if count <= _MEANINGLESS_COUNT else None


def _bare(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name
