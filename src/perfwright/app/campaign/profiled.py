"""Runs the train workloads for profilers and coverage, in the sandbox like every other run."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from perfwright.errors import ToolchainError
from perfwright.measure.reference import Reference
from perfwright.measure.runner import Executor, Outcome, RunLimits
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.spec import Workload
from perfwright.toolchain.process import ProcessResult

_SLOWDOWN = 80.0
"""Valgrind runs programs fifty times slower, or so."""


@dataclass(frozen=True)
class SandboxedRun:
    """Implements `perfwright.evidence.tools.ProgramRun`."""

    runs: ProgramRuns
    executor: Executor
    reference: Reference

    def __call__(
        self,
        binary: Path,
        *,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        writable: Path | None = None,
    ) -> ProcessResult:
        """Run the train workloads; with a `prefix`, only the one that takes longest.

        A profiler would write the data of the next run over those of the last.  The user's
        own commands start the program themselves: nothing can be put in front of it there.

        Raises:
            ToolchainError: the profiler cannot be started, or there is nothing to put it before.
        """
        if writable is not None:
            writable.chmod(0o777)  # root is given up inside the sandbox
        chosen = self.runs.spec.train
        if prefix:
            chosen = (self._longest(prefix[0]),)
        results = [self._one(binary, w, prefix, env or {}, writable) for w in chosen]
        return next((result for result in results if result.status < 0), results[-1])

    def _longest(self, profiler: str) -> Workload:
        expected = self.reference.expected
        direct = [workload for workload in self.runs.spec.train if workload.run is None]
        if not direct:
            raise ToolchainError(
                f"{profiler} is of no use here", cause="the program is run by a command of its own"
            )
        return max(direct, key=lambda workload: expected[workload.id].wall_seconds)

    def _one(
        self,
        binary: Path,
        workload: Workload,
        prefix: Sequence[str],
        env: Mapping[str, str],
        writable: Path | None,
    ) -> ProcessResult:
        expected = self.reference.expected[workload.id]
        limits = RunLimits(wall=max(expected.limits.wall, _SLOWDOWN * expected.wall_seconds))
        run = self.runs.workload(workload, binary, limits=limits)
        argv = (*prefix, str(binary), *run.argv[1:]) if prefix else run.argv
        run = replace(
            run,
            argv=argv,
            program=None if prefix else run.program,
            exposed=(*run.exposed, binary),
            env={**run.env, **env},
            writable=writable,
        )
        result = self.executor.execute(run)
        if prefix and result.outcome is Outcome.NOT_STARTED:
            raise ToolchainError(
                f"{prefix[0]} cannot be started", cause=result.detail, hint="perfwright doctor"
            )
        return ProcessResult(
            argv=argv,
            cwd=None,
            status=result.status if result.exited else -(result.signal or signal.SIGKILL),
            stdout=result.stdout,
            stderr=result.stderr,
            seconds=result.wall_seconds,
            timed_out=result.outcome is Outcome.TIME_LIMIT,
        )
