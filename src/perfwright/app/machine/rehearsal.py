"""A rehearsal of measuring: a small loop against itself, timed the way candidates are.

The two arms are the same program, so every difference is noise; how wide the interval is says
what gains can be seen here.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from perfwright.core.verdict import Comparison
from perfwright.errors import ToolchainError
from perfwright.measure.executor import open_executor
from perfwright.measure.lock import measuring
from perfwright.measure.machine import Machine
from perfwright.measure.noise import NoiseWarning, inspect_times
from perfwright.measure.runner import Executor, Run, Setting
from perfwright.measure.schedule import Schedule
from perfwright.measure.statistics import compare_once
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, Runner, run

PAIRS = 20
LOOP = """\
#include <stdint.h>
#include <stdio.h>
int main(void)
{
    uint32_t x = 1, sum = 0;
    for (uint32_t i = 0; i < 10000000; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        sum += x;
    }
    printf("%u\\n", sum);
    return 0;
}
"""
"""Marsaglia's xorshift: no memory, no branches, a few hundredths of a second."""

_ARMS = ("one", "other")
_LIMITS = Limits(wall=30.0)


class _BusyError(Exception):
    """Somebody else is measuring."""


@dataclass(frozen=True)
class Rehearsal:
    """What the rehearsal showed.

    Attributes:
        comparison: the program against itself; `None` when it was not timed.
        warnings: what is wrong with the times.
        busy: who is measuring on this machine, when that kept us from it.
        perf_problem: why perf does not sample programs; empty when it does.
        perf_hint: what helps.
    """

    comparison: Comparison | None = None
    warnings: tuple[NoiseWarning, ...] = ()
    busy: str = ""
    perf_problem: str = ""
    perf_hint: str = ""

    @property
    def text(self) -> str:
        """What it means, in one line."""
        if self.comparison is None:
            return "not tried"
        said = self.comparison
        half = max(said.high / said.ratio, said.ratio / said.low) - 1
        interval = f"{said.ratio:.3f}x [{said.low:.3f}, {said.high:.3f}]"
        return f"a loop against itself, {said.pairs} pairs: {interval}; that is +-{half:.1%}"


def rehearse(toolchain: Toolchain, cache: Path, machine: Machine, pairs: int = PAIRS) -> Rehearsal:
    """Build the loop, time it against itself, sample it.  Takes about two seconds.

    Raises:
        ToolchainError: the loop, or what times programs, cannot be built.
    """
    with (
        tempfile.TemporaryDirectory(prefix="perfwright-doctor-") as name,
        open_executor(toolchain.tool("clang"), cache) as executor,
    ):
        folder = Path(name)
        programs = build_loop(toolchain.tool("clang"), folder)
        problem, hint = sample(programs[0], folder)
        try:
            with _lock():
                comparison, warnings = compare(executor, programs, machine.quiet_cpu, pairs)
        except _BusyError as error:
            return Rehearsal(busy=str(error), perf_problem=problem, perf_hint=hint)
        return Rehearsal(comparison, warnings, "", problem, hint)


def build_loop(clang: Path, folder: Path, *, runner: Runner = run) -> tuple[Path, Path]:
    """The loop, twice.

    Raises:
        ToolchainError: it cannot be built.
    """
    one, other = (folder / name for name in _ARMS)
    result = runner([clang, "-O2", "-xc", "-", "-o", one], stdin=LOOP.encode(), limits=_LIMITS)
    if not result.ok:
        raise ToolchainError(
            "clang cannot build a small program",
            cause=result.explain(),
            hint="apt-get install libc6-dev",
        )
    shutil.copy(one, other)
    return one, other


def compare(
    executor: Executor, programs: tuple[Path, Path], cpu: int | None, pairs: int = PAIRS
) -> tuple[Comparison, tuple[NoiseWarning, ...]]:
    """Both programs in alternation: what their times say, and what is wrong with them.

    Raises:
        ToolchainError: they do not run.
    """
    arms = dict(zip(_ARMS, programs, strict=True))
    times: dict[str, list[float]] = {name: [] for name in _ARMS}
    walls: list[float] = []
    schedule = Schedule(0, "doctor", _ARMS, ("loop",))
    for block in (*schedule.warm_up(), *islice(schedule.blocks(), pairs)):
        setting = Setting(env_bytes=block.padding_bytes, cpu=cpu)
        for name in block.order:
            loop = Run(("loop",), arms[name].parent, program=arms[name], setting=setting)
            result = executor.execute(loop)
            if not result.exited or result.status or not result.cpu_seconds > 0:
                raise ToolchainError("a small program does not run", cause=result.ending())
            if block.timed:
                times[name].append(result.cpu_seconds)
                walls += [result.wall_seconds] if name == _ARMS[0] else []
    one, other = (times[name] for name in _ARMS)
    ratios = [math.log(b / a) for a, b in zip(one, other, strict=True)]
    return compare_once(ratios), inspect_times(one, wall_times=walls)


def sample(
    program: Path,
    folder: Path,
    *,
    which: Callable[[str], str | None] = shutil.which,
    runner: Runner = run,
) -> tuple[str, str]:
    """Why perf does not sample a program, and what helps; two empty texts when it does."""
    perf = which("perf")
    if perf is None:
        return "not installed", "apt-get install linux-perf"
    data = folder / "perf.data"
    options = ["-q", "-B", "-N", "-e", "cpu-clock", "-F", "1999", "-o", str(data)]
    recorded = runner([perf, "record", *options, "--", program], limits=_LIMITS)
    if recorded.ok and data.exists():
        printed = runner([perf, "script", "-f", "-i", data, "-F", "ip"], limits=_LIMITS)
        if printed.ok and printed.text.strip():
            return "", ""
    said = recorded.error_text.strip().splitlines()[-1:] or ["no samples"]
    return said[0], "sysctl kernel.perf_event_paranoid=2"


def _lock() -> AbstractContextManager[None]:
    return measuring("perfwright doctor", waiting=_give_up)


def _give_up(holder: str) -> None:
    """Do not wait: whoever measures must not be disturbed, and a doctor should be quick."""
    raise _BusyError(holder)
