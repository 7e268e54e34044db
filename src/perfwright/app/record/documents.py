"""From the journal to the document that `--json` prints and people read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from perfwright.app.record.story import Story
from perfwright.app.request import TuneRequest
from perfwright.core.budget import Usage
from perfwright.core.campaign import Status
from perfwright.core.candidate import Claim
from perfwright.core.protocols import Lesson
from perfwright.core.trial import Contribution, Trial
from perfwright.core.verdict import Comparison
from perfwright.report.document import (
    AttributionRecord,
    BaselineRecord,
    CampaignDocument,
    ClaimRecord,
    ComparisonRecord,
    ResultRecord,
    RoundRecord,
    TargetRecord,
    ToolchainRecord,
    TrialRecord,
    UsageRecord,
    WarningRecord,
)
from perfwright.store.records import RUNNING, CampaignRecord


def document_from(
    record: CampaignRecord,
    story: Story,
    *,
    delivered: Comparison | None = None,
    recipe: Path | None = None,
    report: Path | None = None,
) -> CampaignDocument:
    """The document of one campaign, whatever state it is in."""
    request = TuneRequest.model_validate(record.plan.settings["request"])
    context = record.plan.settings["context"]
    outcome, ground = story.outcome, story.ground
    final = outcome.final if outcome else None
    return CampaignDocument(
        campaign=record.id,
        program=record.plan.program,
        status=Status(record.status if record.status != RUNNING else "interrupted"),
        cause=record.cause,
        mind=record.plan.mind,
        seed=record.plan.seed,
        toolchain=ToolchainRecord(version=context["version"]),
        target=TargetRecord(triple=context["triple"], cpu=context["cpu"]),
        metric=ground.metric if ground else request.metric or "cpu",
        baseline=BaselineRecord(
            identity=ground.identity,
            seconds=ground.baseline_seconds,
            over_o3=ground.over_o3,
        )
        if ground
        else None,
        result=_result(story, delivered),
        rounds=_rounds(story.trials, story.lessons),
        attribution=[attribution_record(c) for c in outcome.attribution] if outcome else [],
        edits=[str(edit) for edit in final.edits] if final else [],
        claims=[claim_record(claim) for claim in final.claims] if final else [],
        recipe=str(recipe) if recipe else None,
        report=str(report) if report else None,
        usage=usage_record(record.usage),
        warnings=list(_warnings(story)),
    )


def _result(story: Story, delivered: Comparison | None) -> ResultRecord | None:
    outcome = story.outcome
    if outcome is None:
        return None
    said = outcome.confirmation
    correct = outcome.correctness
    if said is None:
        return ResultRecord(speedup=1.0, low=None, high=None, pairs=0, correct=correct)
    return ResultRecord(
        speedup=said.ratio,
        low=_bound(said.low),
        high=_bound(said.high),
        pairs=said.pairs,
        correct=correct,
        method=said.method,
        delivered=comparison_record(delivered) if delivered else None,
    )


def _rounds(trials: Iterable[Trial], lessons: Iterable[Lesson]) -> list[RoundRecord]:
    learned = {lesson.trial: lesson for lesson in lessons}
    by_round: dict[int, list[TrialRecord]] = {}
    for trial in trials:
        by_round.setdefault(trial.round, []).append(_trial(trial, learned.get(trial.id)))
    return [RoundRecord(round=number, trials=found) for number, found in by_round.items()]


def _trial(trial: Trial, lesson: Lesson | None) -> TrialRecord:
    measured = trial.against_incumbent
    levels = sorted({edit.level for edit in trial.candidate.edits})
    return TrialRecord(
        id=trial.id,
        level=",".join(levels) or "pipeline",
        state=trial.state,
        reason=trial.reason,
        reproducer=trial.reproducer,
        verdict=measured.verdict if measured else None,
        speedup=measured.ratio if measured else None,
        low=_bound(measured.low) if measured else None,
        high=_bound(measured.high) if measured else None,
        pairs=measured.pairs if measured else 0,
        accepted=trial.accepted,
        over_baseline=comparison_record(trial.over_baseline) if trial.over_baseline else None,
        edits=[str(edit) for edit in trial.candidate.edits],
        claims=[claim_record(claim) for claim in trial.candidate.claims],
        expects=trial.candidate.expects,
        confidence=trial.candidate.confidence,
        repairs=list(trial.repairs),
        lesson=_lesson(lesson) if lesson else "",
    )


def _lesson(lesson: Lesson) -> str:
    return f"{lesson.cause}; next: {lesson.next}" if lesson.next else lesson.cause


def comparison_record(said: Comparison) -> ComparisonRecord:
    """A comparison as documents have it."""
    return ComparisonRecord(
        verdict=said.verdict,
        speedup=said.ratio,
        low=_bound(said.low),
        high=_bound(said.high),
        pairs=said.pairs,
    )


def claim_record(claim: Claim) -> ClaimRecord:
    """A claim as documents have it."""
    return ClaimRecord(edit=str(claim.edit), text=claim.text, evidence=list(claim.evidence))


def attribution_record(contribution: Contribution) -> AttributionRecord:
    """What an edit is worth, as documents have it."""
    said = contribution.comparison
    return AttributionRecord(
        edit=contribution.edit,
        contribution=said.ratio,
        low=_bound(said.low),
        high=_bound(said.high),
        pairs=said.pairs,
        resolved=contribution.resolved,
    )


def usage_record(usage: Usage) -> UsageRecord:
    """Usage as the document has it."""
    return UsageRecord(
        requests=usage.requests,
        tokens=usage.tokens,
        usd=usage.usd,
        seconds=round(usage.seconds, 3),
        compile_seconds=round(usage.compile_seconds, 3),
        run_seconds=round(usage.run_seconds, 3),
        overhead_seconds=round(usage.overhead_seconds, 3),
    )


def _warnings(story: Story) -> Iterator[WarningRecord]:
    """What was found before the first round, and what the machine did meanwhile."""
    if story.ground is not None:
        yield from (WarningRecord(text=text) for text in story.ground.warnings)
    yield from (WarningRecord(text=warned.text, hint=warned.hint) for warned in story.warned)


def _bound(value: float) -> float | None:
    """A bound of an interval; `None` for the bounds before a first look, 0 and infinity."""
    return value if 0 < value < math.inf else None


def claims_by_edit(claims: Sequence[Claim]) -> dict[str, Claim]:
    """The first claim of each edit, by the edit's text."""
    return {str(claim.edit): claim for claim in reversed(claims)}
