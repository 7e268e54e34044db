"""The story of a campaign: diagnosis, decision, measured consequence, correction.

After AutoPass (arXiv 2606.20373, section 6.6): every step with the evidence that it cites.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from perfwright.app.request import TuneRequest
from perfwright.app.story import Story, read_story
from perfwright.core.candidate import Candidate, Claim
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Lesson
from perfwright.core.trial import Trial, TrialState
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore

_CITED = 3


class ExplainedFact(BaseModel):
    """A fact that some step cites."""

    id: str
    source: str
    where: str
    text: str


class ExplainedStep(BaseModel):
    """One trial: why it was tried, what happened, what followed."""

    trial: str
    edits: list[str]
    diagnosis: list[str]
    evidence: list[ExplainedFact]
    decision: str
    consequence: str
    changes: list[str]
    correction: str


class Explanation(BaseModel):
    """What `perfwright explain` prints."""

    campaign: str
    program: str
    steps: list[ExplainedStep]
    end: str

    def lines(self) -> Iterator[str]:
        """The story for people."""
        yield f"{self.campaign}: {self.program}"
        for step in self.steps:
            yield ""
            yield f"trial {step.trial}"
            yield from (f"  diagnosis    {text}" for text in step.diagnosis)
            for fact in step.evidence:
                where = f" at {fact.where}" if fact.where else ""
                yield f"    {fact.id}  {fact.text} ({fact.source}{where})"
            yield f"  decision     {step.decision}"
            yield f"  consequence  {step.consequence}"
            yield from (f"    {change}" for change in step.changes)
            yield f"  correction   {step.correction}"
        yield ""
        yield self.end


def explain(name: str) -> Explanation:
    """The story of one campaign, read from its journal.

    Raises:
        UserError: there is no such campaign.
    """
    with JournalStore.open(Settings.load().home) as store:
        record = store.find(name)
        journal = store.replay_campaign(record.id)
        request = TuneRequest.model_validate(record.plan.settings["request"])
        story = read_story(journal, request)
    return Explanation(
        campaign=record.id,
        program=record.plan.program,
        steps=list(_steps(story)),
        end=_end(story, record.status, record.cause),
    )


def _steps(story: Story) -> Iterator[ExplainedStep]:
    facts = {fact.id: fact for fact in story.ground.facts} if story.ground else {}
    lessons = {lesson.trial: lesson for lesson in story.lessons}
    for trial in story.trials:
        claims = trial.candidate.claims
        yield ExplainedStep(
            trial=trial.id,
            edits=[str(edit) for edit in trial.candidate.edits],
            diagnosis=_unique(claims),
            evidence=list(_cited(claims, facts)),
            decision=_decision(trial.candidate),
            consequence=_consequence(trial),
            changes=[fact.text for fact in trial.consequences[:_CITED]],
            correction=_correction(lessons.get(trial.id)),
        )


def _decision(candidate: Candidate) -> str:
    if candidate.flaw:
        return "none: the mind gave no candidate"
    return "try " + "; ".join(edit.text for edit in candidate.edits)


def _unique(claims: tuple[Claim, ...]) -> list[str]:
    return list(dict.fromkeys(claim.text for claim in claims))


def _cited(claims: tuple[Claim, ...], facts: dict[str, Fact]) -> Iterator[ExplainedFact]:
    for fact_id in dict.fromkeys(fact for claim in claims for fact in claim.evidence):
        if fact_id in facts:
            fact = facts[fact_id]
            yield ExplainedFact(id=fact.id, source=fact.source, where=fact.where, text=fact.text)


def _consequence(trial: Trial) -> str:
    if trial.state is TrialState.MEASURED and trial.against_incumbent is not None:
        fate = "kept" if trial.accepted else "rolled back"
        return f"measured {trial.against_incumbent} against the incumbent: {fate}"
    return f"{trial.state}: {trial.reason}"


def _correction(lesson: Lesson | None) -> str:
    return "; ".join(filter(None, (lesson.cause, lesson.next))) if lesson else "none"


def _end(story: Story, status: str, cause: str) -> str:
    outcome = story.outcome
    if outcome is None:
        return f"{status}: {cause or 'the campaign has not come to its end'}"
    if outcome.confirmation is None and outcome.unconfirmed is not None:
        return f"{status}: what won the search came to nothing before it was confirmed"
    if outcome.confirmation is None:
        return f"{status}: nothing was faster than the baseline in the search"
    return f"{status}: fresh runs say {outcome.confirmation}"
