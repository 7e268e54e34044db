"""How strong the oracle is: the share of mutants that it catches.

An oracle that passes a program whose hot function does nothing says nothing about a
candidate either.  So before it is trusted, a dozen mutants of the program are built and run on
the cheapest workload.  Mutants with the same machine code as the program are left out; a
hang or a crash counts as caught.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from perfwright.checks import mutants
from perfwright.checks.oracle import compare
from perfwright.errors import ProgramError
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Executor, Run
from perfwright.measure.workloads import ProgramRuns
from perfwright.toolchain.process import Limits, Runner, run

ENOUGH = 0.5
"""The share that must be caught (DESIGN.md, section 7)."""

AIM = 10
"""How many mutants are wanted."""

_TRIES_PER_MUTANT = 3
_TIMEOUT_FACTOR = 3.0
_LEAST_TIMEOUT = 1.0
_DISASSEMBLY = Limits(wall=120.0)
_SURVIVORS_SHOWN = 5


class MutantMaker(Protocol):
    """Builds the program with another text of one unit."""

    def __call__(self, unit: str, text: str, /) -> Path | None:
        """The binary, or `None` when it does not build; each call makes a new file."""
        ...


@dataclass(frozen=True)
class Mutant:
    """What became of one mutant; `how` says what caught it and is empty if nothing did."""

    site: str
    how: str

    @property
    def caught(self) -> bool:
        """Whether the oracle noticed it."""
        return bool(self.how)


@dataclass(frozen=True)
class OracleStrength:
    """What the oracle noticed."""

    mutants: tuple[Mutant, ...]

    @property
    def caught(self) -> int:
        """How many mutants were noticed."""
        return sum(mutant.caught for mutant in self.mutants)

    @property
    def total(self) -> int:
        """How many mutants there were."""
        return len(self.mutants)

    @property
    def enough(self) -> bool:
        """Whether the oracle may be trusted; not if no mutant could be made."""
        return self.total > 0 and self.caught >= ENOUGH * self.total

    def __str__(self) -> str:
        return f"the oracle notices {self.caught} of {self.total} mutants"

    def require(self) -> None:
        """Stop here unless the oracle is strong enough; not called with `--weak-oracle`.

        Raises:
            ProgramError: fewer than half of the mutants were caught.
        """
        if self.enough:
            return
        survivors = [mutant.site for mutant in self.mutants if not mutant.caught]
        raise ProgramError(
            f"the oracle is too weak: {self}",
            cause="\n".join(["not noticed:", *survivors[:_SURVIVORS_SHOWN]])
            if survivors
            else "no mutant of the program could be built",
            hint="let the program print its results (a checksum will do), add workloads that "
            "reach the hot code, or name a test in [oracle]; --weak-oracle goes on regardless",
        )


@dataclass(frozen=True)
class MutationCheck:
    """Makes and tries mutants of one program.

    Attributes:
        runs: makes its runs.
        executor: runs them.
        reference: what the unmodified program does.
        makers: how to build with another text of a unit, the quickest first (-O1, say); the
            next is used for a unit whose unmodified text does not give the reference's
            results with the one before.
        code: identifies the machine code of a binary.
        seed: the campaign's.
    """

    runs: ProgramRuns
    executor: Executor
    reference: Reference
    makers: Sequence[MutantMaker]
    code: Callable[[Path], str]
    seed: int = 0

    def strength(
        self, texts: Mapping[str, str], shares: Mapping[str, float], aim: int = AIM
    ) -> OracleStrength:
        """Make mutants and count how many the oracle catches.

        Args:
            texts: the unoptimised LLVM IR of each unit, by name.
            shares: the profile's share of each function; may be empty.
            aim: how many mutants to try; fewer if there are not as many.
        """
        tried: list[Mutant] = []
        survivors: list[tuple[int, Path]] = []
        for site, binary, wall_limit in self._distinct(texts, shares, aim * _TRIES_PER_MUTANT):
            how = self._caught(binary, self.reference.cheapest, wall_limit)
            if not how:
                survivors.append((len(tried), binary))
            tried.append(Mutant(site, how))
            if len(tried) == aim:
                break
        strength = OracleStrength(tuple(tried))
        return strength if strength.enough else self._second_chance(strength, survivors)

    def _distinct(
        self, texts: Mapping[str, str], shares: Mapping[str, float], tries: int
    ) -> Iterator[tuple[str, Path, float]]:
        """Mutants with machine code of their own: what was changed, binary, time limit."""
        found = [site for unit, text in texts.items() for site in mutants.sites(unit, text)]
        order = mutants.draw(found, mutants.weights(texts, shares), self.seed)
        bases: dict[str, _Base | None] = {}
        seen: set[str] = set()
        for site in itertools.islice(order, tries):
            if site.unit not in bases:
                bases[site.unit] = self._base(site.unit, texts[site.unit])
            base = bases[site.unit]
            binary = base.maker(site.unit, site.apply(texts[site.unit])) if base else None
            if base is None or binary is None:
                continue
            code = self.code(binary)
            if code not in seen and code != base.code:
                seen.add(code)
                yield str(site), binary, base.wall_limit

    def _base(self, unit: str, text: str) -> _Base | None:
        """The program built like its mutants: what it is, and how long it takes."""
        for maker in self.makers:
            binary = maker(unit, text)
            if binary is None:
                continue
            expected = self.reference.cheapest
            result = self.executor.execute(self._run(binary, expected, expected.limits.wall))
            oracle = self.runs.spec.oracle
            if compare(expected.result, result, oracle, output=expected.output_counts) is None:
                limit = max(_LEAST_TIMEOUT, _TIMEOUT_FACTOR * result.wall_seconds)
                return _Base(maker, self.code(binary), limit)
        return None

    def _second_chance(
        self, strength: OracleStrength, survivors: Sequence[tuple[int, Path]]
    ) -> OracleStrength:
        """Show survivors the other train workloads and the user's own test as well."""
        cheapest = self.reference.cheapest
        others = [
            one
            for one in self.reference.expected.values()
            if one.workload.role == "train" and one is not cheapest
        ]
        tried = list(strength.mutants)
        for place, binary in survivors:
            how = next(
                (how for one in others if (how := self._caught(binary, one, one.limits.wall))),
                "",
            )
            tried[place] = replace(tried[place], how=how or self._caught_by_test(binary))
        return OracleStrength(tuple(tried))

    def _caught(self, binary: Path, expected: Expected, wall_limit: float) -> str:
        """What gives a mutant away on one workload; empty if nothing does."""
        result = self.executor.execute(self._run(binary, expected, wall_limit))
        found = compare(
            expected.result, result, self.runs.spec.oracle, output=expected.output_counts
        )
        return str(found) if found else ""

    def _caught_by_test(self, binary: Path) -> str:
        if self.runs.spec.oracle.test is None:
            return ""
        result = self.executor.execute(self.runs.test(binary, limits=self.reference.test_limits))
        return "" if result.exited and result.status == 0 else f"test: {result.ending()}"

    def _run(self, binary: Path, expected: Expected, wall_limit: float) -> Run:
        limits = replace(expected.limits, wall=wall_limit)
        return self.runs.workload(expected.workload, binary, limits=limits)


@dataclass(frozen=True)
class _Base:
    """The unmodified program, built like its mutants."""

    maker: MutantMaker
    code: str
    wall_limit: float


def disassemble(bitcode: Path, llvm_dis: Path, *, runner: Runner = run) -> str:
    """The text of a unit's bitcode.

    Raises:
        ProgramError: llvm-dis cannot read it.
    """
    result = runner([llvm_dis, bitcode, "-o", "-"], limits=_DISASSEMBLY)
    if not result.ok:
        raise ProgramError(f"{bitcode} cannot be read as bitcode", cause=result.explain())
    return result.text
