"""Reading `perf script`: which instruction each sample hit.

Only the addresses are taken from perf.  Symbols of the program come from its own symbol
table, because perf cannot tell two local functions of the same name apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

SCRIPT_FIELDS = "event,ip,sym,dso"
"""What `parse_script` expects from `perf script --show-mmap-events -F`."""

_MAPPING = re.compile(
    r"PERF_RECORD_MMAP2? -?\d+/-?\d+: \[(0x[0-9a-f]+)\((0x[0-9a-f]+)\) @ (0x[0-9a-f]+|0)"
    r".*\]: \S+ (.+)$"
)
_SAMPLE = re.compile(r"\s*(?:[\w:/=,-]+:\s+)?([0-9a-f]+) (.*) \((.*)\)\s*$")
KERNEL = "[kernel]"
"""The name under which all time in the kernel is counted."""


@dataclass(frozen=True, slots=True)
class CodeMapping:
    """A file mapped into memory as code."""

    start: int
    size: int
    offset: int
    image: str


@dataclass
class Samples:
    """What was sampled.

    Attributes:
        in_program: samples by offset in the program's file.
        elsewhere: samples by name of function and of library (or the kernel).
    """

    in_program: Counter[int] = field(default_factory=Counter)
    elsewhere: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All samples."""
        return sum(self.in_program.values()) + sum(self.elsewhere.values())

    def add(self, other: Samples) -> None:
        """Count the samples of another run of the same program too."""
        self.in_program.update(other.in_program)
        self.elsewhere.update(other.elsewhere)


def parse_script(lines: Iterable[str], program: str) -> Samples:
    """Read what `perf script --show-mmap-events -F event,ip,sym,dso` prints.

    Args:
        lines: its standard output.
        program: path or name of the program; libraries are what is not this.
    """
    reader = _Reader(PurePosixPath(program).name)
    for line in lines:
        reader.read(line)
    return reader.samples


class _Reader:
    """Knows where the program is mapped, and counts its samples by their place in the file."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.mappings: list[CodeMapping] = []
        self.samples = Samples()

    def read(self, line: str) -> None:
        if "PERF_RECORD_" in line:
            if (found := _MAPPING.search(line)) and PurePosixPath(found[4]).name == self.program:
                start, size, offset = (int(found[index], 16) for index in (1, 2, 3))
                self.mappings.append(CodeMapping(start, size, offset, found[4]))
        elif found := _SAMPLE.match(line):
            self._count(int(found[1], 16), found[2], found[3])

    def _count(self, address: int, symbol: str, image: str) -> None:
        name = PurePosixPath(image).name
        for mapping in reversed(self.mappings if name == self.program else []):
            if mapping.start <= address < mapping.start + mapping.size:
                self.samples.in_program[address - mapping.start + mapping.offset] += 1
                return
        if image.startswith("[kernel") or image.endswith(".ko]"):
            self.samples.elsewhere[KERNEL, ""] += 1
        else:
            self.samples.elsewhere[symbol, name] += 1
