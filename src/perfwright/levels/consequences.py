"""What a candidate changed: remarks, machine code, sizes and counts of two builds compared."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

from perfwright.core.evidence import Fact
from perfwright.errors import ProgramError, ToolchainError
from perfwright.evidence.elf import read_binary
from perfwright.evidence.factbook import FactBook
from perfwright.evidence.location import SourceRoot
from perfwright.evidence.names import original_name
from perfwright.evidence.remarkdiff import is_compared
from perfwright.evidence.remarks import Remark, open_remarks, read_remarks
from perfwright.evidence.tally import RemarkSummary, RemarkTally
from perfwright.measure.counting import Count
from perfwright.program.build import BuildFailure, Built
from perfwright.program.captured import CapturedBuild
from perfwright.program.plan import BuildPlan
from perfwright.program.remarks import record_remarks
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Runner

_MOST = 12
_MOST_AGAINST_INCUMBENT = 7
_FEW_UNITS = 8
"""So many units are all compiled for remarks; of more, only those with hot functions."""

_MOST_REMARKS = 200_000
"""Of one build; where there are more, none are compared: those left out would seem gone."""
_MOST_KNOWN = 6
"""Builds whose remarks are remembered: the baseline, the incumbent, and some drafts."""

_PROGRAM = ""
"""In place of a unit's name: link-time optimisation does not tell whose function it is."""

_SORTS = ("dcount", "drem", "dcode", "dsize")
"""Prefixes of ids, the most telling sort of fact first."""


@dataclass(frozen=True)
class Version:
    """A build and how it was made."""

    plan: BuildPlan
    built: Built


@dataclass
class RemarkRecorder:
    """Records what passes remark while they make a version; each plan once.

    Attributes:
        folder: where the files go.
        baseline: what the units of functions are known from.
    """

    captured: CapturedBuild
    toolchain: Toolchain
    runner: Runner
    folder: Path
    baseline: Version
    hot: Sequence[str] = ()
    _known: dict[str, RemarkSummary | None] = field(default_factory=dict)
    _units_of: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def remarks(self, version: Version) -> RemarkSummary | None:
        """The remarks on the units that matter; `None` when they cannot be had."""
        key, first = _key(version), _key(self.baseline)
        if key != first:
            self.remarks(self.baseline)  # tells whose functions are whose
        if key not in self._known:
            folder = self.folder / hashlib.sha256(key.encode()).hexdigest()[:16]
            made = self.baseline if key == first else version
            self._known[key] = self._recorded(made, folder)
            known = [other for other in self._known if other not in (key, first)]
            for oldest in known[: max(0, len(self._known) - _MOST_KNOWN)]:
                del self._known[oldest]
        return self._known[key]

    def _recorded(self, version: Version, folder: Path) -> RemarkSummary | None:
        recorded = record_remarks(
            self.captured,
            version.plan,
            self.toolchain,
            folder,
            self.runner,
            units=self._units(),
            objects=version.built.objects,
        )
        if isinstance(recorded, BuildFailure):
            return None
        tally = RemarkTally(distinct_limit=_MOST_REMARKS, total_limit=_MOST_REMARKS)
        for unit, paths in recorded.units.items():
            remarks = self._read(paths, self.captured.unit(unit).cwd)
            if version is self.baseline:
                remarks = self._noted(unit, remarks)
            # Before link-time optimisation much is missed that is not missed in the end.
            linked = unit in recorded.merged
            tally.add(unit, (r for r in remarks if r.kind == "passed" or not linked))
        for remark in self._read(recorded.program, self.captured.link.cwd):
            tally.add(self._owner(remark.function), [remark])
        if tally.dropped:
            return None
        merged = recorded.merged | {_PROGRAM} if recorded.merged else recorded.merged
        return replace(tally.summary(), merged=merged)

    def _read(self, paths: Iterable[Path], directory: Path) -> Iterator[Remark]:
        """The remarks that comparing needs."""
        root = SourceRoot(str(self.captured.root))
        for path in paths:
            try:
                with open_remarks(path) as stream:
                    read = read_remarks(stream, root=root, directory=str(directory))
                    yield from filter(is_compared, read)
            except (OSError, ToolchainError):
                continue

    def _noted(self, unit: str, remarks: Iterable[Remark]) -> Iterator[Remark]:
        """The remarks as they are; of whose functions they are is remembered."""
        for remark in remarks:
            self._units_of[original_name(remark.function)].add(unit)
            yield remark

    def _owner(self, function: str) -> str:
        """The only unit that had remarks on the function in the baseline, before the link."""
        units = self._units_of.get(original_name(function), set())
        return next(iter(units)) if len(units) == 1 else _PROGRAM

    def _units(self) -> tuple[str, ...]:
        names = tuple(unit.name for unit in self.captured.units)
        if len(names) <= _FEW_UNITS:
            return names
        hot = set(self.hot)
        return tuple(name for name in names if hot & self._defined(name))

    def _defined(self, unit: str) -> set[str]:
        try:
            binary = read_binary(self.baseline.built.objects[unit])
        except ProgramError:
            return set()  # bitcode of a build with -flto
        return {function.name for function in binary.functions}


def _key(version: Version) -> str:
    # Layout is the linker's: it changes no remark, and A/A campaigns change nothing else.
    return version.plan.model_copy(update={"layout_seed": None}).model_dump_json()


def against_incumbent(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Facts with ids of their own, and a text that says what the change is measured from."""
    return tuple(
        replace(
            fact,
            id=f"inc-{fact.id}",
            text=f"against the incumbent: {fact.text}",
            data={**fact.data, "against": "incumbent"},
        )
        for fact in facts
    )


def most_telling(over: Sequence[Fact], against: Sequence[Fact]) -> tuple[Fact, ...]:
    """A dozen facts of all sorts; those that the verdict is about, the incumbent's, first.

    Args:
        over: against the baseline.
        against: against the incumbent; empty when that is the baseline.
    """
    first = _mixed(against)[:_MOST_AGAINST_INCUMBENT]
    return (*first, *_mixed(over)[: _MOST - len(first)])


def _mixed(facts: Iterable[Fact]) -> list[Fact]:
    """One fact of each sort in turn, so that no sort hides another."""
    sorts: dict[str, list[Fact]] = {sort: [] for sort in _SORTS}
    for fact in facts:
        sort = fact.id.removeprefix("inc-").partition("-")[0]
        sorts.setdefault(sort, []).append(fact)
    turns = zip_longest(*sorts.values())
    return [fact for turn in turns for fact in turn if fact is not None]


def count_facts(before: Count, after: Count) -> tuple[Fact, ...]:
    """How many instructions, and cycles where they are counted, one run takes now."""
    book = FactBook()
    how = "simulated" if after.source == "simulated" else "counted by the hardware"
    said: list[str] = []
    data: dict[str, int] = {}
    for name in ("instructions", "cycles"):
        was, now = getattr(before, name), getattr(after, name)
        if was and now:
            said.append(f"{name} {_millions(was)} -> {_millions(now)} ({now / was - 1:+.2%})")
            data |= {f"{name}_before": was, f"{name}_after": now}
    if said:
        text = f"{', '.join(said)}, {how}, one run of workload {after.workload}"
        tool = "cachegrind" if after.source == "simulated" else "hardware counters"
        book.add("dcount-run", "diff", tool, "", text, **data, counted=after.source)
    return tuple(book.facts.values())


def _millions(count: int) -> str:
    return f"{count / 1e6:.4g} M"
