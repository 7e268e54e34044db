from __future__ import annotations

from collections.abc import Callable

import pytest

from perfwright.evidence.counts import FunctionCounts, parse_profdata, split_name


def test_functions_have_entries_and_what_went_on_inside(case: Callable[[str], str]) -> None:
    assert parse_profdata(case("profdata.txt").splitlines()) == (
        FunctionCounts("adler", "main.c", 20, 5000000),
        FunctionCounts("_ZN3geo4areaEi", "", 256, 0),
        FunctionCounts("encode", "", 10, 41),
    )


@pytest.mark.parametrize(
    ("profile_name", "parts"),
    [
        ("encode.c:encode_sample", ("encode_sample", "encode.c")),
        ("a.cpp;_ZL1fv", ("_ZL1fv", "a.cpp")),
        ("main", ("main", "")),
        ("_ZN1aC2Ev", ("_ZN1aC2Ev", "")),
    ],
)
def test_a_local_functions_file_is_in_front_of_its_name(
    profile_name: str, parts: tuple[str, str]
) -> None:
    assert split_name(profile_name) == parts
