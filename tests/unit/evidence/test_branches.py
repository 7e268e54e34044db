from __future__ import annotations

from collections.abc import Callable

import pytest

from perfwright.evidence.analyses import TripCount
from perfwright.evidence.branches import BranchFact, LoopFact, branch_facts, loop_facts
from perfwright.evidence.coverage import FunctionCoverage, parse_coverage
from perfwright.evidence.functions import Loop
from perfwright.evidence.location import Location, SourceRoot


@pytest.fixture
def coverage(case: Callable[[str], str]) -> tuple[FunctionCoverage, ...]:
    return parse_coverage(case("coverage.json"), SourceRoot("/src/program"))


def loop(start: tuple[int, int], end: tuple[int, int] | None, function: str = "work") -> Loop:
    return Loop(
        "br.c",
        function,
        "header",
        1,
        TripCount(),
        Location("br.c", *start),
        Location("br.c", *end) if end else None,
    )


OUTER, INNER = loop((14, 28), (14, 79)), loop((14, 50), (14, 79))


def test_a_loop_knows_its_iterations_per_entry(coverage: tuple[FunctionCoverage, ...]) -> None:
    (fact,) = loop_facts([INNER], coverage)
    assert (fact.entries, fact.iterations, fact.per_entry) == (16, 128, 8.0)


def test_a_loop_without_an_extent_has_no_counts(coverage: tuple[FunctionCoverage, ...]) -> None:
    (fact,) = loop_facts([loop((16, 4), None)], coverage)
    assert fact.per_entry is None


def test_a_loop_that_never_ran_has_no_average() -> None:
    assert LoopFact(INNER, 0, 0).per_entry is None


def test_a_function_of_that_name_in_another_file_is_not_asked(
    coverage: tuple[FunctionCoverage, ...],
) -> None:
    other = Loop("x.c", "work", "h", 1, TripCount(), Location("x.c", 7, 3), Location("x.c", 11, 3))
    (fact,) = loop_facts([other], coverage)
    assert fact.entries is None


def test_the_most_expensive_loop_comes_first(coverage: tuple[FunctionCoverage, ...]) -> None:
    by_count = loop_facts([OUTER, INNER], coverage)
    assert [fact.loop for fact in by_count] == [INNER, OUTER]
    by_share = loop_facts([OUTER, INNER], coverage, {OUTER: 0.5, INNER: 0.1})
    assert [fact.loop for fact in by_share] == [OUTER, INNER]


def test_conditions_of_loops_are_marked(coverage: tuple[FunctionCoverage, ...]) -> None:
    loops = [loop((5, 3), (6, 5)), loop((7, 3), (11, 3))]
    marked = {b.place.line: b.in_loop for b in branch_facts(coverage, loops)}
    assert marked == {5: True, 7: True, 8: False, 2: False}


def test_branches_that_never_ran_are_left_out(coverage: tuple[FunctionCoverage, ...]) -> None:
    assert all(branch.place.line != 38 for branch in branch_facts(coverage))


@pytest.mark.parametrize(
    ("taken", "not_taken", "bias"),
    [
        (98, 2, "one-sided"),
        (0, 10, "one-sided"),
        (80, 20, "biased"),
        (50, 50, "even"),
        (0, 0, "never ran"),
    ],
)
def test_bias_is_about_the_larger_side(taken: int, not_taken: int, bias: str) -> None:
    assert BranchFact("f", "", Location("a.c", 1, 1), taken, not_taken).bias == bias
