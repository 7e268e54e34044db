"""Where the run time goes: shares by function, by source function and by line.

Three ways, the first that works: sampling with `perf record -e cpu-clock` (a timer, so it
needs no hardware counters), counting instructions with callgrind, and the counters of an
instrumented build.  When none works the profile says so, with the reasons.
"""

from __future__ import annotations

import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from perfwright.errors import ToolchainError
from perfwright.evidence.callgrind import CallgrindCosts, parse_callgrind
from perfwright.evidence.counts import FunctionCounts
from perfwright.evidence.elf import Binary, FunctionSymbol
from perfwright.evidence.location import AS_WRITTEN, Location, SourceRoot
from perfwright.evidence.names import original_name
from perfwright.evidence.perf import KERNEL, SCRIPT_FIELDS, Samples, parse_script
from perfwright.evidence.symbolize import Frame, symbolize
from perfwright.evidence.tools import ProgramRun, Tools
from perfwright.toolchain.process import Limits, ProcessResult, Runner
from perfwright.units import Seconds

Method = Literal["perf", "callgrind", "counts", "unavailable"]

METHODS: tuple[Method, ...] = ("perf", "callgrind", "counts")
"""All methods, the most truthful first."""

_SIGILL_STATUSES = (-4, 128 + 4)
_WANTED_SAMPLES = 1000
"""Gives a share of 10 % a standard error of 1 %."""
_MAX_RUNS = 5
_FREQUENCY_HZ = (199, 4999)  # odd numbers do not beat with periodic programs
_PERF_OPTIONS = ("-q", "-B", "-N", "--no-bpf-event", "-e", "cpu-clock")
"""Nothing is written to ~/.debug, and perf does not wait a second for its own BPF thread."""
_SCRIPT_LIMITS = Limits(wall=120.0)


@dataclass(frozen=True, slots=True)
class Share:
    """The share of run time of one symbol; what was inlined into it is counted here.

    Attributes:
        unit: base name of the source file of a local function, else empty.
        image: the library it is in; empty for the program itself.
        share: from 0 to 1, of all the run time.
    """

    name: str
    unit: str
    image: str
    share: float


@dataclass(frozen=True, slots=True)
class LineShare:
    """The share of one source line, in the function that it was written in.

    `function` is the plain name that debug information gives for inlined code, the symbol
    for other code; line 0 is code that belongs to no line.
    """

    place: Location
    function: str
    share: float


@dataclass(frozen=True)
class Profile:
    """Where the run time goes.

    Attributes:
        method: how it was found; `counts` only estimates time by how often code ran.
        reason: why better methods, or all, were not available.
        shares: by symbol, hottest first.
        lines: by source line, hottest first; empty without line tables.
        addresses: samples by virtual address in the program.
        places: the source line at each sampled address, where known.
        samples: how many samples, instructions or counts the shares come from.
    """

    method: Method = "unavailable"
    reason: str = ""
    shares: tuple[Share, ...] = ()
    lines: tuple[LineShare, ...] = ()
    addresses: Mapping[int, int] = field(default_factory=dict)
    places: Mapping[int, Location] = field(default_factory=dict)
    samples: int = 0

    @property
    def available(self) -> bool:
        """Whether there are shares at all."""
        return self.method != "unavailable"

    @property
    def outside(self) -> float:
        """The share that libraries and the kernel have; no edit of the program changes it."""
        return sum(share.share for share in self.shares if share.image)

    def share_of(self, addresses: Iterable[int]) -> float:
        """The share of the instructions at these addresses; 0 without samples."""
        if not self.samples:
            return 0.0
        return sum(self.addresses.get(address, 0) for address in addresses) / self.samples


def sampling_frequency(expected: Seconds | None) -> int:
    """Samples per second that give a few thousand in all; the highest for unknown times."""
    low, high = _FREQUENCY_HZ
    if expected is None or expected <= 0:
        return high
    return max(low, min(high, int(4 * _WANTED_SAMPLES / expected) | 1))


@dataclass(frozen=True)
class Profiler:
    """Profiles a program by the first method that works.

    Attributes:
        program: runs the train workloads once.
        scratch: a folder that the program under profile may write to.
        expected: about how long a run takes.
    """

    tools: Tools
    runner: Runner
    program: ProgramRun
    scratch: Path
    root: SourceRoot = AS_WRITTEN
    expected: Seconds | None = None

    def profile(
        self,
        path: Path,
        binary: Binary,
        *,
        counts: Sequence[FunctionCounts] = (),
        methods: Sequence[Method] = METHODS,
    ) -> Profile:
        """The shares of `path`, whose symbols are in `binary`.

        Args:
            path: the program to run, best with `-gline-tables-only`.
            binary: what `read_binary` says of it.
            counts: counters of an instrumented run, if there was one.
            methods: those to try, in this order.
        """
        reasons: list[str] = []
        ways: Mapping[Method, Callable[[], Profile]] = {
            "perf": lambda: self._perf(path, binary),
            "callgrind": lambda: self._callgrind(path, binary),
            "counts": lambda: from_counts(counts),
        }
        for method in methods:
            try:
                found = ways[method]()
            except ToolchainError as error:
                reasons.append(f"{method}: {error.fact}")
                continue
            if found.available:
                return replace(found, reason="; ".join(reasons))
            reasons.append(f"{method}: {found.reason}")
        return Profile(reason="; ".join(reasons))

    def _perf(self, path: Path, binary: Binary) -> Profile:
        samples = Samples()
        for _ in range(_MAX_RUNS):
            one, problem = self._sample(path)
            if problem:
                return Profile(reason=problem)
            samples.add(one)
            if samples.total >= _WANTED_SAMPLES:
                break
        if not samples.total:
            return Profile(reason="no samples: the program is too quick")
        lines = self._lines(path, binary, samples)
        return from_samples(samples, binary, lines)

    def _sample(self, path: Path) -> tuple[Samples, str]:
        data = self.scratch / "perf.data"
        data.unlink(missing_ok=True)
        frequency = str(sampling_frequency(self.expected))
        prefix = ["perf", "record", *_PERF_OPTIONS, "-F", frequency, "-o", str(data), "--"]
        ran = self.program(path, prefix=prefix, writable=self.scratch)
        if ran.timed_out or not data.exists():
            return Samples(), _why(ran)
        script = ["perf", "script", "-f", "-i", str(data), "--no-inline", "--show-mmap-events"]
        printed = self.runner([*script, "-F", SCRIPT_FIELDS], limits=_SCRIPT_LIMITS)
        if not printed.ok:
            return Samples(), _why(printed)
        return parse_script(printed.text.splitlines(), str(path)), ""

    def _lines(self, path: Path, binary: Binary, samples: Samples) -> Mapping[int, Frame]:
        """The innermost frame at each sampled file offset; none when that cannot be told."""
        if not binary.has_lines:
            return {}
        addresses = {offset: binary.virtual_address(offset) for offset in samples.in_program}
        known = [address for address in addresses.values() if address is not None]
        try:
            frames = symbolize(path, known, self.tools, self.runner, root=self.root)
        except ToolchainError:
            return {}  # lines are a refinement; the shares by function stand without them
        return {
            offset: frames[address][0]
            for offset, address in addresses.items()
            if address is not None and address in frames
        }

    def _callgrind(self, path: Path, binary: Binary) -> Profile:
        bare = self.scratch / f"{path.name}.bare"
        # Old versions of valgrind die of debug information that is newer than they are.
        strip = self.tools.tool("llvm-strip")
        stripped = self.runner([strip, "--strip-debug", "-o", bare, path])
        if not stripped.ok:
            return Profile(reason=_why(stripped))
        out = self.scratch / "callgrind.out"
        out.unlink(missing_ok=True)
        prefix = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        ran = self.program(bare, prefix=prefix, writable=self.scratch)
        if ran.status in _SIGILL_STATUSES or b"nrecognised instruction" in ran.stderr:
            return Profile(reason="it does not know an instruction of the program (SIGILL)")
        if ran.timed_out or not out.exists():
            return Profile(reason=_why(ran))
        with out.open(encoding="utf-8", errors="replace") as stream:
            costs = parse_callgrind(stream)
        if costs.cut_off or not costs.total:
            return Profile(reason=f"its output is incomplete; {_why(ran)}")
        return from_callgrind(costs, binary, bare.name)


def _why(result: ProcessResult) -> str:
    last = result.error_text.strip().splitlines()[-1:]
    return ": ".join([result.outcome(), *last])


def from_samples(samples: Samples, binary: Binary, frames: Mapping[int, Frame]) -> Profile:
    """The shares of sampled addresses; pure.

    Args:
        samples: what perf saw.
        binary: the symbols of the program.
        frames: the innermost frame at each file offset, where known.
    """
    located = {offset: binary.virtual_address(offset) for offset in samples.in_program}
    addresses = {
        address: samples.in_program[offset]
        for offset, address in located.items()
        if address is not None
    }
    places = {
        address: frames[offset].place.on_line()
        for offset, address in located.items()
        if address is not None and offset in frames
    }
    return Profile(
        method="perf",
        shares=_sampled_shares(samples, located, SymbolFinder(binary.functions)),
        lines=_sampled_lines(samples, frames),
        addresses=addresses,
        places=places,
        samples=samples.total,
    )


def _sampled_shares(
    samples: Samples, located: Mapping[int, int | None], finder: SymbolFinder
) -> tuple[Share, ...]:
    weights: Counter[tuple[str, str, str]] = Counter()
    for offset, count in samples.in_program.items():
        address = located[offset]
        symbol = finder.at(address) if address is not None else None
        name = original_name(symbol.name) if symbol else "[unknown]"
        weights[name, symbol.unit if symbol else "", ""] += count
    for (name, image), count in samples.elsewhere.items():
        weights[name, "", image or KERNEL] += count
    return _shares(weights)


def _sampled_lines(samples: Samples, frames: Mapping[int, Frame]) -> tuple[LineShare, ...]:
    weights: Counter[tuple[Location, str]] = Counter()
    for offset, frame in frames.items():
        key = (frame.place.on_line(), original_name(frame.function))
        weights[key] += samples.in_program[offset]
    lines = [LineShare(place, name, n / samples.total) for (place, name), n in weights.items()]
    return tuple(sorted(lines, key=lambda line: (-line.share, line.place, line.function)))


def from_callgrind(costs: CallgrindCosts, binary: Binary, program: str) -> Profile:
    """The shares of executed instructions; local functions of one name count as one."""
    units = defaultdict(set)
    for symbol in binary.functions:
        units[symbol.name].add(symbol.unit)
    by_symbol: Counter[tuple[str, str, str]] = Counter()
    for (name, image), cost in costs.by_function.items():
        inside = image == program
        unit = min(units.get(name, {""})) if inside else ""
        by_symbol[original_name(name), unit, "" if inside else image] += cost
    return Profile("callgrind", "", _shares(by_symbol), samples=costs.total)


def from_counts(counts: Iterable[FunctionCounts]) -> Profile:
    """Shares guessed from how often blocks ran; better than nothing, and it says so."""
    weights = {(c.name, c.unit, ""): c.entries + c.blocks for c in counts}
    if not any(weights.values()):
        return Profile(reason="there was no instrumented run")
    return Profile("counts", "", _shares(weights), samples=sum(weights.values()))


def _shares(weights: Mapping[tuple[str, str, str], int]) -> tuple[Share, ...]:
    total = sum(weights.values())
    shares = [Share(*key, weight / total) for key, weight in weights.items() if weight]
    return tuple(sorted(shares, key=lambda s: (-s.share, s.name, s.unit, s.image)))


class SymbolFinder:
    """Finds the function at an address."""

    def __init__(self, functions: Iterable[FunctionSymbol]) -> None:
        # Of several names for one place the global one is the one that people know.
        ordered = sorted(functions, key=lambda f: (f.address, f.size_bytes > 0, not f.unit, f.name))
        self._functions = {f.address: f for f in ordered}
        self._starts = sorted(self._functions)

    def at(self, address: int) -> FunctionSymbol | None:
        """The function whose code is at `address`; those without a size reach to the next."""
        index = bisect.bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        found = self._functions[self._starts[index]]
        if found.size_bytes and address >= found.address + found.size_bytes:
            return None
        return found
