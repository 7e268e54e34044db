"""A campaign run again from its journal alone, and compared with what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from perfwright import __version__
from perfwright.app.record.reports import document_of
from perfwright.app.record.story import Story, read_story
from perfwright.app.request import TuneRequest
from perfwright.core.campaign import Outcome
from perfwright.core.candidate import Candidate
from perfwright.errors import UserError, shortened
from perfwright.minds.assignment import ROLES
from perfwright.minds.llm.optional import models_installed
from perfwright.report.document import CampaignDocument
from perfwright.settings import Settings
from perfwright.store.campaign import CampaignJournal, RecordEndsError
from perfwright.store.journal import JournalStore
from perfwright.store.records import CampaignRecord


@dataclass(frozen=True)
class Replayed:
    """A campaign that came to the same again; `answers` counts those of models, by role."""

    document: CampaignDocument
    story: Story
    answers: Counter[str]
    read_again: tuple[str, ...] = ()
    """What came of taking the answers through their roles again, for people."""

    def lines(self) -> Iterator[str]:
        """What was compared, for people."""
        yield "  replayed    from the journal alone: nothing was built, run or asked"
        if self.story.outcome is None:
            yield f"  followed    {self._extent()}; there is no outcome to compare with"
        else:
            yield f"  the same    {self._extent()};"
            yield f"              {self._decided()}"
        if self.answers:
            counts = ", ".join(
                f"{role} {self.answers[role]}" for role in ROLES if role in self.answers
            )
            yield f"  on record   answers of models: {counts}"
            yield from self.read_again

    def _extent(self) -> str:
        trials = self.story.trials
        verdicts = sum(trial.verdict is not None for trial in trials)
        kept = sum(trial.accepted for trial in trials)
        return (
            f"{_counted(len(trials), 'candidate')} in"
            f" {_counted(len({trial.round for trial in trials}), 'round')},"
            f" {_counted(verdicts, 'verdict')}, {kept} kept"
        )

    def _decided(self) -> str:
        outcome = self.story.outcome
        assert outcome is not None
        pairs = outcome.confirmation.pairs if outcome.confirmation else 0
        figure = f" confirmed in {_counted(pairs, 'pair')}" if pairs else ""
        return f"{outcome.status}, {_counted(len(outcome.final.edits), 'edit')}{figure}"


def replay(name: str) -> Replayed:
    """Run a campaign again from its journal alone.

    What the outside said (builds, checks, comparisons, answers of models) is read; what the
    loop and the models' roles made of it is made again.

    Raises:
        UserError: the record does not lead to the outcome that was recorded, or an answer of a
            model to what was made of it.
    """
    with JournalStore.open(Settings.load().home) as store:
        record = store.find(name)
        journal = store.replay_campaign(record.id)
        request = TuneRequest.model_validate(record.plan.settings["request"])
        story = read_story(journal, request)
        if story.outcome is not None and story.replayed != story.outcome:
            difference = first_difference(story.outcome, story.replayed)
            raise _deviation(record, "lead to the outcome that it had", difference)
        answers = Counter(dialogue.role for dialogue in journal.dialogues())
        again = tuple(_read_again(journal, request, story, record)) if answers else ()
        return Replayed(document_of(store, record.id), story, answers, again)


def _read_again(
    journal: CampaignJournal, request: TuneRequest, story: Story, record: CampaignRecord
) -> Iterator[str]:
    if not models_installed():
        yield "  not read    the answers: that needs pip install 'perfwright[models]'"
        return
    from perfwright.app.record.reread import reread

    try:
        again = reread(journal, request, story.ground.facts if story.ground else ())
    except RecordEndsError:
        yield "  not read    the answers: what models were shown is not on this record"
        return
    if again.different:
        steps = ", ".join(again.different)
        raise _deviation(record, "lead to what was made of its answers", steps)
    yield from again.lines()


def _deviation(record: CampaignRecord, missed: str, difference: str) -> UserError:
    why = "the journal was changed, or perfwright was"
    if record.version != __version__:
        why = f"it was made by perfwright {record.version}, this is {__version__}"
    return UserError(
        f"the record of {record.id} does not {missed}",
        cause=f"{difference}; {why}",
        hint=f"perfwright show {record.id}",
    )


def first_difference(recorded: Outcome, replayed: Outcome | None) -> str:
    """Where two outcomes part, the trials first; empty if they are the same."""
    if replayed is None:
        return "the record ends before the loop does"
    for one, other in zip(recorded.trials, replayed.trials, strict=False):
        if one != other:
            return _difference(f"trial {one.id}: ", one, other)
    if len(recorded.trials) != len(replayed.trials):
        return f"there were {len(recorded.trials)} trials, and now {len(replayed.trials)}"
    return _difference("", recorded, replayed)


def _difference(head: str, one: Any, other: Any) -> str:
    for field in fields(one):
        was, now = getattr(one, field.name), getattr(other, field.name)
        if field.compare and was != now:
            return f"{head}{field.name} was {_told(was)}, and now {_told(now)}"
    return ""


def _told(value: Any) -> str:
    if isinstance(value, Candidate):
        value = ", ".join(str(edit) for edit in value.edits)
    return shortened(str(value)) or "nothing"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
