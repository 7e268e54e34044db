"""A function's machine code as basic blocks and loops, with numbers to name them by."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
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
from perfwright.evidence.natural import natural_loops

_LEAVES = re.compile(r"jmp|ret|ud2|b$|br|hlt")  # what never goes on with the next instruction
_NO_RETURN = re.compile(
    r"(?:abort|_?exit|_Exit|__stack_chk_fail|__assert_fail|__cxa_(?:re)?throw|_Unwind_Resume"
    r"|__clang_call_terminate|_ZSt9terminatev|_ZSt\d+__throw_\w+|(?:sig)?longjmp)(?:@plt)?$"
)
"""Library functions that a compiler knows not to return: nothing goes on behind their calls."""
_ENDS = re.compile(r"j|ret|ud2|b(?:\.\w+|r|raa|rab)?$|cbn?z$|tbn?z$")
_NAME = re.compile(r"(?:(?P<loop>loop)|block|b)? *(?P<number>\d{1,6})", re.IGNORECASE)


@dataclass(frozen=True)
class Stretch:
    """A block, or a loop with all its blocks, which need not be neighbours.

    Attributes:
        name: `b3` or `loop 1`.
        numbers: of its blocks, in order of address.
        depth: in how many loops it is; a loop counts itself.
        start: where it is entered, in bytes from the start of the function.
        instructions: in order of address, without padding.
    """

    name: str
    numbers: tuple[int, ...]
    depth: int
    start: int
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True)
class Blocks:
    """The blocks and natural loops of one function; blocks from 0 in order of address."""

    code: FunctionCode

    @cached_property
    def blocks(self) -> tuple[Stretch, ...]:
        """Every run of instructions that is entered at its first only, without padding."""
        return tuple(
            Stretch(
                name=f"b{number}",
                numbers=(number,),
                depth=self._depth(number),
                start=part[0].address - self.code.start,
                instructions=tuple(part),
            )
            for number, part in enumerate(self._parts)
        )

    @cached_property
    def loops(self) -> tuple[Stretch, ...]:
        """The loops from 1, outer before inner."""
        return tuple(
            Stretch(
                name=f"loop {number}",
                numbers=tuple(sorted(body)),
                depth=self._depth(head),
                start=self._parts[head][0].address - self.code.start,
                instructions=tuple(i for block in sorted(body) for i in self._parts[block]),
            )
            for number, (head, body) in enumerate(self._bodies.items(), 1)
        )

    @property
    def innermost(self) -> tuple[Stretch, ...]:
        """Those loops that contain no other."""
        inside = {
            head
            for head, body in self._bodies.items()
            if not any(other in body for other in self._bodies if other != head)
        }
        return tuple(
            loop for loop, head in zip(self.loops, self._bodies, strict=True) if head in inside
        )

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
            if len(stretch.numbers) > 1 and instruction.address in labels:
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
            begin = _leaves(instruction) or _ENDS.match(_bare(instruction)) is not None
        return parts

    @cached_property
    def _successors(self) -> Sequence[set[int]]:
        """Where each block may go on.

        Where a jump through a table goes is not in the code: to what nothing else leads to,
        from the table before it.
        """
        known, tables = [], []
        for number, part in enumerate(self._parts):
            last = part[-1]
            goes_on = not _leaves(last) and number + 1 < len(self._parts)
            after = {number + 1} if goes_on else set()
            target = None if is_call(last.mnemonic) else self._entered(last.target)
            known.append(after if target is None else after | {target})
            if _bare(last) == "br" or (_leaves(last) and last.operands.startswith("*")):
                tables.append(number)
        if tables:
            _lead_on(known, tables)
        return known

    def _entered(self, address: int | None) -> int | None:
        """The block that a jump goes to, be it to padding before it; `None`: out of here."""
        last = self.code.instructions[-1].address
        if address is None or not self.code.start <= address <= last:
            return None
        number = bisect_left(self._parts, address, key=lambda part: part[0].address)
        return number if number < len(self._parts) else None

    @cached_property
    def _bodies(self) -> Mapping[int, frozenset[int]]:
        return natural_loops(self._successors)

    def _depth(self, number: int) -> int:
        return sum(number in body for body in self._bodies.values())


def _bare(instruction: Instruction) -> str:
    """The mnemonic without prefixes."""
    return instruction.mnemonic.rpartition(" ")[2]


def _lead_on(graph: Sequence[set[int]], tables: Sequence[int]) -> None:
    """Lead the jumps through tables to blocks, as long as any are left that they may go to."""
    alone = set(range(1, len(graph))).difference(*graph)
    left = sorted(range(1, len(graph)), key=lambda block: (block not in alone, block))
    before = {block: tables[max(0, bisect_left(tables, block) - 1)] for block in left}
    reached: set[int] = set()
    following: int | None = 0
    while following is not None:
        _walk(graph, following, reached)
        ready = (b for b in left if b not in reached and before[b] in reached)
        following = next(ready, None)
        if following is not None:
            graph[before[following]].add(following)


def _walk(graph: Sequence[set[int]], first: int, reached: set[int]) -> None:
    waiting = [first]
    while waiting:
        block = waiting.pop()
        if block not in reached:
            reached.add(block)
            waiting.extend(graph[block])


def _leaves(instruction: Instruction) -> bool:
    """Whether what follows it is reached from elsewhere only."""
    if is_call(instruction.mnemonic):
        return _NO_RETURN.match(instruction.symbol) is not None
    return _LEAVES.match(_bare(instruction)) is not None
