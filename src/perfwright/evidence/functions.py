"""Features of each function of a unit, from LLVM's own analyses of its bitcode.

The bitcode of a unit is not optimised, so every variable lives in memory and no loop has a
known trip count.  The analyses therefore run after a few passes that only put the code into
canonical form; none of them inlines, unrolls or deletes functions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from perfwright.errors import ProgramError
from perfwright.evidence.analyses import Analyses, LoopBlocks, TripCount, parse_analyses
from perfwright.evidence.irtext import FunctionText, LoopExtent, ModuleText, parse_module
from perfwright.evidence.location import AS_WRITTEN, Location, SourceRoot
from perfwright.evidence.tools import Tools
from perfwright.toolchain.process import Limits, ProcessResult, Runner
from perfwright.toolchain.registry import parse_passes

_CANONICAL = ("sroa", "early-cse", "simplifycfg", "instcombine", "loop-simplify", "lcssa")
_ROTATE = "loop-rotate"
_AFTER_ROTATION = ("simplifycfg", "loop-simplify", "lcssa")
_PRINTERS = ("print<func-properties>", "print<loops>", "print<scalar-evolution>")
_INSTCOMBINE = "instcombine<no-verify-fixpoint>"  # the plain one aborts out of its usual place
_QUIET_SCEV = "-scalar-evolution-classify-expressions=0"

_LIMITS = Limits(wall=60.0)

_TRIVIAL_INSTRUCTIONS = 12
_IO_CALLS = frozenset(
    {
        *("printf", "fprintf", "vprintf", "vfprintf", "dprintf", "puts", "fputs", "perror"),
        *("putchar", "putc", "fputc", "fwrite", "write", "pwrite", "writev", "fflush", "fsync"),
        *("getchar", "getc", "fgetc", "fgets", "getline", "fread", "read", "pread", "readv"),
        *("scanf", "fscanf", "__isoc99_scanf", "__isoc99_fscanf", "__isoc23_scanf"),
        *("__printf_chk", "__fprintf_chk", "__isoc23_fscanf", "open", "openat", "close"),
        *("fopen", "fclose", "fseek", "lseek", "mmap", "munmap", "send", "recv", "sendto"),
        *("recvfrom", "poll", "select", "epoll_wait", "sleep", "usleep", "nanosleep"),
    }
)
_IO_CALL_PREFIXES = (
    "_ZNSolsE",
    "_ZStlsI",
    "_ZNSirsE",
    "_ZNSo",
    "_ZNSi",
    "_ZSt7getline",
    "_ZSt4endl",
)
_DIVISIONS = ("udiv", "sdiv", "fdiv", "urem", "srem", "frem")
_FLOAT = ("fadd", "fsub", "fmul", "fdiv", "frem", "fneg", "fcmp")


@dataclass(frozen=True)
class UnitInput:
    """One translation unit to look at.

    Attributes:
        name: its source file relative to the root of the program, for example `src/dct.c`.
        bitcode: the captured, unoptimised bitcode.
        remarks: the remark file of its -O3 compilation, if there is one.
        directory: where the compiler ran, for relative names in the remarks.
    """

    name: str
    bitcode: Path
    remarks: Path | None = None
    directory: str = ""


@dataclass(frozen=True, slots=True)
class Loop:
    """One natural loop.

    Attributes:
        header: the header block's name: says which loop of the function it is.
        depth: 1 is outermost.
        start, end: its extent in the source, when known.
        innermost: no loop inside.
        calls: calls in it (also in loops inside) to functions that are no intrinsics.
    """

    unit: str
    function: str
    header: str
    depth: int
    trips: TripCount
    start: Location | None = None
    end: Location | None = None
    innermost: bool = True
    calls: int = 0


@dataclass(frozen=True, slots=True)
class CallEdge:
    """All calls from one function to another that stand at the same loop depth.

    `callee` is empty for calls through pointers.
    """

    unit: str
    caller: str
    callee: str
    loop_depth: int
    sites: int
    place: Location | None = None


def call_graph(calls: Iterable[CallEdge], known: Set[str]) -> dict[tuple[str, str], str]:
    """By unit and function the known symbols that it calls, a `*` at those called in a loop."""
    found: dict[tuple[str, str], dict[str, bool]] = {}
    for edge in calls:
        if edge.callee in known:
            own = found.setdefault((edge.unit, edge.caller), {})
            own[edge.callee] = own.get(edge.callee, False) or edge.loop_depth > 0
    return {
        caller: ", ".join(f"{name}*" if looped else name for name, looped in own.items())
        for caller, own in found.items()
    }


@dataclass(frozen=True)
class FunctionFeatures:
    """What the IR of one function is like, in canonical form.

    Attributes:
        place: where it is defined in the source.
        linkage: LLVM's word (`external`, `internal`, `linkonce_odr`, ...).
        address_taken: used other than by calling it, in its unit.
        properties: counts by name: `instructions`, `blocks`, `loads`, `stores`, `calls`,
            `indirect_calls`, `conditional_branches`, `switches`, `selects`, `divisions`,
            `float_operations`, `loops`, `max_loop_depth`, `io_calls`.
    """

    unit: str
    name: str
    place: Location | None
    linkage: str
    address_taken: bool
    properties: Mapping[str, int] = field(default_factory=dict)

    @property
    def instructions(self) -> int:
        """How many IR instructions it has."""
        return self.properties.get("instructions", 0)

    @property
    def is_local(self) -> bool:
        """Whether no other unit can call it by name."""
        return self.linkage in ("internal", "private")

    @property
    def trivial(self) -> bool:
        """So small that it costs nothing but its call: no loop, a handful of instructions."""
        return (
            not self.properties.get("loops", 0)
            and self.instructions <= _TRIVIAL_INSTRUCTIONS
            and not self.properties.get("calls", 0)
        )

    @property
    def io_bound(self) -> bool:
        """Whether most of its calls are input or output, so that its code hardly matters."""
        io_calls = self.properties.get("io_calls", 0)
        return io_calls > 0 and 2 * io_calls >= self.properties.get("calls", 0)


@dataclass(frozen=True)
class UnitFeatures:
    """All that was learned from one unit; `problem` says what could not be."""

    unit: str
    functions: tuple[FunctionFeatures, ...] = ()
    loops: tuple[Loop, ...] = ()
    calls: tuple[CallEdge, ...] = ()
    problem: str = ""


def pass_names(tools: Tools, runner: Runner) -> frozenset[str]:
    """The names of the passes that this `opt` knows (`opt --print-passes`)."""
    result = runner([tools.tool("opt"), "--print-passes"])
    return frozenset(parse_passes(result.text).names())


def analysis_pipeline(known: Iterable[str], *, canonical: bool = True) -> str:
    """The pipeline that prints the analyses, of those passes that this `opt` knows."""
    names = frozenset(known)
    steps: list[str] = []
    if canonical:
        steps += [_spelled(name) for name in _CANONICAL if name in names]
        if _ROTATE in names:
            steps.append(f"loop({_ROTATE})")
            steps += [name for name in _AFTER_ROTATION if name in names]
    steps += [name for name in _PRINTERS if name in names]
    return f"function({','.join(steps)})"


def analyse_unit(
    unit: UnitInput,
    tools: Tools,
    runner: Runner,
    *,
    known_passes: Iterable[str] | None = None,
    root: SourceRoot = AS_WRITTEN,
) -> UnitFeatures:
    """The features of a unit's functions, loops and calls; one run of `opt`.

    When the canonical form makes `opt` crash, the code is looked at as it is.

    Raises:
        ProgramError: `opt` cannot read the bitcode at all.
    """
    known = pass_names(tools, runner) if known_passes is None else known_passes
    problem = ""
    result = _print(unit, analysis_pipeline(known), tools, runner)
    if not result.ok:
        problem = f"{unit.name} was analysed without canonical form: opt {result.outcome()}"
        result = _print(unit, analysis_pipeline(known, canonical=False), tools, runner)
    if not result.ok:
        raise ProgramError(
            f"opt cannot analyse the bitcode of {unit.name}",
            cause=result.explain(),
            hint="capture the unit again with the clang of the same toolchain",
        )
    features = describe_unit(
        unit.name, parse_module(result.text, root), parse_analyses(result.error_text)
    )
    return UnitFeatures(unit.name, features.functions, features.loops, features.calls, problem)


def _print(unit: UnitInput, pipeline: str, tools: Tools, runner: Runner) -> ProcessResult:
    options = (f"-passes={pipeline}", _QUIET_SCEV, "-S", "-o", "-")
    return runner([tools.tool("opt"), *options, unit.bitcode], limits=_LIMITS)


def _spelled(name: str) -> str:
    return _INSTCOMBINE if name == "instcombine" else name


def describe_unit(unit: str, module: ModuleText, analyses: Analyses) -> UnitFeatures:
    """Put the module's text and its analyses together; pure."""
    functions: list[FunctionFeatures] = []
    loops: list[Loop] = []
    calls: list[CallEdge] = []
    for function in module.functions:
        blocks = analyses.loops.get(function.name, ())
        functions.append(_features(unit, function, module, analyses, blocks))
        loops += _loops(unit, function, analyses, blocks)
        calls += _edges(unit, function, blocks)
    return UnitFeatures(unit, tuple(functions), tuple(loops), tuple(calls))


def _features(
    unit: str,
    function: FunctionText,
    module: ModuleText,
    analyses: Analyses,
    blocks: Sequence[LoopBlocks],
) -> FunctionFeatures:
    said = analyses.properties.get(function.name, {})
    codes = function.opcodes
    properties = {
        "instructions": said.get("TotalInstructionCount", sum(codes.values())),
        "blocks": said.get("BasicBlockCount", 0),
        "loads": codes.get("load", 0),
        "stores": codes.get("store", 0),
        "calls": len(function.calls),
        "indirect_calls": sum(not call.callee for call in function.calls),
        "io_calls": sum(is_io(call.callee) for call in function.calls),
        "conditional_branches": codes.get("br", 0),
        "switches": codes.get("switch", 0),
        "selects": codes.get("select", 0),
        "divisions": sum(codes.get(code, 0) for code in _DIVISIONS),
        "float_operations": sum(codes.get(code, 0) for code in _FLOAT),
        "loops": len(blocks),
        "max_loop_depth": max((loop.depth for loop in blocks), default=0),
    }
    return FunctionFeatures(
        unit=unit,
        name=function.name,
        place=function.place,
        linkage=function.linkage,
        address_taken=function.name in module.address_taken,
        properties=properties,
    )


def is_io(callee: str) -> bool:
    """Whether a library function reads or writes files, or waits."""
    return callee in _IO_CALLS or callee.startswith(_IO_CALL_PREFIXES)


def _loops(
    unit: str, function: FunctionText, analyses: Analyses, blocks: Sequence[LoopBlocks]
) -> list[Loop]:
    trips = analyses.trips.get(function.name, {})
    outer = {loop.parent for loop in blocks}
    calls = Counter(call.block for call in function.calls)
    found = []
    for loop in blocks:
        extent = _extent(function, loop)
        found.append(
            Loop(
                unit=unit,
                function=function.name,
                header=loop.header,
                depth=loop.depth,
                trips=trips.get(loop.header, TripCount()),
                start=extent.start,
                end=extent.end,
                innermost=loop.header not in outer,
                calls=sum(calls[block] for block in loop.blocks),
            )
        )
    return found


def _extent(function: FunctionText, loop: LoopBlocks) -> LoopExtent:
    for latch in loop.latches:
        if latch in function.latches:
            return function.latches[latch]
    # A loop made of goto has no extent of its own; its header says at least where it is.
    return LoopExtent(function.first_places.get(loop.header), None)


def _edges(unit: str, function: FunctionText, blocks: Sequence[LoopBlocks]) -> list[CallEdge]:
    depths: Counter[str] = Counter()
    for loop in blocks:
        for block in loop.blocks:
            depths[block] = max(depths[block], loop.depth)
    sites: Counter[tuple[str, int]] = Counter()
    places: dict[tuple[str, int], Location | None] = {}
    for call in function.calls:
        key = (call.callee, depths[call.block])
        sites[key] += 1
        places.setdefault(key, call.place)
    return [
        CallEdge(unit, function.name, callee, depth, count, places[callee, depth])
        for (callee, depth), count in sites.items()
    ]
