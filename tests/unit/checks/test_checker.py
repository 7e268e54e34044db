from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from perfwright.checks.checker import OracleChecker
from perfwright.core.candidate import Candidate, Edit
from perfwright.core.protocols import Build, Checker, Refusal
from perfwright.core.trial import Correctness
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Outcome, Run, RunResult
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.spec import Oracle
from perfwright.testing.conformance_workshop import CheckerConformance
from perfwright.testing.executor import ScriptedExecutor, answer
from perfwright.units import Seconds

MakeRuns = Callable[..., ProgramRuns]
Script = Callable[[Run, int], RunResult]


def build(*levels: str) -> Build:
    edits = tuple(Edit(level, f"edit {number}") for number, level in enumerate(levels))
    return Build(Candidate(edits), "code", 1000, ("digest",))


def checking(runs: ProgramRuns, script: Script) -> tuple[OracleChecker, ScriptedExecutor]:
    reference = Reference(
        {w.id: Expected(w, answer(), Seconds(1.0), Seconds(1.0)) for w in runs.spec.workloads}
    )
    executor = ScriptedExecutor(script)
    binary = Path("/store").joinpath
    return OracleChecker(runs, executor, reference, binary), executor


def right(_run: Run, _number: int) -> RunResult:
    return answer()


def test_all_workloads_are_run_once_with_the_delivered_binary(make_runs: MakeRuns) -> None:
    checker, executor = checking(make_runs({}, {"role": "confirm"}), right)
    assert checker.check(build("pipeline")) is Correctness.BY_CONSTRUCTION
    assert [run.program for run in executor.runs] == [Path("/store/digest")] * 2


@pytest.mark.parametrize("level", ["source", "ir", "asm"])
def test_edits_of_code_are_tested_and_not_by_construction(make_runs: MakeRuns, level: str) -> None:
    checker, _ = checking(make_runs(), right)
    assert checker.check(build("pipeline", level)) is Correctness.TESTED


def test_wrong_output_is_refused_with_the_line_and_a_reproducer(make_runs: MakeRuns) -> None:
    checker, _ = checking(make_runs(), lambda _run, _number: answer(b"41\n"))
    refusal = checker.check(build("pipeline"))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == (
        "workload train-1: line 1 of standard output: expected '42', got '41'"
    )
    assert refusal.reproducer.endswith("&& /store/digest")


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (RunResult(Outcome.TIME_LIMIT, detail="10 s"), "time limit: 10 s"),
        (RunResult(Outcome.CRASHED, signal=6, stdout=b"42\n"), "killed by SIGABRT"),
        (RunResult(Outcome.MEMORY_LIMIT, detail="1.0 GiB"), "memory limit: 1.0 GiB"),
        (answer(status=1), "exit status: expected 0, got 1"),
    ],
)
def test_a_hang_a_crash_or_a_limit_is_refused(
    make_runs: MakeRuns, result: RunResult, words: str
) -> None:
    checker, _ = checking(make_runs(), lambda _run, _number: result)
    refusal = checker.check(build())
    assert isinstance(refusal, Refusal)
    assert refusal.reason == f"workload train-1: {words}"


def test_one_time_limit_may_be_the_machines(make_runs: MakeRuns) -> None:
    def script(_: Run, number: int) -> RunResult:
        return RunResult(Outcome.TIME_LIMIT) if number == 0 else answer()

    checker, executor = checking(make_runs(), script)
    assert checker.check(build()) is Correctness.BY_CONSTRUCTION
    assert len(executor.runs) == 2


def test_the_users_own_test_is_part_of_the_oracle(make_runs: MakeRuns) -> None:
    def script(run: Run, _: int) -> RunResult:
        return answer(b"1 of 9 failed\n", status=2) if run.copy_tree else answer()

    checker, _ = checking(make_runs(oracle=Oracle(test="make check")), script)
    refusal = checker.check(build("pipeline"))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "the program's own test: exit status 2: 1 of 9 failed"


def test_builds_with_model_written_code_run_as_untrusted(make_runs: MakeRuns) -> None:
    checker, executor = checking(make_runs(), right)
    replace(checker, untrusted=lambda b: len(b.candidate.edits) > 1).check(build("ir", "ir"))
    checker.check(build("ir"))
    assert [run.untrusted for run in executor.runs] == [True, False]


class TestChecker(CheckerConformance):
    @pytest.fixture
    def checker(self, make_runs: MakeRuns) -> Checker:
        def script(run: Run, _: int) -> RunResult:
            return answer() if run.program == Path("/store/digest") else answer(b"41\n")

        return checking(make_runs(), script)[0]

    @pytest.fixture
    def right(self) -> Build:
        return build("pipeline")

    @pytest.fixture
    def broken(self) -> Build:
        return replace(build("pipeline"), binaries=("other",))
