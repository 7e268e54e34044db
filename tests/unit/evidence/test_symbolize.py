from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perfwright.errors import ToolchainError
from perfwright.evidence.elf import read_binary
from perfwright.evidence.location import Location, SourceRoot
from perfwright.evidence.symbolize import Frame, parse_symbols, symbolize
from perfwright.toolchain.process import run


def test_frames_are_innermost_first(case: Callable[[str], str]) -> None:
    frames = parse_symbols(case("symbolizer.jsonl").splitlines(), SourceRoot("/src/program"))
    assert frames[0x12C9] == (
        Frame("encode_sample", Location("src/encode.c", 16, 18)),
        Frame("encode", Location("src/encode.c", 31, 19)),
    )


def test_unknown_addresses_are_left_out(case: Callable[[str], str]) -> None:
    assert set(parse_symbols(case("symbolizer.jsonl").splitlines())) == {0x18CF, 0x12C9}


def test_each_address_is_asked_for_once_in_one_process(
    scripted: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    tools = scripted({"llvm-symbolizer": answer()})
    symbolize(Path("a.out"), [16, 32, 16], tools, tools.run)
    assert tools.inputs == [b"0x10\n0x20\n"]


def test_no_address_needs_no_process(scripted: Callable[..., Any]) -> None:
    tools = scripted({})
    assert symbolize(Path("a.out"), [], tools, tools.run) == {}


def test_a_failure_of_the_tool_is_an_error(
    scripted: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    tools = scripted({"llvm-symbolizer": answer(status=1)})
    with pytest.raises(ToolchainError):
        symbolize(Path("a.out"), [1], tools, tools.run)


@pytest.mark.llvm
def test_real_line_tables_name_function_and_line(tiny: Any) -> None:
    functions = read_binary(tiny.binary).functions
    step = next(f for f in functions if (f.name, f.unit) == ("step", "work.c"))
    frames = symbolize(tiny.binary, [step.address], tiny.toolchain, run, root=tiny.root)
    (frame,) = frames[step.address]
    assert frame.function == "step"
    assert frame.place.file == "work.c"
