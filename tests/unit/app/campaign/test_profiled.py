from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from perfwright.app.campaign.profiled import SandboxedRun
from perfwright.errors import ToolchainError
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Outcome, RunResult
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.spec import ProgramSpec, load
from perfwright.testing.executor import ScriptedExecutor, answer
from perfwright.units import Seconds

BINARY = Path("/builds/tiny")
TOML = """\
[program]
name = "tiny"
sources = ["tiny.c"]
[[workload]]
args = ["short"]
[[workload]]
args = ["long"]
env = { LEVEL = "9" }
[[workload]]
args = ["held", "back"]
role = "confirm"
"""
OWN = """\
[program]
build = "make"
binary = "tiny"
[[workload]]
run = "make bench"
"""
Runs = Callable[..., SandboxedRun]


@pytest.fixture
def executor() -> ScriptedExecutor:
    return ScriptedExecutor(lambda *_: answer())


@pytest.fixture
def runs(tmp_path: Path, executor: ScriptedExecutor) -> Runs:
    """Makes the runs of a program; its n-th workload takes n seconds."""

    def make(toml: str = TOML) -> SandboxedRun:
        (tmp_path / "tiny.c").touch()
        (tmp_path / "perfwright.toml").write_text(toml)
        spec = load(tmp_path)
        return SandboxedRun(ProgramRuns(spec, tmp_path), executor, reference(spec))

    return make


def reference(spec: ProgramSpec) -> Reference:
    return Reference(
        {
            workload.id: Expected(workload, answer(), Seconds(number), Seconds(number))
            for number, workload in enumerate(spec.workloads, 1)
        }
    )


def test_without_a_profiler_every_train_workload_is_run(
    runs: Runs, executor: ScriptedExecutor
) -> None:
    assert runs()(BINARY).ok
    assert [run.argv[1:] for run in executor.runs] == [("short",), ("long",)]
    assert all(run.program == BINARY for run in executor.runs)


def test_a_profiler_sees_the_workload_that_takes_longest(
    runs: Runs, executor: ScriptedExecutor
) -> None:
    runs()(BINARY, prefix=("perf", "record", "--"))
    (run,) = executor.runs
    assert run.argv == ("perf", "record", "--", str(BINARY), "long")
    assert run.program is None, "the profiler is what is started"
    assert BINARY in run.exposed


def test_variables_are_added_to_those_of_the_workload(
    runs: Runs, executor: ScriptedExecutor
) -> None:
    runs()(BINARY, env={"LLVM_PROFILE_FILE": "x"})
    assert executor.runs[1].env == {"LEVEL": "9", "LLVM_PROFILE_FILE": "x"}


def test_profiled_programs_may_be_slow(runs: Runs, executor: ScriptedExecutor) -> None:
    runs()(BINARY)
    assert executor.runs[1].limits.wall == 160.0


def test_the_profilers_folder_may_be_written_by_who_gave_up_root(
    runs: Runs, executor: ScriptedExecutor, tmp_path: Path
) -> None:
    folder = tmp_path / "profile"
    folder.mkdir(mode=0o700)
    runs()(BINARY, writable=folder)
    assert folder.stat().st_mode & 0o777 == 0o777
    assert executor.runs[0].writable == folder


def test_a_workload_may_end_with_a_status_of_its_own(
    runs: Runs, executor: ScriptedExecutor
) -> None:
    executor.script = lambda _, number: answer(status=number)
    assert runs()(BINARY).status == 1


@pytest.mark.parametrize(
    ("result", "status", "timed_out"),
    [
        (RunResult(Outcome.CRASHED, -1, signal.SIGSEGV), -signal.SIGSEGV, False),
        (RunResult(Outcome.TIME_LIMIT, -1), -signal.SIGKILL, True),
        (RunResult(Outcome.MEMORY_LIMIT, -1, signal.SIGKILL), -signal.SIGKILL, False),
    ],
)
def test_the_run_that_went_wrong_is_the_one_that_is_told(
    runs: Runs, executor: ScriptedExecutor, result: RunResult, status: int, timed_out: bool
) -> None:
    executor.script = lambda _, number: answer() if number else result
    told = runs()(BINARY)
    assert (told.status, told.timed_out) == (status, timed_out)


def test_a_profiler_that_cannot_be_started_is_the_toolchains_error(
    runs: Runs, executor: ScriptedExecutor
) -> None:
    missing = RunResult(Outcome.NOT_STARTED, detail="perf: no such file")
    executor.script = lambda *_: missing
    with pytest.raises(ToolchainError) as error:
        runs()(BINARY, prefix=("perf", "record", "--"))
    assert error.value.summary == "perf cannot be started: perf: no such file"


def test_a_command_of_the_users_own_is_run_as_it_is(runs: Runs, executor: ScriptedExecutor) -> None:
    runs(OWN)(BINARY)
    assert executor.runs[0].argv == ("/bin/sh", "-c", "make bench")


def test_nothing_can_be_put_in_front_of_what_such_a_command_starts(
    runs: Runs, executor: ScriptedExecutor
) -> None:
    """A profile of the program with the wrong arguments would be worse than none."""
    with pytest.raises(ToolchainError, match="perf is of no use here"):
        runs(OWN)(BINARY, prefix=("perf", "record", "--"))
    assert executor.runs == []


def test_among_several_workloads_the_profiler_takes_one_that_it_can_see(
    runs: Runs, executor: ScriptedExecutor
) -> None:
    runs(f'{OWN}[[workload]]\nargs = ["direct"]\n')(BINARY, prefix=("perf", "--"))
    assert executor.runs[0].argv == ("perf", "--", str(BINARY), "direct")
