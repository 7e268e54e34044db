from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perfwright.evidence.factbook import (
    FactBook,
    count_of,
    function_id,
    location_id,
    percent,
    plural,
)


def test_a_second_fact_with_an_id_gets_a_number() -> None:
    book = FactBook()
    for _ in range(3):
        book.add("rem-1", "remark", "licm", "", "text")
    assert list(book.facts) == ["rem-1", "rem-1#2", "rem-1#3"]
    assert [fact.id for fact in book.facts.values()] == list(book.facts)


def test_what_is_not_known_is_not_in_the_data() -> None:
    book = FactBook()
    book.add("a", "loop", "opt", "", "text", entries=None, depth=1)
    assert book.facts["a"].data == {"depth": 1}


def test_a_c_function_is_named_in_its_id_and_a_cpp_one_has_a_hash() -> None:
    assert function_id("fun", "src/main.c", "encode", "encode") == "fun-main.c:encode"
    one = function_id("fun", "a.cpp", "_ZN3geo4areaEi", "geo::area")
    other = function_id("fun", "a.cpp", "_ZN3geo4areaEii", "geo::area")
    assert one.startswith("fun-a.cpp:geo::area-")
    assert one != other


@given(st.lists(st.text(max_size=5), max_size=4))
def test_an_id_depends_on_the_place_only(where: list[str]) -> None:
    assert location_id("rem", *where) == location_id("rem", *where)
    assert len(location_id("rem", *where)) == len("rem-123456")


def test_numbers_are_put_in_words() -> None:
    assert [percent(share) for share in (0.1234, 0.0001, 0.0)] == ["12.3 %", "<0.1 %", "0.0 %"]
    assert [count_of(n, "branch") for n in (0, 1, 2)] == ["0 branches", "1 branch", "2 branches"]
    assert plural("stack access") == "stack accesses"
