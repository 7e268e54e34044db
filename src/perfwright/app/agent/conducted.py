"""A campaign in a thread of its own, that asks somebody outside and waits for the answers.

The loop is `perfwright.core.campaign`, as in every campaign, and writes the same journal: what
was answered from outside can be shown, explained and replayed like anything else.  A campaign
that is stopped is interrupted as Ctrl-C would; the next call resumes it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, NoReturn, Protocol

from perfwright.app.agent.meeting import AnswerT, Meeting, QuestionT
from perfwright.app.campaign.tune import Cast, Ended, Lead, resume, tune
from perfwright.app.request import TuneRequest
from perfwright.app.workplace import Workplace
from perfwright.core.events import Event, Reporter, StageBegan, TrialEnded
from perfwright.core.trial import Trial
from perfwright.errors import InternalError, PerfwrightError, UserError, shortened
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore
from perfwright.store.records import CampaignRecord

_UNWINDING_SECONDS = 60.0
"""A cancelled call ends with the run or compilation that is under way."""


class Conduct(Protocol):
    """Runs the loop to its end, led by whom `cast` finds."""

    def __call__(self, name: str, reporter: Reporter, cast: Cast, /) -> Ended:
        """Resume the campaign of this name; begin one when it is empty."""
        ...


def conduct_of(request: TuneRequest) -> Conduct:
    """Conducts the campaign of a request."""

    def conduct(name: str, reporter: Reporter, cast: Cast) -> Ended:
        return resume(name, reporter, cast) if name else tune(request, reporter, cast)

    return conduct


def recorded(campaign: str) -> CampaignRecord:
    """A campaign of the journal by its whole id; that of others is not told.

    Raises:
        UserError: there is none.
    """
    with JournalStore.open(Settings.load().home) as store:
        found = [record for record in store.list() if record.id == campaign]
    if not found:
        raise UserError(
            f"there is no campaign {shortened(campaign)!r}",
            cause="its whole id is needed, as open or tune gave it",
            hint="call open with the program's path for a new one",
        )
    return found[0]


@dataclass
class Conducted(Generic[QuestionT, AnswerT]):
    """What all campaigns have in common that are conducted in a thread of their own.

    One call at a time: a second one, from another thread, is refused.

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
    _meeting: Meeting[QuestionT, AnswerT] = field(default_factory=Meeting)
    _thread: threading.Thread | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def lead(self, place: Workplace) -> Lead:
        """Who leads the campaign."""
        raise NotImplementedError

    def stop(self) -> None:
        """Interrupt what is going on; the next call resumes the campaign."""
        self._meeting.stop()

    def close(self) -> None:
        """Interrupt the campaign, if it has not ended, and wait until that is written down."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    @property
    def over(self) -> bool:
        """Whether there is nothing more to be asked: the campaign has ended or failed."""
        return self.ended is not None and not self._interrupted

    @property
    def doing(self) -> str:
        """What is going on, in a word."""
        if self.over:
            return "the campaign has ended"
        if isinstance(self.latest, StageBegan):
            return f"{self.latest.stage} {self.latest.detail}".strip()
        return type(self.latest).__name__ if self.latest else "nothing yet"

    @property
    def asked(self) -> QuestionT | None:
        """What the loop waits to be told; `None` while it works, and when it is over."""
        return self._meeting.asked

    @property
    def _interrupted(self) -> bool:
        return isinstance(self.ended, Ended) and self.ended.interrupted

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

    def _resumed(self) -> QuestionT | None:
        """The question that waits, of a loop that is begun or resumed where need be."""
        if self.over:
            return None
        if self._thread is None or self._interrupted or self._meeting.stopping:
            self._start()
        return self._next()

    def _next(self) -> QuestionT | None:
        return self._meeting.wait()

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

    def _work(self, meeting: Meeting[QuestionT, AnswerT]) -> None:
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
        return self.lead(place)

    def _hear(self, event: Event) -> None:
        self.heard, self.latest = self.heard + 1, event
        if isinstance(event, TrialEnded):
            self.trials[event.trial.id] = event.trial
