from __future__ import annotations

import pytest

from perfwright.core.evidence import Fact
from perfwright.errors import UserError
from perfwright.evidence.analyses import TripCount
from perfwright.evidence.elf import FunctionSymbol
from perfwright.evidence.functions import FunctionFeatures, Loop, UnitFeatures
from perfwright.evidence.gathered import (
    Evidence,
    Matcher,
    loop_shares,
    put_together,
    with_remarks,
)
from perfwright.evidence.location import Location
from perfwright.evidence.profile import LineShare, Profile, Share
from perfwright.evidence.tally import RemarkCount
from perfwright.units import Bytes


def function(unit: str, name: str, line: int, linkage: str = "external") -> FunctionFeatures:
    return FunctionFeatures(unit, name, Location(unit, line), linkage, False, {})


UNITS = (
    UnitFeatures(
        "src/main.c",
        (
            function("src/main.c", "main", 20),
            function("src/main.c", "step", 5, "internal"),
            function("src/main.c", "atoi", 1, "available_externally"),
            function("src/main.c", "_ZN3geo4areaEi", 30, "linkonce_odr"),
        ),
    ),
    UnitFeatures(
        "src/work.c",
        (
            function("src/work.c", "step", 7, "internal"),
            function("src/work.c", "only", 40, "internal"),
            function("src/work.c", "_ZN3geo4areaEi", 30, "linkonce_odr"),
        ),
    ),
)
MATCHER = Matcher(UNITS, {"_ZN3geo4areaEi": "geo::area(int)"})


def unit_of(symbol: str, unit: str) -> str | None:
    found = MATCHER.of_symbol(symbol, unit)
    return found.unit if found else None


@pytest.mark.parametrize(
    ("symbol", "unit", "expected"),
    [
        ("step", "work.c", "src/work.c"),
        ("step", "main.c", "src/main.c"),
        ("main", "", "src/main.c"),
        ("main.cold", "", "src/main.c"),
        ("only", "ld-temp.o", "src/work.c"),
        ("step", "ld-temp.o", None),
        ("_ZN3geo4areaEi", "", "src/main.c"),
        ("atoi", "", None),
    ],
)
def test_symbols_find_their_unit(symbol: str, unit: str, expected: str | None) -> None:
    assert unit_of(symbol, unit) == expected


def test_lines_find_the_last_function_that_starts_before_them() -> None:
    overloads = UnitFeatures(
        "a.cpp", (function("a.cpp", "_Z4areai", 10), function("a.cpp", "_Z4areaii", 14))
    )
    matcher = Matcher([overloads], {"_Z4areai": "area(int)", "_Z4areaii": "area(int, int)"})
    found = [
        matcher.of_line(LineShare(Location("a.cpp", line), "area", 1.0)) for line in (11, 15, 0)
    ]
    assert [f.name for f in found if f] == ["_Z4areai", "_Z4areaii", "_Z4areai"]


def test_a_function_has_its_shares_sizes_and_counts() -> None:
    profile = Profile(
        "perf",
        shares=(Share("main", "", "", 0.9), Share("main", "", "libc.so.6", 0.1)),
        lines=(LineShare(Location("src/work.c", 9), "step", 0.8),),
        samples=10,
    )
    symbols = [
        FunctionSymbol("main", "", 0, Bytes(100), 1),
        FunctionSymbol("main.cold", "", 200, Bytes(20), 1),
    ]
    functions = put_together(MATCHER, profile, symbols, [("step", "work.c", 7)])
    by_key = {(f.features.unit, f.features.name): f for f in functions}
    main, step = by_key["src/main.c", "main"], by_key["src/work.c", "step"]
    assert (main.share, main.source_share, main.size_bytes) == (0.9, 0.0, 120)
    assert (step.share, step.source_share, step.entries) == (0.0, 0.8, 7)
    assert functions[:2] == (main, step)


def test_readable_names_are_short() -> None:
    functions = put_together(MATCHER, Profile(), ())
    assert "geo::area" in {f.readable for f in functions}


def test_functions_get_what_the_passes_said_of_them() -> None:
    count = RemarkCount("src/work.c", "step", "licm", missed=3)
    functions = with_remarks(put_together(MATCHER, Profile(), ()), [count])
    by_key = {(f.features.unit, f.features.name): f.remarks for f in functions}
    assert by_key["src/work.c", "step"] == (count,)
    assert by_key["src/main.c", "step"] == ()


def test_a_line_counts_for_the_innermost_loop_around_it() -> None:
    def loop(depth: int, first: int, last: int) -> Loop:
        place = "src/work.c"
        return Loop(
            place,
            "step",
            str(depth),
            depth,
            TripCount(),
            Location(place, first),
            Location(place, last),
        )

    outer, inner = loop(1, 8, 20), loop(2, 10, 12)
    lines = tuple(
        LineShare(Location("src/work.c", line), "step", share)
        for line, share in ((9, 0.1), (11, 0.5), (19, 0.2), (25, 0.1), (0, 0.1))
    )
    shares = loop_shares(MATCHER, Profile("perf", lines=lines, samples=10), [outer, inner])
    assert shares == {outer: pytest.approx(0.3), inner: pytest.approx(0.5)}


def test_an_unknown_fact_is_an_error_that_names_the_nearest() -> None:
    evidence = Evidence(facts={"rem-3f2a9c": Fact("rem-3f2a9c", "remark", "licm", "", "")})
    assert evidence.fact("rem-3f2a9c").kind == "remark"
    with pytest.raises(UserError) as caught:
        evidence.fact("rem-3f2a9d")
    assert caught.value.hint == "rem-3f2a9c"
