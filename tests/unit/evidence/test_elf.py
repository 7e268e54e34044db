from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perfwright.errors import ProgramError
from perfwright.evidence.elf import Binary, Segment, code_hash, read_binary
from perfwright.program.build import code_size
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run


def compiled(toolchain: Toolchain, folder: Path, text: str, *args: str) -> Path:
    source = folder / "a.c"
    source.write_text(text)
    path = folder / f"{abs(hash((text, args)))}.o"
    result = run([toolchain.tool("clang"), "-O2", *args, source, "-c", "-o", path])
    assert result.ok, result.explain()
    return path


CALLS_F = "int f(int); int g(int); int h(int x) { return f(x) + 1; }"
CALLS_G = "int f(int); int g(int); int h(int x) { return g(x) + 1; }"


def test_what_is_no_elf_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("#!/bin/sh\n")
    with pytest.raises(ProgramError):
        read_binary(path)
    with pytest.raises(ProgramError):
        code_hash(path)


def test_file_offsets_are_found_in_their_segment() -> None:
    binary = Binary("x86_64", (), (Segment(0, 0, 100), Segment(0x1000, 0x3000, 0x200)), False)
    assert binary.virtual_address(0x1010) == 0x3010
    assert binary.virtual_address(0x1200) is None


@pytest.mark.llvm
def test_the_size_of_the_code_is_the_one_that_builds_are_judged_by(tiny: Any) -> None:
    assert read_binary(tiny.binary).code_bytes == code_size(tiny.binary) > 0


@pytest.mark.llvm
def test_local_functions_of_one_name_know_their_file(tiny: Any) -> None:
    binary = read_binary(tiny.binary)
    steps = {f.unit: f for f in binary.functions if f.name == "step"}
    assert steps["work.c"].size_bytes > 0
    assert next(f for f in binary.functions if f.name == "main").unit == ""
    assert binary.has_lines


@pytest.mark.llvm
@pytest.mark.parametrize(
    ("triple", "architecture"),
    [("x86_64-linux-gnu", "x86_64"), ("i386-linux-gnu", "i386"), ("aarch64-linux-gnu", "aarch64")],
)
def test_symbols_of_other_architectures_are_read(
    toolchain: Toolchain, tmp_path: Path, triple: str, architecture: str
) -> None:
    binary = read_binary(compiled(toolchain, tmp_path, CALLS_F, f"--target={triple}"))
    assert binary.architecture == architecture
    (function,) = binary.functions
    assert function.name == "h"
    assert function.size_bytes > 0


@pytest.mark.llvm
def test_debug_information_does_not_change_the_code_hash(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    plain = compiled(toolchain, tmp_path, CALLS_F)
    debug = compiled(toolchain, tmp_path, CALLS_F, "-g")
    assert plain.read_bytes() != debug.read_bytes()
    assert code_hash(plain) == code_hash(debug)


@pytest.mark.llvm
def test_the_build_id_does_not_change_the_code_hash(tiny: Any, tmp_path: Path) -> None:
    objects = [f"{unit.bitcode}".replace(".bc", ".o") for unit in tiny.units]
    paths = [tmp_path / "one", tmp_path / "two"]
    for number, path in enumerate(paths):
        style = f"-Wl,--build-id=0x{number}{number}"
        result = run([tiny.toolchain.tool("clang"), *objects, style, "-o", path])
        assert result.ok, result.explain()
    assert paths[0].read_bytes() != paths[1].read_bytes()
    assert code_hash(paths[0]) == code_hash(paths[1])


@pytest.mark.llvm
def test_other_instructions_change_the_code_hash(toolchain: Toolchain, tmp_path: Path) -> None:
    one = compiled(toolchain, tmp_path, CALLS_F)
    other = compiled(toolchain, tmp_path, CALLS_F.replace("+ 1", "+ 2"))
    assert code_hash(one) != code_hash(other)


@pytest.mark.llvm
def test_a_call_to_another_function_changes_the_code_hash_of_an_object(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    # The bytes of both are the same; only the relocations differ.
    one, other = compiled(toolchain, tmp_path, CALLS_F), compiled(toolchain, tmp_path, CALLS_G)
    assert code_hash(one) != code_hash(other)
