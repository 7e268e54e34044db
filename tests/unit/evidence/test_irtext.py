from __future__ import annotations

from collections.abc import Callable

import pytest

from perfwright.evidence.irtext import CallSite, FunctionText, LoopExtent, ModuleText, parse_module
from perfwright.evidence.location import Location, SourceRoot


@pytest.fixture
def module(case: Callable[[str], str]) -> ModuleText:
    return parse_module(case("module.ll"), SourceRoot("/src/program"))


@pytest.fixture
def encode(module: ModuleText) -> FunctionText:
    return module.functions[0]


def test_defined_functions_are_found_and_declared_ones_are_not(module: ModuleText) -> None:
    assert [(f.name, f.linkage) for f in module.functions] == [
        ("encode", "external"),
        ("sample", "internal"),
        ("odd name", "linkonce_odr"),
    ]


def test_the_source_and_the_places_are_relative_to_the_root(module: ModuleText) -> None:
    assert module.source == "src/encode.c"
    assert module.functions[0].place == Location("src/encode.c", 26)
    assert module.functions[1].place is None


def test_calls_have_a_callee_a_block_and_a_place(encode: FunctionText) -> None:
    assert encode.calls == (
        CallSite("sample", "4", Location("src/encode.c", 31, 19)),
        CallSite("printf", "4", Location("src/inline.h", 7, 3)),
        CallSite("", "20", Location("src/encode.c", 36, 1)),
    )


def test_an_invoke_has_its_place_on_its_second_line(module: ModuleText) -> None:
    assert module.functions[1].calls == (CallSite("thrower", "", Location("src/encode.c", 12, 2)),)


def test_intrinsics_and_inline_assembly_are_no_calls(encode: FunctionText) -> None:
    assert encode.opcodes["intrinsic"] == 1
    assert encode.opcodes["asm"] == 1
    assert encode.opcodes["call"] == 3


def test_conditional_branches_are_told_from_jumps(encode: FunctionText) -> None:
    assert encode.opcodes["br"] == 2
    assert encode.opcodes["jump"] == 1
    assert encode.opcodes["switch"] == 1


def test_a_loop_has_the_extent_that_the_front_end_gave_it(encode: FunctionText) -> None:
    assert encode.latches == {
        "4": LoopExtent(Location("src/encode.c", 30, 5), Location("src/encode.c", 34, 5))
    }


def test_line_zero_is_no_place(encode: FunctionText) -> None:
    assert encode.first_places["4"] == Location("src/encode.c", 31, 12)


def test_names_used_as_values_have_their_address_taken(module: ModuleText) -> None:
    assert {"on_table", "odd name", "passed_on"} <= module.address_taken
    assert not {"sample", "printf", "ignored", "thrower"} & module.address_taken


def test_a_module_of_nothing_has_no_functions() -> None:
    assert parse_module("").functions == ()
