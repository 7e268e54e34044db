from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.errors import UserError
from perfwright.pipeline.places import Place, find, locate_all, outline
from perfwright.pipeline.tree import parse

TREE = parse("globalopt,function<eager-inv>(loop-mssa(licm<no-allowspeculation>,licm),gvn),gvn")


def test_occurrences_count_in_pre_order_and_adaptors_have_places_too() -> None:
    assert [str(each.place) for each in locate_all(TREE)] == [
        *("globalopt#1", "function#1", "loop-mssa#1", "licm#1", "licm#2", "gvn#1", "gvn#2")
    ]


def test_the_outline_numbers_every_place() -> None:
    assert outline(TREE) == (
        "   1  globalopt#1\n"
        "   2  function#1 eager-inv:\n"
        "   3    loop-mssa#1:\n"
        "   4      licm#1 no-allowspeculation\n"
        "   5      licm#2\n"
        "   6    gvn#1\n"
        "   7  gvn#2"
    )


def test_the_outline_may_leave_parameters_out() -> None:
    assert "eager-inv" not in outline(TREE, params=False)


def test_a_place_is_found_by_its_ordinal_and_without_one_when_it_is_unique() -> None:
    located = locate_all(TREE)
    assert find(located, Place("licm", 2)).index == 4
    assert find(located, Place("globalopt")).index == 0


def test_an_ambiguous_place_names_the_choices() -> None:
    with pytest.raises(UserError, match=r"licm#1 \(in loop-mssa#1\), licm#2"):
        find(locate_all(TREE), Place("licm"))


def test_an_ordinal_too_high_names_what_there_is() -> None:
    with pytest.raises(UserError, match="there is no gvn#3") as caught:
        find(locate_all(TREE), Place("gvn", 3))
    assert caught.value.hint == "gvn#2"


def test_an_unknown_place_names_the_nearest() -> None:
    with pytest.raises(UserError) as caught:
        find(locate_all(TREE), Place("gvm", 1))
    assert caught.value.hint == "gvn"


@given(st.from_regex(r"[a-z][a-z-]*", fullmatch=True), st.none() | st.integers(1, 999))
def test_places_print_and_parse(name: str, ordinal: int | None) -> None:
    assert Place.parse(str(Place(name, ordinal))) == Place(name, ordinal)


@pytest.mark.parametrize(
    "text", ["", "licm#", "licm#0", "licm#x", "licm#" + "9" * 5000, "a b", "a(b", "#1"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not a place"):
        Place.parse(text)
