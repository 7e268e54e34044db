"""What a candidate changed: remarks, machine code, sizes and counts of two builds compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

from perfwright.core.evidence import Fact
from perfwright.errors import ProgramError, ToolchainError
from perfwright.evidence.elf import read_binary
from perfwright.evidence.factbook import FactBook
from perfwright.evidence.location import SourceRoot
from perfwright.evidence.names import original_name
from perfwright.evidence.remarks import Remark, open_remarks, read_remarks
from perfwright.evidence.tally import RemarkSummary, RemarkTally
from perfwright.measure.counting import Count
from perfwright.program.build import BuildFailure, Built
from perfwright.program.captured import CapturedBuild
from perfwright.program.plan import BuildPlan
from perfwright.program.remarks import PROGRAM, record_remarks
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Runner

_MOST = 12
_MOST_AGAINST_INCUMBENT = 7
_FEW_UNITS = 8
"""So many units are all compiled for remarks; of more, only those with hot functions."""

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

    def remarks(self, version: Version) -> RemarkSummary | None:
        """The remarks on the units that matter; `None` when they cannot be had."""
        # Layout is the linker's: it changes no remark, and A/A campaigns change nothing else.
        key = version.plan.model_copy(update={"layout_seed": None}).model_dump_json()
        if key not in self._known:
            self._known[key] = self._recorded(version, self.folder / str(len(self._known)))
        return self._known[key]

    def _recorded(self, version: Version, folder: Path) -> RemarkSummary | None:
        files = record_remarks(
            self.captured,
            version.plan,
            self.toolchain,
            folder,
            self.runner,
            units=self._units(),
            objects=version.built.objects,
        )
        if isinstance(files, BuildFailure):
            return None
        tally = RemarkTally()
        for unit, paths in files.items():
            for path in paths:
                for owner, remark in self._read(unit, path, linked=PROGRAM in files):
                    tally.add(owner, [remark])
        return tally.summary()

    def _read(self, unit: str, path: Path, *, linked: bool) -> Iterator[tuple[str, Remark]]:
        """The remarks of a file with their units.

        Before link-time optimisation much is missed that is not missed in the end.
        """
        root = SourceRoot(str(self.captured.root))
        directory = str(self.captured.unit(unit).cwd if unit else self.captured.link.cwd)
        owners = self._owners() if unit == PROGRAM else {}
        try:
            with open_remarks(path) as stream:
                for remark in read_remarks(stream, root=root, directory=directory):
                    if unit == PROGRAM:
                        yield owners.get(original_name(remark.function), PROGRAM), remark
                    elif remark.kind == "passed" or not linked:
                        yield unit, remark
        except (OSError, ToolchainError):
            return

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

    def _owners(self) -> Mapping[str, str]:
        """The unit of each function that only one unit has remarks on in the baseline."""
        known = self.remarks(self.baseline)
        units: dict[str, set[str]] = {}
        for count in known.counts if known else ():
            units.setdefault(original_name(count.function), set()).add(count.unit)
        return {name: next(iter(found)) for name, found in units.items() if len(found) == 1}


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
