from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from perfwright.evidence.blocks import Blocks
from perfwright.evidence.disassembly import (
    FunctionCode,
    Instruction,
    InstructionMix,
    disassemble,
    instruction_mix,
    parse_disassembly,
)
from perfwright.toolchain.process import run

Case = Callable[[str], str]


@pytest.fixture
def scan(case: Case) -> FunctionCode:
    return parse_disassembly(case("objdump-object.txt"))[0]


@pytest.fixture
def encode(case: Case) -> FunctionCode:
    return parse_disassembly(case("objdump-linked.txt"))[0]


def test_functions_are_told_apart(case: Case) -> None:
    functions = parse_disassembly(case("objdump-object.txt"))
    assert [(f.name, f.architecture) for f in functions] == [("scan", "x86_64"), ("fma", "x86_64")]


def test_jumps_have_targets_and_calls_have_symbols(scan: FunctionCode) -> None:
    by_address = {i.address: i for i in scan.instructions}
    assert by_address[0xD] == Instruction(0xD, "jle", "0x3e <scan+0x3e>", 0x3E, "scan+0x3e")
    assert by_address[0x31].symbol == "callee"
    assert by_address[0x44].symbol == "table"


def test_normalised_code_has_labels_and_names_instead_of_addresses(encode: FunctionCode) -> None:
    assert encode.normalised() == (
        "pushq %rbp",
        "je .L1",
        ".L0:",
        "incq %r14",
        "jmp .L0",
        ".L1:",
        "callq <geo::Sum<int>::add(int const*, int)>",
        "leaq <_IO_stdin_used>(%rip), %rdi",
        "movl $0x190, %edi",
        "retq",
    )


def test_the_same_code_elsewhere_is_the_same_normalised(case: Case, encode: FunctionCode) -> None:
    text = case("objdump-linked.txt")
    moved = text.replace("    12", "    77").replace("0x12", "0x77").replace("0x849", "0x1849")
    moved = moved.replace("18d0", "99d0").replace("<_IO_stdin_used+0x3c>", "<_IO_stdin_used+0x5c>")
    assert parse_disassembly(moved)[0].normalised() == encode.normalised()


def test_relocations_name_callees_and_data_in_objects(scan: FunctionCode) -> None:
    lines = scan.normalised()
    assert "callq <callee>" in lines
    assert "movq <table>(%rip), %rcx" in lines


def test_the_mix_counts_calls_branches_divisions_and_stack(scan: FunctionCode) -> None:
    mix = instruction_mix(scan.instructions, "x86_64")
    assert (mix.instructions, mix.calls, mix.branches, mix.divisions) == (18, 1, 3, 1)
    assert (mix.memory, mix.stack_accesses, mix.vector) == (3, 1, 0)


def test_the_mix_tells_vectors_from_scalars(case: Case) -> None:
    fma = parse_disassembly(case("objdump-object.txt"))[1]
    assert instruction_mix(fma.instructions, "x86_64") == InstructionMix(
        instructions=11,
        vector=4,
        vector_bits=256,
        scalar_float=1,
        selects=1,
        branches=1,
        indirect_jumps=1,
        memory=6,
    )


@pytest.mark.parametrize(
    ("text", "vector"),
    [
        ("movaps %xmm0, %xmm1", True),
        ("addps %xmm0, %xmm1", True),
        ("paddd %xmm0, %xmm1", True),
        ("movdqu (%rdi), %xmm0", True),
        ("addsd %xmm0, %xmm1", False),
        ("vfmadd213sd %xmm0, %xmm1, %xmm2", False),
        ("cvtsi2sd %eax, %xmm0", False),
        ("cvttsd2si %xmm0, %eax", False),
        ("movd %eax, %xmm0", False),
        ("ucomisd %xmm0, %xmm1", False),
        ("vaddpd %zmm0, %zmm1, %zmm2", True),
    ],
)
def test_vector_instructions_of_x86(text: str, vector: bool) -> None:
    mnemonic, _, operands = text.partition(" ")
    mix = instruction_mix([Instruction(0, mnemonic, operands)], "x86_64")
    assert bool(mix.vector) is vector


def test_the_mix_of_aarch64(case: Case) -> None:
    (scan,) = parse_disassembly(case("objdump-aarch64.txt"))
    assert scan.architecture == "aarch64"
    assert instruction_mix(scan.instructions, scan.architecture) == InstructionMix(
        instructions=13,
        vector=2,
        vector_bits=128,
        scalar_float=1,
        selects=1,
        calls=1,
        branches=2,
        indirect_jumps=1,
        memory=3,
        stack_accesses=1,
        divisions=1,
    )
    (loop,) = Blocks(scan).loops
    assert (loop.instructions[0].address, loop.instructions[-1].address) == (0x34, 0x3C)


def test_of_other_architectures_only_the_number_is_known(scan: FunctionCode) -> None:
    assert instruction_mix(scan.instructions, "riscv64") == InstructionMix(instructions=18)


def test_an_empty_function_has_nothing() -> None:
    empty = FunctionCode("f", "x86_64", ())
    assert empty.normalised() == ()
    assert Blocks(empty).loops == ()
    assert instruction_mix((), "x86_64") == InstructionMix()


@pytest.mark.llvm
def test_real_code_has_its_loop(tiny: Any) -> None:
    codes = disassemble(tiny.binary, ["step", "work"], tiny.toolchain, run)
    assert {code.name for code in codes} >= {"step", "work"}
    work = next(code for code in codes if code.name == "work")
    assert work.architecture in ("x86_64", "aarch64")
    assert Blocks(work).loops
