"""A loop against itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from perfwright.app.machine import rehearsal
from perfwright.core.verdict import Verdict
from perfwright.errors import ToolchainError
from perfwright.measure import machine
from perfwright.measure.runner import Outcome, Run, RunResult
from perfwright.testing.executor import ScriptedExecutor, timed
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import ProcessResult

PROGRAMS = (Path("/x/one"), Path("/x/other"))


def answering(status: int, stdout: bytes, stderr: bytes = b"") -> Callable[..., ProcessResult]:
    """A runner whose `perf record` leaves a file, and whose answers are these."""

    def runner(argv: Sequence[object], **_: Any) -> ProcessResult:
        words = tuple(str(word) for word in argv)
        if words[1] == "record" and status == 0:
            Path(words[words.index("-o") + 1]).touch()
        return ProcessResult(words, None, status, stdout, stderr)

    return runner


def test_equal_programs_are_not_told_apart() -> None:
    executor = ScriptedExecutor(timed({"one": 0.03, "other": 0.03}, noise=0.005))
    comparison, warnings = rehearsal.compare(executor, PROGRAMS, cpu=1)
    assert comparison.pairs == rehearsal.PAIRS
    assert comparison.verdict in {Verdict.SAME, Verdict.INCONCLUSIVE}
    assert warnings == ()


def test_pairs_are_pinned_and_their_environment_varies() -> None:
    executor = ScriptedExecutor(timed({"one": 0.03, "other": 0.03}))
    rehearsal.compare(executor, PROGRAMS, cpu=1, pairs=8)
    assert {run.setting.cpu for run in executor.runs} == {1}
    assert len({run.setting.env_bytes for run in executor.runs}) > 4


def test_a_noisy_machine_is_noticed() -> None:
    executor = ScriptedExecutor(timed({"one": 0.03, "other": 0.03}, noise=0.2, seed=1))
    _, warnings = rehearsal.compare(executor, PROGRAMS, cpu=None)
    assert warnings


def test_a_loop_that_does_not_run_is_an_error() -> None:
    def crash(_run: Run, _number: int) -> RunResult:
        return RunResult(Outcome.NOT_STARTED, detail="bwrap: no")

    with pytest.raises(ToolchainError) as error:
        rehearsal.compare(ScriptedExecutor(crash), PROGRAMS, cpu=None)
    assert error.value.cause == "not started: bwrap: no"


def test_perf_works_when_it_finds_samples(tmp_path: Path) -> None:
    found = rehearsal.sample(
        PROGRAMS[0], tmp_path, which=lambda _: "/usr/bin/perf", runner=answering(0, b"  401136\n")
    )
    assert found == ("", "")


def test_perf_that_is_not_allowed_says_so(tmp_path: Path) -> None:
    refused = answering(255, b"", b"Error:\nNo permission to enable cpu-clock event.\n")
    found = rehearsal.sample(PROGRAMS[0], tmp_path, which=lambda _: "perf", runner=refused)
    assert found[0] == "No permission to enable cpu-clock event."
    assert found[1] == "sysctl kernel.perf_event_paranoid=2"


def test_without_perf_its_package_is_named(tmp_path: Path) -> None:
    found = rehearsal.sample(PROGRAMS[0], tmp_path, which=lambda _: None)
    assert found == ("not installed", "apt-get install linux-perf")


@pytest.mark.llvm
def test_the_real_loop_is_built_and_timed(toolchain: Toolchain, tmp_path: Path) -> None:
    seen = rehearsal.rehearse(toolchain, tmp_path, machine.look(), pairs=6)
    if seen.comparison is None:
        assert seen.busy
    else:
        assert seen.comparison.pairs == 6
        assert 0.5 < seen.comparison.ratio < 2
