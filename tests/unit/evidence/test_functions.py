from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perfwright.errors import ProgramError
from perfwright.evidence.analyses import parse_analyses
from perfwright.evidence.functions import (
    CallEdge,
    FunctionFeatures,
    UnitFeatures,
    UnitInput,
    analyse_unit,
    analysis_pipeline,
    describe_unit,
    is_io,
    pass_names,
)
from perfwright.evidence.irtext import parse_module
from perfwright.evidence.location import Location, SourceRoot
from perfwright.toolchain.process import run

KNOWN = ("sroa", "instcombine", "loop-rotate", "lcssa", "print<loops>", "print<func-properties>")
ENCODE_LOOPS = """\
Loop info for function 'encode':
Loop at depth 1 containing: %4<header><latch><exiting>
Determining loop execution counts for: @encode
Loop %4: backedge-taken count is i64 7
"""


def features(**properties: int) -> FunctionFeatures:
    return FunctionFeatures("a.c", "f", None, "internal", False, properties)


@pytest.fixture
def unit(case: Callable[[str], str]) -> UnitFeatures:
    module = parse_module(case("module.ll"), SourceRoot("/src/program"))
    return describe_unit("src/encode.c", module, parse_analyses(ENCODE_LOOPS))


def test_only_known_passes_are_in_the_pipeline() -> None:
    assert analysis_pipeline(KNOWN) == (
        "function(sroa,instcombine<no-verify-fixpoint>,lcssa,loop(loop-rotate),lcssa,"
        "print<func-properties>,print<loops>)"
    )
    assert analysis_pipeline(KNOWN, canonical=False) == (
        "function(print<func-properties>,print<loops>)"
    )


def test_features_count_what_matters(unit: UnitFeatures) -> None:
    encode = unit.functions[0]
    assert encode.properties["calls"] == 3
    assert encode.properties["indirect_calls"] == 1
    assert encode.properties["io_calls"] == 1
    assert encode.properties["conditional_branches"] == 2
    assert encode.properties["selects"] == 1
    assert unit.functions[1].properties["divisions"] == 1
    assert unit.functions[1].properties["float_operations"] == 1


def test_a_loop_has_its_extent_its_trip_count_and_its_calls(unit: UnitFeatures) -> None:
    (loop,) = unit.loops
    assert (loop.start, loop.end) == (
        Location("src/encode.c", 30, 5),
        Location("src/encode.c", 34, 5),
    )
    assert loop.trips.exact == 8
    assert loop.calls == 2
    assert loop.innermost


def test_edges_say_how_deep_in_loops_the_calls_are(unit: UnitFeatures) -> None:
    edges = {(edge.caller, edge.callee): edge for edge in unit.calls}
    assert edges["encode", "sample"].loop_depth == 1
    assert edges["encode", ""] == CallEdge(
        "src/encode.c", "encode", "", 0, 1, Location("src/encode.c", 36, 1)
    )


def test_address_taken_is_about_uses_as_a_value(unit: UnitFeatures) -> None:
    assert [f.address_taken for f in unit.functions] == [False, False, True]


@pytest.mark.parametrize(
    ("properties", "trivial"),
    [
        ({"instructions": 4}, True),
        ({"instructions": 40}, False),
        ({"instructions": 4, "loops": 1}, False),
        ({"instructions": 4, "calls": 1}, False),
    ],
)
def test_trivial_is_small_and_straight(properties: dict[str, int], trivial: bool) -> None:
    assert features(**properties).trivial is trivial


def test_io_bound_is_when_most_calls_are_input_or_output() -> None:
    assert features(calls=4, io_calls=2).io_bound
    assert not features(calls=5, io_calls=2).io_bound
    assert not features(calls=0, io_calls=0).io_bound


def test_library_calls_that_do_io_are_known_in_c_and_cpp() -> None:
    assert is_io("fwrite")
    assert is_io("_ZNSolsEi")
    assert not is_io("memcpy")


def test_a_crash_on_canonical_form_is_noted_and_worked_around(
    scripted: Callable[..., Any], answer: Callable[..., Any], case: Callable[[str], str]
) -> None:
    tools = scripted({"opt": answer()})

    def crashing(argv: Any, **_: Any) -> Any:
        if "sroa" in argv[1]:
            return answer(stderr="PLEASE submit a bug report", status=-11)
        return answer(case("module.ll"), ENCODE_LOOPS)

    found = analyse_unit(UnitInput("a.c", Path("a.bc")), tools, crashing, known_passes=KNOWN)
    assert "SIGSEGV" in found.problem
    assert len(found.functions) == 3


def test_unreadable_bitcode_is_an_error(
    scripted: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    tools = scripted(
        {"opt": answer(stderr="opt: a.bc: error: expected top-level entity", status=1)}
    )
    with pytest.raises(ProgramError) as caught:
        analyse_unit(UnitInput("a.c", Path("a.bc")), tools, tools.run, known_passes=KNOWN)
    assert "expected top-level entity" in caught.value.cause


@pytest.mark.llvm
def test_each_llvm_knows_the_passes_that_are_asked_for(each_toolchain: Any) -> None:
    pipeline = analysis_pipeline(pass_names(each_toolchain, run))
    for name in ("sroa", "loop(loop-rotate)", "print<func-properties>", "print<scalar-evolution>"):
        assert name in pipeline


@pytest.mark.llvm
def test_each_llvm_says_the_same_of_a_c_unit(tiny: Any) -> None:
    work = analyse_unit(tiny.units[1], tiny.toolchain, run, root=tiny.root)
    by_name = {f.name: f for f in work.functions}
    assert work.problem == ""
    assert by_name["step"].is_local
    assert by_name["step"].place == Location("work.c", 5)
    assert by_name["apply"].properties["indirect_calls"] == 1
    inner = next(loop for loop in work.loops if loop.function == "step")
    assert inner.trips.exact == 16
    assert (inner.start, inner.end) == (Location("work.c", 9, 5), Location("work.c", 15, 5))
    edges = {(edge.caller, edge.callee): edge.loop_depth for edge in work.calls}
    assert edges == {("work", "step"): 1, ("apply", ""): 0}


@pytest.mark.llvm
def test_a_function_passed_to_another_has_its_address_taken(tiny: Any) -> None:
    main = analyse_unit(tiny.units[0], tiny.toolchain, run, root=tiny.root)
    by_name = {f.name: f for f in main.functions}
    assert by_name["step"].address_taken
    assert not by_name["main"].address_taken
    assert by_name["nothing"].trivial


@pytest.mark.llvm
def test_direct_calls_are_those_of_llvms_own_call_graph(shapes: Any) -> None:
    unit = shapes.units[0]
    opt = shapes.toolchain.tool("opt")
    printed = run([opt, "-passes=print-callgraph", "-disable-output", unit.bitcode]).error_text
    caller, expected = "", set()
    for line in printed.splitlines():
        words = line.split("'")
        if line.startswith("Call graph node"):
            caller = words[1] if len(words) > 1 else ""
        elif "calls function" in line and caller and not words[1].startswith("llvm."):
            expected.add((caller, words[1]))
    found = analyse_unit(unit, shapes.toolchain, run, root=shapes.root)
    assert {(e.caller, e.callee) for e in found.calls} == expected
