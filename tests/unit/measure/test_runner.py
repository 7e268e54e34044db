from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from perfwright.measure.runner import (
    GroupEvents,
    Outcome,
    Report,
    Run,
    RunLimits,
    RunResult,
    judge,
)
from perfwright.units import Bytes

FINE = Report(
    status=0,
    signal=0,
    exec_error=0,
    timed_out=False,
    disk_full=False,
    replaced=False,
    stopped=0,
    wall=0.1,
    user=0.1,
    sys=0.0,
    max_rss=1_000_000,
    voluntary=0,
    involuntary=0,
    instructions=-1,
    cycles=-1,
    sizes=(3, 0),
    kept=(3, 0),
)
LIMITS = RunLimits(wall=5.0, cpu=5, memory=Bytes(100 << 20), processes=64, file_size=Bytes(1000))


NOTHING = GroupEvents()


def outcome(events: GroupEvents = NOTHING, **facts: object) -> Outcome:
    return judge(replace(FINE, **facts), LIMITS, events)[0]  # type: ignore[arg-type]


def test_a_run_that_ends_by_itself_exited_whatever_its_status() -> None:
    assert outcome() is Outcome.EXITED
    assert outcome(status=1) is Outcome.EXITED


def test_a_signal_is_a_crash_and_is_named() -> None:
    assert judge(replace(FINE, status=-1, signal=11), LIMITS, GroupEvents()) == (
        Outcome.CRASHED,
        "SIGSEGV",
    )


def test_signals_of_limits_are_no_crashes() -> None:
    assert outcome(status=-1, signal=24) is Outcome.CPU_LIMIT
    assert outcome(status=-1, signal=25) is Outcome.OUTPUT_LIMIT


def test_the_hard_cpu_limit_kills_what_ignored_the_soft_one() -> None:
    assert outcome(status=-1, signal=9, user=5.9) is Outcome.CPU_LIMIT
    assert outcome(status=-1, signal=9, user=0.9) is Outcome.CRASHED


def test_a_full_output_file_counts_even_when_the_program_went_on() -> None:
    assert outcome(sizes=(1000, 0)) is Outcome.OUTPUT_LIMIT
    assert outcome(sizes=(999, 0)) is Outcome.EXITED


def test_a_time_limit_with_very_many_processes_is_a_process_limit() -> None:
    assert outcome(timed_out=True, status=-1, signal=9) is Outcome.TIME_LIMIT
    assert outcome(timed_out=True, stopped=63) is Outcome.PROCESS_LIMIT


def test_a_refused_fork_counts_only_when_the_program_failed() -> None:
    refused = GroupEvents(process_refused=3)
    assert outcome(refused, status=1) is Outcome.PROCESS_LIMIT
    assert outcome(refused) is Outcome.EXITED


def test_the_kernels_out_of_memory_killer_goes_before_the_signal() -> None:
    killed = GroupEvents(out_of_memory=1)
    assert outcome(killed, status=-1, signal=9) is Outcome.MEMORY_LIMIT


def test_a_failure_near_the_memory_limit_is_blamed_on_memory() -> None:
    assert outcome(status=-1, signal=6, max_rss=95 << 20) is Outcome.MEMORY_LIMIT
    assert outcome(status=-1, signal=6, max_rss=50 << 20) is Outcome.CRASHED
    assert outcome(max_rss=95 << 20) is Outcome.EXITED


def test_a_full_disk_counts_even_when_the_program_went_on() -> None:
    assert outcome(disk_full=True) is Outcome.DISK_LIMIT


def test_leftover_processes_and_a_rebuilt_program_are_named() -> None:
    assert outcome(stopped=1) is Outcome.LEFT_PROCESSES
    assert outcome(replaced=True) is Outcome.REPLACED


def test_a_program_that_cannot_be_executed_was_not_started() -> None:
    found = judge(replace(FINE, status=127, exec_error=13), LIMITS, GroupEvents())
    assert found == (Outcome.NOT_STARTED, "Permission denied")


@pytest.mark.parametrize(
    "other",
    [
        RunResult(Outcome.EXITED, stdout=b"4"),
        RunResult(Outcome.EXITED, status=1, stdout=b"42"),
        RunResult(Outcome.CRASHED, stdout=b"42"),
        RunResult(Outcome.EXITED, stdout=b"42", output_files={"f": None}),
        RunResult(Outcome.EXITED, stdout=b"42", output_files={"f": b""}),
    ],
)
def test_the_fingerprint_tells_results_apart(other: RunResult) -> None:
    assert other.fingerprint() != RunResult(Outcome.EXITED, stdout=b"42").fingerprint()


def test_the_fingerprint_ignores_times_and_standard_error() -> None:
    one = RunResult(Outcome.EXITED, stdout=b"42")
    other = replace(one, user_seconds=3.0, stderr=b"warning")
    assert one.fingerprint() == other.fingerprint()


def test_the_reproducer_is_a_line_for_a_shell() -> None:
    run = Run(
        argv=("./qsort", "a b"),
        root=Path("/p"),
        program=Path("/cache/qsort"),
        cwd="bench",
        stdin=Path("/p/in"),
        env={"N": "1"},
    )
    assert run.reproducer == "cd /p/bench && env N=1 /cache/qsort 'a b' < /p/in"


def test_parallelism_is_cpu_time_over_elapsed_time() -> None:
    result = RunResult(Outcome.EXITED, user_seconds=1.5, sys_seconds=0.5, wall_seconds=1.0)
    assert result.parallelism == 2.0
    assert RunResult(Outcome.LOST).parallelism == 0.0
