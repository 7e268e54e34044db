"""The loop.  Read this page first.

    observe -> propose -> repair -> build -> check -> measure -> judge -> learn -> (again)
            -> prune -> confirm

Every stage is one call to something passed in, and its outcome is committed to the journal
under a key before the next stage starts.  Run again over the same journal, the campaign
answers finished stages from the record: that is how it resumes and how it is replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import count
from typing import Any, TypeVar

from perfwright.core import events
from perfwright.core.attribution import Pruned, prune
from perfwright.core.budget import Budget
from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.events import Reporter
from perfwright.core.evidence import Fact
from perfwright.core.protocols import (
    Build,
    Checker,
    Ground,
    Journal,
    Lesson,
    Measurer,
    Mind,
    Observer,
    Refusal,
    Repaired,
    Situation,
    Workshop,
    WrongResultError,
)
from perfwright.core.saturation import Saturation
from perfwright.core.trial import Contribution, Correctness, Trial, TrialState
from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import MindError

T = TypeVar("T")


class Status(StrEnum):
    """How a campaign ended, as users see it."""

    IMPROVED = "improved"
    NO_GAIN = "no-gain"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Outcome:
    """The result of a campaign; `final` is the baseline unless `status` is `improved`."""

    status: Status
    ground: Ground
    final: Candidate
    trials: tuple[Trial, ...]
    confirmation: Comparison | None = None
    attribution: tuple[Contribution, ...] = ()
    correctness: Correctness = Correctness.BY_CONSTRUCTION
    unconfirmed: Candidate | None = None
    """What won the search but did not survive confirmation."""
    code: str = field(default="", compare=False)
    """The machine code that was confirmed; records of older versions do not have it."""


def measure_all(situation: Situation, trial: Trial) -> Refusal | None:
    """The last look of a team that measures whatever has come so far."""
    del situation, trial
    return None


@dataclass(frozen=True)
class Team:
    """Everyone the campaign calls; see `perfwright.core.protocols`."""

    observer: Observer
    mind: Mind
    workshop: Workshop
    checker: Checker
    measurer: Measurer
    journal: Journal
    reporter: Reporter = events.silent
    spent: Callable[[], float] = lambda: 0.0
    """Wall seconds that this campaign has used, earlier sessions included."""
    last_look: Callable[[Situation, Trial], Refusal | None] = measure_all
    """Asked before a built and checked candidate is measured, with what it changed in the
    code; a refusal drops it."""


@dataclass(frozen=True)
class Settings:
    """What the loop itself can be told.

    `deduplicate=False` measures identical machine code too: only for A/A campaigns, which
    would otherwise measure nothing.  `confirm_share` of a time budget is kept back for
    pruning and confirmation.  Without `saturation` a search that has run dry goes on.
    """

    budget: Budget = field(default_factory=Budget)
    deduplicate: bool = True
    confirm_share: float = 0.3
    saturation: Saturation | None = field(default_factory=Saturation)


@dataclass
class Campaign:
    """One tuning run.  `run` is the whole story; the rest are its paragraphs."""

    team: Team
    settings: Settings = field(default_factory=Settings)
    trials: list[Trial] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)
    ground: Ground | None = None

    def run(self) -> Outcome:
        """Tune to the end of the budget, prune the winner, confirm what is left."""
        ground = self._observe()
        incumbent = ground.baseline
        number = 1
        while self._may_begin(number):
            search = self._round(number, ground, incumbent)
            incumbent = search.incumbent
            if search.exhausted:
                break
            number += 1
        return self._finish(ground, incumbent)

    def _observe(self) -> Ground:
        self._say(events.StageBegan("observe"))
        ground = self.team.journal.once("observe", Ground, self.team.observer.observe)
        self.ground = ground
        self.codes[ground.baseline.code] = "the baseline"
        for text in ground.warnings:
            self._say(events.Warned(text))
        return ground

    def _may_begin(self, number: int) -> bool:
        budget = self.settings.budget
        reserve = (budget.seconds or 0.0) * self.settings.confirm_share
        saturation = self._saturation(number - 1)

        def allowed() -> bool:
            return not saturation and budget.allows(number - 1, self.team.spent(), reserve)

        if not self.team.journal.once(f"round {number}/may begin", bool, allowed):
            if saturation and number - 1 != budget.rounds:
                self._say(events.Warned("the search ended early", saturation))
            return False
        self._say(events.RoundBegan(number, budget.rounds or 0))
        return True

    def _saturation(self, done: int) -> str:
        """Why further rounds would find nothing either; empty if they may."""
        rule = self.settings.saturation
        open_ended = self.settings.budget.rounds is None
        return rule.reason(self.trials, done, open_ended=open_ended) if rule else ""

    def _round(self, number: int, ground: Ground, incumbent: Build) -> _Searched:
        """One measured candidate, or as many failed drafts as the budget forgives."""
        failures = 0
        for asked in count(1):
            drafts = self._propose(self._situation(number, ground, incumbent), asked)
            if not drafts:
                break
            for draft in drafts:
                situation = self._situation(number, ground, incumbent)
                name = f"{number}.{failures + 1}"
                trial, build = self._try_out(situation, name, draft, ground, incumbent)
                self._learn(situation, trial)
                if trial.state is TrialState.MEASURED:
                    return _Searched(build if trial.accepted and build else incumbent)
                failures += 1
                if failures == self.settings.budget.drafts_per_round:
                    return _Searched(incumbent)
        return _Searched(incumbent, exhausted=True)

    def _propose(self, situation: Situation, asked: int) -> tuple[Candidate, ...]:
        self._say(events.StageBegan("propose", f"round {situation.round}"))
        key = f"round {situation.round}/proposal {asked}"
        mind = self.team.mind
        return self._ask(key, tuple[Candidate, ...], lambda: tuple(mind.propose(situation))) or ()

    def _ask(self, key: str, kind: Any, ask: Callable[[], T]) -> T | None:
        """What the mind says; `None` if it fails for good after something has been found.

        What has been found is then pruned, confirmed and handed over all the same.
        """

        def answer() -> T | Refusal:
            try:
                return ask()
            except MindError as error:
                if not any(trial.accepted for trial in self.trials):
                    raise
                return Refusal(": ".join(filter(None, (error.fact, error.cause))))

        said = self.team.journal.once(key, kind | Refusal, answer)
        if isinstance(said, Refusal):
            self._say(events.Warned(said.reason, "what was found until then is kept"))
            return None
        return said

    def _try_out(
        self, known: Situation, name: str, draft: Candidate, ground: Ground, incumbent: Build
    ) -> tuple[Trial, Build | None]:
        """Take one draft as far as it gets: repair, build, check, measure, judge."""
        trial, build = self._prepare(known.round, name, draft, incumbent)
        if build is not None:
            arms = [build, incumbent]
            if incumbent.code != ground.baseline.code:
                arms.append(ground.baseline)
            trial = _judged(trial, self._select(known, trial, arms))
            if trial.state is TrialState.REJECTED and self.codes[build.code] == f"trial {name}":
                del self.codes[build.code]  # it was not measured: it may come again
        self.trials.append(trial)
        self._say(events.TrialEnded(trial, self._best_so_far()))
        return trial, build

    def _select(
        self, known: Situation, trial: Trial, arms: list[Build]
    ) -> tuple[Comparison, ...] | Refusal:
        label = f"trial {trial.id}"

        def select() -> tuple[Comparison, ...] | Refusal:
            dropped = self.team.last_look(known, trial)
            if dropped is not None:
                return replace(dropped, unpromising=True)
            self._say(events.StageBegan("measure", trial.id))
            try:
                return tuple(self.team.measurer.select(label, arms))
            except WrongResultError as error:
                if error.build.code != arms[0].code:
                    raise
                return error.refusal

        return self.team.journal.once(f"{label}/compare", tuple[Comparison, ...] | Refusal, select)

    def _prepare(
        self, number: int, name: str, draft: Candidate, incumbent: Build
    ) -> tuple[Trial, Build | None]:
        """Everything before measuring.  A build comes back only if it is worth timing."""
        once, workshop = self.team.journal.once, self.team.workshop

        def ended(state: TrialState, reason: str, reproducer: str = "") -> tuple[Trial, None]:
            return replace(trial, state=state, reason=reason, reproducer=reproducer), None

        trial = Trial(name, number, draft, TrialState.REJECTED)
        repaired: Repaired | Refusal = once(
            f"trial {name}/repair",
            Repaired | Refusal,
            lambda: Refusal(draft.flaw) if draft.flaw else workshop.repair(draft),
        )
        if isinstance(repaired, Refusal):
            state = TrialState.UNBUILDABLE if repaired.broken else TrialState.REJECTED
            return ended(state, repaired.reason, repaired.reproducer)
        trial = replace(trial, candidate=repaired.candidate, repairs=repaired.repairs)
        self._say(events.StageBegan("build", name))
        build: Build | Refusal = once(
            f"trial {name}/build", Build | Refusal, lambda: workshop.build(repaired.candidate)
        )
        if isinstance(build, Refusal) and build.unpromising:
            return ended(TrialState.REJECTED, f"unpromising: {build.reason}")
        if isinstance(build, Refusal):
            return ended(TrialState.UNBUILDABLE, build.reason, build.reproducer)
        twin = self.codes.get(build.code)
        if twin is not None and self.settings.deduplicate:
            return ended(TrialState.IDENTICAL, f"same machine code as {twin}")
        self.codes.setdefault(build.code, f"trial {name}")
        changes = once(
            f"trial {name}/consequences",
            tuple[Fact, ...],
            lambda: _of_trial(name, workshop.consequences(build, incumbent)),
        )
        trial = replace(trial, consequences=changes)
        self._say(events.StageBegan("check", name))
        checked: Correctness | Refusal = once(
            f"trial {name}/check", Correctness | Refusal, lambda: self.team.checker.check(build)
        )
        if isinstance(checked, Refusal):
            return ended(TrialState.WRONG, checked.reason, checked.reproducer)
        return replace(trial, correctness=checked), build

    def _learn(self, situation: Situation, trial: Trial) -> None:
        mind = self.team.mind
        lesson = self._ask(f"trial {trial.id}/lesson", Lesson, lambda: mind.learn(situation, trial))
        if lesson:
            self.lessons.append(lesson)

    def _finish(self, ground: Ground, incumbent: Build) -> Outcome:
        """Prune, confirm, and fall back to the baseline unless the gain is still there."""
        nothing = Outcome(Status.NO_GAIN, ground, BASELINE, tuple(self.trials))
        try:
            pruned = self._prune(incumbent)
        except WrongResultError as error:
            self._say(_wrong("pruned", error.refusal))
            return replace(nothing, unconfirmed=error.build.candidate)
        if pruned is None:
            return nothing
        if pruned.build.code == ground.baseline.code and self.settings.deduplicate:
            return replace(nothing, unconfirmed=incumbent.candidate)
        confirmation = self._confirm(pruned.build, ground.baseline)
        if isinstance(confirmation, Refusal):
            return replace(nothing, unconfirmed=pruned.build.candidate)
        if confirmation.verdict is not Verdict.FASTER:
            return replace(nothing, confirmation=confirmation, unconfirmed=pruned.build.candidate)
        return replace(
            nothing,
            status=Status.IMPROVED,
            final=pruned.build.candidate,
            code=pruned.build.code,
            confirmation=confirmation,
            attribution=pruned.contributions,
            correctness=pruned.correctness,
        )

    def _prune(self, incumbent: Build) -> Pruned | None:
        """What is left of the winner; `None` if nothing has beaten the baseline."""
        accepted = [trial for trial in self.trials if trial.accepted]
        if not accepted or accepted[-1].correctness is None:
            return None
        self._say(events.StageBegan("prune"))
        return prune(incumbent, accepted[-1].correctness, self.team)

    def _confirm(self, winner: Build, baseline: Build) -> Comparison | Refusal:
        self._say(events.StageBegan("confirm"))

        def confirm() -> Comparison | Refusal:
            try:
                return self.team.measurer.confirm("confirm", winner, baseline)
            except WrongResultError as error:
                if error.build.candidate != winner.candidate:
                    raise
                return error.refusal

        said = self.team.journal.once("confirm/compare", Comparison | Refusal, confirm)
        if isinstance(said, Refusal):
            self._say(_wrong("confirmed", said))
        else:
            self._say(events.Confirmed(said))
        return said

    def _situation(self, number: int, ground: Ground, incumbent: Build) -> Situation:
        rounds = self.settings.budget.rounds
        return Situation(
            ground=ground,
            incumbent=incumbent.candidate,
            trials=tuple(self.trials),
            lessons=tuple(self.lessons),
            round=number,
            rounds_left=None if rounds is None else rounds - number + 1,
        )

    def _best_so_far(self) -> float:
        ratios = [t.over_baseline.ratio for t in self.trials if t.accepted and t.over_baseline]
        return max(ratios, default=1.0)

    def _say(self, event: events.Event) -> None:
        self.team.reporter(event)


def _judged(trial: Trial, said: tuple[Comparison, ...] | Refusal) -> Trial:
    """The trial with its verdict: against the incumbent first, against the baseline last."""
    if isinstance(said, Refusal) and said.unpromising:
        return replace(trial, state=TrialState.REJECTED, reason=f"unpromising: {said.reason}")
    if isinstance(said, Refusal):
        wrong = TrialState.WRONG
        return replace(trial, state=wrong, reason=said.reason, reproducer=said.reproducer)
    return replace(
        trial,
        state=TrialState.MEASURED,
        against_incumbent=said[0],
        over_baseline=said[-1],
        accepted=said[0].verdict is Verdict.FASTER,
    )


def _wrong(when: str, said: Refusal) -> events.Event:
    return events.Warned(f"the winner was wrong when it was {when}: {said.reason}", said.reproducer)


def _of_trial(name: str, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Facts under ids that no other trial has: a lesson may cite one long after."""
    return tuple(replace(fact, id=f"{fact.id}@{name}") for fact in facts)


@dataclass(frozen=True)
class _Searched:
    """What a round leaves behind; `exhausted`: the mind has nothing left to try."""

    incumbent: Build
    exhausted: bool = False
