"""What the built-in analyst says of names and of counts of remarks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from perfwright.core.evidence import Fact
from perfwright.minds.builtin.analyst import RuleAnalyst
from perfwright.minds.roles import HINT, REMARKS, Diagnosis, Priority


def said(kind: str, *facts: Fact, hot: str = "work") -> list[Diagnosis]:
    found = RuleAnalyst().analyse(facts, [Priority(hot, 0.9, "")])
    return [diagnosis for diagnosis in found if diagnosis.kind == kind]


def remark(fact_id: str, **data: Any) -> Fact:
    values = {"symbol": "work", "outcome": "missed", "name": "NotPossible", **data}
    return Fact(fact_id, "remark", "slp-vectorizer", "a.c:1:1", "missed", values)


@pytest.mark.parametrize(
    ("symbol", "what"),
    [
        ("quick_sort", "sorting"),
        ("crc32_update", "a checksum or a hash"),
        ("_Z9smooth_2dPf", "a stencil or a filter"),
        ("next_state", "parsing, a state machine"),
    ],
)
def test_a_telling_name_is_a_hint_that_says_it_is_one(
    function_fact: Callable[..., Fact], symbol: str, what: str
) -> None:
    (hint,) = said(HINT, function_fact(symbol), hot=symbol)
    assert hint.text == f"{what}, by its name"
    assert (hint.symbol, hint.evidence) == (symbol, (f"fun-main.c:{symbol}",))


def test_a_name_that_says_nothing_gives_no_hint(function_fact: Callable[..., Fact]) -> None:
    assert said(HINT, function_fact("work")) == []


def test_functions_that_do_not_matter_get_no_hint(function_fact: Callable[..., Fact]) -> None:
    assert said(HINT, function_fact("quick_sort")) == []


def test_remarks_are_counted_by_pass_outcome_and_name() -> None:
    facts = [remark("rem-1", count=3), remark("rem-2"), remark("rem-3", name="NotBeneficial")]
    groups = said(REMARKS, *facts, remark("rem-4", symbol="cold"))
    assert [(g.data["category"], g.data["count"], g.evidence) for g in groups] == [
        ("slp-vectorizer missed NotPossible", 4, ("rem-1", "rem-2")),
        ("slp-vectorizer missed NotBeneficial", 1, ("rem-3",)),
    ]


def test_hints_and_groups_come_after_what_is_wrong(hot_facts: tuple[Fact, ...]) -> None:
    kinds = [d.kind for d in RuleAnalyst().analyse(hot_facts, [Priority("main", 0.9, "")])]
    assert REMARKS in kinds
    assert kinds == sorted(kinds, key=lambda kind: kind in (HINT, REMARKS))
