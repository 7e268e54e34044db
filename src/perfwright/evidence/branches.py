"""Branch biases and loop counts: what actually happened on the train workload."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from perfwright.evidence.coverage import BranchCounts, FunctionCoverage
from perfwright.evidence.functions import Loop
from perfwright.evidence.location import Location

Bias = Literal["one-sided", "biased", "even", "never ran"]

_ONE_SIDED = 0.95
_EVEN = 0.65


@dataclass(frozen=True, slots=True)
class BranchFact:
    """How often a condition in the source was true and false.

    Attributes:
        in_loop: it is the condition that a loop goes on with.
    """

    function: str
    unit: str
    place: Location
    taken: int
    not_taken: int
    in_loop: bool = False

    @property
    def count(self) -> int:
        """How often it was evaluated."""
        return self.taken + self.not_taken

    @property
    def ratio(self) -> float:
        """The part of the times that it was true."""
        return self.taken / self.count if self.count else 0.0

    @property
    def bias(self) -> Bias:
        """Whether one side dominates; an even branch may or may not be predictable."""
        if not self.count:
            return "never ran"
        larger = max(self.ratio, 1 - self.ratio)
        if larger >= _ONE_SIDED:
            return "one-sided"
        return "even" if larger <= _EVEN else "biased"


@dataclass(frozen=True, slots=True)
class LoopFact:
    """A loop, with what is known of how often it runs and what it costs.

    Attributes:
        entries: how often it was entered; `None` without counters.
        iterations: how often its body ran in all.
        share: of the run time, of the lines in it but not in loops inside; 0 if unknown.
    """

    loop: Loop
    entries: int | None = None
    iterations: int | None = None
    share: float = 0.0

    @property
    def per_entry(self) -> float | None:
        """Runs of the body each time the loop is entered, on average."""
        if not self.entries or self.iterations is None:
            return None
        return self.iterations / self.entries


def branch_facts(
    coverage: Iterable[FunctionCoverage], loops: Sequence[Loop] = ()
) -> tuple[BranchFact, ...]:
    """The branches that ran, most often evaluated first."""
    heads = _loop_conditions(coverage := tuple(coverage), loops)
    found = [
        BranchFact(
            function=function.name,
            unit=function.unit,
            place=branch.place,
            taken=branch.taken,
            not_taken=branch.not_taken,
            in_loop=branch.place in heads.get(function.name, ()),
        )
        for function in coverage
        for branch in function.branches
        if branch.taken + branch.not_taken
    ]
    return tuple(sorted(found, key=lambda b: (-b.count, b.place, b.function)))


def loop_facts(
    loops: Iterable[Loop],
    coverage: Iterable[FunctionCoverage] = (),
    shares: Mapping[Loop, float] | None = None,
) -> tuple[LoopFact, ...]:
    """The loops with their counts and shares, the most expensive first."""
    finder = _Finder(coverage)
    known = shares or {}
    found = [_counted(loop, finder.find(loop), known.get(loop, 0.0)) for loop in loops]
    return tuple(
        sorted(
            found,
            key=lambda fact: (
                -fact.share,
                -(fact.iterations or 0),
                fact.loop.unit,
                fact.loop.start or Location(""),
                fact.loop.function,
            ),
        )
    )


def _counted(loop: Loop, coverage: FunctionCoverage | None, share: float) -> LoopFact:
    if coverage is None or loop.start is None or loop.end is None:
        return LoopFact(loop, share=share)
    entries = coverage.count_at(loop.start.position)
    body = coverage.loop_body(loop.start.position, loop.end.position)
    return LoopFact(loop, entries, body.count if body else None, share)


def _loop_conditions(
    coverage: Sequence[FunctionCoverage], loops: Sequence[Loop]
) -> Mapping[str, frozenset[Location]]:
    """The places of loop conditions by function: in the loop statement, not in its body."""
    finder = _Finder(coverage)
    heads: dict[str, set[Location]] = defaultdict(set)
    for loop in loops:
        function = finder.find(loop)
        if function is None or loop.start is None or loop.end is None:
            continue
        body = function.loop_body(loop.start.position, loop.end.position)
        if body is None:
            continue
        heads[loop.function] |= {
            branch.place
            for branch in function.branches
            if _heads(branch, loop.start, loop.end, body.start, body.end)
        }
    return {name: frozenset(places) for name, places in heads.items()}


def _heads(
    branch: BranchCounts,
    start: Location,
    end: Location,
    body_start: tuple[int, int],
    body_end: tuple[int, int],
) -> bool:
    position = branch.place.position
    in_body = body_start <= position < body_end
    return (
        branch.place.file == start.file
        and start.position < position <= end.position
        and not in_body
    )


class _Finder:
    """Finds the coverage of the function that a loop is in."""

    def __init__(self, coverage: Iterable[FunctionCoverage]) -> None:
        self._by_name: dict[str, list[FunctionCoverage]] = defaultdict(list)
        for function in coverage:
            self._by_name[function.name].append(function)

    def find(self, loop: Loop) -> FunctionCoverage | None:
        """Local functions of one name are told apart by the file they are in."""
        for function in self._by_name.get(loop.function, ()):
            if loop.start is not None and function.file == loop.start.file:
                return function
        return None
