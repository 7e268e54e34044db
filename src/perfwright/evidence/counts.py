"""Reading `llvm-profdata show`: how often functions and their blocks ran."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_FUNCTION = re.compile(r"  (\S.*):$")
_VALUE = re.compile(r"    (Function count|Block counts): (.*)")


@dataclass(frozen=True, slots=True)
class FunctionCounts:
    """The counters of one function.

    Attributes:
        unit: base name of the source file of a local function, else empty.
        entries: how often it was entered.
        blocks: the sum of its other counters: how much went on inside.
    """

    name: str
    unit: str
    entries: int
    blocks: int = 0


def parse_profdata(lines: Iterable[str]) -> tuple[FunctionCounts, ...]:
    """Read what `llvm-profdata show --all-functions --counts` prints."""
    found: list[FunctionCounts] = []
    name, entries = "", 0
    for line in lines:
        if heading := _FUNCTION.match(line):
            name, entries = heading[1], 0
        elif name and (value := _VALUE.match(line)):
            if value[1] == "Function count":
                entries = int(value[2])
                found.append(FunctionCounts(*split_name(name), entries))
            else:
                blocks = sum(int(count) for count in re.findall(r"\d+", value[2]))
                found[-1] = FunctionCounts(*split_name(name), entries, blocks)
    return tuple(found)


def split_name(profile_name: str) -> tuple[str, str]:
    """The symbol and, for a local function, the file that its profile name starts with.

    >>> split_name("encode.c:encode_sample"), split_name("main"), split_name("a.cpp;_ZL1fv")
    (('encode_sample', 'encode.c'), ('main', ''), ('_ZL1fv', 'a.cpp'))
    """
    for separator in (";", ":"):
        unit, found, name = profile_name.rpartition(separator)
        if found and not profile_name.startswith(("_Z", "-[", "+[")):
            return name, unit
    return profile_name, ""
