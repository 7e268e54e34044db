from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perfwright.errors import ProgramError
from perfwright.measure.counters import (
    CountersUnavailableError,
    SimulatedCounters,
    Source,
    is_simulated,
)
from perfwright.measure.executor import NativeExecutor
from perfwright.measure.metric import Metric
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Outcome, Run, RunResult
from perfwright.measure.sandbox import Sandbox
from perfwright.program.spec import Workload
from perfwright.testing.executor import ScriptedExecutor, answer
from perfwright.toolchain.process import run as run_tool
from perfwright.units import Seconds

VALGRIND = Path("/usr/bin/valgrind")
LOG = b"==7== Cachegrind\n==7== I   refs:      11,378,225\n"
RUN = Run(argv=("./prog", "3"), root=Path("/p"), program=Path("/store/x"), counters=True)


def counted(result: RunResult) -> tuple[RunResult, Run]:
    executor = ScriptedExecutor(lambda _run, _number: result)
    return SimulatedCounters(executor, VALGRIND).execute(RUN), executor.runs[0]


def logged(log: bytes, outcome: Outcome = Outcome.EXITED, signal: int = 0) -> RunResult:
    return RunResult(outcome, signal=signal, stdout=b"42", output_files={"valgrind.log": log})


def test_the_program_runs_under_cachegrind_and_its_log_is_not_its_output() -> None:
    result, run = counted(logged(LOG))
    assert (result.instructions, result.stdout, result.output_files) == (11_378_225, b"42", {})
    assert (run.program, run.argv[0]) == (None, str(VALGRIND))
    assert run.argv[-2:] == ("/store/x", "3")
    assert Path("/store/x") in run.exposed
    assert not run.limits.address_space


def test_a_run_that_counts_nothing_is_passed_on() -> None:
    executor = ScriptedExecutor(lambda _run, _number: answer())
    plain = Run(argv=("./prog",), root=Path("/p"), program=Path("/store/x"))
    SimulatedCounters(executor, VALGRIND).execute(plain)
    assert executor.runs == [plain]


@pytest.mark.parametrize(
    "result",
    [
        logged(b"==7== Process terminating", Outcome.CRASHED, signal=4),
        logged(b"vex amd64->IR: unhandled instruction bytes: 0x62\n", Outcome.CRASHED, signal=11),
        logged(b""),
    ],
)
def test_what_valgrind_does_not_know_is_unavailable_and_not_wrong(result: RunResult) -> None:
    with pytest.raises(CountersUnavailableError):
        counted(result)


def test_a_crash_of_the_program_itself_stays_a_crash() -> None:
    result, _ = counted(logged(LOG, Outcome.CRASHED, signal=11))
    assert result.outcome is Outcome.CRASHED


@pytest.mark.llvm
def test_two_counts_of_one_program_agree(
    perfwright_run: Path, working_sandbox: Sandbox, behave: Path, root: Path
) -> None:
    if not run_tool(["sh", "-c", "command -v valgrind"]).ok:
        pytest.skip("valgrind is not installed")
    executor = NativeExecutor(perfwright_run, working_sandbox)
    counters = SimulatedCounters(executor, VALGRIND)
    run = Run(argv=("behave", "work", "10000"), root=root, program=behave, counters=True)
    first, second = (counters.execute(run).instructions for _ in range(2))
    assert first == second
    assert first is not None
    assert first > 30_000


def reference(seconds: float, **workload: Any) -> Reference:
    """The unmodified program, one run of which takes so long."""
    one = Workload(id="small", role="train", cwd=Path("/p"), **workload)
    return Reference({"small": Expected(one, answer(), Seconds(seconds), Seconds(seconds))})


@pytest.mark.parametrize(
    ("metric", "where", "simulated"),
    [
        (Metric.INSTRUCTIONS, "simulated", True),
        (Metric.INSTRUCTIONS, "hardware", False),
        (Metric.CYCLES, "hardware", False),
        (Metric.CPU, "simulated", False),
        (Metric.CPU, "unavailable", False),
    ],
)
def test_instructions_are_simulated_where_nothing_counts_them(
    metric: Metric, where: Source, simulated: bool
) -> None:
    assert is_simulated(metric, where, reference(0.1)) is simulated


def test_cycles_are_never_simulated() -> None:
    with pytest.raises(ProgramError, match="cycles cannot be counted here"):
        is_simulated(Metric.CYCLES, "simulated", reference(0.1))


def test_without_valgrind_its_package_is_named() -> None:
    with pytest.raises(ProgramError) as error:
        is_simulated(Metric.INSTRUCTIONS, "unavailable", reference(0.1))
    assert "apt-get install valgrind" in error.value.hint


def test_a_workload_that_would_take_too_long_is_refused_with_the_way_out() -> None:
    with pytest.raises(ProgramError, match="small takes too long") as error:
        is_simulated(Metric.INSTRUCTIONS, "simulated", reference(6.0))
    assert "a shorter train workload" in error.value.hint


def test_a_users_own_command_cannot_be_simulated() -> None:
    with pytest.raises(ProgramError, match="cannot be counted here"):
        is_simulated(Metric.INSTRUCTIONS, "simulated", reference(0.1, run="make bench"))


def test_a_workload_with_a_metric_of_its_own_needs_no_counters() -> None:
    own = reference(9.0, run="make bench", metric="([0-9]+)")
    assert not is_simulated(Metric.INSTRUCTIONS, "unavailable", own)
