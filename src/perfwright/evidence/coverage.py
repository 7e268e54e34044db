"""Reading `llvm-cov export -format=text`: how often each piece of source ran."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfwright.errors import ToolchainError
from perfwright.evidence.counts import FunctionCounts, parse_profdata, split_name
from perfwright.evidence.location import AS_WRITTEN, Location, SourceRoot
from perfwright.evidence.tools import ProgramRun, Tools
from perfwright.toolchain.process import Runner

Position = tuple[int, int]
"""Line and column."""

_CODE, _EXPANSION, _SKIPPED, _GAP, _BRANCH = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Region:
    """A piece of source and how often it ran; `end` is just past it."""

    start: Position
    end: Position
    count: int
    is_code: bool

    def contains(self, position: Position) -> bool:
        """Whether a position is in it."""
        return self.start <= position < self.end


@dataclass(frozen=True, slots=True)
class BranchCounts:
    """How often a condition was true and false."""

    place: Location
    taken: int
    not_taken: int
    end: Position = (0, 0)


@dataclass(frozen=True)
class FunctionCoverage:
    """The counts of one function; regions are those in its own file, not in macros."""

    name: str
    unit: str
    file: str
    entries: int
    regions: tuple[Region, ...] = ()
    branches: tuple[BranchCounts, ...] = ()

    def count_at(self, position: Position) -> int | None:
        """How often the code at a position ran: the count of the innermost region there."""
        around = [r for r in self.regions if r.contains(position)]
        return max(around, key=lambda region: region.start).count if around else None

    def loop_body(self, start: Position, end: Position) -> Region | None:
        """The body of the loop statement from `start` to its last token at `end`.

        That is the piece that ends where the loop ends; the front end gives it a region of
        its own.  In `do ... while` loops the condition ends the loop, and the body is the
        first piece after `do`.
        """
        inside = [r for r in self.regions if r.is_code and r.start > start]
        reaching = [r for r in inside if r.start <= end and r.contains(end)]
        if reaching:
            return min(reaching, key=lambda region: (region.end, region.start))
        before = [r for r in inside if r.end <= end]
        return min(before, key=lambda region: region.start) if before else None


def parse_coverage(text: str, root: SourceRoot = AS_WRITTEN) -> tuple[FunctionCoverage, ...]:
    """Read the JSON of `llvm-cov export`.

    Raises:
        ToolchainError: it is not such JSON.
    """
    try:
        document = json.loads(text)
        functions = [f for data in document["data"] for f in data.get("functions", ())]
    except (ValueError, KeyError, TypeError) as error:
        raise ToolchainError("llvm-cov wrote no coverage", cause=str(error)) from error
    return tuple(_function(entry, root) for entry in functions)


def _function(entry: Mapping[str, Any], root: SourceRoot) -> FunctionCoverage:
    name, unit = split_name(entry["name"])
    files = [root.name(file) for file in entry["filenames"]]
    return FunctionCoverage(
        name=name,
        unit=unit,
        file=files[0],
        entries=entry["count"],
        regions=tuple(_region(r) for r in entry["regions"] if r[5] == 0 and r[7] <= _EXPANSION),
        branches=tuple(_branch(branch, files) for branch in entry.get("branches", ())),
    )


def _region(entry: Sequence[int]) -> Region:
    return Region((entry[0], entry[1]), (entry[2], entry[3]), entry[4], entry[7] == _CODE)


def _branch(entry: Sequence[int], files: Sequence[str]) -> BranchCounts:
    line, column, end_line, end_column, taken, not_taken, file = entry[:7]
    return BranchCounts(
        Location(files[file], line, column), taken, not_taken, (end_line, end_column)
    )


@dataclass(frozen=True)
class Counters:
    """What one instrumented run counted."""

    coverage: tuple[FunctionCoverage, ...] = ()
    functions: tuple[FunctionCounts, ...] = ()


def run_instrumented(
    binary: Path,
    program: ProgramRun,
    scratch: Path,
    tools: Tools,
    runner: Runner,
    *,
    root: SourceRoot = AS_WRITTEN,
) -> Counters:
    """Run a build made with `-fprofile-instr-generate -fcoverage-mapping`, read its counters.

    A program that ends by a signal or by `_exit` writes none.

    Raises:
        ToolchainError: no counters were written, or the tools cannot read them.
    """
    for old in scratch.glob("counters-*.profraw"):
        old.unlink()
    pattern = scratch / "counters-%p.profraw"  # one file a process
    ran = program(binary, env={"LLVM_PROFILE_FILE": str(pattern)}, writable=scratch)
    raw = sorted(scratch.glob("counters-*.profraw"))
    if not raw:
        raise ToolchainError("the instrumented program wrote no counters", cause=ran.outcome())
    merged = scratch / "counters.profdata"
    _checked(runner, [tools.tool("llvm-profdata"), "merge", "-o", merged, *raw])
    shown = _checked(
        runner, [tools.tool("llvm-profdata"), "show", "--all-functions", "--counts", merged]
    )
    form = ("-format=text", "-skip-expansions", f"-instr-profile={merged}")
    exported = _checked(runner, [tools.tool("llvm-cov"), "export", *form, binary])
    return Counters(parse_coverage(exported, root), parse_profdata(shown.splitlines()))


def _checked(runner: Runner, argv: Sequence[str | Path]) -> str:
    result = runner(argv)
    if not result.ok:
        raise ToolchainError(f"{Path(result.argv[0]).name} failed", cause=result.explain())
    return result.text
