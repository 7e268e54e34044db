from __future__ import annotations

import pytest

from perfwright.errors import UserError, shortened, unknown_name

MANY = [f"name{number:03}" for number in range(200)]


def told(error: UserError) -> tuple[str, str, str]:
    return error.fact, error.cause, error.hint


def test_an_unknown_name_lists_all_of_a_few_the_nearest_first() -> None:
    expected = ("unknown pass 'licmm'", "known: licm, gvn", "licm")
    assert told(unknown_name("pass", "licmm", ["gvn", "licm"])) == expected


def test_of_many_names_the_nearest_are_listed_and_all_are_counted() -> None:
    error = unknown_name("place", "name0077", MANY, limit=2)
    assert error.cause == "known: name077, name007, ... (200 in all)"
    assert error.hint == "name077"


def test_a_name_like_none_of_many_lists_none_but_says_where_they_are() -> None:
    expected = ("unknown pass 'x'", "none of 200 is like it", "list them")
    assert told(unknown_name("pass", "x", MANY, everything="list them")) == expected


def test_a_name_like_none_of_a_few_lists_them_all_the_same() -> None:
    error = unknown_name("pass", "x", ["gvn", "licm"], everything="list them")
    assert (error.cause, error.hint) == ("known: gvn, licm", "")


def test_only_what_is_near_is_proposed() -> None:
    assert unknown_name("campaign", "qsort-ab12cd", ["qsort-99ffee"]).hint == ""
    assert unknown_name("campaign", "words", ["qsort-99ffee"]).hint == ""
    assert unknown_name("level", "pipelin", ["pipeline"]).hint == "pipeline"


def test_a_long_name_is_not_quoted_in_full() -> None:
    assert unknown_name("pass", "x" * 1000, []).fact == f"unknown pass '{'x' * 77}...'"


@pytest.mark.parametrize(("length", "kept"), [(80, 80), (81, 77)])
def test_texts_of_others_are_cut_at_eighty_characters(length: int, kept: int) -> None:
    assert shortened("x" * length).rstrip(".") == "x" * kept
