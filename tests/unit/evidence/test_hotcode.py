from __future__ import annotations

from collections.abc import Callable

import pytest

from perfwright.evidence.disassembly import FunctionCode, parse_disassembly
from perfwright.evidence.hotcode import describe
from perfwright.evidence.location import Location
from perfwright.evidence.mca import Throughput
from perfwright.evidence.profile import Profile

SPEED = Throughput(9, 3.0, 3.0, 2.0, "resources")


@pytest.fixture
def scan(case: Callable[[str], str]) -> FunctionCode:
    return parse_disassembly(case("objdump-object.txt"))[0]


def profile(**addresses: int) -> Profile:
    counts = {int(name[1:], 16): count for name, count in addresses.items()}
    places = {address: Location("scan.c", 7 if address < 0x30 else 9) for address in counts}
    return Profile("perf", addresses=counts, places=places, samples=100)


def test_a_hot_loop_has_its_share_its_place_and_its_speed(scan: FunctionCode) -> None:
    hot = describe(scan, profile(x20=10, x36=30, x41=20), lambda _: SPEED)
    assert hot.share == pytest.approx(0.6)
    (loop,) = hot.loops
    assert loop.share == pytest.approx(0.4)
    assert loop.place == Location("scan.c", 9)
    assert loop.mix.calls == 1
    assert loop.throughput == SPEED


def test_a_cold_loop_is_not_simulated(scan: FunctionCode) -> None:
    def never(_: object) -> Throughput:
        raise AssertionError

    (loop,) = describe(scan, profile(x41=20), never).loops
    assert loop.throughput is None
    assert loop.place is None


def test_the_share_of_a_loop_is_that_of_its_blocks_not_of_what_lies_between() -> None:
    text = """
a.out:  file format elf64-x86-64

0000000000000000 <f>:
  0:  nop
  1:  decl %edi
  2:  jne 0x5 <f+0x5>
  3:  incl %eax
  4:  retq
  5:  nop
  6:  js 0x1 <f+0x1>
  7:  retq
"""
    (code,) = parse_disassembly(text)
    (loop,) = describe(code, profile(x1=10, x3=20, x5=5, x6=30), lambda _: SPEED).loops

    assert loop.share == pytest.approx(0.4)
    assert (loop.start, loop.mix.instructions) == (1, 3)
    assert loop.place == Location("scan.c", 7)
