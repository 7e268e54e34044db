"""The machine code that the time is spent in: hot functions and the hot loops in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfwright.errors import ToolchainError
from perfwright.evidence.blocks import Blocks, Stretch
from perfwright.evidence.disassembly import (
    FunctionCode,
    Instruction,
    InstructionMix,
    disassemble,
    instruction_mix,
)
from perfwright.evidence.location import Location
from perfwright.evidence.mca import Throughput, simulate
from perfwright.evidence.profile import Profile
from perfwright.evidence.tools import Tools
from perfwright.toolchain.process import Runner

_SIMULATED_SHARE = 0.02


@dataclass(frozen=True)
class HotLoop:
    """An innermost loop of the machine code.

    Attributes:
        start: its head, in bytes from the start of the function.
        share: of the run time, of all its blocks; 0 without samples.
        place: the source line that most of its samples are on.
        throughput: what llvm-mca says of it, if it was asked and could tell.
    """

    function: str
    start: int
    share: float
    mix: InstructionMix
    place: Location | None = None
    throughput: Throughput | None = None


@dataclass(frozen=True)
class HotFunction:
    """A hot function as machine code; loops are the hottest first."""

    code: FunctionCode
    share: float
    mix: InstructionMix
    loops: tuple[HotLoop, ...] = ()


def hot_code(
    path: Path,
    names: Sequence[str],
    profile: Profile,
    tools: Tools,
    runner: Runner,
    *,
    cpu: str = "native",
) -> tuple[HotFunction, ...]:
    """Disassemble functions of a binary and look into their loops, in the order of `names`.

    Raises:
        ProgramError: the binary cannot be disassembled.
    """
    if not names:
        return ()

    def throughput(body: Sequence[Instruction]) -> Throughput | None:
        try:
            return simulate(body, tools, runner, cpu=cpu)
        except ToolchainError:
            return None  # an estimate less; everything else about the loop still holds

    found = [
        describe(code, profile, throughput)
        for code in disassemble(path, names, tools, runner)
        if code.instructions
    ]
    order = {name: index for index, name in enumerate(names)}
    found.sort(key=lambda hot: (order.get(hot.code.name, len(order)), -hot.share))
    return tuple(found)


Simulator = Callable[[Sequence[Instruction]], Throughput | None]
"""Estimates the speed of a loop body."""


def describe(code: FunctionCode, profile: Profile, simulator: Simulator) -> HotFunction:
    """What the instructions of a function and of its innermost loops are like; pure."""
    loops = [_loop(code, loop, profile, simulator) for loop in Blocks(code).innermost]
    loops.sort(key=lambda loop: (-loop.share, loop.start))
    return HotFunction(
        code=code,
        share=profile.share_of(i.address for i in code.instructions),
        mix=instruction_mix(code.instructions, code.architecture),
        loops=tuple(loops),
    )


def _loop(code: FunctionCode, loop: Stretch, profile: Profile, simulator: Simulator) -> HotLoop:
    addresses = [instruction.address for instruction in loop.instructions]
    share = profile.share_of(addresses)
    return HotLoop(
        function=code.name,
        start=loop.start,
        share=share,
        mix=instruction_mix(loop.instructions, code.architecture),
        place=_hottest_place(profile, addresses),
        throughput=simulator(loop.instructions) if share >= _SIMULATED_SHARE else None,
    )


def _hottest_place(profile: Profile, addresses: Iterable[int]) -> Location | None:
    counts: Counter[Location] = Counter()
    for address in addresses:
        place = profile.places.get(address)
        if place is not None and place.line:
            counts[place] += profile.addresses.get(address, 0)
    return min(counts, key=lambda place: (-counts[place], place)) if counts else None
