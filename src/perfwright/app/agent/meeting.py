"""Where the loop and whoever thinks outside it wait for each other.

The campaign's loop runs in a thread of its own and asks its mind; this mind hands the question
over and waits.  Who is outside answers and waits in turn, until the loop has its next question
or has ended.  So there is one engine, whoever thinks.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from perfwright.core.budget import Budget
from perfwright.core.candidate import Candidate
from perfwright.core.protocols import Lesson, Refusal, Situation
from perfwright.core.trial import Trial, TrialState
from perfwright.minds.roles import Evaluator

QuestionT = TypeVar("QuestionT")
AnswerT = TypeVar("AnswerT")


class Question(StrEnum):
    """What the loop waits to be told."""

    WHAT_NEXT = "propose"
    """The first candidate of a search, or the next one."""
    WORTH_IT = "measure"
    """Whether to measure a candidate that was built and found right."""


@dataclass(frozen=True)
class Asked:
    """A question of the loop, with what is known when it is asked.

    Attributes:
        trial: the one that is to be measured, or the last that has ended.
        rounds_left: how many rounds may still begin, the one under way included.
    """

    question: Question
    situation: Situation
    trial: Trial | None = None
    rounds_left: int | None = None


@dataclass(frozen=True)
class Propose:
    """Try this candidate; `lesson` is what the agent learned from the trial before."""

    candidate: Candidate
    lesson: str = ""


@dataclass(frozen=True)
class Measure:
    """Measure the candidate that is ready."""


@dataclass(frozen=True)
class Finish:
    """End the search: prune, confirm, hand over."""

    lesson: str = ""


Order = Propose | Measure | Finish


@dataclass
class Meeting(Generic[QuestionT, AnswerT]):
    """One question and one answer at a time, between two threads."""

    _changed: threading.Condition = field(default_factory=threading.Condition)
    _asked: QuestionT | None = None
    _answer: AnswerT | None = None
    _over: bool = False
    _stopping: bool = False

    @property
    def asked(self) -> QuestionT | None:
        """The question that waits for an answer; `None` while the loop works or is over."""
        with self._changed:
            return self._asked

    @property
    def stopping(self) -> bool:
        """Whether the loop is to end where it is."""
        return self._stopping

    def ask(self, asked: QuestionT, seconds: float | None = None) -> AnswerT:
        """The answer, which stays until `take`: called by the loop.

        Raises:
            KeyboardInterrupt: the loop must stop.
            TimeoutError: nobody answered for so many seconds.
        """
        with self._changed:
            if self._answer is None:
                self._asked = asked
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._answer is not None or self._stopping, seconds)
                self._asked = None
            if self._stopping:
                raise KeyboardInterrupt
            if self._answer is None:
                raise TimeoutError
            return self._answer

    def take(self) -> None:
        """The answer has been followed."""
        with self._changed:
            self._answer = None

    def give(self, answer: AnswerT) -> None:
        """Answer the question that waits: called from outside."""
        with self._changed:
            self._answer = answer
            self._asked = None
            self._changed.notify_all()

    def wait(self) -> QuestionT | None:
        """The next question; `None` when the loop has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._asked is not None or self._over)
            return self._asked

    def end(self) -> None:
        """There will be no more questions: called by the loop's thread."""
        with self._changed:
            self._over = True
            self._asked = None
            self._changed.notify_all()

    def stop(self) -> None:
        """Let the loop end at its next question, compilation or run."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()


@dataclass
class AgentMind:
    """Implements `perfwright.core.protocols.Mind` by asking at a meeting.

    The verdict is the rules' business, and so is the cause of what happened when the agent
    gives none.
    """

    meeting: Meeting[Asked, Order]
    evaluator: Evaluator
    budget: Budget

    def propose(self, situation: Situation) -> Sequence[Candidate]:
        """The agent's next candidate; none when it has ended the search."""
        last = situation.trials[-1] if situation.trials else None
        asked = Asked(Question.WHAT_NEXT, situation, last, situation.rounds_left)
        order = self.meeting.ask(asked)
        if isinstance(order, Propose):
            self.meeting.take()
            return (order.candidate,)
        return ()

    def last_look(self, situation: Situation, trial: Trial) -> Refusal | None:
        """Measure, unless the agent goes on with something else."""
        asked = Asked(Question.WORTH_IT, situation, trial, situation.rounds_left)
        order = self.meeting.ask(asked)
        if isinstance(order, Measure):
            self.meeting.take()
            return None
        return Refusal("the agent dropped it without measuring it")

    def learn(self, situation: Situation, trial: Trial) -> Lesson:
        """What the agent says with its next order; the rules' words when it says nothing."""
        known = Situation(
            situation.ground,
            trial.candidate if trial.accepted else situation.incumbent,
            (*situation.trials, trial),
            situation.lessons,
            situation.round,
            situation.rounds_left,
        )
        left = rounds_left_after(situation, trial, self.budget)
        order = self.meeting.ask(Asked(Question.WHAT_NEXT, known, trial, left))
        said = "" if isinstance(order, Measure) else order.lesson
        ruled = self.evaluator.evaluate(situation, trial)
        return Lesson(trial.id, said, ruled.next, ruled.evidence) if said else ruled


def rounds_left_after(situation: Situation, trial: Trial, budget: Budget) -> int | None:
    """How many rounds may still begin or go on once this trial has ended."""
    if situation.rounds_left is None:
        return None
    tried = sum(one.round == trial.round for one in situation.trials) + 1
    over = trial.state is TrialState.MEASURED or tried >= budget.drafts_per_round
    return situation.rounds_left - over
