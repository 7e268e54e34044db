from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from perfwright.core.evidence import Fact
from perfwright.minds.builtin.scorer import ShareScorer, number

Facts = Callable[..., Fact]


def test_functions_are_ranked(scorer_case: dict[str, Any], function_fact: Facts) -> None:
    facts = []
    for data in scorer_case["functions"]:
        rest = {key: value for key, value in data.items() if key != "symbol"}
        facts.append(function_fact(data["symbol"], **rest))
    found = [[p.symbol, round(p.weight, 6)] for p in ShareScorer().score(facts)]
    assert found == scorer_case["ranking"]


def test_the_ranking_does_not_depend_on_the_order_of_the_facts(function_fact: Facts) -> None:
    facts = [function_fact(f"f{number}", share=0.05 + number % 3 / 50) for number in range(12)]
    expected = ShareScorer().score(facts)
    for seed in range(5):
        random.Random(seed).shuffle(facts)
        assert ShareScorer().score(facts) == expected


def test_only_the_top_functions_are_looked_at(function_fact: Facts) -> None:
    facts = [function_fact(f"f{number:02}", share=0.04) for number in range(20)]
    assert [p.symbol for p in ShareScorer(top=3).score(facts)] == ["f00", "f01", "f02"]


def test_a_priority_cites_its_function_and_says_why(function_fact: Facts) -> None:
    (measured,) = ShareScorer().score([function_fact("work", share=0.815)])
    assert measured.evidence == ("fun-main.c:work",)
    assert measured.reason == "82 % of the run time"
    (guessed,) = ShareScorer().score([function_fact("work", instructions=10)])
    assert "no profile" in guessed.reason


def test_other_facts_are_no_functions() -> None:
    loop = Fact("loop-1", "loop", "opt", "main.c:3", "a loop", {"symbol": "work", "share": 0.9})
    assert not ShareScorer().score([loop])


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3.0), (0.5, 0.5), (True, 1.0), ("12", -1.0), (None, -1.0)]
)
def test_what_is_no_number_counts_as_the_default(value: Any, expected: float) -> None:
    data = {} if value is None else {"key": value}
    assert number(data, "key", -1.0) == expected
