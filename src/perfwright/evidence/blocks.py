"""A function's machine code as basic blocks and loops, with numbers to name them by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from perfwright.errors import UserError
from perfwright.evidence.disassembly import (
    FunctionCode,
    Instruction,
    is_call,
    is_padding,
    normalised,
)

_LEAVES = re.compile(r"jmp|ret|ud2|b$|br|hlt")  # what never goes on with the next instruction
_ENDS = re.compile(r"j|ret|ud2|b(?:\.\w+|r|raa|rab)?$|cbn?z$|tbn?z$")
_NAME = re.compile(r"(?:(?P<loop>loop)|block|b)? *(?P<number>\d{1,6})", re.IGNORECASE)


@dataclass(frozen=True)
class Stretch:
    """Instructions in a row: a block, or a loop from its first to its last block.

    Attributes:
        name: `b3` or `loop 1`.
        first, last: numbers of blocks.
        depth: in how many loops it is; a loop counts itself.
        start: bytes from the start of the function.
    """

    name: str
    first: int
    last: int
    depth: int
    start: int
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True)
class Blocks:
    """The blocks and loops of one function; blocks from 0, loops from 1, in order of address."""

    code: FunctionCode

    @cached_property
    def blocks(self) -> tuple[Stretch, ...]:
        """Every run of instructions that is entered at its first only, without padding."""
        return tuple(
            Stretch(
                name=f"b{number}",
                first=number,
                last=number,
                depth=sum(a <= part[0].address <= b for a, b in self.bodies),
                start=part[0].address - self.code.start,
                instructions=tuple(part),
            )
            for number, part in enumerate(self._parts)
        )

    @cached_property
    def loops(self) -> tuple[Stretch, ...]:
        """The loops, outer before inner."""
        found = []
        for number, (first, last) in enumerate(self.bodies, 1):
            inside = [
                block for block in self.blocks if first <= block.instructions[0].address <= last
            ]
            depth = sum(a <= first and last <= b for a, b in self.bodies)
            code = tuple(i for i in self.code.between(first, last) if not is_padding(i))
            ends = inside[0].first, inside[-1].last
            found.append(Stretch(f"loop {number}", *ends, depth, first - self.code.start, code))
        return tuple(found)

    @cached_property
    def bodies(self) -> tuple[tuple[int, int], ...]:
        """First and last address of each loop, from its head to its last jump back.

        A jump back makes a loop only if its target leads to it without leaving the stretch
        between: a jump from cold code at the end of a function to the middle of it makes none.
        """
        found: dict[int, int] = {}
        for number, part in enumerate(self._parts):
            for target in self._successors[number]:
                if target <= number and number in self._reached(target, number):
                    start = self._parts[target][0].address
                    found[start] = max(found.get(start, 0), part[-1].address)
        return tuple(sorted(found.items()))

    def named(self, name: str) -> Stretch:
        """A block (`3`, `b3`) or a loop (`loop 1`).

        Raises:
            UserError: there is none of this name.
        """
        match = _NAME.fullmatch(name.strip())
        number = int(match["number"]) if match else -1
        among = self.loops if match and match["loop"] else self.blocks
        number -= 1 if among is self.loops else 0
        if not 0 <= number < len(among):
            raise UserError(
                f"there is no block {name[:40]!r}",
                cause=f"blocks are b0 to b{len(self.blocks) - 1}; "
                + (f"loops are loop 1 to loop {len(self.loops)}" if self.loops else "no loop"),
            )
        return among[number]

    def lines(self, stretch: Stretch) -> tuple[str, ...]:
        """Its instructions, jumps inside the function named by their blocks."""
        labels = {block.instructions[0].address: block.name for block in self.blocks}
        lines = []
        for instruction in stretch.instructions:
            if stretch.first != stretch.last and instruction.address in labels:
                lines.append(f"{labels[instruction.address]}:")
            lines.append(normalised(instruction, labels))
        return tuple(lines)

    @cached_property
    def _parts(self) -> Sequence[list[Instruction]]:
        targets = {i.target for i in self.code.instructions if not is_call(i.mnemonic)}
        parts: list[list[Instruction]] = []
        begin = True
        for instruction in self.code.instructions:
            begin = begin or instruction.address in targets
            if is_padding(instruction):
                continue
            if begin:
                parts.append([])
            parts[-1].append(instruction)
            begin = _ENDS.match(_bare(instruction)) is not None
        return parts

    @cached_property
    def _successors(self) -> Sequence[frozenset[int]]:
        """Where each block may go on; a jump through a table: wherever nothing else leads."""
        starts = {part[0].address: number for number, part in enumerate(self._parts)}
        known, tables = [], []
        for number, part in enumerate(self._parts):
            last = part[-1]
            goes_on = _LEAVES.match(_bare(last)) is None and number + 1 < len(self._parts)
            after = {number + 1} if goes_on else set()
            if last.target in starts and not is_call(last.mnemonic):
                after.add(starts[last.target])
            if last.target is None and _bare(last) in ("jmp", "jmpq", "br"):
                tables.append(number)
            known.append(after)
        alone = set(range(1, len(known))).difference(*known)
        return [frozenset(a | alone if n in tables else a) for n, a in enumerate(known)]

    def _reached(self, first: int, last: int) -> set[int]:
        """The blocks from one to another that the first leads to without leaving them."""
        seen: set[int] = set()
        waiting = [first]
        while waiting:
            number = waiting.pop()
            if number not in seen and first <= number <= last:
                seen.add(number)
                waiting.extend(self._successors[number])
        return seen


def _bare(instruction: Instruction) -> str:
    """The mnemonic without prefixes."""
    return instruction.mnemonic.rpartition(" ")[2]
