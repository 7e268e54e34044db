"""A campaign whose mind is an agent outside: each call waits until the loop has an answer.

The loop is `perfwright.core.campaign`, as in every campaign, and writes the same journal: what
an agent did can be shown, explained and replayed like anything else.  A call that is cancelled
interrupts the campaign as Ctrl-C would; the next call resumes it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from perfwright.app.meeting import (
    AgentMind,
    Asked,
    Finish,
    Measure,
    Meeting,
    Order,
    Propose,
    Question,
)
from perfwright.app.request import AGENT, TuneRequest
from perfwright.app.story import loop_settings
from perfwright.app.tune import Cast, Ended, Lead, resume, tune
from perfwright.app.workplace import Workplace
from perfwright.core.candidate import Candidate, Claim, Edit
from perfwright.core.events import Event, Reporter, StageBegan, TrialEnded
from perfwright.core.protocols import Situation
from perfwright.core.trial import Trial
from perfwright.errors import InternalError, PerfwrightError, UserError, unknown_name
from perfwright.levels.pipeline.level import NAME as PIPELINE
from perfwright.minds.builtin.evaluator import RuleEvaluator
from perfwright.report.document import CampaignDocument
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore

_UNWINDING_SECONDS = 60.0
"""A cancelled call ends with the run or compilation that is under way."""

BASELINE_NAME = "baseline"
INCUMBENT_NAME = "incumbent"


class Conduct(Protocol):
    """Runs the loop to its end, led by whom `cast` finds."""

    def __call__(self, name: str, reporter: Reporter, cast: Cast, /) -> Ended:
        """Resume the campaign of this name; begin one when it is empty."""
        ...


@dataclass(frozen=True)
class Idea:
    """One edit that an agent proposes, why, and the ids of the facts that speak for it."""

    edit: str
    claim: str = ""
    evidence: tuple[str, ...] = ()


@dataclass
class Session:
    """An agent's campaign, from `begin` to `confirm` or `close`.

    One call at a time: a second one, from another thread, is refused.  Every method that asks
    the loop something raises what the loop failed with.

    Attributes:
        campaign: its id; empty until the journal has one.
        place: its workplace while the loop runs.
    """

    request: TuneRequest
    conduct: Conduct
    campaign: str = ""
    place: Workplace | None = None
    ended: Ended | PerfwrightError | None = None
    heard: int = 0
    latest: Event | None = None
    trials: dict[str, Trial] = field(default_factory=dict)
    _meeting: Meeting = field(default_factory=Meeting)
    _thread: threading.Thread | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _known: Situation | None = None

    def begin(self) -> Asked:
        """Begin or resume the campaign; returns when the loop asks for a candidate.

        Raises:
            PerfwrightError: the program cannot be built, run or judged.
        """
        with self._alone():
            return self._running()

    def propose(
        self, ideas: Sequence[Idea], *, without: Sequence[str] = (), lesson: str = ""
    ) -> Asked:
        """Try the incumbent with these edits and without those; returns before measuring.

        Raises:
            UserError: the edits, the evidence or the moment is wrong.
        """
        with self._alone():
            if self._running().rounds_left == 0:
                raise UserError("the rounds are used up", hint="call confirm")
            candidate = self.candidate(ideas, without)
            return self._told(Propose(candidate, lesson)) or self._over()

    def measure(self) -> Asked:
        """Measure the candidate that is ready.

        Raises:
            UserError: none is.
        """
        with self._alone():
            if self._running().question is not Question.WORTH_IT:
                raise UserError("no candidate waits to be measured", hint="call propose first")
            return self._told(Measure()) or self._over()

    def confirm(self, lesson: str = "") -> CampaignDocument:
        """End the search: prune the winner, confirm it on fresh runs, hand it over."""
        with self._alone():
            # A campaign that was interrupted while it was confirmed asks nothing any more.
            if self._resumed() is not None:
                self._told(Finish(lesson))
            ended = self.ended
            if not isinstance(ended, Ended) or ended.error or ended.interrupted:
                self._over()
            assert isinstance(ended, Ended), "else it has been raised"
            return ended.document

    def stop(self) -> None:
        """Interrupt what is going on; the next call resumes the campaign."""
        self._meeting.stop()

    def close(self) -> None:
        """Interrupt the campaign, if it has not ended, and wait until that is written down."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    @property
    def situation(self) -> Situation:
        """What is known now.

        Raises:
            UserError: nothing yet.
        """
        if self._known is None:
            raise UserError("nothing is known of the program yet", hint="call open first")
        return self._known

    @property
    def over(self) -> bool:
        """Whether there is nothing more to be asked: the campaign has ended or failed."""
        interrupted = isinstance(self.ended, Ended) and self.ended.interrupted
        return self.ended is not None and not interrupted

    @property
    def doing(self) -> str:
        """What is going on, in a word."""
        if self.over:
            return "the campaign has ended"
        if isinstance(self.latest, StageBegan):
            return f"{self.latest.stage} {self.latest.detail}".strip()
        return type(self.latest).__name__ if self.latest else "nothing yet"

    @property
    def asked(self) -> Asked | None:
        """What the loop waits to be told; `None` while it works, and when it is over."""
        return self._meeting.asked

    @contextmanager
    def inside(self) -> Iterator[Workplace]:
        """The workplace while the loop waits, to look at builds.

        Raises:
            UserError: the loop is at work, or the campaign is over.
        """
        with self._alone():
            self._running()
            if self.place is None:
                raise UserError("this campaign has no workplace")
            yield self.place

    def candidate(self, ideas: Sequence[Idea], without: Sequence[str] = ()) -> Candidate:
        """The incumbent with these edits and without those.

        Raises:
            UserError: an edit or an id of evidence is unknown, or nothing is proposed.
        """
        situation = self.situation
        dropped = [edit_from(text) for text in without]
        known = [str(edit) for edit in situation.incumbent.edits]
        for edit in dropped:
            if str(edit) not in known:
                raise unknown_name("edit of the incumbent", edit.text, known)
        base = situation.incumbent.without(*dropped)
        self._check_evidence(ideas, situation)
        added = {edit_from(idea.edit): idea for idea in ideas}
        edits = (*base.edits, *(edit for edit in added if edit not in base.edits))
        claims = tuple(Claim(edit, i.claim, tuple(i.evidence)) for edit, i in added.items())
        candidate = Candidate(edits, (*base.claims, *claims))
        if candidate.id == situation.incumbent.id:
            raise UserError(
                "this is the incumbent itself", hint="propose an edit that it does not have"
            )
        return candidate

    def named(self, name: str) -> Candidate:
        """The candidate of a trial, by its id; `baseline` and `incumbent` have names.

        Raises:
            UserError: there is no such trial.
        """
        asked = self._meeting.asked
        waiting = {asked.trial.id: asked.trial} if asked and asked.trial else {}
        trials = self.trials | waiting
        if name == BASELINE_NAME:
            return Candidate()
        if name == INCUMBENT_NAME:
            return self.situation.incumbent
        if name not in trials:
            raise unknown_name("build", name, [BASELINE_NAME, INCUMBENT_NAME, *trials])
        return trials[name].candidate

    def _check_evidence(self, ideas: Sequence[Idea], situation: Situation) -> None:
        known = {fact.id for fact in situation.ground.facts}
        known |= {fact.id for trial in situation.trials for fact in trial.consequences}
        for idea in ideas:
            for name in idea.evidence:
                if name not in known:
                    raise unknown_name("evidence", name, known)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        patience = _UNWINDING_SECONDS if self._meeting.stopping else 0.0
        if not self._turn.acquire(timeout=patience):
            raise UserError(
                "another call is still at work", hint="wait for its answer, or cancel it"
            )
        try:
            yield
        finally:
            self._turn.release()

    def _running(self) -> Asked:
        """The question that waits, of a loop that is begun or resumed where need be."""
        return self._resumed() or self._over()

    def _resumed(self) -> Asked | None:
        interrupted = isinstance(self.ended, Ended) and self.ended.interrupted
        if self.ended is None or interrupted:
            if self._thread is None or interrupted or self._meeting.stopping:
                self._start()
            return self._next()
        return None

    def _told(self, order: Order) -> Asked | None:
        self._meeting.give(order)
        return self._next()

    def _next(self) -> Asked | None:
        asked = self._meeting.wait()
        if asked is not None:
            self._known = asked.situation
        return asked

    def _over(self) -> NoReturn:
        """Say why there is no more to be asked."""
        if isinstance(self.ended, PerfwrightError):
            raise self.ended
        if self.ended is None or self.ended.interrupted:
            raise UserError(
                "the campaign was interrupted", hint="call again: it goes on where it was"
            )
        if self.ended.error is not None:
            raise self.ended.error
        raise UserError(
            f"the campaign has ended: {self.ended.document.status}",
            hint="call recipe or history, or open another campaign",
        )

    def _start(self) -> None:
        if self._thread is not None:
            self._thread.join()
        self.ended = None
        self._meeting = Meeting()
        self._thread = threading.Thread(
            target=self._work, args=(self._meeting,), name="campaign", daemon=True
        )
        self._thread.start()

    def _work(self, meeting: Meeting) -> None:
        try:
            self.ended = self.conduct(self.campaign, self._hear, self._cast)
        except PerfwrightError as error:
            self.ended = error
        finally:
            if self.ended is None:
                self.ended = InternalError(
                    "the campaign broke off", hint="look at what the server says on standard error"
                )
            self.place = None
            meeting.end()

    def _cast(self, place: Workplace) -> Lead:
        """Take the lead at a workplace."""
        meeting = self._meeting
        self.place, self.campaign = place, place.journal.campaign
        place.must_stop = lambda: meeting.stopping
        return self.lead()

    def lead(self) -> Lead:
        """The mind that asks the agent."""
        mind = AgentMind(self._meeting, RuleEvaluator(), loop_settings(self.request).budget)
        return Lead(mind, mind.last_look)

    def _hear(self, event: Event) -> None:
        self.heard, self.latest = self.heard + 1, event
        if isinstance(event, TrialEnded):
            self.trials[event.trial.id] = event.trial


def edit_from(text: str) -> Edit:
    """An edit as an agent writes it: at level `pipeline` unless it says otherwise."""
    bare = text.strip()
    if not bare:
        raise UserError("an edit is empty", hint="for example: option inline-threshold=600")
    prefix = f"{PIPELINE}: "
    return Edit(PIPELINE, bare.removeprefix(prefix))


def open_session(request: TuneRequest) -> Session:
    """A session for a new campaign; nothing is run before `begin`."""
    asked = request.model_copy(update={"mind": AGENT})

    def conduct(name: str, reporter: Reporter, cast: Cast) -> Ended:
        return resume(name, reporter, cast) if name else tune(asked, reporter, cast)

    return Session(asked, conduct)


def resume_session(name: str) -> Session:
    """A session that goes on with a campaign.

    Raises:
        UserError: there is none, or another mind leads it.
    """
    with JournalStore.open(Settings.load().home) as store:
        record = store.find(name)
    if record.plan.mind != AGENT:
        raise UserError(
            f"campaign {record.id} is led by {record.plan.mind}",
            hint=f"perfwright resume {record.id}",
        )
    request = TuneRequest.model_validate(record.plan.settings["request"])
    return Session(request, resume, campaign=record.id)
