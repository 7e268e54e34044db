"""Counting instructions where the hardware does not: valgrind's cachegrind, marked simulated.

Hardware counters come with every run that asks for them (`Run.counters`).  Where a machine has
none, as most virtual machines, `SimulatedCounters` runs the program under cachegrind, which
counts the same instructions some twenty times slower and without noise.  There are no
simulated cycles.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from perfwright.errors import ProgramError
from perfwright.measure.machine import Machine, look
from perfwright.measure.metric import COUNTED, Metric
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Executor, Run, RunResult
from perfwright.units import Seconds, format_duration

Source = Literal["hardware", "simulated", "unavailable"]

_LOG = "valgrind.log"
SLOWDOWN = 80.0
"""At most, hence for limits."""

_USUAL_SLOWDOWN = 20.0
"""Seven programs of ours took 5 to 18 times as long, the densest loops longest."""
_LONGEST = 60.0
"""Seconds that one simulated run may take: a comparison needs a dozen or more of them."""
_TOTAL = re.compile(r"^==\d+== I\s+refs:\s+([\d,]+)", re.MULTILINE)
_UNKNOWN_CODE = re.compile(r"unrecognised instruction|Illegal opcode|unhandled instruction", re.I)
_SIGILL = 4


class CountersUnavailableError(ProgramError):
    """Instructions of this program cannot be counted here; it says nothing about the program."""


def source(machine: Machine, valgrind: Path | None) -> Source:
    """Where instruction counts come from on a machine."""
    if machine.counters:
        return "hardware"
    return "simulated" if valgrind is not None else "unavailable"


def counters_here() -> tuple[Source, Path | None]:
    """Where instruction counts come from on this machine, and its valgrind."""
    found = shutil.which("valgrind")
    valgrind = Path(found) if found else None
    return source(look(), valgrind), valgrind


def is_simulated(metric: Metric, where: Source, reference: Reference) -> bool:
    """Whether a metric has to be simulated here.

    Args:
        metric: what is compared.
        where: what `source` says of this machine.
        reference: the unmodified program.

    Raises:
        ProgramError: it cannot be counted here at all, or would take too long.
    """
    workloads = [e for e in reference.expected.values() if e.workload.metric is None]
    if metric not in COUNTED or where == "hardware" or not workloads:
        return False
    if metric is Metric.CYCLES or where == "unavailable":
        hint = "--metric cpu, or allow counters: sysctl kernel.perf_event_paranoid=2"
        if metric is Metric.INSTRUCTIONS:
            hint = "apt-get install valgrind, which simulates them, or --metric cpu"
        raise ProgramError(
            f"{metric} cannot be counted here",
            cause="this machine gives programs no hardware counters (most virtual machines)",
            hint=hint,
        )
    for expected in workloads:
        _require_short(expected)
    return True


def simulated_seconds(wall_seconds: Seconds) -> Seconds:
    """About how long a simulated run takes, given the time of an ordinary one."""
    return Seconds(_USUAL_SLOWDOWN * wall_seconds)


def _require_short(expected: Expected) -> None:
    name, role = expected.workload.id, expected.workload.role
    if expected.workload.run is not None:
        raise ProgramError(
            f"instructions of workload {name} cannot be counted here",
            cause="this machine has no hardware counters, and only a program that is started "
            "by its args can be simulated",
            hint="--metric cpu, or give the workload args in place of run",
        )
    seconds = simulated_seconds(expected.wall_seconds)
    if seconds > _LONGEST:
        raise ProgramError(
            f"workload {name} takes too long to count its instructions",
            cause=f"this machine has no hardware counters, and one simulated run would take "
            f"about {format_duration(seconds)}",
            hint=f"give it a shorter {role} workload, of at most "
            f"{format_duration(_LONGEST / _USUAL_SLOWDOWN)}, or --metric cpu",
        )


@dataclass(frozen=True)
class SimulatedCounters:
    """An executor that fills in instruction counts by simulation.

    Only the program itself is counted, not other programs that it starts.

    Attributes:
        executor: runs everything.
        valgrind: the valgrind executable.
    """

    executor: Executor
    valgrind: Path

    @property
    def sandboxed(self) -> bool:
        """See `perfwright.measure.runner.Executor`."""
        return self.executor.sandboxed

    def execute(self, run: Run) -> RunResult:
        """See `perfwright.measure.runner.Executor`; runs that count nothing are passed on.

        Raises:
            CountersUnavailableError: valgrind does not know an instruction of the program
                (AVX-512, for example), or gave no count.
        """
        if not run.counters or run.program is None or run.place:
            return self.executor.execute(run)
        result = self.executor.execute(self._under_valgrind(run, run.program))
        files = dict(result.output_files)
        log = (files.pop(_LOG, None) or b"").decode("utf-8", "replace")
        if result.signal == _SIGILL or _UNKNOWN_CODE.search(log):
            raise CountersUnavailableError(
                "instructions of this program cannot be counted by simulation",
                cause="valgrind does not know all of its instructions (AVX-512, for example)",
                hint="--metric cpu, or count a build without -march=native",
            )
        total = _TOTAL.search(log)
        if total is None and result.exited:
            raise CountersUnavailableError(
                "valgrind gave no instruction count",
                cause=log.strip()[-300:] or result.ending(),
                hint="perfwright doctor",
            )
        count = int(total[1].replace(",", "")) if total else None
        return replace(result, output_files=files, instructions=count, cycles=None)

    def _under_valgrind(self, run: Run, program: Path) -> Run:
        words = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
        return replace(
            run,
            # By its path, not as `program`: it is a script that looks beside itself.
            argv=(str(self.valgrind), *words, f"--log-file={_LOG}", str(program), *run.argv[1:]),
            program=None,
            exposed=(*run.exposed, program),
            outputs=(*run.outputs, _LOG),
            limits=replace(run.limits, wall=run.limits.wall * SLOWDOWN, address_space=False),
            counters=False,
        )
