"""Counting instructions where the hardware does not: valgrind's cachegrind, marked simulated.

Hardware counters come with every run that asks for them (`Run.counters`).  Where a machine has
none, as most virtual machines, `SimulatedCounters` runs the program under cachegrind, which
counts the same instructions about forty times slower and without noise.  There are no
simulated cycles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from perfwright.errors import ProgramError
from perfwright.measure.machine import Machine
from perfwright.measure.runner import Executor, Run, RunResult

Source = Literal["hardware", "simulated", "unavailable"]

_LOG = "valgrind.log"
_SLOWDOWN = 80.0
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
            limits=replace(run.limits, wall=run.limits.wall * _SLOWDOWN, address_space=False),
            counters=False,
        )
