"""Reading callgrind's output file: instructions executed by each function itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

_NAME = re.compile(r"(c?)(fn|ob)=(?:\((\d+)\))?\s*(.*)")
_COST = re.compile(r"(?:[-+]?(?:0x)?[0-9a-f]+|\*)\s+(\d+)")
_RECURSION = re.compile(r"'\d+$")


@dataclass(frozen=True)
class CallgrindCosts:
    """Instructions executed, by name of function and of its image (program or library)."""

    by_function: Mapping[tuple[str, str], int] = field(default_factory=dict)
    cut_off: bool = False

    @property
    def total(self) -> int:
        """All instructions."""
        return sum(self.by_function.values())


def parse_callgrind(lines: Iterable[str]) -> CallgrindCosts:
    """Read a callgrind output file.

    A cost line after `calls=` is what the called function cost; it is that function's, and
    is not counted again here.
    """
    names: dict[tuple[str, str], str] = {}
    costs: Counter[tuple[str, str]] = Counter()
    function = image = ""
    skip = ended = False
    for line in lines:
        if match := _NAME.match(line):
            called, kind, number, name = match.groups()
            if number and name:
                names[kind, number] = name
            elif number:
                name = names.get((kind, number), "?")
            if not called and kind == "fn":
                function = _RECURSION.sub("", name)
            elif not called:
                image = PurePosixPath(name).name
        elif line.startswith("calls="):
            skip = True
        elif line.startswith(("summary:", "totals:")):
            ended = True
        elif match := _COST.match(line):
            if not skip:
                costs[function, image] += int(match[1])
            skip = False
    return CallgrindCosts(dict(costs), cut_off=not ended)
