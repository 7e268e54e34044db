"""A tuner on one page: the loop is perfwright's own, everyone it calls is as small as can be.

    .venv/bin/python docs/tutorial/tiny_tuner.py [FILE.c [ARGS...]]

It builds one C file with `clang -O3`, tries options of LLVM one at a time, keeps what is
faster, leaves out what earns nothing, and confirms the rest.  Read it from top to bottom, with
`src/perfwright/core/protocols.py` beside it: that says what each method is for.
"""
# ruff: noqa: D102 - the protocols say it

from __future__ import annotations

import hashlib
import random
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perfwright.core import events
from perfwright.core.budget import Budget
from perfwright.core.campaign import Campaign, Outcome, Settings, Team
from perfwright.core.candidate import BASELINE, Candidate, Claim, Edit
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Ground, Lesson, Refusal, Repaired, Situation
from perfwright.core.trial import Correctness, Trial
from perfwright.core.verdict import Comparison
from perfwright.errors import ProgramError
from perfwright.testing.journal import MemoryJournal
from perfwright.testing.measurer import compare
from perfwright.toolchain import discovery
from perfwright.toolchain.process import ProcessResult, run

IDEAS = (  # options of LLVM, and why they should help; not all of them are any good
    ("unroll-count 8", "an idea that is not even an option"),
    ("no-such-option=1", "an option that clang does not know"),
    ("enable-gvn-hoist=true", "hoisting equal expressions shortens both sides of a branch"),
    ("x86-cmov-converter=false", "conditional moves stay, and data cannot mispredict them"),
    ("-unroll-count=8", "eight steps of the loop share one check of its end"),
    ("x86-cmov-converter-force-all=true", "branches cost nothing where they are predicted"),
)


@dataclass(frozen=True)
class TinyObserver:
    """Observe: build the program as its user does, run it, say what is known."""

    workshop: TinyWorkshop

    def observe(self) -> Ground:
        baseline = self.workshop.build(BASELINE)
        if isinstance(baseline, Refusal):
            raise ProgramError("the program cannot be built", cause=baseline.reason)
        seconds = self.workshop.run(baseline).seconds
        fact = Fact("run-1", "profile", "a run", "", f"a run takes {seconds:.3f} s")
        return Ground(baseline, seconds, "same-code", (fact,))


class TinyMind:
    """Propose and learn: each draft is the best so far with one edit more.

    A mind is shown the whole situation and keeps nothing of its own, so that asked again it
    gives the same answer.
    """

    def propose(self, situation: Situation) -> list[Candidate]:
        best, drafts = situation.incumbent, []
        for option, why in IDEAS[len(situation.trials) :]:
            edit = Edit("pipeline", option)
            claim = Claim(edit, why, evidence=("run-1",))
            drafts.append(Candidate((*best.edits, edit), (*best.claims, claim)))
        return drafts

    def learn(self, _situation: Situation, trial: Trial) -> Lesson:
        return Lesson(trial.id, trial.reason or f"it was {trial.verdict}")


@dataclass
class TinyWorkshop:
    """Repair and build: what is mended is said, what is refused has a reason."""

    source: Path
    arguments: Sequence[str]
    folder: Path
    clang: Path
    builds: int = 0

    def repair(self, draft: Candidate) -> Repaired | Refusal:
        mended = {edit: Edit(edit.level, edit.text.lstrip("-")) for edit in draft.edits}
        for edit in mended.values():
            if not re.fullmatch(r"[\w-]+=[\w.-]+", edit.text):
                return Refusal(f"{edit.text!r} is not of the form NAME=VALUE")
        claims = tuple(Claim(mended[c.edit], c.text, c.evidence) for c in draft.claims)
        said = tuple(f"{old.text} -> {new.text}" for old, new in mended.items() if old != new)
        return Repaired(Candidate(tuple(mended.values()), claims), said)

    def build(self, candidate: Candidate, layouts: int = 0) -> Build | Refusal:  # noqa: ARG002
        """Equal machine code has an equal digest, and will not be measured twice."""
        self.builds += 1
        out = self.folder / "new"
        options = [word for edit in candidate.edits for word in ("-mllvm", f"-{edit.text}")]
        result = run([self.clang, "-O3", *options, self.source, "-o", out, "-lm"])
        if not result.ok:
            said = [*result.error_text.strip().splitlines(), result.outcome()]
            return Refusal(said[0], result.reproducer)
        program = out.read_bytes()
        digest = hashlib.sha256(program).hexdigest()
        out.replace(self.folder / digest)  # named by its content, as in the real artefact store
        return Build(candidate, digest, len(program), binaries=(digest,))

    def consequences(self, build: Build, _incumbent: Build) -> tuple[Fact, ...]:
        size = f"the program has {build.size_bytes} bytes"
        return (Fact("size", "size", "clang", "", size, {"bytes": build.size_bytes}),)

    def run(self, build: Build) -> ProcessResult:
        """One run of the program; for the others."""
        return run([self.folder / build.binaries[0], *self.arguments])


@dataclass(frozen=True)
class TinyChecker:
    """Check: the oracle compares with what the unmodified program does."""

    workshop: TinyWorkshop

    def check(self, build: Build) -> Correctness | Refusal:
        baseline = self.workshop.build(BASELINE)
        assert isinstance(baseline, Build), "it has been built before"
        right, found = self.workshop.run(baseline), self.workshop.run(build)
        if (found.status, found.stdout) != (right.status, right.stdout):
            return Refusal(f"{found.outcome()}, or other output", found.reproducer)
        return Correctness.BY_CONSTRUCTION


@dataclass(frozen=True)
class TinyMeasurer:
    """Measure all arms together, in random order, never against old times; resume by the log."""

    workshop: TinyWorkshop
    log: MemoryJournal[tuple[float, ...]]
    pairs: int
    dice: random.Random = field(default_factory=lambda: random.Random(0))

    def select(self, label: str, arms: Sequence[Build]) -> tuple[Comparison, ...]:
        while len(self.log.recorded(label)) < self.pairs:
            order = self.dice.sample(range(len(arms)), len(arms))
            seconds = {number: self.workshop.run(arms[number]).seconds for number in order}
            self.log.append(label, tuple(seconds[number] for number in sorted(order)))
        candidate, *references = zip(*self.log.recorded(label), strict=True)
        return tuple(compare(candidate, reference) for reference in references)

    def attribute(self, label: str, winner: Build, without: Build) -> Comparison:
        return self.select(label, (winner, without))[0]

    def confirm(self, label: str, winner: Build, baseline: Build) -> Comparison:
        return self.select(label, (winner, baseline))[0]


def tune(
    workshop: TinyWorkshop,
    journal: MemoryJournal[tuple[float, ...]],
    reporter: events.Reporter = events.silent,
    pairs: int = 15,
) -> Outcome:
    """Put them together.

    The journal remembers every finished step: over the same journal, a campaign that was
    interrupted goes on, and one that has ended only answers.
    """
    team = Team(
        observer=TinyObserver(workshop),
        mind=TinyMind(),
        workshop=workshop,
        checker=TinyChecker(workshop),
        measurer=TinyMeasurer(workshop, journal, pairs),
        journal=journal,
        reporter=reporter,
    )
    return Campaign(team, Settings(Budget(rounds=3, drafts_per_round=4))).run()


def tell(event: events.Event) -> None:
    """Say what became of each candidate."""
    if isinstance(event, events.TrialEnded):
        trial = event.trial
        edits = ", ".join(edit.text for edit in trial.candidate.edits)
        print(f"{trial.id} {edits}: {trial.against_incumbent or f'{trial.state}, {trial.reason}'}")
    elif isinstance(event, events.Confirmed):
        print(f"confirmed: {event.comparison}")


if __name__ == "__main__":
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("walk.c")
    with tempfile.TemporaryDirectory() as name:
        clang = discovery.select().tool("clang")
        outcome = tune(TinyWorkshop(source, sys.argv[2:], Path(name), clang), MemoryJournal(), tell)
    print(outcome.status, *(str(edit) for edit in outcome.final.edits), sep="\n  ")
