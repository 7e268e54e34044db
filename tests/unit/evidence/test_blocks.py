"""Machine code as blocks and loops, with names that can be asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from perfwright.errors import UserError
from perfwright.evidence.blocks import Blocks
from perfwright.evidence.disassembly import FunctionCode, disassemble, parse_disassembly
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run

# A loop (0x10 to 0x18) inside another (0x0c to 0x1e); cold code jumps back to the end at 0x20.
NESTED = """
a.out:	file format elf64-x86-64

0000000000000000 <work>:
       0:      	testl	%edi, %edi
       2:      	je	0x28 <work+0x28>
       8:      	xorl	%eax, %eax
       c:      	movl	%eax, %ecx
      10:      	addl	%ecx, %eax
      14:      	decl	%ecx
      18:      	jne	0x10 <work+0x10>
      1a:      	decl	%edi
      1e:      	jne	0xc <work+0xc>
      20:      	callq	0x40 <other>
      24:      	retq
      25:      	nopw	(%rax)
      28:      	xorl	%eax, %eax
      2c:      	jmp	0x20 <work+0x20>
"""


# Compiled alone, the natural loops of these have their heads first, last and in the middle.
LOOPS = """
int scan(const int *a, int n, int key) {
    int sum = 0;
    for (int i = 0; i < n; i++) {
        if (a[i] == key) continue;
        if (a[i] < 0) { sum += 3; while (sum % 7) sum += a[-a[i]]; }
        sum += a[i] % 5;
    }
    return sum;
}
void product(double *c, const double *a, const double *b, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
}
int run(const unsigned char *code, int x) {
    for (;;)
        switch (*code++) {
        case 0: return x;
        case 1: x += *code; break;
        case 2: x *= *code; break;
        case 3: x ^= *code; break;
        case 4: while (x & 8) x = x * 3 + 1; break;
        case 5: if (x < 0) code += 2; break;
        }
}
void abort(void);
int checked(const int *a, int n) {
    if (n < 0) abort();
    int sum = 0;
    for (int i = 0; i < n; i++) {
        if (a[i] == 7) abort();
        if (a[i] == 9) { sum /= a[i + 1]; continue; }
        sum += a[i] % 3;
    }
    return sum;
}
"""


def nested() -> Blocks:
    (code,) = parse_disassembly(NESTED)
    return Blocks(code)


def sketched(*lines: str) -> Blocks:
    """A function with an instruction at each address from 0: `jne 2` goes to that at 2."""
    body = "\n".join(
        f"  {number:x}:  " + re.sub(r" (\d+)$", r" 0x\1 <f+0x\1>", line)
        for number, line in enumerate(lines)
    )
    (code,) = parse_disassembly(f"a:  file format elf64-x86-64\n\n0000 <f>:\n{body}\n")
    return Blocks(code)


def shape(blocks: Blocks) -> list[tuple[tuple[int, ...], int, int]]:
    """Blocks, depth and address of the head of each loop."""
    return [(loop.numbers, loop.depth, loop.start) for loop in blocks.loops]


def test_blocks_begin_at_targets_and_behind_jumps_and_calls_do_not_end_them() -> None:
    blocks = nested().blocks

    assert [(block.name, block.start, len(block.instructions)) for block in blocks] == [
        ("b0", 0x00, 2),
        ("b1", 0x08, 1),
        ("b2", 0x0C, 1),
        ("b3", 0x10, 3),
        ("b4", 0x1A, 2),
        ("b5", 0x20, 2),
        ("b6", 0x28, 2),
    ]


def test_loops_have_blocks_and_depth() -> None:
    outer, inner = nested().loops

    assert (outer.name, outer.numbers, outer.depth) == ("loop 1", (2, 3, 4), 1)
    assert (inner.name, inner.numbers, inner.depth) == ("loop 2", (3,), 2)
    assert [block.depth for block in nested().blocks] == [0, 0, 1, 2, 1, 0, 0]


def test_a_jump_back_from_cold_code_is_no_loop() -> None:
    assert 0x20 not in {loop.start for loop in nested().loops}


def test_a_loop_whose_head_is_in_its_middle_is_one() -> None:
    blocks = sketched("jmp 3", "incl %eax", "nop", "decl %edi", "je 1", "js 1", "retq")

    assert shape(blocks) == [((1, 2, 3), 1, 3)]
    assert [i.address for i in blocks.loops[0].instructions] == [1, 3, 4, 5]


def test_the_blocks_of_a_loop_need_not_be_neighbours() -> None:
    blocks = sketched("nopl", "decl %edi", "jne 5", "incl %eax", "retq", "js 1", "ud2")

    assert shape(blocks) == [((0, 2), 1, 1)]


def test_an_outer_loop_is_told_first_wherever_its_head_is_laid_out() -> None:
    blocks = sketched(
        *("jmp 4", "decl %ecx", "je 7", "jmp 5", "incl %eax", "decl %edx", "jne 5"),
        *("jns 1", "decl %edi", "jne 4", "retq"),
    )

    assert shape(blocks) == [
        ((1, 2, 3, 4, 5, 6), 1, 4),
        ((1, 2, 4, 5), 2, 5),
        ((1, 5), 3, 7),
    ]
    assert [loop.name for loop in blocks.innermost] == ["loop 3"]


def test_jumps_back_to_one_head_are_one_loop() -> None:
    blocks = sketched("xorl %eax, %eax", "incl %eax", "js 1", "decl %edi", "jne 1", "retq")

    assert shape(blocks) == [((1, 2), 1, 1)]


def test_a_cycle_with_two_entrances_is_no_loop() -> None:
    assert sketched("je 3", "incl %eax", "nop", "decl %edi", "jne 1", "retq").loops == ()


def test_a_jump_to_padding_is_one_to_the_block_behind_it() -> None:
    assert shape(sketched("incl %eax", "nop", "decl %edi", "jne 1", "retq")) == [((1,), 1, 2)]


def test_nothing_goes_on_behind_a_call_that_does_not_return() -> None:
    def entrances(callee: str) -> Blocks:
        lines = "je 2", "jmp 4", f"callq 9 <{callee}>", "incl %eax", "decl %edi", "js 3", "retq"
        return sketched(*lines)

    assert entrances("log").loops == ()
    assert shape(entrances("abort@plt")) == [((3, 4), 1, 4)]


def test_a_jump_through_a_table_goes_to_what_nothing_else_leads_to() -> None:
    one = ("decl %edi", "jmpq *%rax", "jmp 0", "incl %eax", "jne 3", "jmp 0", "retq")

    assert shape(sketched(*one)) == [((0, 1, 2, 3), 1, 0), ((2,), 2, 3)]


def test_of_two_tables_each_leads_to_what_is_behind_it() -> None:
    two = ("decl %edi", "jmpq *%rax", "jmp 0", "decl %esi", "jmpq *%rax", "jmp 3", "retq")

    assert shape(sketched(*two)) == [((0, 1), 1, 0), ((2, 3), 1, 3)]


@pytest.mark.llvm
def test_loops_and_depths_are_those_that_the_compiler_names(
    each_toolchain: Toolchain, tmp_path: Path
) -> None:
    clang = each_toolchain.tool("clang")
    (tmp_path / "loops.c").write_text(LOOPS)
    for output in (("-S", "-o", "loops.s"), ("-c", "-o", "loops.o")):
        assert run([clang, "-O2", "-fno-vectorize", "loops.c", *output], cwd=tmp_path).ok
    assembly = (tmp_path / "loops.s").read_text()
    said = re.findall(r"^(?:(\w+):.*@|.*Loop Header: Depth=(\d+))", assembly, re.MULTILINE)
    expected: dict[str, list[int]] = {}
    for name, depth in said:
        if name:
            depths = expected.setdefault(name, [])
        else:
            depths.append(int(depth))

    codes = disassemble(tmp_path / "loops.o", [], each_toolchain, run)
    found = {code.name: sorted(loop.depth for loop in Blocks(code).loops) for code in codes}

    assert found == {name: sorted(depths) for name, depths in expected.items()}
    assert max(found["product"]) == 3


def test_jumps_in_the_shown_code_name_blocks() -> None:
    blocks = nested()

    assert blocks.lines(blocks.named("loop 1")) == (
        *("b2:", "movl %eax, %ecx", "b3:", "addl %ecx, %eax", "decl %ecx", "jne b3"),
        *("b4:", "decl %edi", "jne b2"),
    )
    assert blocks.lines(blocks.named("b5")) == ("callq <other>", "retq")


@pytest.mark.parametrize(("name", "found"), [("3", "b3"), ("b3", "b3"), ("Loop 2", "loop 2")])
def test_a_block_or_loop_is_found_by_its_name(name: str, found: str) -> None:
    assert nested().named(name).name == found


@pytest.mark.parametrize("name", ["b7", "loop 0", "loop 3", "-1", "b3; true", ""])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(UserError, match="there is no block") as caught:
        nested().named(name)
    assert "b0 to b6" in caught.value.cause


def test_an_empty_function_has_no_blocks() -> None:
    assert Blocks(FunctionCode("f", "x86_64", ())).blocks == ()
