from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from perfwright.measure.counters import Source
from perfwright.measure.counting import Count, RunCounter
from perfwright.measure.reference import Expected
from perfwright.measure.runner import Outcome, RunResult
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.spec import ProgramSpec, load
from perfwright.testing.executor import ScriptedExecutor, answer
from perfwright.units import Seconds

LOG = b"==7== I   refs:      11,378,225\n"
BINARY = Path("/store/x")


@pytest.fixture
def spec(tmp_path: Path) -> ProgramSpec:
    (tmp_path / "a.c").write_text("int main(void) {}")
    (tmp_path / "perfwright.toml").write_text(
        '[program]\nname = "a"\nsources = ["a.c"]\n[[workload]]\nargs = ["1"]\nrole = "train"\n'
    )
    return load(tmp_path)


def counter(
    spec: ProgramSpec, result: RunResult, source: Source = "simulated", seconds: float = 0.1
) -> tuple[RunCounter, ScriptedExecutor]:
    executor = ScriptedExecutor(lambda _run, _number: result)
    known = Expected(spec.train[0], answer(), Seconds(seconds), Seconds(seconds))
    runs = ProgramRuns(spec, spec.root, "a")
    return RunCounter(runs, executor, known, source, Path("/usr/bin/valgrind")), executor


SIMULATED = RunResult(Outcome.EXITED, output_files={"valgrind.log": LOG})


def test_a_simulated_run_has_instructions_and_no_cycles(spec: ProgramSpec) -> None:
    counting, _ = counter(spec, SIMULATED)
    assert counting.count(BINARY) == Count("train-1", "simulated", 11_378_225, None)


def test_hardware_counts_both(spec: ProgramSpec) -> None:
    result = replace(answer(), instructions=700, cycles=300)
    counting, executor = counter(spec, result, "hardware", seconds=100.0)
    assert counting.count(BINARY) == Count("train-1", "hardware", 700, 300)
    assert executor.runs[0].counters


def test_a_binary_is_counted_once(spec: ProgramSpec) -> None:
    counting, executor = counter(spec, SIMULATED)
    assert counting.count(BINARY) == counting.count(BINARY)
    assert len(executor.runs) == 1


def test_what_would_take_too_long_is_not_simulated(spec: ProgramSpec) -> None:
    counting, executor = counter(spec, SIMULATED, seconds=1.0)
    assert counting.count(BINARY) is None
    assert executor.runs == []


def test_nothing_is_run_where_nothing_counts(spec: ProgramSpec) -> None:
    counting, executor = counter(spec, SIMULATED, "unavailable")
    assert counting.count(BINARY) is None
    assert executor.runs == []


def test_a_candidate_that_hangs_is_given_up_before_long(spec: ProgramSpec) -> None:
    counting, executor = counter(spec, SIMULATED)
    counting.count(BINARY)
    assert executor.runs[0].limits.wall <= 60


@pytest.mark.parametrize(
    "result",
    [
        RunResult(Outcome.TIME_LIMIT, output_files={"valgrind.log": LOG}),
        RunResult(Outcome.CRASHED, signal=4, output_files={"valgrind.log": b""}),
    ],
)
def test_a_run_that_does_not_end_as_it_should_has_no_count(
    spec: ProgramSpec, result: RunResult
) -> None:
    counting, _ = counter(spec, result)
    assert counting.count(BINARY) is None
