from __future__ import annotations

from collections.abc import Callable

import pytest

from perfwright.evidence.analyses import Analyses, LoopBlocks, TripCount, parse_analyses


@pytest.fixture
def analyses(case: Callable[[str], str]) -> Analyses:
    return parse_analyses(case("analyses.txt"))


def test_properties_are_counts_by_name(analyses: Analyses) -> None:
    assert analyses.properties["fixed"]["TotalInstructionCount"] == 20
    assert analyses.properties["main"]["BasicBlockCount"] == 15


def test_nested_loops_know_their_parent(analyses: Analyses) -> None:
    assert analyses.loops["fixed"] == (
        LoopBlocks(".preheader", 1, ("10",), (".preheader", "10", "2")),
        LoopBlocks("2", 2, ("2",), ("2",), parent=".preheader"),
    )


def test_sibling_loops_have_no_parent(analyses: Analyses) -> None:
    assert [loop.parent for loop in analyses.loops["main"]] == ["", ""]


def test_quoted_block_names_are_unquoted(analyses: Analyses) -> None:
    assert analyses.loops["main"][1].header == "odd name"


def test_a_constant_count_is_one_more_than_the_times_it_goes_back(analyses: Analyses) -> None:
    assert analyses.trips["fixed"]["2"] == TripCount(8, 8, 8, computable=True)


def test_a_computable_count_may_have_a_limit(analyses: Analyses) -> None:
    assert analyses.trips["fixed"][".preheader"] == TripCount(None, 100, 4, computable=True)


def test_a_limit_that_is_only_the_range_of_the_type_is_none(analyses: Analyses) -> None:
    assert analyses.trips["main"]["14"].limit is None


def test_an_unpredictable_loop_is_not_computable(analyses: Analyses) -> None:
    assert analyses.trips["main"].get("odd name", TripCount()) == TripCount()


def test_an_empty_function_has_no_loops(analyses: Analyses) -> None:
    assert analyses.loops["empty"] == ()
    assert analyses.trips["empty"] == {}


def test_no_text_is_no_analyses() -> None:
    assert parse_analyses("") == Analyses()
