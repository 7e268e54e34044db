"""All the evidence about one program, put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from perfwright.core.evidence import Fact
from perfwright.errors import unknown_name
from perfwright.evidence.branches import BranchFact, LoopFact
from perfwright.evidence.elf import FunctionSymbol
from perfwright.evidence.functions import CallEdge, FunctionFeatures, Loop, UnitFeatures
from perfwright.evidence.hotcode import HotFunction
from perfwright.evidence.names import original_name, short_name
from perfwright.evidence.profile import LineShare, Profile
from perfwright.evidence.tally import RemarkCount, RemarkSummary
from perfwright.units import Bytes


@dataclass(frozen=True)
class FunctionEvidence:
    """One function, as the IR, the binary and the profile see it.

    Attributes:
        readable: its name for people; short for C++.
        share: of the run time, of the symbol with all that was inlined into it.
        source_share: of its own source lines, wherever they were inlined.
        size_bytes: of its machine code; `None` when it has none of its own.
        entries: how often it was entered, if that was counted.
        remarks: what each pass said of it.
    """

    features: FunctionFeatures
    readable: str
    share: float = 0.0
    source_share: float = 0.0
    size_bytes: Bytes | None = None
    entries: int | None = None
    remarks: tuple[RemarkCount, ...] = ()

    @property
    def hotness(self) -> float:
        """The larger of both shares: a function that was inlined away can still be hot."""
        return max(self.share, self.source_share)


@dataclass(frozen=True)
class Evidence:
    """What is known about a program.

    Attributes:
        functions: those that its units define, hottest first.
        calls: between functions, from the IR.
        loops, branches: with counts where an instrumented run gave them.
        code: the hottest functions as machine code.
        facts: all of it as facts by id, what matters most first.
        unavailable: what could not be found out, with the reasons.
    """

    functions: tuple[FunctionEvidence, ...] = ()
    calls: tuple[CallEdge, ...] = ()
    loops: tuple[LoopFact, ...] = ()
    branches: tuple[BranchFact, ...] = ()
    profile: Profile = field(default_factory=Profile)
    remarks: RemarkSummary = field(default_factory=RemarkSummary)
    code: tuple[HotFunction, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    unavailable: tuple[str, ...] = ()

    def fact(self, fact_id: str) -> Fact:
        """The fact with this id.

        Raises:
            UserError: there is none; the error lists the nearest.
        """
        if fact_id not in self.facts:
            raise unknown_name("fact", fact_id, self.facts)
        return self.facts[fact_id]


class Matcher:
    """Says which function of which unit a symbol or a source line belongs to.

    Local functions of one name are told apart by the file that the symbol table gives.  A
    function that several units define (inline functions of C++) counts as the first
    unit's.
    """

    def __init__(self, units: Sequence[UnitFeatures], readable: Mapping[str, str]) -> None:
        self.readable = readable
        self.functions = [
            function
            for unit in units
            for function in unit.functions
            if function.linkage != "available_externally"
        ]
        self._by_name: dict[str, list[FunctionFeatures]] = defaultdict(list)
        self._by_line: dict[tuple[str, str], list[FunctionFeatures]] = defaultdict(list)
        for function in self.functions:
            self._by_name[function.name].append(function)
            if function.place is not None:
                for name in {function.name, _plain(readable.get(function.name, function.name))}:
                    self._by_line[function.place.file, name].append(function)

    def of_symbol(self, symbol: str, unit: str) -> FunctionFeatures | None:
        """The function with this symbol; `unit` is the base name of a local one's file."""
        candidates = self._by_name.get(symbol) or self._by_name.get(original_name(symbol), [])
        if unit:
            same = [f for f in candidates if PurePosixPath(f.unit).name == unit]
            # A link-time build has one unit of its own making, which names no source file.
            return same[0] if same else candidates[0] if len(candidates) == 1 else None
        return next(
            (f for f in candidates if not f.is_local), candidates[0] if candidates else None
        )

    def of_line(self, line: LineShare) -> FunctionFeatures | None:
        """The function whose source a line is in: the last that starts before it."""
        candidates = self._by_line.get((line.place.file, line.function), [])
        before = [
            function
            for function in candidates
            if function.place is not None and 0 < function.place.line <= line.place.line
        ]
        if before:
            return max(before, key=lambda f: f.place.line if f.place else 0)
        return candidates[0] if candidates else None


def _plain(readable: str) -> str:
    """What debug information calls an inlined function: its last name, without scopes."""
    return short_name(readable).rpartition("::")[2]


_Key = tuple[str, str]


def put_together(
    matcher: Matcher,
    profile: Profile,
    symbols: Iterable[FunctionSymbol],
    entries: Iterable[tuple[str, str, int]] = (),
) -> tuple[FunctionEvidence, ...]:
    """One record for each function, hottest first.

    Args:
        entries: name, unit (of local functions) and how often it was entered.
    """
    shares = _summed(matcher, ((s.name, s.unit, s.share) for s in profile.shares if not s.image))
    sizes = _summed(matcher, ((s.name, s.unit, s.size_bytes) for s in symbols))
    counts = _summed(matcher, entries)
    source_shares: dict[_Key, float] = defaultdict(float)
    for line in profile.lines:
        if found := matcher.of_line(line):
            source_shares[found.unit, found.name] += line.share
    gathered = []
    for function in matcher.functions:
        key = (function.unit, function.name)
        gathered.append(
            FunctionEvidence(
                features=function,
                readable=short_name(matcher.readable.get(function.name, function.name)),
                share=shares.get(key, 0.0),
                source_share=source_shares.get(key, 0.0),
                size_bytes=Bytes(int(sizes[key])) if key in sizes else None,
                entries=int(counts[key]) if key in counts else None,
            )
        )
    gathered.sort(key=lambda f: (-f.hotness, f.features.unit, f.features.name))
    return tuple(gathered)


def _summed(matcher: Matcher, values: Iterable[tuple[str, str, float]]) -> Mapping[_Key, float]:
    """Sums what symbols have (name, unit, value) over the functions that they belong to."""
    sums: dict[_Key, float] = defaultdict(float)
    for name, unit, value in values:
        if found := matcher.of_symbol(name, unit):
            sums[found.unit, found.name] += value
    return sums


def with_remarks(
    functions: Iterable[FunctionEvidence], counts: Iterable[RemarkCount]
) -> tuple[FunctionEvidence, ...]:
    """The functions, each with what the passes said of it."""
    of_function: dict[_Key, list[RemarkCount]] = defaultdict(list)
    for count in counts:
        of_function[count.unit, count.function].append(count)
    return tuple(
        replace(f, remarks=tuple(of_function.get((f.features.unit, f.features.name), ())))
        for f in functions
    )


def loop_shares(matcher: Matcher, profile: Profile, loops: Iterable[Loop]) -> Mapping[Loop, float]:
    """The share of each loop: of the lines in it that are in no loop further inside."""
    of_function: dict[_Key, list[Loop]] = defaultdict(list)
    for loop in loops:
        of_function[loop.unit, loop.function].append(loop)
    shares: dict[Loop, float] = defaultdict(float)
    for line in profile.lines:
        owner = matcher.of_line(line)
        if owner is None:
            continue
        own = of_function[owner.unit, owner.name]
        around = [loop for loop in own if _encloses(loop, line)]
        if around:
            shares[max(around, key=lambda loop: loop.depth)] += line.share
    return shares


def _encloses(loop: Loop, line: LineShare) -> bool:
    if loop.start is None or loop.end is None or loop.start.file != line.place.file:
        return False
    return loop.start.line <= line.place.line <= loop.end.line
