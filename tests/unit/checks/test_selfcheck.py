from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from perfwright.checks.selfcheck import SelfCheck, Variation, diagnose, prints_the_time
from perfwright.errors import ProgramError
from perfwright.measure.executor import NativeExecutor
from perfwright.measure.reference import Reference
from perfwright.measure.runner import Outcome, Run, RunResult
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.spec import Oracle
from perfwright.program.tables import Tolerance
from perfwright.testing.clock import ScriptedClock
from perfwright.testing.executor import ScriptedExecutor, answer

MakeRuns = Callable[..., ProgramRuns]
Compiled = Callable[..., Path]
NOW = 1_700_000_000.0
BINARY = Path("/store/prog")


def checked(runs: ProgramRuns, *results: RunResult) -> tuple[Reference, ScriptedExecutor]:
    """The reference from these results; the last one repeats."""

    def script(_: Run, number: int) -> RunResult:
        return results[min(number, len(results) - 1)]

    executor = ScriptedExecutor(script)
    clock = ScriptedClock(NOW)
    return SelfCheck(runs, executor, clock, clock.advance).reference(BINARY), executor


def refused(runs: ProgramRuns, *results: RunResult) -> ProgramError:
    with pytest.raises(ProgramError) as caught:
        checked(runs, *results)
    return caught.value


def test_steady_runs_become_the_reference(make_runs: MakeRuns) -> None:
    slow, quick = answer(seconds=0.3), answer(seconds=0.2)
    reference, _ = checked(make_runs(), slow, quick)
    expected = reference.expected["train-1"]
    assert expected.result == slow
    assert expected.cpu_seconds == 0.2
    assert reference.warnings == ()


def test_runs_differ_in_folder_and_environment_size_and_are_not_pinned(
    make_runs: MakeRuns,
) -> None:
    _, executor = checked(make_runs(), answer())
    settings = [run.setting for run in executor.runs]
    assert len({s.scratch for s in settings}) == len({s.env_bytes for s in settings}) == 3
    assert all(s.aslr and s.cpu is None for s in settings)


def test_a_long_program_runs_twice_only(make_runs: MakeRuns) -> None:
    _, executor = checked(make_runs(), answer(seconds=30.0))
    assert len(executor.runs) == 2


def test_a_program_that_prints_the_time_runs_again_in_another_second(make_runs: MakeRuns) -> None:
    runs = make_runs()
    clock = ScriptedClock(NOW)

    def script(_: Run, __: int) -> RunResult:
        return answer(f"started at {int(clock.now)}\n".encode(), seconds=30.0)

    check = SelfCheck(runs, ScriptedExecutor(script), clock, clock.advance)
    with pytest.raises(ProgramError, match="time stamps"):
        check.reference(BINARY)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"1700000000", True),
        (b"t=1699999990.25 s", True),
        (b"1700000000123 ms", True),
        (b"12:34:56 done", True),
        (b"sum 1600000000", False),
        (b"ratio 3:4", False),
    ],
)
def test_the_present_second_is_recognised(output: bytes, expected: bool) -> None:
    assert prints_the_time(output, NOW) is expected


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("a\nb\nc", "c\na\nb", Variation.ORDER),
        ("node at 0x7ffd1234", "node at 0x7ffe5678", Variation.ADDRESSES),
        ("[5581f2a3c2a0]", "[55d07b6612a0]", Variation.ADDRESSES),
        ("2026-01-02 10:11:12 start", "2026-01-02 10:11:13 start", Variation.TIMES),
        ("elapsed 0.123", "elapsed 0.124", Variation.TIMES),
        ("done in 12ms", "done in 13ms", Variation.TIMES),
        ("1.31 MB/s", "1.29 MB/s", Variation.TIMES),
        ("pid 4711", "pid 4712", Variation.PROCESS_IDS),
        ("cwd /tmp/perfwright-a/x", "cwd /tmp/perfwright-b/x", Variation.PATHS),
        ("value 17", "value 93", Variation.RANDOM),
        ("same\nvalue 17\nsame", "same\nvalue 93\nsame", Variation.RANDOM),
    ],
)
def test_what_varies_is_named(first: str, second: str, kind: Variation) -> None:
    assert diagnose(first, second) is kind


def test_the_error_shows_the_line_and_a_remedy(make_runs: MakeRuns) -> None:
    error = refused(make_runs(), answer(b"a\nx 1\n"), answer(b"a\nx 2\n"))
    assert "train-1" in error.fact
    assert "random numbers" in error.fact
    assert error.cause == "line 2 of standard output: at first 'x 1', then 'x 2'"
    assert "seed" in error.hint


def test_numbers_within_the_tolerance_are_steady(make_runs: MakeRuns) -> None:
    runs = make_runs(oracle=Oracle(stdout=Tolerance(rel=1e-6)))
    reference, _ = checked(runs, answer(b"1.00000000\n"), answer(b"1.00000001\n"))
    assert reference.expected


def test_a_file_that_varies_is_named(make_runs: MakeRuns) -> None:
    runs = make_runs(oracle=Oracle(files=("out",)))
    one = RunResult(Outcome.EXITED, output_files={"out": b"0x7ffd1234\n"})
    other = replace(one, output_files={"out": b"0x7ffe1234\n"})
    error = refused(runs, one, other)
    assert "addresses" in error.fact
    assert "line 1 of out" in error.cause


def test_a_file_that_is_never_written_is_named(make_runs: MakeRuns) -> None:
    runs = make_runs(oracle=Oracle(files=("out",)))
    error = refused(runs, RunResult(Outcome.EXITED, output_files={"out": None}))
    assert "writes no file out" in error.fact


def test_a_crash_of_the_unmodified_program_is_the_users_to_mend(make_runs: MakeRuns) -> None:
    crash = RunResult(Outcome.CRASHED, status=-1, signal=11, stderr=b"assertion failed\n")
    error = refused(make_runs(), crash)
    assert error.fact == "the program crashes on workload train-1: killed by SIGSEGV"
    assert error.cause == "assertion failed"
    assert "/store/prog" in error.hint


def test_a_hang_names_the_limit_and_how_to_raise_it(make_runs: MakeRuns) -> None:
    error = refused(make_runs({"timeout": 7.0}), RunResult(Outcome.TIME_LIMIT))
    assert "does not end within 7 s on workload train-1" in error.fact
    assert "timeout in perfwright.toml" in error.hint


def test_another_exit_status_is_named_with_what_the_program_says(make_runs: MakeRuns) -> None:
    error = refused(make_runs(), answer(b"no luck\n", status=2))
    assert "exit status 2 on workload train-1, where 0 is expected" in error.fact
    assert error.cause == "no luck"
    assert "exit = 2" in error.hint


def test_an_expected_exit_status_is_fine(make_runs: MakeRuns) -> None:
    reference, _ = checked(make_runs(oracle=Oracle(exit=2)), answer(status=2))
    assert reference.expected


def test_a_missing_input_is_named(make_runs: MakeRuns) -> None:
    runs = make_runs({"args": ("-v", "data/large.txt")})
    error = refused(runs, RunResult(Outcome.EXITED, status=1))
    assert error.cause.startswith("there is no data/large.txt in ")


def test_a_program_that_changes_its_own_files_is_told_how(make_runs: MakeRuns) -> None:
    said = b"open table: Read-only file system"
    error = refused(make_runs(), RunResult(Outcome.EXITED, status=1, stderr=said))
    assert "oracle.files" in error.hint


def test_a_program_that_prints_nothing_is_a_warning(make_runs: MakeRuns) -> None:
    reference, _ = checked(make_runs(), answer(b""))
    assert "prints nothing" in reference.warnings[0]


def test_a_benchmark_command_may_print_times_but_that_is_said(make_runs: MakeRuns) -> None:
    runs = make_runs({"run": "make bench", "metric": r"time (\S+)"})
    reference, _ = checked(runs, answer(b"time 1.2\n"), answer(b"time 1.3\n"))
    assert not reference.expected["train-1"].output_counts
    assert "only its exit status is compared" in reference.warnings[0]


def test_the_users_own_test_has_to_pass_first(make_runs: MakeRuns) -> None:
    runs = make_runs(oracle=Oracle(test="make check"))
    results = [answer(), answer(), answer(), answer(b"2 of 7 failed\n", status=2)]
    error = refused(runs, *results)
    assert "fails its own test: exit status 2" in error.fact
    assert error.cause == "2 of 7 failed"


@pytest.mark.llvm
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('printf("%p\\n", (void *)&argc);', "addresses"),
        ('puts(getcwd(0, 0));', "the folder in which it runs"),
        ('int x; FILE *f = fopen("/dev/urandom", "r"); fread(&x, 4, 1, f); printf("%d\\n", x);',
         "random numbers"),
    ],
)  # fmt: skip
def test_real_programs_that_vary_are_found_out(
    body: str, kind: str, make_runs: MakeRuns, executor: NativeExecutor, compiled: Compiled
) -> None:
    binary = compiled(
        "#include <stdio.h>\n#include <unistd.h>\n"
        f"int main(int argc, char **argv) {{ {body} return 0; }}\n"
    )
    clock = ScriptedClock(NOW)
    with pytest.raises(ProgramError, match=kind):
        SelfCheck(make_runs(), executor, clock, clock.advance).reference(binary)
