"""The trials of a campaign document, and how their edits are put in one line."""

from __future__ import annotations

from collections.abc import Iterable

from perfwright.report.document import CampaignDocument, TrialRecord


def all_trials(document: CampaignDocument) -> list[TrialRecord]:
    """The trials of all rounds, in order."""
    return [trial for record in document.rounds for trial in record.trials]


def short_edits(edits: Iterable[str]) -> str:
    """Edits without their level, in one line."""
    return ", ".join(edit.partition(": ")[2] or edit for edit in edits)


def novelties(document: CampaignDocument) -> dict[str, str]:
    """By trial id, its edits in one line; what the best so far has too is named by its trial.

    `1.2 + flag -mtune=native - option unroll-count=8`
    """
    found: dict[str, str] = {}
    best: TrialRecord | None = None
    for trial in all_trials(document):
        found[trial.id] = _novelty(trial, best)
        if trial.accepted:
            best = trial
    return found


def _novelty(trial: TrialRecord, best: TrialRecord | None) -> str:
    if best is None or not set(best.edits) & set(trial.edits):
        return short_edits(trial.edits)
    more = [f"+ {short_edits([edit])}" for edit in trial.edits if edit not in best.edits]
    less = [f"- {short_edits([edit])}" for edit in best.edits if edit not in trial.edits]
    return " ".join([best.id, *more, *less])
