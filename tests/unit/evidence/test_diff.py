from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfwright.evidence.diff import (
    Build,
    add_code_diff,
    add_size_diff,
    diff_builds,
    is_total_size,
)
from perfwright.evidence.disassembly import FunctionCode, Instruction
from perfwright.evidence.elf import Binary, FunctionSymbol
from perfwright.evidence.factbook import FactBook
from perfwright.evidence.remarks import Remark, open_remarks, read_remarks
from perfwright.evidence.tally import RemarkSummary, RemarkTally
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run
from perfwright.units import Bytes


def binary(**sizes: int) -> Binary:
    functions = tuple(
        FunctionSymbol(name, "", 64 * number, Bytes(size), 1)
        for number, (name, size) in enumerate(sizes.items())
    )
    return Binary("x86_64", functions, (), False, sum(sizes.values()))


def size_diff(before: Binary, after: Binary) -> list[str]:
    book = FactBook()
    add_size_diff(book, before, after)
    return [fact.text for fact in book.facts.values()]


def test_sizes_are_told_largest_change_first() -> None:
    assert size_diff(binary(f=10, g=100, gone=8), binary(f=12, g=60, new=7)) == [
        "code of the whole program 118 -> 79 bytes (-39)",
        "g 100 -> 60 bytes (-40)",
        "gone is no longer there (8 bytes before)",
        "new appeared, 7 bytes",
        "f 10 -> 12 bytes (+2)",
    ]


def test_the_size_of_a_function_called_total_is_not_taken_for_that_of_all() -> None:
    book = FactBook()
    add_size_diff(book, binary(total=10, f=10), binary(total=8, f=12))
    assert not any(map(is_total_size, book.facts.values()))
    book = FactBook()
    add_size_diff(book, binary(total=10), binary(total=8))
    assert [is_total_size(fact) for fact in book.facts.values()] == [True, False]


def test_equal_sizes_are_nothing_to_tell() -> None:
    assert size_diff(binary(f=10), binary(f=10)) == []


def test_a_local_function_keeps_its_unit_when_the_linker_optimises() -> None:
    def with_local(unit: str, size: int) -> Binary:
        function = FunctionSymbol("f", unit, 0, Bytes(size), 1)
        return replace(binary(f=size), functions=(function,))

    assert size_diff(with_local("a.c", 8), with_local("ld-temp.o", 10)) == [
        "code of the whole program 8 -> 10 bytes (+2)",
        "f 8 -> 10 bytes (+2)",
    ]


def code(*texts: str) -> FunctionCode:
    instructions = tuple(
        Instruction(4 * number, text.split()[0], text.partition(" ")[2])
        for number, text in enumerate(texts)
    )
    return FunctionCode("dct", "x86_64", instructions)


def test_changed_code_is_told_with_its_mixes_and_a_diff() -> None:
    book = FactBook()
    add_code_diff(
        book,
        [code("addss %xmm0, %xmm1", "retq ")],
        [code("addps %ymm0, %ymm1", "retq ")],
    )
    (fact,) = book.facts.values()
    assert fact.text == (
        "machine code of dct: 2 instructions, no vector code -> 2 instructions, "
        "1 vector of 256 bits; 1 line new, 1 gone"
    )
    assert fact.data["diff"] == "-addss %xmm0, %xmm1\n+addps %ymm0, %ymm1\n retq"


def test_the_same_code_is_nothing_to_tell() -> None:
    book = FactBook()
    add_code_diff(book, [code("retq ")], [code("retq ")])
    assert book.facts == {}


@pytest.mark.llvm
def test_a_real_option_has_consequences(
    each_toolchain: Any, tmp_path: Path, case: Callable[[str], str]
) -> None:
    def build(*options: str) -> Build:
        path = tmp_path / f"build{len(options)}"
        source = tmp_path / "work.c"
        source.write_text(case("tiny/work.c"))
        record = f"-foptimization-record-file={path}.yaml"
        clang = each_toolchain.tool("clang")
        argv = [clang, "-O3", *options, "-fsave-optimization-record=yaml", record]
        result = run([*argv, "-c", source, "-o", path])
        assert result.ok, result.explain()
        tally = RemarkTally()
        with open_remarks(Path(f"{path}.yaml")) as stream:
            tally.add("work.c", read_remarks(stream))
        return Build(path, tally.summary())

    plain, rolled = build(), build("-mllvm", "-unroll-threshold=1", "-fno-vectorize")
    assert diff_builds(plain, plain, ["step"], each_toolchain, run) == ()
    facts = diff_builds(plain, rolled, ["step"], each_toolchain, run)
    assert facts[0].id == "dcode-step"
    assert any("no longer" in fact.text and "unrolled" in fact.text for fact in facts)
    assert any(fact.id == "dsize-work.c:step" for fact in facts)


@pytest.mark.llvm
def test_what_passes_said_on_the_way_to_the_same_code_is_not_told(
    toolchain: Toolchain, tmp_path: Path, case: Callable[[str], str]
) -> None:
    path = tmp_path / "work.o"
    source = tmp_path / "work.c"
    source.write_text(case("tiny/work.c"))
    result = run([toolchain.tool("clang"), "-O3", "-c", source, "-o", path])
    assert result.ok, result.explain()
    tally = RemarkTally()
    tally.add("work.c", [Remark("passed", "gvn", "LoadElim", "step", None, "load eliminated")])
    silent, said = Build(path, RemarkSummary()), Build(path, tally.summary())
    assert diff_builds(silent, said, ["step"], toolchain, run) == ()
