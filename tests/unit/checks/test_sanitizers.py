from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from perfwright.checks.sanitizers import FLAGS, Finding, SanitizerCheck, parse
from perfwright.measure.executor import NativeExecutor
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Outcome, Run, RunResult
from perfwright.measure.workloads import ProgramRuns
from perfwright.testing.executor import ScriptedExecutor, answer
from perfwright.toolchain.discovery import Toolchain
from perfwright.units import Seconds

MakeRuns = Callable[..., ProgramRuns]
Compiled = Callable[..., Path]
ROOT = Path("/p")

UNDEFINED = """\
/p/src/a.c:12:5: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented \
in type 'int'
SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior /p/src/a.c:12:5
b.c:3:1: runtime error: load of misaligned address 0x7ffd01 for type 'int'
"""
ADDRESS = """\
=================================================================
==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x502000000014 at pc 0x55 bp 0x7f
READ of size 4 at 0x502000000014 thread T0
    #0 0x55 in memcpy /build/compiler-rt/lib/x.cpp:1:2
    #1 0x56 in total /p/src/a.c:7:12
    #2 0x57 in main /p/src/a.c:20:3
"""


def reference(runs: ProgramRuns) -> Reference:
    return Reference(
        {w.id: Expected(w, answer(), Seconds(1.0), Seconds(1.0)) for w in runs.spec.workloads}
    )


def test_undefined_behaviour_has_a_place_in_the_programs_folder() -> None:
    assert list(parse(UNDEFINED, ROOT)) == [
        Finding(
            "undefined-behaviour",
            "src/a.c:12:5",
            "signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'",
        ),
        Finding(
            "undefined-behaviour",
            "b.c:3:1",
            "load of misaligned address 0x... for type 'int'",
        ),
    ]


def test_a_bad_access_is_placed_in_the_first_frame_of_the_program() -> None:
    (found,) = parse(ADDRESS, ROOT)
    assert str(found) == "src/a.c:7:12: heap-buffer-overflow: READ of size 4 in total"


def test_a_bad_access_without_symbols_still_counts() -> None:
    (found,) = parse(ADDRESS.replace("    #", "    frame "), ROOT)
    assert str(found) == "somewhere: heap-buffer-overflow: READ of size 4"


def test_ordinary_messages_are_no_findings() -> None:
    assert not list(parse("a.c:3: warning: x\nruntime error: no file\n", ROOT))


def test_each_place_is_reported_once_over_all_train_workloads(make_runs: MakeRuns) -> None:
    runs = make_runs({}, {}, {"role": "confirm"})
    text = RunResult(Outcome.EXITED, stderr=(UNDEFINED * 2).encode())
    executor = ScriptedExecutor(lambda _run, _number: text)
    report = SanitizerCheck(runs, executor, reference(runs)).look(Path("/b"))
    assert len(report.findings) == 2
    assert len(executor.runs) == 2


def test_address_space_is_not_limited_and_leaks_are_not_looked_for(make_runs: MakeRuns) -> None:
    runs = make_runs()
    executor = ScriptedExecutor(lambda _run, _number: answer())
    SanitizerCheck(runs, executor, reference(runs), Path("/llvm-symbolizer")).look(Path("/b"))
    run: Run = executor.runs[0]
    assert not run.limits.address_space
    assert run.limits.wall == 30.0
    assert "detect_leaks=0" in run.env["ASAN_OPTIONS"]
    assert Path("/llvm-symbolizer") in run.exposed


def test_a_workload_that_cannot_run_under_sanitizers_is_named(make_runs: MakeRuns) -> None:
    runs = make_runs()
    executor = ScriptedExecutor(lambda _run, _number: RunResult(Outcome.TIME_LIMIT))
    report = SanitizerCheck(runs, executor, reference(runs)).look(Path("/b"))
    assert report.findings == ()
    assert report.silent == ("workload train-1 under sanitizers: time limit",)


SOURCE = """
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    int big = INT_MAX, *some = malloc(4 * sizeof *some);
    big += argc;
    some[0] = some[argc + 3];
    printf("%d %d\\n", big, some[0] != 0);
    free(some);
    return 0;
}
"""


@pytest.mark.llvm
def test_both_kinds_are_found_in_a_real_program(
    make_runs: MakeRuns, executor: NativeExecutor, compiled: Compiled, toolchain: Toolchain
) -> None:
    runs = make_runs()
    binary = compiled(SOURCE, *FLAGS)
    symbolizer = toolchain.tool("llvm-symbolizer")
    report = SanitizerCheck(runs, executor, reference(runs), symbolizer).look(binary)
    found = {(f.kind, f.where.rpartition("/")[2].partition(":")[2]) for f in report.findings}
    assert ("undefined-behaviour", "7:9") in found
    assert ("heap-buffer-overflow", "8:15") in found
    assert report.silent == ()
