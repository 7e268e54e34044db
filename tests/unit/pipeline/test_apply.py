from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from perfwright.errors import UserError
from perfwright.pipeline.apply import (
    Settings,
    apply_passes,
    pass_edits,
    settings,
    units,
    with_param,
)
from perfwright.pipeline.edits import EditError, LinkMode, PipelineEdit, parse_edit
from perfwright.pipeline.tree import Param, Pipeline, parse
from perfwright.pipeline.vocabulary import Vocabulary


def edits(*texts: str) -> tuple[PipelineEdit, ...]:
    return tuple(parse_edit(text) for text in texts)


def applied(texts: list[str], base: str, vocabulary: Vocabulary) -> str:
    return str(apply_passes(pass_edits(edits(*texts)), parse(base), vocabulary))


def test_edits_of_passes(edits_case: dict[str, Any], vocabulary: Vocabulary) -> None:
    case = edits_case
    if "edited" in case:
        assert applied(case["edits"], case["base"], vocabulary) == case["edited"]
        return
    with pytest.raises(UserError) as caught:
        applied(case["edits"], case["base"], vocabulary)
    assert case["refused"] in caught.value.fact


def test_no_edits_leave_the_pipeline_as_it_is(o3: Pipeline, vocabulary: Vocabulary) -> None:
    assert apply_passes([], o3, vocabulary) == o3


def test_edits_of_different_places_mean_the_same_in_any_order(
    o3: Pipeline, vocabulary: Vocabulary
) -> None:
    texts = (
        *("remove licm#1", "insert dse after gvn#1", "move slp-vectorizer#1 before bdce#1"),
        *("repeat sccp#1 x2", "set licm#2 no-allowspeculation"),
    )
    results = {
        str(apply_passes(pass_edits(edits(*order)), o3, vocabulary))
        for order in permutations(texts)
    }
    assert len(results) == 1


def test_an_edit_for_a_unit_goes_before_one_for_all() -> None:
    both = edits("option inline-threshold=300", "option in a.c: inline-threshold=400")
    assert settings(both).options == (("inline-threshold", "300"),)
    assert settings(both, "a.c").options == (("inline-threshold", "400"),)
    assert settings(reversed(both), "a.c").options == (("inline-threshold", "400"),)
    assert settings(both, "b.c").options == (("inline-threshold", "300"),)


def test_settings_are_sorted_and_each_once() -> None:
    found = settings(
        edits("flag -fno-vectorize", "option b=2", "option a=1", "option b=2", "link whole-program")
    )
    assert found == Settings((("a", "1"), ("b", "2")), ("-fno-vectorize",), LinkMode.WHOLE_PROGRAM)
    assert found.mllvm() == ("-a=1", "-b=2")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("option a=1", "option a=2"),
        ("flag -fvectorize", "flag -fno-vectorize"),
        ("flag -falign-loops=16", "flag -falign-loops=32"),
        ("link whole-program", "link per-unit"),
        ("option in u.c: a=1", "option in u.c: a=2"),
    ],
)
def test_two_values_for_one_thing_contradict_each_other(first: str, second: str) -> None:
    with pytest.raises(EditError, match="contradict each other"):
        settings(edits(first, second), "u.c")


def test_edits_of_passes_are_those_for_all_and_for_the_unit() -> None:
    three = edits("remove gvn#1", "remove in a.c: dse#1", "remove in b.c: sccp#1", "option a=1")
    assert [str(edit) for edit in pass_edits(three, "a.c")] == [
        "remove gvn#1",
        "remove in a.c: dse#1",
    ]
    assert units(three) == ("a.c", "b.c")


def test_a_parameter_is_added_before_the_trailing_empty_one() -> None:
    params = with_param((Param("a"), Param("")), Param("b"))
    assert [str(param) for param in params] == ["a", "b", ""]
