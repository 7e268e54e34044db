from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from perfwright.core.evidence import Fact
from perfwright.evidence.analyses import TripCount
from perfwright.evidence.branches import BranchFact, LoopFact
from perfwright.evidence.disassembly import FunctionCode, InstructionMix
from perfwright.evidence.facts import facts_of
from perfwright.evidence.functions import CallEdge, FunctionFeatures, Loop
from perfwright.evidence.gathered import Evidence, FunctionEvidence
from perfwright.evidence.hotcode import HotFunction, HotLoop
from perfwright.evidence.location import Location
from perfwright.evidence.mca import Throughput
from perfwright.evidence.profile import LineShare, Profile, Share
from perfwright.evidence.remarks import Remark, RemarkKind
from perfwright.evidence.tally import RemarkGroup, RemarkSummary
from perfwright.units import Bytes

LOOP = Loop(
    "dct.c",
    "dct",
    "8",
    2,
    TripCount(8, 8, 8, computable=True),
    Location("dct.c", 88, 5),
    Location("dct.c", 92, 5),
    calls=1,
)


def function(name: str, unit: str = "dct.c", **facts: Any) -> FunctionEvidence:
    properties = {"instructions": 96, "loops": 2, "calls": 0}
    features = FunctionFeatures(unit, name, Location(unit, 80), "external", False, properties)
    return FunctionEvidence(features, name, **facts)


def remark(kind: RemarkKind, message: str, **more: Any) -> RemarkGroup:
    made = Remark(kind, "loop-vectorize", "Name", "dct", Location("dct.c", 88, 5), message)
    return RemarkGroup("dct.c", replace(made, **more), 2)


def facts(**parts: Any) -> list[Fact]:
    """The facts of an evidence of these parts, without the one about the profile's method."""
    return list(facts_of(Evidence(**parts)).values())[1:]


def only(**parts: Any) -> Fact:
    (fact,) = facts(**parts)
    return fact


def test_without_a_profile_the_first_fact_says_why() -> None:
    found = facts_of(Evidence(profile=Profile(reason="perf: not there")))
    assert found["prof-method"].text == "no profile: perf: not there"


def test_a_function_is_told_with_its_share() -> None:
    fact = only(functions=(function("dct", share=0.25, size_bytes=Bytes(300), entries=7),))
    assert fact.id == "fun-dct.c:dct"
    assert fact.kind == "function"
    assert fact.where == "dct.c:80"
    assert (
        fact.text
        == "dct in dct.c: 25.0 % of the run time, entered 7 times, 96 instructions, 2 loops"
    )
    assert fact.data["size_bytes"] == 300
    assert "address_taken" in fact.data


def test_cold_functions_of_system_headers_are_no_facts() -> None:
    features = FunctionFeatures(
        "a.cpp", "_ZSt3maxi", Location("/usr/include/c++/algo.h", 3), "linkonce_odr", False
    )
    cold, hot = FunctionEvidence(features, "std::max"), FunctionEvidence(features, "std::max", 0.1)
    assert facts(functions=(cold,)) == []
    assert len(facts(functions=(hot,))) == 1


def test_a_missed_remark_is_told_with_its_cause() -> None:
    cause = "call instruction cannot be vectorized"
    missed = only(remarks=RemarkSummary((remark("missed", "loop not vectorized", cause=cause),)))
    assert missed.text == (
        "missed: loop not vectorized (call instruction cannot be vectorized) (x2)"
    )
    assert missed.data["cause"] == "call instruction cannot be vectorized"


def test_the_numbers_of_a_remark_are_data() -> None:
    values = {"vectorization_factor": 4, "kind": "x"}
    fact = only(remarks=RemarkSummary((remark("passed", "vectorized loop", values=values),)))
    assert fact.data["vectorization_factor"] == 4
    assert fact.data["remark_kind"] == "x"
    assert fact.data["outcome"] == "passed"
    assert fact.source == "loop-vectorize"


def test_the_id_of_a_remark_does_not_change_with_its_numbers() -> None:
    ids = {only(remarks=RemarkSummary((remark("passed", f"unrolled by {n}"),))).id for n in (2, 4)}
    assert len(ids) == 1


def test_costs_are_printed_readably() -> None:
    fact = only(remarks=RemarkSummary((remark("missed", "4.250000e+01 total reloads cost"),)))
    assert fact.text.startswith("missed: 42.5 total")


def test_a_loop_says_how_often_it_runs() -> None:
    fact = only(loops=(LoopFact(LOOP, 100, 800, 0.3),))
    assert fact.id == "loop-dct.c:88:5"
    assert fact.text == (
        "innermost loop in dct, depth 2, 30.0 % of the run time, 8 iterations each of 100 times "
        "it is entered, always 8 iterations, 1 call inside"
    )
    assert fact.data["per_entry"] == 8.0


def test_branches_that_matter_are_told_and_loop_conditions_are_not() -> None:
    hot = BranchFact("lz", "", Location("lz.c", 120, 9), 98, 2)
    condition = BranchFact("lz", "", Location("lz.c", 118, 9), 990, 10, in_loop=True)
    rare = BranchFact("lz", "", Location("lz.c", 4, 9), 0, 1)
    branches = (condition, hot, replace(rare, taken=0, not_taken=0))
    fact = only(branches=branches)
    assert fact.id == "br-lz.c:120:9"
    assert fact.text == "branch in lz: one-sided, true 98.0 % of 100 times"


@pytest.mark.parametrize(("share", "told"), [(0.5, True), (0.0, False)])
def test_hot_calls_into_other_units_are_told(share: float, told: bool) -> None:
    functions = (function("dct", share=share), function("clamp", "util.c", entries=1000))
    calls = (CallEdge("dct.c", "dct", "clamp", 2, 1, Location("dct.c", 90, 3)),)
    found = [fact for fact in facts(functions=functions, calls=calls) if fact.kind == "call"]
    assert bool(found) is told
    if told:
        assert found[0].text == (
            "dct calls clamp in a loop of depth 2; it is defined in another unit, util.c: "
            "96 instructions, entered 1000 times"
        )


def test_calls_that_hardly_ever_happen_are_not_told() -> None:
    functions = (
        function("dct", share=0.5),
        function("busy", entries=1_000_000),
        function("once", "util.c", entries=1),
    )
    found = facts(functions=functions, calls=(CallEdge("dct.c", "dct", "once", 0, 1),))
    assert {fact.kind for fact in found} == {"function"}


def test_calls_inside_a_unit_are_left_to_the_inliner() -> None:
    functions = (function("dct", share=0.5), function("clamp"))
    found = facts(functions=functions, calls=(CallEdge("dct.c", "dct", "clamp", 2, 1),))
    assert {fact.kind for fact in found} == {"function"}


def test_a_function_has_its_callees_and_which_of_them_it_calls_in_loops() -> None:
    functions = (function("dct", share=0.5), function("clamp"), function("init"))
    calls = (
        CallEdge("dct.c", "dct", "clamp", 0, 1),
        CallEdge("dct.c", "dct", "clamp", 2, 1),
        CallEdge("dct.c", "dct", "init", 0, 1),
        CallEdge("dct.c", "dct", "printf", 0, 1),
    )
    found = facts(functions=functions, calls=calls)
    assert found[0].data["callees"] == "clamp*, init"
    assert "callees" not in found[1].data or found[1].data["callees"] is None


def test_hot_calls_through_pointers_are_told() -> None:
    found = facts(
        functions=(function("sort", share=0.5),), calls=(CallEdge("dct.c", "sort", "", 1, 1),)
    )
    assert found[-1].text == "sort calls through a pointer in a loop of depth 1"


def test_machine_code_is_told_with_its_hot_loop() -> None:
    mix = InstructionMix(instructions=20, vector=12, vector_bits=128, branches=1)
    speed = Throughput(20, 9.5, 2.1, 4.0, "register dependencies", "ALU")
    loop = HotLoop("dct", 16, 0.3, mix, Location("dct.c", 90), speed)
    code = (HotFunction(FunctionCode("dct", "x86_64", ()), 0.4, mix, (loop,)),)
    whole, hot = facts(code=code)
    assert whole.text == ("machine code of dct: 20 instructions, 12 vector of 128 bits, 1 branch")
    assert hot.id == "code-dct-loop1"
    assert hot.where == "dct.c:90"
    assert hot.text.endswith("; at best 9.5 cycles an iteration, bound by register dependencies")
    assert (hot.data["cycles"], hot.data["start"]) == (9.5, 16)


def test_hot_lines_and_libraries_are_told() -> None:
    profile = Profile(
        "perf",
        shares=(Share("dct", "", "", 0.6), Share("memcpy", "", "libc.so.6", 0.4)),
        lines=(
            LineShare(Location("dct.c", 90), "dct", 0.5),
            LineShare(Location("dct.c"), "dct", 0.1),
        ),
        samples=100,
    )
    assert [(f.id, f.text) for f in facts(profile=profile)] == [
        ("prof-memcpy", "memcpy in libc.so.6: 40.0 % of the run time"),
        ("hot-dct.c:90", "50.0 % of the run time is on this line of dct"),
    ]
