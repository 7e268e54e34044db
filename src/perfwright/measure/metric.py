"""What is compared: one number of a run, by the metric that the user chose."""

from __future__ import annotations

import re
from enum import StrEnum

from perfwright.errors import ProgramError
from perfwright.measure.runner import RunResult
from perfwright.program.spec import Workload


class Metric(StrEnum):
    """What `--metric` may say."""

    CPU = "cpu"
    """User and system seconds of the program and all its descendants."""
    WALL = "wall"
    """Elapsed seconds; what counts for programs with several threads."""
    INSTRUCTIONS = "instructions"
    CYCLES = "cycles"
    """Of hardware counters in user mode."""


COUNTED = frozenset({Metric.INSTRUCTIONS, Metric.CYCLES})
"""What hardware counters count, or a simulation."""

PARALLEL_FROM = 1.2
"""CPU seconds per elapsed second from which a program counts as parallel."""


def value(result: RunResult, workload: Workload, metric: Metric) -> float:
    """The number that counts for a run; smaller is better.

    A workload with a `metric` of its own gives what that finds in its output (the last match).

    Raises:
        ProgramError: the run did not yield that number, or it is not above zero.
    """
    found: float | None
    if workload.metric is not None:
        found = _found(result, workload.id, workload.metric)
    else:
        found = {
            Metric.CPU: result.cpu_seconds,
            Metric.WALL: result.wall_seconds,
            Metric.INSTRUCTIONS: result.instructions,
            Metric.CYCLES: result.cycles,
        }[metric]
    if found is None:
        raise ProgramError(
            f"{metric} cannot be counted here",
            cause="this machine gives programs no hardware counters (most virtual machines)",
            hint="--metric cpu, or allow counters: sysctl kernel.perf_event_paranoid=2",
        )
    if not found > 0:
        raise ProgramError(
            f"workload {workload.id} measures {found:g} by {workload.metric or metric}",
            cause="speeds are compared as ratios, so every number must be above zero",
            hint="give the workload more to do",
        )
    return float(found)


def _found(result: RunResult, name: str, pattern: str) -> float:
    text = (result.stdout + b"\n" + result.stderr).decode("utf-8", "replace")
    matches = re.findall(pattern, text, re.MULTILINE)
    if not matches:
        raise ProgramError(
            f"workload {name} prints no number that its metric finds",
            cause=f"looked for {pattern!r}; it printed {text.strip()[:200]!r}",
            hint="correct metric in perfwright.toml",
        )
    try:
        return float(matches[-1])
    except ValueError as error:
        raise ProgramError(
            f"the metric of workload {name} finds {matches[-1]!r}, which is no number",
            hint="put parentheses around the number alone",
        ) from error
