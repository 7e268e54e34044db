"""Finding one function in a module's text, and what changed in its code."""

from __future__ import annotations

import pytest

from perfwright.app.inside.builds import code_changes, function_of, function_text
from perfwright.core.evidence import Fact
from perfwright.errors import UserError

MODULE = """\
declare i32 @puts(ptr)

define internal i32 @helper(i32 %0) #0 {
  ret i32 %0
}

define i32 @"odd name"() {
  %1 = call i32 @helper(i32 1)
  ret i32 %1
}
"""


@pytest.mark.parametrize(("symbol", "lines"), [("helper", 3), ("odd name", 4)])
def test_a_function_is_found_by_its_symbol(symbol: str, lines: int) -> None:
    text = function_text(MODULE, symbol)

    assert text.startswith("define ")
    assert len(text.splitlines()) == lines


@pytest.mark.parametrize("symbol", ["puts", "help", "gone"])
def test_what_is_not_defined_is_not_found(symbol: str) -> None:
    with pytest.raises(UserError, match="is not there"):
        function_text(MODULE, symbol)


def test_only_what_changed_is_shown_with_a_little_around_it() -> None:
    before = tuple(f"op {n}" for n in range(20))
    after = (*before[:10], "new", *before[11:])

    assert code_changes(before, after) == (
        *("@@ -9,5 +9,5 @@", " op 8", " op 9", "-op 10", "+new", " op 11", " op 12"),
    )
    assert code_changes(before, before) == ()


def test_the_unit_of_a_function_is_among_the_facts() -> None:
    fact = Fact("fun-f", "function", "opt", "a.c:1", "f", {"symbol": "f", "unit": "a.c"})

    assert function_of((fact,), "f") == ("a.c", "f")
    with pytest.raises(UserError, match="unknown function 'g'"):
        function_of((fact,), "g")


def test_functions_of_one_name_are_told_apart_by_their_units() -> None:
    facts = [
        Fact(f"fun-{unit}", "function", "opt", unit, "f", {"symbol": "f", "unit": unit})
        for unit in ("a.c", "b/c.c")
    ]

    assert function_of(facts, "b/c.c:f") == ("b/c.c", "f")
    with pytest.raises(UserError, match="2 units define a f") as caught:
        function_of(facts, "f")
    assert caught.value.cause == "a.c:f, b/c.c:f"
