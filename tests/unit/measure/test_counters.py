from __future__ import annotations

from pathlib import Path

import pytest

from perfwright.measure.counters import CountersUnavailableError, SimulatedCounters
from perfwright.measure.executor import NativeExecutor
from perfwright.measure.runner import Outcome, Run, RunResult
from perfwright.measure.sandbox import Sandbox
from perfwright.testing.executor import ScriptedExecutor, answer
from perfwright.toolchain.process import run as run_tool

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
