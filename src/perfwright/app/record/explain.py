"""The story of a campaign, read from its journal: see `perfwright.report.explanation`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from perfwright.app.record.documents import attribution_record, claim_record, comparison_record
from perfwright.app.record.story import Story, read_story
from perfwright.app.request import AGENT, TuneRequest
from perfwright.core.candidate import BASELINE, Candidate, Claim
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Lesson
from perfwright.core.trial import Trial, TrialState
from perfwright.core.verdict import Verdict
from perfwright.minds.assignment import ROLES
from perfwright.minds.llm.calls import answered_calls
from perfwright.minds.llm.fence import FENCES
from perfwright.minds.roles import HINT, REMARKS, Analysis, Priorities
from perfwright.report.explanation import (
    Calibration,
    ExplainedAnalysis,
    ExplainedBottleneck,
    ExplainedFact,
    ExplainedFunction,
    ExplainedHint,
    ExplainedPriorities,
    ExplainedQuestion,
    ExplainedRemarks,
    ExplainedStep,
    Explanation,
)
from perfwright.report.printable import one_line
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore
from perfwright.store.records import CampaignRecord, Dialogue

_ENOUGH = 3
"""Measured trials with a stated confidence before anything is said of it."""

_LONGEST = 120
"""Characters of a tool call's arguments, and of its answer."""


def explain(name: str) -> Explanation:
    """The story of one campaign.

    Raises:
        UserError: there is no such campaign.
    """
    with JournalStore.open(Settings.load().home) as store:
        record = store.find(name)
        journal = store.replay_campaign(record.id)
        request = TuneRequest.model_validate(record.plan.settings["request"])
        said = explanation_of(record, request, read_story(journal, request))
        return said.model_copy(update={"questions": list(_questions(journal.dialogues()))})


def explanation_of(record: CampaignRecord, request: TuneRequest, story: Story) -> Explanation:
    """The story of one campaign as a value, but for what models asked while they thought."""
    asked = ROLES if request.mind != AGENT else ()
    outcome = story.outcome
    return Explanation(
        campaign=record.id,
        program=record.plan.program,
        mind=record.plan.mind,
        minds={role: request.assignment.mind_of(role) for role in asked},
        priorities=_priorities(story.priorities) if story.priorities else None,
        analysis=_analysis(story.analysis) if story.analysis else None,
        steps=list(_steps(story)),
        calibration=calibration(story.trials),
        worth=[attribution_record(c) for c in outcome.attribution] if outcome else [],
        end=_end(story, record.status, record.cause),
    )


def _priorities(said: Priorities) -> ExplainedPriorities:
    functions = [
        ExplainedFunction(
            symbol=p.symbol, weight=p.weight, reason=p.reason, evidence=list(p.evidence)
        )
        for p in said.functions
    ]
    return ExplainedPriorities(by=said.by, instead_of=said.instead_of, functions=functions)


def _analysis(said: Analysis) -> ExplainedAnalysis:
    """The diagnoses by what they are: hints, groups of remarks, bottlenecks."""
    hints, remarks, bottlenecks = [], [], []
    for d in said.diagnoses:
        cited = list(d.evidence)
        if d.kind == HINT:
            hints.append(ExplainedHint(what=d.text, symbol=d.symbol, evidence=cited))
        elif d.kind == REMARKS:
            category, count = str(d.data.get("category", d.text)), int(d.data.get("count", 1))
            remarks.append(ExplainedRemarks(category=category, count=count, evidence=cited))
        else:
            bottlenecks.append(
                ExplainedBottleneck(
                    kind=d.kind,
                    symbol=d.symbol,
                    where=d.where,
                    weight=d.weight,
                    text=d.text,
                    evidence=cited,
                )
            )
    return ExplainedAnalysis(
        by=said.by,
        instead_of=said.instead_of,
        hints=hints,
        remarks=remarks,
        bottlenecks=bottlenecks,
    )


def _questions(dialogues: Iterable[Dialogue]) -> Iterator[ExplainedQuestion]:
    """What models asked of tools, in order."""
    for dialogue in dialogues:
        for call in answered_calls(dialogue.request):
            given = call.arguments
            if isinstance(given, dict):
                given = ", ".join(f"{name}={value}" for name, value in given.items())
            lines = [line.strip() for line in call.answer.splitlines()]
            told = [line for line in lines if line and line not in FENCES]
            yield ExplainedQuestion(
                role=dialogue.role,
                tool=call.tool,
                arguments=_cut(str(given)),
                answer=_cut(told[0]) if told else "",
            )


def _cut(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _steps(story: Story) -> Iterator[ExplainedStep]:
    facts = {fact.id: fact for fact in story.ground.facts} if story.ground else {}
    lessons = {lesson.trial: lesson for lesson in story.lessons}
    incumbent, base = BASELINE, ""
    for trial in story.trials:
        facts |= {fact.id: fact for fact in trial.consequences}
        yield _step(trial, incumbent, base, facts, lessons.get(trial.id))
        if trial.accepted:
            incumbent, base = trial.candidate, trial.id


def _step(
    trial: Trial,
    incumbent: Candidate,
    base: str,
    facts: dict[str, Fact],
    lesson: Lesson | None,
) -> ExplainedStep:
    """One trial against the incumbent of its time, which is `base`'s candidate."""
    edits = trial.candidate.edits
    if not set(edits) & set(incumbent.edits):
        incumbent, base = BASELINE, ""
    added = [edit for edit in edits if edit not in incumbent.edits]
    dropped = [edit for edit in incumbent.edits if edit not in edits]
    claims = [claim for claim in trial.candidate.claims if claim.edit in added]
    measured = trial.against_incumbent
    return ExplainedStep(
        trial=trial.id,
        state=trial.state,
        edits=[str(edit) for edit in edits],
        base=base,
        added=[str(edit) for edit in added],
        dropped=[str(edit) for edit in dropped],
        diagnosis=list(dict.fromkeys(claim.text for claim in claims)),
        claims=[claim_record(claim) for claim in claims],
        evidence=list(_cited(claims, facts)),
        repairs=list(trial.repairs),
        decision=_decision(trial.candidate, base, added, dropped),
        expects=trial.candidate.expects,
        confidence=trial.candidate.confidence,
        consequence=_consequence(trial),
        measured=comparison_record(measured) if measured else None,
        accepted=trial.accepted,
        changes=[_told(fact) for fact in trial.consequences],
        correction=_correction(lesson),
        correction_evidence=list(lesson.evidence) if lesson else [],
    )


def _decision(
    candidate: Candidate, base: str, added: Sequence[object], dropped: Sequence[object]
) -> str:
    if candidate.flaw:
        return "none: the mind gave no candidate"
    parts = [f"the edits of trial {base}"] if base else []
    parts += [f"{'with ' if base else ''}{_bare(added)}"] if added else []
    parts += [f"without {_bare(dropped)}"] if dropped else []
    return "try " + ", ".join(parts)


def _bare(edits: Iterable[object]) -> str:
    """Edits without their level."""
    return "; ".join(str(edit).partition(": ")[2] for edit in edits)


def _cited(claims: Iterable[Claim], facts: dict[str, Fact]) -> Iterator[ExplainedFact]:
    for fact_id in dict.fromkeys(fact for claim in claims for fact in claim.evidence):
        if fact_id in facts:
            yield _told(facts[fact_id])


def _told(fact: Fact) -> ExplainedFact:
    return ExplainedFact(id=fact.id, source=fact.source, where=fact.where, text=fact.text)


def _consequence(trial: Trial) -> str:
    if trial.state is not TrialState.MEASURED or trial.against_incumbent is None:
        return f"{trial.state}: {trial.reason}"
    fate = "kept" if trial.accepted else "rolled back"
    said = f"measured {trial.against_incumbent} against the incumbent: {fate}"
    over = trial.over_baseline
    if over is None or over == trial.against_incumbent:
        return said
    return f"{said} ({over.ratio:.3f}x over the baseline)"


def _correction(lesson: Lesson | None) -> str:
    return "; ".join(filter(None, (lesson.cause, lesson.next))) if lesson else "none"


def calibration(trials: Iterable[Trial]) -> Calibration | None:
    """How many trials were faster, and how many their minds expected; `None` for too few."""
    stated = [
        (trial.candidate.confidence, trial.verdict is Verdict.FASTER)
        for trial in trials
        if trial.verdict is not None and trial.candidate.confidence is not None
    ]
    if len(stated) < _ENOUGH:
        return None
    expected = sum(confidence for confidence, _ in stated)
    return Calibration(
        trials=len(stated), expected=round(expected, 2), faster=sum(faster for _, faster in stated)
    )


def _end(story: Story, status: str, cause: str) -> str:
    outcome = story.outcome
    if outcome is None:
        return f"{status}: {cause or 'the campaign has not come to its end'}"
    if outcome.confirmation is None and outcome.unconfirmed is not None:
        return f"{status}: what won the search came to nothing before it was confirmed"
    if outcome.confirmation is None:
        return f"{status}: nothing was faster than the baseline in the search"
    return f"{status}: fresh runs say {outcome.confirmation}"
