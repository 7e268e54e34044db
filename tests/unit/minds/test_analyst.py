from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from perfwright.core.evidence import Fact, Scalar
from perfwright.evidence.analyses import TripCount
from perfwright.evidence.branches import BranchFact, LoopFact
from perfwright.evidence.disassembly import FunctionCode, InstructionMix
from perfwright.evidence.factbook import FactBook
from perfwright.evidence.facts import add_branches, add_calls, add_code, add_functions, add_loops
from perfwright.evidence.functions import CallEdge, FunctionFeatures, Loop
from perfwright.evidence.gathered import FunctionEvidence
from perfwright.evidence.hotcode import HotFunction, HotLoop
from perfwright.evidence.location import Location
from perfwright.minds.builtin.analyst import RuleAnalyst
from perfwright.minds.builtin.levers import LEVERS
from perfwright.minds.builtin.scorer import ShareScorer
from perfwright.minds.roles import HINT, REMARKS, Diagnosis, Priority

_OWN = ("kind", "id", "source", "where", "text")


def analysed(case: dict[str, Any]) -> list[Diagnosis]:
    """The diagnoses of a case: `hot` says what the scorer thinks of each symbol."""
    facts = []
    for number, given in enumerate(case["facts"]):
        data = {key: value for key, value in given.items() if key not in _OWN}
        fact_id = given.get("id", f"fact-{number}")
        text = given.get("text", f"text of {fact_id}")
        source = given.get("source", "tool")
        facts.append(Fact(fact_id, given["kind"], source, given["where"], text, data))
    priorities = [Priority(symbol, weight, "") for symbol, weight in case["hot"].items()]
    return bottlenecks(RuleAnalyst().analyse(facts, priorities))


def bottlenecks(found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Without hints and groups of remarks, which `test_hints` is about."""
    return [diagnosis for diagnosis in found if diagnosis.kind not in (HINT, REMARKS)]


def test_facts_in_diagnoses_out(analyst_case: dict[str, Any]) -> None:
    found = [[d.kind, d.where, round(d.weight, 6), d.symbol] for d in analysed(analyst_case)]
    assert found == analyst_case["diagnoses"]


def test_every_diagnosis_stands_on_facts_of_its_case(analyst_case: dict[str, Any]) -> None:
    known = {f.get("id", f"fact-{n}") for n, f in enumerate(analyst_case["facts"])}
    for diagnosis in analysed(analyst_case):
        assert set(diagnosis.evidence) <= known
        assert diagnosis.evidence or diagnosis.kind == "many-units"
        assert diagnosis.text
        assert 0 < diagnosis.weight <= 1


def test_every_kind_that_a_lever_listens_to_has_a_case(request: pytest.FixtureRequest) -> None:
    path = request.path.parents[2] / "cases" / "minds" / "analyst.json"
    shown = {kind for case in json.loads(path.read_text()) for kind, *_ in case["diagnoses"]}
    assert {kind for lever in LEVERS for kind in (*lever.calls, *lever.against)} <= shown


def test_the_heaviest_diagnosis_comes_first(hot_facts: tuple[Fact, ...]) -> None:
    weights = [d.weight for d in diagnosed(hot_facts)]
    assert weights == sorted(weights, reverse=True)


def test_the_order_of_the_facts_does_not_matter(hot_facts: tuple[Fact, ...]) -> None:
    expected = diagnosed(hot_facts)
    for seed in range(5):
        shuffled = list(hot_facts)
        random.Random(seed).shuffle(shuffled)
        assert diagnosed(shuffled) == expected


def test_a_refused_call_carries_its_numbers_for_the_lever() -> None:
    data: dict[str, Scalar] = {
        "outcome": "missed",
        "symbol": "outer",
        "callee": "inner",
        "cost": 405,
        "threshold": 250,
    }
    remark = Fact("rem-1", "remark", "inline", "a.c:5:9", "missed: too costly", data)
    (said,) = bottlenecks(RuleAnalyst().analyse([remark], [Priority("outer", 0.5, "")]))
    assert said.data == {"cost": 405.0, "threshold": 250.0}
    assert said.text == "inner is not inlined: cost 405 is over the threshold 250"


def test_of_two_local_functions_with_one_name_the_hotter_counts() -> None:
    loop: dict[str, Scalar] = {"symbol": "step", "innermost": True, "trip_count": 8}
    facts = [Fact("loop-1", "loop", "opt", "a.c:1:1", "a loop", loop)]
    priorities = [Priority("step", 0.75, ""), Priority("step", 0.25, "")]
    assert [d.weight for d in RuleAnalyst().analyse(facts, priorities)] == [0.75]


def test_it_reads_what_the_evidence_writes() -> None:
    """The names of numbers in facts are the contract between the two packages."""
    assert {d.kind for d in diagnosed(tuple(_evidence().facts.values()))} == {
        "branchy-loop",
        "cross-unit-call",
        "even-branch",
        "fixed-count-loop",
        "fixed-count-nest",
        "float-code",
        "hot-function",
        "long-loop",
        "many-units",
        "scalar-loop",
        "selects-in-loop",
        "spills-in-loop",
    }


def diagnosed(facts: tuple[Fact, ...] | list[Fact]) -> tuple[Diagnosis, ...]:
    return tuple(bottlenecks(RuleAnalyst().analyse(facts, ShareScorer().score(facts))))


def _evidence() -> FactBook:
    """Facts about a small program, made by those who make them in earnest."""

    def place(line: int) -> Location:
        return Location("dct.c", line, 3)

    def function(unit: str, name: str, share: float, **properties: int) -> FunctionEvidence:
        features = FunctionFeatures(unit, name, None, "external", False, properties)
        return FunctionEvidence(features, name, share=share, entries=100_000)

    def loop(line: int, trips: int | None, *, innermost: bool = True) -> Loop:
        count = TripCount(exact=trips)
        return Loop("dct.c", "dct", f"b{line}", 1, count, place(line), innermost=innermost)

    book = FactBook()
    dct = function("dct.c", "dct", 0.7, instructions=100, float_operations=30)
    functions = [dct, function("main.c", "main", 0.2, instructions=50)]
    add_functions(book, functions)
    mix = InstructionMix(instructions=40, selects=2, branches=3, stack_accesses=4)
    code = FunctionCode("dct", "x86_64", ())
    add_code(book, [HotFunction(code, 0.7, mix, (HotLoop("dct", 0, 0.5, mix, place(9)),))])
    loops = [
        LoopFact(loop(1, 8, innermost=False)),
        LoopFact(loop(2, 8), share=0.5),
        LoopFact(loop(3, None), entries=10, iterations=9000, share=0.2),
    ]
    add_loops(book, loops)
    add_branches(book, [BranchFact("dct", "dct.c", place(4), 500, 500)])
    add_calls(book, [CallEdge("main.c", "main", "dct", 1, 1, place(5))], functions)
    return book
