"""Machine code as blocks and loops, with names that can be asked for."""

from __future__ import annotations

import pytest

from perfwright.errors import UserError
from perfwright.evidence.blocks import Blocks
from perfwright.evidence.disassembly import FunctionCode, parse_disassembly

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


def nested() -> Blocks:
    (code,) = parse_disassembly(NESTED)
    return Blocks(code)


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

    assert (outer.name, outer.first, outer.last, outer.depth) == ("loop 1", 2, 4, 1)
    assert (inner.name, inner.first, inner.last, inner.depth) == ("loop 2", 3, 3, 2)
    assert [block.depth for block in nested().blocks] == [0, 0, 1, 2, 1, 0, 0]


def test_a_jump_back_from_cold_code_is_no_loop() -> None:
    assert 0x20 not in {start for start, _ in nested().bodies}


def test_a_loop_that_is_entered_in_its_middle_is_one() -> None:
    text = """
a.out:	file format elf64-x86-64

0000000000000000 <f>:
       0:      	jmp	0x8 <f+0x8>
       4:      	incl	%eax
       8:      	cmpl	%eax, %edi
       c:      	jne	0x4 <f+0x4>
      10:      	retq
"""
    (code,) = parse_disassembly(text)

    assert Blocks(code).bodies == ((4, 0xC),)


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
