"""Gathering: run the tools on one program and put together what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from perfwright.errors import ProgramError, ToolchainError
from perfwright.evidence.branches import branch_facts, loop_facts
from perfwright.evidence.coverage import Counters, run_instrumented
from perfwright.evidence.elf import Binary, read_binary
from perfwright.evidence.facts import facts_of
from perfwright.evidence.functions import (
    UnitFeatures,
    UnitInput,
    analyse_unit,
    pass_names,
)
from perfwright.evidence.gathered import (
    Evidence,
    FunctionEvidence,
    Matcher,
    loop_shares,
    put_together,
    with_remarks,
)
from perfwright.evidence.hotcode import HotFunction, hot_code
from perfwright.evidence.location import AS_WRITTEN, SourceRoot
from perfwright.evidence.names import demangle
from perfwright.evidence.profile import METHODS, Method, Profile, Profiler
from perfwright.evidence.remarks import open_remarks, read_remarks
from perfwright.evidence.tally import RemarkSummary, RemarkTally
from perfwright.evidence.tools import ProgramRun, Tools
from perfwright.toolchain.process import Runner
from perfwright.units import Seconds

_HOT_SHARE = 0.02


@dataclass(frozen=True)
class Subject:
    """The program to look at.

    Attributes:
        units: its translation units.
        binary: the baseline, best built with `-gline-tables-only`.
        instrumented: a build with `-fprofile-instr-generate -fcoverage-mapping`, if any.
        root: what source names are made relative to.
        cpu: the processor that llvm-mca simulates.
        expected: about how long a run of the baseline takes.
    """

    units: tuple[UnitInput, ...]
    binary: Path
    instrumented: Path | None = None
    root: SourceRoot = AS_WRITTEN
    cpu: str = "native"
    expected: Seconds | None = None


@dataclass(frozen=True)
class Gatherer:
    """Gathers evidence with the tools of one toolchain.

    Attributes:
        program: runs the train workloads; without it nothing is run, and shares and
            counts are unavailable.
        scratch: an existing folder that programs under profile may write to.
        hot_functions: how many functions are looked at as machine code.
    """

    tools: Tools
    runner: Runner
    scratch: Path
    program: ProgramRun | None = None
    hot_functions: int = 6
    profile_methods: Sequence[Method] = METHODS

    def gather(self, subject: Subject) -> Evidence:
        """All there is to know; what a missing tool would have said is left out and noted.

        Raises:
            ProgramError: the binary is no ELF file.
            ToolchainError: `opt` is missing.
        """
        notes: list[str] = []
        binary = read_binary(subject.binary)
        units = self._units(subject, notes)
        counters = self._counters(subject, notes)
        profile = self._profile(subject, binary, counters, notes)
        names = {f.name for unit in units for f in unit.functions}
        matcher = Matcher(units, demangle(names, self.tools, self.runner))
        entries = [(c.name, c.unit, c.entries) for c in counters.functions]
        functions = put_together(matcher, profile, binary.functions, entries)
        remarks = self._remarks(subject, functions, notes)
        loops = [loop for unit in units for loop in unit.loops]
        evidence = Evidence(
            functions=with_remarks(functions, remarks.counts),
            calls=tuple(edge for unit in units for edge in unit.calls),
            loops=loop_facts(loops, counters.coverage, loop_shares(matcher, profile, loops)),
            branches=branch_facts(counters.coverage, loops),
            profile=profile,
            remarks=remarks,
            code=self._code(subject, profile, notes),
            unavailable=tuple(notes),
        )
        return replace(evidence, facts=facts_of(evidence))

    def _units(self, subject: Subject, notes: list[str]) -> list[UnitFeatures]:
        known = pass_names(self.tools, self.runner)
        found = []
        for unit in subject.units:
            try:
                features = analyse_unit(
                    unit, self.tools, self.runner, known_passes=known, root=subject.root
                )
            except ProgramError as error:
                features = UnitFeatures(unit.name, problem=error.summary)
            found.append(features)
            notes += [features.problem] if features.problem else []
        return found

    def _counters(self, subject: Subject, notes: list[str]) -> Counters:
        if self.program is None or subject.instrumented is None:
            return Counters()
        try:
            return run_instrumented(
                subject.instrumented,
                self.program,
                self.scratch,
                self.tools,
                self.runner,
                root=subject.root,
            )
        except ToolchainError as error:
            notes.append(f"counts of branches and loops: {error.summary}")
            return Counters()

    def _profile(
        self, subject: Subject, binary: Binary, counters: Counters, notes: list[str]
    ) -> Profile:
        if self.program is None:
            return Profile(reason="the program was not run")
        profiler = Profiler(
            self.tools, self.runner, self.program, self.scratch, subject.root, subject.expected
        )
        profile = profiler.profile(
            subject.binary, binary, counts=counters.functions, methods=self.profile_methods
        )
        if profile.reason:
            notes.append(f"profile: {profile.reason}")
        return profile

    def _remarks(
        self, subject: Subject, functions: Iterable[FunctionEvidence], notes: list[str]
    ) -> RemarkSummary:
        tally = RemarkTally()
        for unit in subject.units:
            if unit.remarks is None:
                continue
            directory = unit.directory or subject.root.path
            try:
                with open_remarks(unit.remarks) as stream:
                    remarks = read_remarks(stream, root=subject.root, directory=directory)
                    tally.add(unit.name, remarks)
            except (OSError, ToolchainError) as error:
                notes.append(f"remarks of {unit.name}: {error}")
        hotness = {(f.features.unit, f.features.name): f.hotness for f in functions}
        return tally.summary(lambda unit, name: hotness.get((unit, name), 0.0))

    def _code(
        self, subject: Subject, profile: Profile, notes: list[str]
    ) -> tuple[HotFunction, ...]:
        hot = [s.name for s in profile.shares if not s.image and s.share >= _HOT_SHARE]
        names = [name for name in dict.fromkeys(hot) if name != "[unknown]"][: self.hot_functions]
        try:
            return hot_code(
                subject.binary, names, profile, self.tools, self.runner, cpu=subject.cpu
            )
        except (ProgramError, ToolchainError) as error:
            notes.append(f"machine code: {error.summary}")
            return ()
