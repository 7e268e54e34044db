"""Everything that one campaign works with, put together in one place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from perfwright.app.metered import MeteredExecutor
from perfwright.app.pipeline_level import pipeline_level
from perfwright.app.record.places import REPRODUCERS, results_folder
from perfwright.app.setup import Setup
from perfwright.checks.checker import OracleChecker, refuse
from perfwright.checks.selfcheck import SelfCheck
from perfwright.core.budget import Meter
from perfwright.core.candidate import BASELINE
from perfwright.core.events import Reporter, StageBegan, Warned
from perfwright.core.protocols import Build, Ground, Refusal
from perfwright.errors import InternalError, ProgramError
from perfwright.levels.pipeline.level import NAME as PIPELINE
from perfwright.levels.protocol import Level
from perfwright.levels.workshop import EditWorkshop, Guards, Site
from perfwright.measure.blocks import PairRecord, Rig
from perfwright.measure.counters import (
    CountersUnavailableError,
    SimulatedCounters,
    counters_here,
    is_simulated,
)
from perfwright.measure.counting import Count, RunCounter
from perfwright.measure.executor import NativeExecutor
from perfwright.measure.lock import measuring
from perfwright.measure.machine import look as look_at_machine
from perfwright.measure.measurer import SIMULATED, MeasureSettings, PairedMeasurer
from perfwright.measure.metric import Metric
from perfwright.measure.reference import Reference, choose_metric
from perfwright.measure.runner import Executor
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.bitcode import UnitBitcode, capture_bitcode
from perfwright.program.build import BuildFailure
from perfwright.program.capture import capture
from perfwright.program.captured import CapturedBuild
from perfwright.store.artefacts import ArtefactStore
from perfwright.store.campaign import CampaignJournal
from perfwright.toolchain.process import Limits, ProcessResult, run

_NO_LIMITS = Limits()

# Shares of a time budget: what the search may use of it, and what confirmation gets at least
# (with a large budget, seconds are enough).
_SEARCH_SHARE, _CONFIRM_SHARE = 0.8, 0.5
_LEAST_CONFIRMATION = 20.0


@dataclass
class Workplace:
    """The tools of one campaign, made when they are first needed."""

    setup: Setup
    journal: CampaignJournal
    executor: NativeExecutor
    meter: Meter
    reporter: Reporter
    warned: list[Warned] = field(default_factory=list)
    staged_is_open: bool = True
    try_pipelines: bool = True
    """Whether opt tries edited pipelines when they are mended; else only the build does."""
    levels: Mapping[str, Level] | None = None
    """Where edits act; the levels of the request when `None`."""
    _confirming_since: float | None = None
    """Seconds that the campaign had used when confirmation began."""
    must_stop: Callable[[], bool] = lambda: False
    """Asked before anything is compiled or run; `True` interrupts the campaign there."""

    guests: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    """Minds that are known by name only here and now: role -> model, see
    `perfwright.minds.llm.providers.Guest`."""

    counting: bool = False
    """Whether a run of each candidate is counted, as evidence: for minds that read it."""

    def go_on(self) -> None:
        """Interrupt the campaign if it must stop.

        Raises:
            KeyboardInterrupt: it must; what is not finished is done again by resume.
        """
        if self.must_stop():
            raise KeyboardInterrupt

    @property
    def folder(self) -> Path:
        """The campaign's own folder: the copy of a captured build, binaries on their way."""
        return self.setup.settings.home / "work" / self.journal.campaign

    def note(self, detail: str) -> None:
        """Say what is going on."""
        self.reporter(StageBegan("observe", detail))

    def hear(self, event: object) -> None:
        """Pass an event on; warnings are kept for the document."""
        if isinstance(event, Warned) and event not in self.warned:
            self.warned.append(event)
        self.reporter(event)  # type: ignore[arg-type]

    def unheard(self, ground: Ground) -> tuple[Warned, ...]:
        """The warnings that the ground does not have."""
        return tuple(warning for warning in self.warned if warning.text not in ground.warnings)

    @cached_property
    def artefacts(self) -> ArtefactStore:
        """Where binaries are kept."""
        return ArtefactStore(self.setup.settings.artefacts)

    @cached_property
    def captured(self) -> CapturedBuild:
        """The program's units and link step, captured once a campaign."""

        def do() -> CapturedBuild:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self.meter.during("compile"):
                return capture(self.setup.spec, self.setup.toolchain, self.folder / "capture")

        return self.journal.once("capture", CapturedBuild, do)

    @cached_property
    def workshop(self) -> EditWorkshop:
        """Repairs and builds candidates."""
        request = self.setup.request
        site = Site(
            captured=self.captured,
            toolchain=self.setup.toolchain,
            folder=self.folder / "builds",
            objects=self.setup.settings.cache / "objects",
            keep=self.artefacts.add,
            base=self.setup.base,
            runner=self.compiling,
            seed=request.seed,
            reproducers=results_folder(self.setup.settings, self.journal.campaign, request)
            / REPRODUCERS,
        )
        levels = self.levels or {PIPELINE: pipeline_level(self)}
        guards = Guards(request.max_size, request.max_compile_time)
        return EditWorkshop(site, levels, guards, count=self._count)

    @cached_property
    def bitcode(self) -> Mapping[str, UnitBitcode]:
        """The units, unoptimised, for looking inside.

        Raises:
            ProgramError: a unit cannot be turned into bitcode.
        """
        found = capture_bitcode(
            self.captured,
            self.setup.toolchain,
            self.folder / "bitcode",
            self.compiling,
            plan=self.setup.base,
        )
        if isinstance(found, BuildFailure):
            raise ProgramError(f"there is no bitcode of {found}", hint=found.reproducer)
        return found

    @cached_property
    def runs(self) -> ProgramRuns:
        """Makes the runs of the program."""
        captured = self.captured
        place = self.setup.spec.binary or captured.binary_name
        return ProgramRuns(self.setup.spec, captured.root, place)

    @cached_property
    def metered(self) -> Executor:
        """Runs programs, and counts the time."""
        return MeteredExecutor(self.executor, self.meter, self.go_on)

    @cached_property
    def reference(self) -> Reference:
        """What the unmodified program does; its runs are checks, no measurements."""
        build = self.workshop.build(BASELINE)
        if isinstance(build, Refusal):
            raise InternalError("the baseline no longer builds", cause=build.reason)
        check = SelfCheck(self.runs, self.metered, time.time, time.sleep)
        return check.reference(self.artefacts.path(build.binaries[0]))

    @cached_property
    def metric(self) -> Metric:
        """What is compared; a surprise is said once."""
        asked = self.setup.request.metric
        chosen, warning = choose_metric(Metric(asked) if asked else None, self.reference)
        if warning:
            self.hear(Warned(warning))
        simulator = self._simulator_for(chosen)
        if simulator is not None:
            self._count_baseline(simulator)
            self.hear(
                Warned(
                    "instructions are simulated by cachegrind: this machine has no counters",
                    "fewer instructions are not always less time; --metric cpu compares times",
                )
            )
        return chosen

    @cached_property
    def simulator(self) -> SimulatedCounters | None:
        """Counts instructions where the hardware does not, when they are compared."""
        return self._simulator_for(self.metric)

    def _simulator_for(self, metric: Metric) -> SimulatedCounters | None:
        where, program = counters_here()
        if not is_simulated(metric, where, self.reference) or program is None:
            return None
        return SimulatedCounters(self.metered, program)

    @cached_property
    def _counter(self) -> RunCounter:
        where, valgrind = counters_here()
        return RunCounter(self.runs, self.metered, self.reference.cheapest, where, valgrind)

    def _count(self, build: Build) -> Count | None:
        """The counts of one run of a build, if somebody reads them."""
        return (
            self._counter.count(self.artefacts.path(build.binaries[0])) if self.counting else None
        )

    def _count_baseline(self, simulator: SimulatedCounters) -> None:
        """Once, so that a baseline that cannot be counted ends the campaign at its beginning.

        Raises:
            ProgramError: it cannot.
        """
        build = self.workshop.build(BASELINE)
        assert not isinstance(build, Refusal), "its reference was just made"
        expected = self.reference.cheapest
        binary = self.artefacts.path(build.binaries[0])
        run = self.runs.workload(expected.workload, binary, limits=expected.limits, counters=True)
        result = simulator.execute(run)
        if not result.exited:
            raise CountersUnavailableError(
                "instructions of this program cannot be counted by simulation",
                cause=f"under valgrind the unmodified program ends otherwise: {result.ending()}",
                hint="--metric cpu",
            )

    @cached_property
    def checker(self) -> OracleChecker:
        """Compares builds with the unmodified program."""
        return OracleChecker(self.runs, self.metered, self.reference, self.artefacts.path)

    @cached_property
    def measurer(self) -> PairedMeasurer:
        """Times builds in pairs."""
        machine = look_at_machine()
        for warning in machine.warnings:
            self.hear(Warned(warning.fact, warning.hint))
        rig = Rig(
            runs=self.runs,
            executor=self.simulator or self.metered,
            reference=self.reference,
            log=self.journal.pairs(PairRecord),
            binary=self.artefacts.path,
            refuse=lambda expected, ran, result: refuse(
                expected, ran, result, self.setup.spec.oracle
            ),
            seed=self.setup.request.seed,
            metric=self.metric,
            cpu=None if self.reference.parallel else machine.quiet_cpu,
            lock=self._lock,
            out_of_time=self._out_of_time,
        )
        settings = SIMULATED if self.simulator else MeasureSettings()
        return PairedMeasurer(rig, self.workshop.build, settings, reporter=self.hear)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the machine's measuring lock; waiting for it is no time of this campaign."""
        lock = measuring(f"campaign {self.journal.campaign}", waiting=self._waiting)
        with ExitStack() as stack:
            with self.meter.during("wait"):
                stack.enter_context(lock)
            yield

    def _waiting(self, holder: str) -> None:
        self.hear(Warned(f"waited for {holder}, which was measuring on this machine"))

    def _out_of_time(self, label: str) -> bool:
        limit = self.setup.request.seconds
        if limit is None:
            return False
        spent = self.journal.spent()
        if not label.startswith("confirm"):
            return spent > _SEARCH_SHARE * limit
        if self._confirming_since is None:
            self._confirming_since = spent
        # What was found would be lost without: with a small budget this may take longer.
        least = min(_LEAST_CONFIRMATION, _CONFIRM_SHARE * limit)
        return spent > max(limit, self._confirming_since + least)

    def look_inside(self, argv: Sequence[str | os.PathLike[str]], limits: Limits) -> ProcessResult:
        """Run a tool of the toolchain on the program's IR, counted as compiling."""
        return self.compiling(argv, limits=limits)

    def compiling(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        limits: Limits = _NO_LIMITS,
    ) -> ProcessResult:
        """`process.run`, counted as compiling."""
        self.go_on()
        with self.meter.during("compile"):
            return run(argv, cwd=cwd, env=env, stdin=stdin, limits=limits)
