from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from perfwright.core.evidence import Fact
from perfwright.evidence.factbook import FactBook
from perfwright.evidence.location import Location
from perfwright.evidence.remarkdiff import add_remark_diff
from perfwright.evidence.remarks import Remark
from perfwright.evidence.tally import RemarkGroup, RemarkSummary

UNROLLED = Remark(
    "passed", "loop-unroll", "PartialUnrolled", "dct", Location("dct.c", 88, 5),
    "unrolled loop by a factor of 4", {"unroll_count": 4},
)  # fmt: skip
INLINED = Remark(
    "passed", "inline", "Inlined", "dct", Location("dct.c", 90, 5),
    "'f' inlined into 'dct' with (cost=5, threshold=250) at callsite dct:2:5;",
    {"callee": "f", "caller": "dct", "cost": 5, "threshold": 250},
)  # fmt: skip
SPILLED = Remark(
    "missed", "regalloc", "SpillReloadCopies", "dct", Location("dct.c", 80, 1),
    "3 spills 1.4e+02 total spills cost generated in function",
    {"num_spills": 3, "total_spills_cost": 140.0},
)  # fmt: skip
UNMOVED = replace(UNROLLED, kind="missed", pass_name="licm", message="load not moved", values={})
EMITTED = Remark("analysis", "asm-printer", "InstructionCount", "dct", None, "9 instructions")
MISSED = replace(UNROLLED, kind="missed", message="unable to unroll")


def summary(remarks: Iterable[Remark], merged: Iterable[str] = ()) -> RemarkSummary:
    groups = tuple(RemarkGroup("dct.c", remark, 1) for remark in remarks)
    return RemarkSummary(groups, merged=frozenset(merged))


def diff(before: Iterable[Remark], after: Iterable[Remark], hot: Sequence[str] = ()) -> list[Fact]:
    book = FactBook()
    add_remark_diff(book, summary(before), summary(after), hot)
    return list(book.facts.values())


def remark_diff(
    before: Iterable[Remark], after: Iterable[Remark], hot: Sequence[str] = ()
) -> list[str]:
    return [fact.text for fact in diff(before, after, hot)]


def test_remarks_that_are_new_or_gone_are_told() -> None:
    assert remark_diff([INLINED], [UNROLLED]) == [
        "dct at dct.c:90:5: no longer 'f' inlined into 'dct'",
        "dct at dct.c:88:5: now unrolled loop by a factor of 4",
    ]


def test_a_fact_says_what_changed_where_in_its_data_too() -> None:
    (fact,) = diff([], [UNROLLED])
    assert (fact.kind, fact.source, fact.where) == ("diff", "loop-unroll", "dct.c:88:5")
    assert fact.data["change"] == "appeared"
    assert (fact.data["symbol"], fact.data["unit"]) == ("dct", "dct.c")


def test_another_unroll_count_is_a_change() -> None:
    by_8 = replace(UNROLLED, message="unrolled loop by a factor of 8", values={"unroll_count": 8})
    assert remark_diff([UNROLLED], [by_8]) == [
        "dct at dct.c:88:5: now unrolled loop by a factor of 8 "
        "(before: unrolled loop by a factor of 4)"
    ]


def test_another_cost_of_what_is_inlined_anyway_is_none() -> None:
    cheaper = replace(INLINED, message=INLINED.message.replace("5,", "-9,"))
    cheaper = replace(cheaper, values={**INLINED.values, "cost": -9})
    assert remark_diff([INLINED], [cheaper]) == []


def test_more_spills_are_a_change_told_in_counts() -> None:
    many = replace(SPILLED, values={"num_spills": 61, "num_reloads": 4})
    assert remark_diff([SPILLED], [many]) == ["dct at dct.c:80:1: spills 3 -> 61, reloads 0 -> 4"]


def test_spills_that_only_cost_less_are_none() -> None:
    cheaper = replace(SPILLED, values={"num_spills": 3, "total_spills_cost": 9.0})
    assert remark_diff([SPILLED], [cheaper]) == []


def test_an_allocator_that_only_copies_is_nothing_to_tell() -> None:
    copies = {"num_vr_copies": 2, "total_copies_cost": 20.1}
    copied = replace(SPILLED, message="2 virtual registers copies", values=copies)
    none = replace(SPILLED, message="0 spills", values={"num_spills": 0})
    assert remark_diff([], [copied]) == []
    assert remark_diff([copied], [none]) == []
    assert remark_diff([copied], [SPILLED]) == ["dct at dct.c:80:1: spills 0 -> 3"]


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        ((), ("dct.c",), "(per unit before, with the whole program now)"),
        (("dct.c",), (), "(with the whole program before, per unit now)"),
    ],
)
def test_between_a_unit_and_the_whole_program_only_what_became_of_the_code_is_compared(
    before: Sequence[str], after: Sequence[str], note: str
) -> None:
    book = FactBook()
    add_remark_diff(
        book,
        summary([EMITTED, MISSED], before),
        summary([EMITTED, INLINED, SPILLED, UNMOVED], after),
    )
    assert {fact.text for fact in book.facts.values()} == {
        f"dct at dct.c:80:1: spills 0 -> 3 {note}",
        f"dct at dct.c:90:5: now 'f' inlined into 'dct' {note}",
    }


def test_what_the_whole_program_misses_in_both_is_compared() -> None:
    book = FactBook()
    add_remark_diff(book, summary([], ["dct.c"]), summary([UNMOVED], ["dct.c"]))
    assert [fact.text for fact in book.facts.values()] == [
        "dct at dct.c:88:5: now missed: load not moved"
    ]


def test_what_is_said_of_functions_with_the_same_code_is_not_told() -> None:
    book = FactBook()
    other = replace(UNROLLED, function="idct.llvm.7", place=Location("dct.c", 1, 1))
    add_remark_diff(book, summary([]), summary([UNROLLED, other]), same_code={"idct"})
    assert [fact.data["symbol"] for fact in book.facts.values()] == ["dct"]


def test_spills_that_went_with_the_whole_function_are_not_told() -> None:
    """Their like is among those of the function that it was inlined into."""
    other = replace(SPILLED, function="main")
    assert remark_diff([SPILLED, other], [other]) == []


def test_analysis_remarks_are_no_consequences() -> None:
    assert remark_diff([], [replace(UNROLLED, kind="analysis")]) == []


def test_things_done_come_before_things_missed() -> None:
    missed = replace(MISSED, function="aaa")
    assert [text.split(":")[0] for text in remark_diff([], [missed, UNROLLED])] == [
        "dct at dct.c",
        "aaa at dct.c",
    ]


def test_what_is_now_done_is_not_told_as_no_longer_missed_too() -> None:
    assert len(remark_diff([MISSED], [UNROLLED])) == 1


def test_what_is_still_missed_for_another_reason_is_nothing_to_tell() -> None:
    assert remark_diff([MISSED], [replace(MISSED, message="will not unroll")]) == []


def test_a_pass_that_no_longer_runs_is_not_said_to_miss_nothing() -> None:
    assert remark_diff([MISSED, INLINED], [INLINED]) == []


def test_what_inlining_took_into_another_function_is_no_change() -> None:
    assert remark_diff([UNROLLED], [replace(UNROLLED, function="main")]) == []


def test_the_same_in_many_places_is_one_fact() -> None:
    places = [replace(UNROLLED, place=Location("dct.c", line, 1)) for line in (10, 20, 30)]
    assert remark_diff([], places) == [
        "dct at dct.c:10:1 and 2 more places: now unrolled loop by a factor of 4"
    ]


def test_only_hot_functions_are_told_of_the_hottest_first() -> None:
    remarks = [replace(UNROLLED, function=name) for name in ("cold", "warm", "hot")]
    placed = [replace(r, place=Location("dct.c", n, 1)) for n, r in enumerate(remarks, 1)]
    assert [fact.data["symbol"] for fact in diff([], placed, ["hot", "warm"])] == ["hot", "warm"]


def test_a_function_that_hot_code_was_inlined_into_is_hot_and_that_comes_first() -> None:
    host = replace(UNROLLED, function="main")
    inlined = replace(INLINED, function="main", values={"callee": "dct", "caller": "main"})
    cold = replace(UNROLLED, function="cold", place=Location("dct.c", 1, 1))
    said = diff([], [cold, host, inlined], ["dct"])
    assert [(fact.source, fact.data["symbol"]) for fact in said] == [
        ("inline", "main"),
        ("loop-unroll", "main"),
    ]
