"""Blocks: one run of every arm, timed, checked and committed before the next one starts.

A series of blocks takes what the journal has first and the machine's time after that.  None
is ever run twice; one that was interrupted is not recorded and runs again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from perfwright.core.protocols import Build, PairLog, Refusal, WrongResultError
from perfwright.measure import metric as metrics
from perfwright.measure.metric import COUNTED, Metric
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Executor, Outcome, Run, RunResult, Setting
from perfwright.measure.schedule import Block, Schedule
from perfwright.measure.workloads import ProgramRuns

_REPEATED = frozenset({Outcome.TIME_LIMIT, Outcome.LOST, Outcome.NOT_STARTED})
"""Ends that a busy machine can bring about; they count when they happen twice."""


@dataclass(frozen=True)
class PairRecord:
    """One finished block: every arm ran once on one workload.  What the journal keeps.

    Tuples are in the order of the comparison's arms.  `values` are in the unit of the metric
    (seconds or counts).  With `ended` it is no block: the time was up, and the series ends.
    """

    block: int
    workload: str
    layout: int
    values: tuple[float, ...] = ()
    cpu_seconds: tuple[float, ...] = ()
    wall_seconds: tuple[float, ...] = ()
    ended: bool = False


Refuse = Callable[[Expected, Run, RunResult], Refusal | None]


def _never(_: str) -> bool:
    return False


def _trusted(_: Build) -> bool:
    return False


@dataclass(frozen=True)
class Rig:
    """Where and how blocks are run.

    Attributes:
        runs: makes the program's runs.
        executor: runs them.
        reference: what the unmodified program does.
        log: where finished blocks are.
        binary: where an artefact is, by its digest.
        refuse: why a run shows that its build is wrong (`checks.checker.refuse`).
        seed: the campaign's; decides the order of everything.
        metric: what is compared.
        cpu: the CPU to pin programs to; `None` for parallel programs and one-CPU machines.
        lock: held while something is timed (`perfwright.measure.lock.measuring`).
        out_of_time: whether the time for the comparison of this label is up; asked before
            each round of blocks but the first.
        untrusted: whether a model wrote part of a build's code.
    """

    runs: ProgramRuns
    executor: Executor
    reference: Reference
    log: PairLog[PairRecord]
    binary: Callable[[str], Path]
    refuse: Refuse
    seed: int = 0
    metric: Metric = Metric.CPU
    cpu: int | None = None
    lock: Callable[[], AbstractContextManager[None]] = nullcontext
    out_of_time: Callable[[str], bool] = _never
    untrusted: Callable[[Build], bool] = _trusted

    def run(self, block: Block, build: Build) -> RunResult:
        """One run of one arm, checked.

        Raises:
            WrongResultError: its result is wrong.
        """
        expected = self.reference.expected[block.workload]
        run = replace(self.runs, untrusted=self.untrusted(build)).workload(
            expected.workload,
            self.binary(build.binaries[block.layout]),
            limits=expected.limits,
            setting=Setting(env_bytes=block.padding_bytes, cpu=self.cpu),
            counters=self.metric in COUNTED and expected.workload.metric is None,
        )
        result = self.executor.execute(run)
        if result.outcome in _REPEATED:
            result = self.executor.execute(run)
        refusal = self.refuse(expected, run, result)
        if refusal is not None:
            raise WrongResultError(build, refusal)
        return result


class Series:
    """The blocks of one comparison; as a context it gives the machine's lock back.

    Args:
        rig: where they are run.
        label: the comparison's name in the journal, and part of the schedule's seed.
        arms: the builds, with as many binaries as `layouts` need.
        workloads: ids.
        layouts: numbers of the binaries to use.

    `seen` holds the blocks of all finished rounds.
    """

    def __init__(
        self,
        rig: Rig,
        label: str,
        arms: tuple[Build, ...],
        workloads: tuple[str, ...],
        layouts: tuple[int, ...] = (0,),
    ) -> None:
        self.seen: list[PairRecord] = []
        self._rig = rig
        self._label = label
        self._arms = {f"arm {number}": arm for number, arm in enumerate(arms)}
        self._workloads = workloads
        self._schedule = Schedule(rig.seed, label, tuple(self._arms), workloads, layouts)
        self._lock = ExitStack()
        self._warm = False

    def __enter__(self) -> Series:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def rounds(self) -> Iterator[tuple[PairRecord, ...]]:
        """Each round is one block of every workload; ends only when the time is up."""
        recorded = list(self._rig.log.recorded(self._label))
        for number in itertools.count():
            round_: list[PairRecord] = []
            for place in range(len(self._workloads)):
                index = number * len(self._workloads) + place
                if index < len(recorded):
                    record = recorded[index]
                elif place == 0 and number > 0 and self._rig.out_of_time(self._label):
                    record = PairRecord(index, "", 0, ended=True)
                    self._rig.log.append(self._label, record)
                else:
                    record = self._measure(self._schedule.block(index))
                if record.ended:
                    return
                round_.append(record)
            self.seen += round_
            yield tuple(round_)

    def _measure(self, block: Block) -> PairRecord:
        """Run one block and commit it."""
        if not self._warm:
            self._lock.enter_context(self._rig.lock())
            # No cache changes how many instructions there are.
            cold = self._rig.metric is Metric.INSTRUCTIONS
            for warm_up in () if cold else self._schedule.warm_up():
                self._run_block(warm_up)
            self._warm = True
        results = self._run_block(block)
        workload = self._rig.reference.expected[block.workload].workload
        in_order = [results[name] for name in self._arms]
        record = PairRecord(
            block=block.index,
            workload=block.workload,
            layout=block.layout,
            values=tuple(metrics.value(r, workload, self._rig.metric) for r in in_order),
            cpu_seconds=tuple(r.cpu_seconds for r in in_order),
            wall_seconds=tuple(r.wall_seconds for r in in_order),
        )
        self._rig.log.append(self._label, record)
        return record

    def _run_block(self, block: Block) -> dict[str, RunResult]:
        return {name: self._rig.run(block, self._arms[name]) for name in block.order}
