"""From addresses to source: one batch of `llvm-symbolizer`, inlined frames included."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfwright.errors import ToolchainError
from perfwright.evidence.location import AS_WRITTEN, Location, SourceRoot
from perfwright.evidence.tools import Tools
from perfwright.toolchain.process import Runner


@dataclass(frozen=True, slots=True)
class Frame:
    """A source function and the place in it; for an outer frame, that of the inlined call."""

    function: str
    place: Location


def symbolize(
    binary: Path,
    addresses: Iterable[int],
    tools: Tools,
    runner: Runner,
    *,
    root: SourceRoot = AS_WRITTEN,
) -> Mapping[int, tuple[Frame, ...]]:
    """The frames at each virtual address, innermost first.

    Needs a binary with line tables (`-gline-tables-only` is enough); addresses that it
    knows nothing of are left out.  Names stay mangled.

    Raises:
        ToolchainError: the tool is missing or fails.
    """
    wanted = sorted(set(addresses))
    if not wanted:
        return {}
    options = ["--output-style=JSON", "--no-demangle", "--inlining"]
    argv = [str(tools.tool("llvm-symbolizer")), f"--obj={binary}", *options]
    result = runner(argv, stdin="".join(f"{address:#x}\n" for address in wanted).encode())
    if not result.ok:
        raise ToolchainError("llvm-symbolizer failed", cause=result.explain())
    return parse_symbols(result.text.splitlines(), root)


def parse_symbols(
    lines: Iterable[str], root: SourceRoot = AS_WRITTEN
) -> Mapping[int, tuple[Frame, ...]]:
    """Read what `llvm-symbolizer --output-style=JSON` prints, one object a line."""
    frames: dict[int, tuple[Frame, ...]] = {}
    for line in lines:
        answer: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        known = [_frame(entry, root) for entry in answer.get("Symbol", ())]
        found = tuple(frame for frame in known if frame.function)
        if found:
            frames[int(answer["Address"], 16)] = found
    return frames


def _frame(entry: Mapping[str, Any], root: SourceRoot) -> Frame:
    file = root.name(entry.get("FileName", ""))
    return Frame(
        entry.get("FunctionName", ""), Location(file, entry.get("Line", 0), entry.get("Column", 0))
    )
