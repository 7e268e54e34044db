from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perfwright.errors import ToolchainError
from perfwright.evidence.coverage import FunctionCoverage, parse_coverage, run_instrumented
from perfwright.evidence.location import Location, SourceRoot
from perfwright.toolchain.process import run


@pytest.fixture
def work(case: Callable[[str], str]) -> FunctionCoverage:
    return parse_coverage(case("coverage.json"), SourceRoot("/src/program"))[0]


def test_local_functions_have_their_unit(case: Callable[[str], str]) -> None:
    found = parse_coverage(case("coverage.json"), SourceRoot("/src/program"))
    assert [(f.name, f.unit, f.file, f.entries) for f in found] == [
        ("work", "", "br.c", 1),
        ("step", "br.c", "br.c", 7),
    ]


@pytest.mark.parametrize(
    ("why", "start", "end", "body"),
    [
        ("empty statement", (5, 3), (6, 5), 50),
        ("early return inside", (7, 3), (11, 3), 50),
        ("loop in a macro", (12, 3), (12, 24), 50),
        ("outer of two that end together", (14, 28), (14, 79), 16),
        ("inner of two that end together", (14, 50), (14, 79), 128),
        ("do ... while", (20, 3), (20, 42), 9),
    ],
)
def test_the_body_of_a_loop_is_found(
    work: FunctionCoverage, why: str, start: tuple[int, int], end: tuple[int, int], body: int
) -> None:
    region = work.loop_body(start, end)
    assert region is not None, why
    assert region.count == body


def test_a_loop_is_entered_as_often_as_the_code_around_it_runs(work: FunctionCoverage) -> None:
    assert work.count_at((7, 3)) == 1
    assert work.count_at((14, 50)) == 16
    assert work.count_at((99, 1)) is None


def test_branches_in_macros_are_placed_in_the_macro(work: FunctionCoverage) -> None:
    places = [branch.place for branch in work.branches]
    assert Location("br.h", 2, 31) in places


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"data": 1}'])
def test_what_is_no_coverage_is_an_error(text: str) -> None:
    with pytest.raises(ToolchainError):
        parse_coverage(text)


def test_a_program_that_writes_no_counters_is_an_error(
    tmp_path: Path, scripted: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    tools = scripted({})
    with pytest.raises(ToolchainError) as caught:
        run_instrumented(
            Path("a.out"), lambda *_, **__: answer(status=-11), tmp_path, tools, tools.run
        )
    assert "SIGSEGV" in caught.value.cause


@pytest.mark.llvm
def test_real_counters_are_exact(tiny: Any, tmp_path: Path, program: Callable[..., Any]) -> None:
    if tiny.instrumented is None:
        pytest.skip("this LLVM has no profile runtime")
    counters = run_instrumented(
        tiny.instrumented, program(("40",)), tmp_path, tiny.toolchain, run, root=tiny.root
    )
    entries = {(f.name, f.unit): f.entries for f in counters.functions}
    assert entries["step", "work.c"] == 40
    assert entries["step", "main.c"] == 5
    step = next(f for f in counters.coverage if f.unit == "work.c")
    body = step.loop_body((9, 5), (15, 5))
    assert body is not None
    assert (step.count_at((9, 5)), body.count) == (40, 640)
