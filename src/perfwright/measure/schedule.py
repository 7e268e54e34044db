"""What is run when: the order of arms, the layout and the environment of every pair.

A block is one run of each arm, close together in time, so that what is slow about the machine
at that moment is slow for all of them.  The order within a block is random, and the next
block of the same workload runs in reverse: a steady drift, and an advantage of going first,
cancel within two blocks, and neither can be foreseen (randomised complete blocks: Fisher
1935, The Design of Experiments, chapter 4).  Both arms of a block get the same number of
padding bytes in their environment, another number in the next block: the stack's position
alone has been seen to change run times by several per cent (Mytkowicz et al. 2009, Producing
wrong data without doing anything obviously wrong, ASPLOS).

A schedule is a pure function of its seed.  Every block is drawn by hashing the seed with its
number, so a resumed campaign continues at block n without replaying the first n, and no
change of a random generator can alter the order that a journal was recorded with.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from perfwright.errors import InternalError

PADDING_STEP_BYTES = 16
"""The x86-64 and AArch64 ABIs align the stack to 16 bytes; less would move nothing."""

PADDING_CHOICES = 256
"""Up to 4080 bytes: the environment sizes over which Mytkowicz et al. saw the effect."""


@dataclass(frozen=True)
class Block:
    """One run of each arm.

    `index` counts the blocks of a schedule from 0, warm-ups apart.  An interrupted block is
    discarded and run again under the same index.  `layout` numbers the binaries of an arm (0:
    as delivered).  A block that is not `timed` only warms caches; its times are dropped.
    """

    index: int
    workload: str
    layout: int
    padding_bytes: int
    order: tuple[str, ...]
    timed: bool = True


@dataclass(frozen=True)
class Schedule:
    """All blocks of one comparison, without end: the caller stops when it has seen enough.

    Blocks come in rounds; a round runs every workload once, on one layout, in random order.
    The layouts take turns in random order, each once before any comes again.

    Args:
        seed: the campaign's seed.
        label: which comparison this is, as in the journal; another label, another order.
        arms: two or more, each a name.
        workloads: one or more, each a name.
        layouts: the layouts to use.

    Raises:
        InternalError: fewer than two arms, no workload, no layout, or one named twice.
    """

    seed: int
    label: str
    arms: tuple[str, ...]
    workloads: tuple[str, ...]
    layouts: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        for what, least, names in (
            ("arms", 2, self.arms),
            ("workloads", 1, self.workloads),
            ("layouts", 1, self.layouts),
        ):
            if len(names) < least or len(set(names)) != len(names):
                raise InternalError(f"a schedule needs {least} or more different {what}: {names}")

    def warm_up(self) -> Iterator[Block]:
        """One untimed block for each workload, on the first layout.

        It fills the page cache with the inputs and the code; further layouts were written by
        the linker a moment ago and are in that cache already.
        """
        for workload in self.workloads:
            yield Block(-1, workload, self.layouts[0], 0, self.arms, timed=False)

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """The blocks from number `start` on, without end."""
        return (self.block(index) for index in itertools.count(start))

    def block(self, index: int) -> Block:
        """Block number `index`."""
        round_, place = divmod(index, len(self.workloads))
        cycle, turn = divmod(round_, len(self.layouts))
        twin, reverse = divmod(round_, 2)
        workload = self.workloads[self._places("workloads", round_, self.workloads)[place]]
        order = tuple(self.arms[p] for p in self._places(f"arms, {workload}", twin, self.arms))
        padding = _draw(self.seed, self.label, "padding", index) % PADDING_CHOICES
        return Block(
            index=index,
            workload=workload,
            layout=self.layouts[self._places("layouts", cycle, self.layouts)[turn]],
            padding_bytes=PADDING_STEP_BYTES * padding,
            order=order[::-1] if reverse else order,
        )

    def _places(self, what: str, number: int, items: Sequence[object]) -> tuple[int, ...]:
        return _permutation(len(items), self.seed, self.label, what, number)


def layout_seed(seed: int, layout: int) -> int:
    """The seed for the linker's section shuffle, 31 bits, above 0.

    All arms of a layout share it.  Programs that differ in one function then keep the rest in
    the same order, and their difference is as little disturbed as it can be; equal programs
    become equal binaries.
    """
    return _draw(seed, "layout", layout) % (2**31 - 1) + 1


@lru_cache(maxsize=256)
def _permutation(count: int, *parts: object) -> tuple[int, ...]:
    """The numbers below `count` in an order that these parts determine."""
    return tuple(sorted(range(count), key=lambda place: _draw(*parts, place)))


def _draw(*parts: object) -> int:
    """64 random bits that these parts, and only they, determine."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
