"""Counts of one run, as evidence: nothing is compared, and nothing is judged by them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from perfwright.measure.counters import (
    SLOWDOWN,
    CountersUnavailableError,
    SimulatedCounters,
    Source,
    simulated_seconds,
)
from perfwright.measure.reference import Expected
from perfwright.measure.runner import Executor, RunResult
from perfwright.measure.workloads import ProgramRuns

_LONGEST = 10.0
"""Seconds that a simulated run of the unmodified program may take to be worth it."""
_PATIENCE = 40.0
"""Seconds after which a simulated run is given up: nobody has checked the candidate yet."""


@dataclass(frozen=True)
class Count:
    """What one run took; `None` where nothing counts it."""

    workload: str
    source: Source
    instructions: int | None
    cycles: int | None = None


@dataclass
class RunCounter:
    """Counts one run of a binary on a workload; each binary once.

    Attributes:
        executor: runs programs, sandboxed as everywhere.
        source: where counts come from here.
        valgrind: needed when they are simulated.
    """

    runs: ProgramRuns
    executor: Executor
    expected: Expected
    source: Source
    valgrind: Path | None = None
    _known: dict[Path, Count | None] = field(default_factory=dict)

    def count(self, binary: Path) -> Count | None:
        """The counts; `None` when there are none, or only after too long."""
        if binary not in self._known:
            self._known[binary] = self._counted(binary)
        return self._known[binary]

    @property
    def worth_it(self) -> bool:
        """Whether a run can be counted here, and soon."""
        workload = self.expected.workload
        if self.source == "unavailable" or workload.metric is not None:
            return False
        if self.source == "hardware":
            return True
        seconds = simulated_seconds(self.expected.wall_seconds)
        return workload.run is None and seconds <= _LONGEST

    def _counted(self, binary: Path) -> Count | None:
        if not self.worth_it:
            return None
        result = self._result(binary)
        if result is None or not result.exited or result.instructions is None:
            return None
        return Count(self.expected.workload.id, self.source, result.instructions, result.cycles)

    def _result(self, binary: Path) -> RunResult | None:
        limits, executor = self.expected.limits, self.executor
        if self.source == "simulated" and self.valgrind is not None:
            executor = SimulatedCounters(self.executor, self.valgrind)
            limits = replace(limits, wall=min(limits.wall, _PATIENCE / SLOWDOWN))
        run = self.runs.workload(self.expected.workload, binary, limits=limits, counters=True)
        try:
            return executor.execute(run)
        except CountersUnavailableError:
            return None
