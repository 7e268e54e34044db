"""A campaign whose mind is an agent outside: each call waits until the loop has an answer.

A call that is cancelled interrupts the campaign; the next call resumes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from perfwright.app.agent.conducted import Conducted, conduct_of, recorded
from perfwright.app.agent.meeting import (
    AgentMind,
    Asked,
    Finish,
    Measure,
    Order,
    Propose,
    Question,
)
from perfwright.app.campaign.tune import Ended, Lead, resume
from perfwright.app.inside.builds import edit_from
from perfwright.app.record.story import loop_settings
from perfwright.app.request import AGENT, TuneRequest
from perfwright.app.workplace import Workplace
from perfwright.core.candidate import Candidate, Claim
from perfwright.core.protocols import Situation
from perfwright.core.trial import TrialState
from perfwright.errors import UserError, unknown_name
from perfwright.minds.assignment import SAMPLING
from perfwright.minds.builtin.evaluator import RuleEvaluator
from perfwright.report.document import CampaignDocument
from perfwright.report.printable import one_line

BASELINE_NAME = "baseline"
INCUMBENT_NAME = "incumbent"


@dataclass(frozen=True)
class Idea:
    """One edit that an agent proposes, why, and the ids of the facts that speak for it."""

    edit: str
    claim: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hopes:
    """What an agent expects of a candidate, and how sure it is, from 0 to 1."""

    expects: str = ""
    confidence: float | None = None


@dataclass
class Session(Conducted[Asked, Order]):
    """An agent's campaign, from `begin` to `confirm` or `close`.

    Every method that asks the loop something raises what the loop failed with.
    """

    _known: Situation | None = None

    def begin(self) -> Asked:
        """Begin or resume the campaign; returns when the loop asks for a candidate.

        Raises:
            PerfwrightError: the program cannot be built, run or judged.
        """
        with self._alone():
            return self._running()

    def propose(
        self,
        ideas: Sequence[Idea],
        *,
        without: Sequence[str] = (),
        hopes: Hopes = Hopes(),
        lesson: str = "",
    ) -> Asked:
        """Try the incumbent with these edits and without those; returns before measuring.

        Raises:
            UserError: the edits, the evidence or the moment is wrong.
        """
        with self._alone():
            if self._running().rounds_left == 0:
                raise UserError("the rounds are used up", hint="call confirm")
            candidate = self.candidate(ideas, without, hopes)
            return self._told(Propose(candidate, one_line(lesson))) or self._over()

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
                self._told(Finish(one_line(lesson)))
            ended = self.ended
            if not isinstance(ended, Ended) or ended.error or ended.interrupted:
                self._over()
            assert isinstance(ended, Ended), "else it has been raised"
            return ended.document

    @property
    def situation(self) -> Situation:
        """What is known now.

        Raises:
            UserError: nothing yet.
        """
        if self._known is None:
            raise UserError("nothing is known of the program yet", hint="call open first")
        return self._known

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

    def candidate(
        self, ideas: Sequence[Idea], without: Sequence[str] = (), hopes: Hopes = Hopes()
    ) -> Candidate:
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
        claims = tuple(Claim(edit, one_line(i.claim), i.evidence) for edit, i in added.items())
        candidate = Candidate(
            edits,
            (*base.claims, *claims),
            expects=one_line(hopes.expects),
            confidence=hopes.confidence,
        )
        if candidate.id == situation.incumbent.id:
            raise UserError(
                "this is the incumbent itself", hint="propose an edit that it does not have"
            )
        return candidate

    def named(self, name: str) -> Candidate:
        """The candidate of a trial, by its id; `baseline` and `incumbent` have names.

        Raises:
            UserError: there is no such trial, or it was refused or could not be built.
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
        trial = trials[name]
        refused = trial.state is TrialState.REJECTED and trial.correctness is None
        if refused or trial.state is TrialState.UNBUILDABLE:
            raise UserError(f"trial {name} has no build: it is {trial.state}", cause=trial.reason)
        return trial.candidate

    def _check_evidence(self, ideas: Sequence[Idea], situation: Situation) -> None:
        known = {fact.id for fact in situation.ground.facts}
        known |= {fact.id for trial in situation.trials for fact in trial.consequences}
        for idea in ideas:
            for name in idea.evidence:
                if name not in known:
                    raise unknown_name("evidence", name, known)

    def _running(self) -> Asked:
        """The question that waits, of a loop that is begun or resumed where need be."""
        return self._resumed() or self._over()

    def _told(self, order: Order) -> Asked | None:
        self._meeting.give(order)
        return self._next()

    def _next(self) -> Asked | None:
        asked = self._meeting.wait()
        if asked is not None:
            self._known = asked.situation
        return asked

    def lead(self, place: Workplace) -> Lead:
        """The mind that asks the agent."""
        place.counting = True
        mind = AgentMind(self._meeting, RuleEvaluator(), loop_settings(self.request).budget)
        return Lead(mind, mind.last_look)


def open_session(request: TuneRequest) -> Session:
    """A session for a new campaign; nothing is run before `begin`."""
    asked = request.model_copy(update={"mind": AGENT})
    return Session(asked, conduct_of(asked))


def resume_session(name: str) -> Session:
    """A session that goes on with a campaign.

    Raises:
        UserError: there is none, or another mind leads it.
    """
    record = recorded(name)
    if record.plan.mind != AGENT:
        raise UserError(
            f"campaign {record.id} is led by {record.plan.mind}",
            hint=f'call tune with campaign="{record.id}"'
            if SAMPLING in record.plan.mind
            else f"ask the user to go on with it: perfwright resume {record.id}",
        )
    request = TuneRequest.model_validate(record.plan.settings["request"])
    return Session(request, resume, campaign=record.id)
