"""What the unmodified program does: the results that every build is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from perfwright.measure.metric import PARALLEL_FROM, Metric
from perfwright.measure.runner import RunLimits, RunResult
from perfwright.measure.workloads import known_limits
from perfwright.program.spec import Workload
from perfwright.units import Seconds

_NO_TIME = Seconds(0.0)
_LEAST_TEST_LIMIT = 30.0
_TEST_FACTOR = 5.0


@dataclass(frozen=True)
class Expected:
    """One workload of the unmodified program.

    Attributes:
        workload: which one.
        result: what it did; ended by itself, with the right exit status.
        wall_seconds, cpu_seconds: of its quickest run, unpinned.
        output_counts: whether its standard output is the same every time.
    """

    workload: Workload
    result: RunResult
    wall_seconds: Seconds
    cpu_seconds: Seconds
    output_counts: bool = True

    @property
    def limits(self) -> RunLimits:
        """What a candidate may use."""
        return known_limits(self.workload, self.wall_seconds)

    @property
    def parallel(self) -> bool:
        """Whether it keeps more than one CPU busy."""
        return self.cpu_seconds > PARALLEL_FROM * self.wall_seconds


@dataclass(frozen=True)
class Reference:
    """All workloads of the unmodified program, by id, and what the user should know of them.

    `test_seconds` is how long the user's own test takes; 0 without one.
    """

    expected: Mapping[str, Expected]
    warnings: tuple[str, ...] = ()
    test_seconds: Seconds = _NO_TIME

    @property
    def test_limits(self) -> RunLimits:
        """What the user's own test of a candidate may use."""
        return RunLimits(wall=max(_LEAST_TEST_LIMIT, _TEST_FACTOR * self.test_seconds))

    @property
    def parallel(self) -> bool:
        """Whether any workload keeps more than one CPU busy."""
        return any(one.parallel for one in self.expected.values())

    @property
    def cheapest(self) -> Expected:
        """The train workload that takes the least time."""
        train = [e for e in self.expected.values() if e.workload.role == "train"]
        return min(train, key=lambda e: e.wall_seconds)


def choose_metric(asked: Metric | None, reference: Reference) -> tuple[Metric, str]:
    """The metric to compare by, and a warning when it is not what one would expect.

    CPU time adds up over threads: a program that spreads its work over more of them would
    look slower by it although it ends sooner.
    """
    if asked is None and reference.parallel:
        return Metric.WALL, "the program runs on several CPUs: its elapsed time is compared"
    if asked is Metric.CPU and reference.parallel:
        return Metric.CPU, (
            "the program runs on several CPUs, and their times are added up: "
            "--metric wall compares how soon it ends"
        )
    return asked or Metric.CPU, ""
