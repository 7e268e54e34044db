"""A program whose answer to every edit is written down, and those who build and judge it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from perfwright.core.candidate import BASELINE, Candidate, Edit, digest
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Ground, Refusal, Repaired
from perfwright.core.trial import Correctness

BASELINE_SECONDS = 0.4


@dataclass(frozen=True)
class ScriptedProgram:
    """What each edit does, by its text; edits that are not named do nothing but cost code.

    Attributes:
        speedups: true time without the edit over time with it; they multiply.
        luck: speed-ups that show during the search and are gone at confirmation.
        invalid, unbuildable, wrong: edits with which a candidate ends so, and why.
        inert: edits that leave the machine code as it is.
    """

    speedups: Mapping[str, float] = field(default_factory=dict)
    luck: Mapping[str, float] = field(default_factory=dict)
    invalid: Mapping[str, str] = field(default_factory=dict)
    unbuildable: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    inert: Set[str] = frozenset()

    def seconds(self, candidate: Candidate, *, searching: bool) -> float:
        """The true time of one run."""
        gains = [self.speedups.get(edit.text, 1.0) for edit in candidate.edits]
        if searching:
            gains += [self.luck.get(edit.text, 1.0) for edit in candidate.edits]
        return BASELINE_SECONDS / math.prod(gains)

    def build(self, candidate: Candidate, layouts: int = 0) -> Build:
        """What building it gives: equal code for candidates that differ in inert edits."""
        code = digest(str(edit) for edit in candidate.edits if edit.text not in self.inert)
        names = [f"{code} layout {number}" for number in range(1 + layouts)]
        binaries = tuple(hashlib.sha256(name.encode()).hexdigest() for name in names)
        return Build(candidate, code, 10_000 + len(candidate.edits), binaries)


class ScriptedObserver:
    """Sees the facts that it is given; counts how often it looks."""

    def __init__(
        self, program: ScriptedProgram, facts: tuple[Fact, ...] = (), warnings: tuple[str, ...] = ()
    ) -> None:
        self.program = program
        self.facts = facts
        self.warnings = warnings
        self.calls = 0

    def observe(self) -> Ground:
        """See `perfwright.core.protocols.Observer`."""
        self.calls += 1
        build = self.program.build(BASELINE)
        return Ground(build, BASELINE_SECONDS, "same-code", self.facts, self.warnings)


class ScriptedWorkshop:
    """Builds what the program lets it build; remembers what it was asked for."""

    def __init__(self, program: ScriptedProgram, repairs: Mapping[str, str] | None = None) -> None:
        self.program = program
        self.repairs = repairs or {}
        """Text of an edit -> the text that it is mended to; empty: the edit is dropped."""
        self.built: list[Candidate] = []

    def repair(self, draft: Candidate) -> Repaired | Refusal:
        """See `perfwright.core.protocols.Workshop`."""
        for edit in draft.edits:
            if edit.text in self.program.invalid:
                return Refusal(self.program.invalid[edit.text])
        mended = [(edit, self.repairs.get(edit.text, edit.text)) for edit in draft.edits]
        candidate = draft.with_edits(Edit(edit.level, text) for edit, text in mended if text)
        return Repaired(candidate, tuple(f"{e.text} -> {t}" for e, t in mended if e.text != t))

    def build(self, candidate: Candidate, layouts: int = 0) -> Build | Refusal:
        """See `perfwright.core.protocols.Workshop`."""
        self.built.append(candidate)
        for edit in candidate.edits:
            if edit.text in self.program.unbuildable:
                return Refusal(self.program.unbuildable[edit.text], f"clang {edit.text}")
        return self.program.build(candidate, layouts)

    def consequences(self, build: Build, incumbent: Build) -> tuple[Fact, ...]:
        """See `perfwright.core.protocols.Workshop`."""
        if build.code == self.program.build(BASELINE).code:
            return ()
        text, data = f"{build.size_bytes} bytes of code", {"bytes": build.size_bytes}
        over = Fact(f"size-{build.code}", "size", "script", "", text, data)
        if not incumbent.candidate.edits:
            return (over,)
        text = f"against the incumbent: {build.size_bytes - incumbent.size_bytes:+d} bytes of code"
        return (Fact(f"inc-{over.id}", "size", "script", "", text, data), over)


class ScriptedChecker:
    """Refutes what the program calls wrong; remembers what it was shown."""

    def __init__(
        self, program: ScriptedProgram, correctness: Correctness = Correctness.BY_CONSTRUCTION
    ) -> None:
        self.program = program
        self.correctness = correctness
        self.checked: list[Candidate] = []

    def check(self, build: Build) -> Correctness | Refusal:
        """See `perfwright.core.protocols.Checker`."""
        self.checked.append(build.candidate)
        for edit in build.candidate.edits:
            if edit.text in self.program.wrong:
                return Refusal(self.program.wrong[edit.text])
        return self.correctness
