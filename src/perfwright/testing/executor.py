"""An executor without processes: what a run does is written down, and time is a number."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from perfwright.measure.runner import Outcome, Run, RunResult
from perfwright.testing.clock import ScriptedClock

Script = Callable[[Run, int], RunResult]


@dataclass
class ScriptedExecutor:
    """Answers every run from a script, and remembers it.

    Attributes:
        script: what the n-th run (counted from 0) does.
        clock: goes on by the wall seconds of each run, if there is one.
        sandboxed: what it says of itself.
        runs: every run so far.
    """

    script: Script
    clock: ScriptedClock | None = None
    sandboxed: bool = True
    runs: list[Run] = field(default_factory=list)

    def execute(self, run: Run) -> RunResult:
        """See `perfwright.measure.runner.Executor`."""
        result = self.script(run, len(self.runs))
        self.runs.append(run)
        if self.clock is not None:
            self.clock.advance(result.wall_seconds)
        return result


def timed(
    seconds: Mapping[str, float], *, seed: int = 0, noise: float = 0.0, stdout: bytes = b"42\n"
) -> Script:
    """A script in which each binary has its time.

    Args:
        seconds: CPU seconds of a run by the binary's file name.
        seed: of the noise.
        noise: standard deviation of the logarithm of a run's time.
        stdout: what every run prints.
    """

    def script(run: Run, number: int) -> RunResult:
        name = run.program.name if run.program else run.argv[0]
        dice = random.Random(f"{seed} {name} {number}")
        time = seconds[name] * math.exp(dice.gauss(0.0, noise))
        return answer(stdout, seconds=time)

    return script


def answer(stdout: bytes = b"42\n", *, status: int = 0, seconds: float = 0.1) -> RunResult:
    """The result of a run that ended by itself."""
    return RunResult(
        Outcome.EXITED,
        status=status,
        user_seconds=seconds,
        wall_seconds=seconds * 1.01,
        stdout=stdout,
    )
