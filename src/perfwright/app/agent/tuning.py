"""A whole campaign whose models are asked from outside: by the client of an MCP server.

The roles are those of `perfwright tune`; when one of them is played by the mind `sampling`, its
questions wait here until whoever is outside has them answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfwright.app.agent.conducted import Conducted, conduct_of, recorded
from perfwright.app.campaign.tune import Cast, Ended, Lead, requested, resume
from perfwright.app.request import AGENT, TuneRequest
from perfwright.app.workplace import Workplace
from perfwright.core.events import StageBegan
from perfwright.errors import MindError, UserError
from perfwright.minds.assignment import SAMPLING
from perfwright.report.document import CampaignDocument

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse

    from perfwright.minds.llm.guest import GuestModel, Prompt

_GRACE_SECONDS = 5.0
"""Whoever is outside keeps the time limit too, where it can, and knows better what went wrong."""


@dataclass(frozen=True)
class Sample:
    """A question for the model outside; `key` is its name in this campaign's session."""

    key: str
    prompt: Prompt


@dataclass(frozen=True)
class Reply:
    """What came of a question: the model's answer, or why there is none."""

    key: str
    outcome: ModelResponse | Exception


@dataclass
class Tuning(Conducted[Sample, Reply]):
    """A campaign from `next` to `next`, until there is nothing more to be asked.

    Attributes:
        cast: finds who leads; it may use the mind `sampling`.
        attended: whether a call is at work on it; kept by the caller.
    """

    cast: Cast = requested
    attended: bool = False
    _samples: int = 0

    def next(self) -> Sample | None:
        """The question that waits, of a campaign that is begun or resumed where need be.

        Returns:
            `None` when the campaign has ended: see `document`.
        """
        with self._alone():
            return self._resumed()

    def answer(self, reply: Reply) -> None:
        """Answer the question that waits; an answer to another one is dropped."""
        self._meeting.give(reply)

    def document(self) -> CampaignDocument:
        """How it ended.

        Raises:
            PerfwrightError: what it failed with.
            UserError: it was interrupted.
        """
        ended = self.ended
        if not isinstance(ended, Ended) or ended.error or ended.interrupted:
            self._over()
        return ended.document

    def lead(self, place: Workplace) -> Lead:
        """The mind that the request names, with the model outside among those it knows."""
        place.guests = {SAMPLING: self._guest}
        return self.cast(place)

    def _guest(self, role: str) -> GuestModel:
        from perfwright.minds.llm.guest import GuestModel

        return GuestModel(SAMPLING, role, self.ask)

    def ask(self, prompt: Prompt) -> ModelResponse:
        """Wait for the model outside: called by the loop.

        Raises:
            MindError: there is no answer, or none in time.
            UnexpectedModelBehavior: what came is no answer.
            KeyboardInterrupt: the campaign must stop.
        """
        self._samples += 1
        sample = Sample(f"sample-{self._samples}", prompt)
        self._hear(StageBegan("ask", prompt.role))
        seconds = self.request.mind_timeout
        reply = None
        while reply is None or reply.key != sample.key:
            try:
                reply = self._meeting.ask(sample, seconds + _GRACE_SECONDS)
            except TimeoutError as error:
                raise unanswered(self.campaign, f"it gave none within {seconds:g} s") from error
            self._meeting.take()
        if isinstance(reply.outcome, Exception):
            raise reply.outcome
        return reply.outcome


def unanswered(campaign: str, cause: str) -> MindError:
    """The error for a client whose model does not answer."""
    return MindError(
        "the client's model gave no answer",
        cause=cause,
        hint=f'call tune with campaign="{campaign}": nothing answered is asked again',
    )


def open_tuning(request: TuneRequest) -> Tuning:
    """A new campaign; nothing is run before `next`."""
    return Tuning(request, conduct_of(request))


def resume_tuning(name: str) -> Tuning:
    """A campaign that goes on.

    Raises:
        UserError: there is none, or it is led by a mind that is not for an agent to use.
    """
    record = recorded(name)
    request = TuneRequest.model_validate(record.plan.settings["request"])
    if set(request.assignment.models) - {SAMPLING}:
        raise UserError(
            f"campaign {record.id} is led by {record.plan.mind}",
            hint=f'call open with campaign="{record.id}"'
            if request.mind == AGENT
            else f"ask the user to go on with it: perfwright resume {record.id}",
        )
    return Tuning(request, resume, campaign=record.id)
