"""What the campaign needs from the outside, one protocol a stage.

Implementations: `levels` (repair), `program` and `levels` (build), `checks` (check),
`measure` (compare), `minds` (propose, learn), `store` (journal), `report` (hand over).
Scripted doubles of all of them are in `perfwright.testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from perfwright.core.candidate import Candidate
from perfwright.core.evidence import Fact
from perfwright.core.trial import Correctness, Trial
from perfwright.core.verdict import Comparison
from perfwright.errors import ProgramError

T = TypeVar("T")

Identity = Literal["same-code", "same-speed", "differs"]
"""How the staged build of the baseline compares with the user's own."""
P = TypeVar("P")


@dataclass(frozen=True)
class Refusal:
    """Why a candidate went no further, and how to see it for oneself.

    `unpromising`: it is valid and was built, but is not worth measuring (`rejected`).
    `broken`: a tool crashed, hung or ran out of memory over it (`unbuildable`, whatever the
    stage); how, in a word.
    """

    reason: str
    reproducer: str = ""
    unpromising: bool = False
    broken: str = ""


@dataclass(frozen=True)
class Repaired:
    """A valid candidate and what had to be mended in the draft."""

    candidate: Candidate
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Build:
    """A built candidate: where its binary is in the artefact store, and what it is.

    `code` identifies the machine code: equal codes are never measured twice.  `binaries`
    are the artefact digests, one a layout: the first is the delivered one, the others
    (asked for with `layouts`) have their sections in random order.
    """

    candidate: Candidate
    code: str
    size_bytes: int
    binaries: tuple[str, ...]


class WrongResultError(ProgramError):
    """A build that had passed the checker gave a wrong result while it was timed."""

    def __init__(self, build: Build, refusal: Refusal) -> None:
        super().__init__(
            f"a timed run gave a wrong result: {refusal.reason}", hint=refusal.reproducer
        )
        self.build = build
        self.refusal = refusal


@dataclass(frozen=True)
class Ground:
    """What is known before the first round: the measured ground that all else stands on.

    When `identity` is `differs`, the staged road is closed.
    """

    baseline: Build
    baseline_seconds: float
    identity: Identity
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...] = ()
    metric: str = "cpu"
    """What is compared: `cpu`, `wall`, `instructions` or `cycles`."""
    over_o3: float | None = None
    """Time with the user's flags at the level -O3 over the baseline's; `None` where that is
    the level they say, and where it could not be told."""


@dataclass(frozen=True)
class Lesson:
    """What a mind learned from one trial: the cause of what happened, and where to go next."""

    trial: str
    cause: str
    next: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Situation:
    """All that a mind may know when it proposes or learns.

    A mind keeps no state of its own between calls: the same situation, the same answer.
    That is what makes a campaign resumable.
    """

    ground: Ground
    incumbent: Candidate
    trials: tuple[Trial, ...]
    lessons: tuple[Lesson, ...]
    round: int
    rounds_left: int | None


class Observer(Protocol):
    """Builds the baseline, checks the oracle, gathers evidence."""

    def observe(self) -> Ground:
        """Look at the program, once a campaign.

        Raises:
            ProgramError: the program cannot be built, run or judged.
        """
        ...


class Mind(Protocol):
    """Who decides."""

    def propose(self, situation: Situation) -> Sequence[Candidate]:
        """Drafts for this round, the most promising first; none when nothing is left to try.

        They are tried in order until one is measured.  Asked again in the same round when
        all of them failed before that.  The empty answer ends the search.

        Raises:
            MindError: the model or the network failed for good.
        """
        ...

    def learn(self, situation: Situation, trial: Trial) -> Lesson:
        """Say what is to be learned from a trial; called exactly once for each, in order.

        `situation` is what was known when the trial began.

        Raises:
            MindError: the model or the network failed for good.
        """
        ...


class Workshop(Protocol):
    """Repairs, builds and looks into candidates."""

    def repair(self, draft: Candidate) -> Repaired | Refusal:
        """Mend what can be mended, refuse the rest before anything is built."""
        ...

    def build(self, candidate: Candidate, layouts: int = 0) -> Build | Refusal:
        """Build by the road of deployment; `layouts` more with random section orders."""
        ...

    def consequences(self, build: Build, incumbent: Build) -> tuple[Fact, ...]:
        """What the candidate changed, the most telling first.

        Against the baseline and, where that is another build, against the incumbent; facts
        against the incumbent have ids of their own.  The campaign adds the trial to the ids.
        It is evidence, and decides nothing.  Called before the candidate is checked.
        """
        ...


class Checker(Protocol):
    """Decides whether a build is right."""

    def check(self, build: Build) -> Correctness | Refusal:
        """Run the oracle on every workload; a hang, a crash or a limit is a refusal."""
        ...


class Measurer(Protocol):
    """Times builds, always interleaved, never against stored times.

    Every method raises `WrongResultError` when a timed run gives a wrong result.
    """

    def select(self, label: str, arms: Sequence[Build]) -> tuple[Comparison, ...]:
        """Compare the first arm with each of the others on the train workloads.

        `label` names the comparison in the journal: finished pairs are never repeated.
        """
        ...

    def attribute(self, label: str, winner: Build, without: Build) -> Comparison:
        """The winner against itself less an edit, with a smaller cap on pairs."""
        ...

    def confirm(self, label: str, winner: Build, baseline: Build) -> Comparison:
        """Fresh runs on the confirm workloads, over several layouts of both."""
        ...


class Journal(Protocol):
    """The append-only record.  A step is committed before the next one starts."""

    def once(self, key: str, kind: Any, compute: Callable[[], T]) -> T:
        """The recorded outcome of step `key`, or else compute, commit and return it.

        This is what makes resume and replay the same thing: the campaign runs again from
        its start, and every finished step answers from the record.  `kind` is the type of
        the outcome (a frozen dataclass, a union or a tuple of them), for reading it back.
        """
        ...


class PairLog(Protocol[P]):
    """The timed pairs of one campaign, by the label of their comparison.

    A pair is committed as soon as it is timed; one that was interrupted is not recorded and
    is timed again.  `P` is the measurer's own record of a pair, a frozen dataclass.
    """

    def recorded(self, label: str) -> Sequence[P]:
        """The finished pairs of a comparison, in the order in which they were timed."""
        ...

    def append(self, label: str, record: P) -> None:
        """Commit one finished pair."""
        ...
