from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from perfwright.app.record.replay import first_difference
from perfwright.app.record.replay import replay as replayed
from perfwright.app.record.reports import document_of
from perfwright.core.campaign import Outcome, Status
from perfwright.core.candidate import BASELINE
from perfwright.core.protocols import Mind
from perfwright.core.trial import TrialState
from perfwright.errors import UserError
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore
from perfwright.store.records import Dialogue
from perfwright.testing.mind import draft

Recorder = Callable[..., str]


def outcome_of(name: str) -> Outcome:
    with JournalStore.open(Settings.load().home) as store:
        outcome = store.replay_campaign(name).outcome()
    assert outcome is not None
    return outcome


def test_it_says_what_is_the_same(improved: str) -> None:
    said = replayed(improved)
    head, trials, end = said.lines()
    assert head == "  replayed    from the journal alone: nothing was built, run or asked"
    assert trials == "  the same    4 candidates in 2 rounds, 2 verdicts, 1 kept;"
    assert end.strip().startswith("improved, 1 edit confirmed in ")
    with JournalStore.open(Settings.load().home) as store:
        assert said.document == document_of(store, improved)


def test_answers_of_models_are_counted_by_role(recorded: Recorder) -> None:
    name = recorded(draft("fast"), die_at=16)
    with (
        JournalStore.open(Settings.load().home) as store,
        store.open_campaign(name) as journal,
    ):
        for role in ("reasoner", "scorer", "reasoner"):
            journal.record(Dialogue(role, {}, {}, 0, 0.0))
    *_, followed, answers, not_read = replayed(name).lines()
    assert not_read == "  not read    the answers: what models were shown is not on this record"
    assert answers == "  on record   answers of models: scorer 1, reasoner 2"
    assert followed.startswith("  followed    0 candidates in 0 rounds")


def test_a_failed_campaign_has_no_outcome_to_compare_with(
    recorded: Recorder, silent_mind: Mind
) -> None:
    *_, compared = replayed(recorded(mind=silent_mind)).lines()
    assert compared.endswith("there is no outcome to compare with")


def test_what_differs_first_is_said(recorded: Recorder) -> None:
    def other(outcome: Outcome) -> Outcome:
        trials = (replace(outcome.trials[0], accepted=False), *outcome.trials[1:])
        return replace(outcome, trials=trials)

    name = recorded(draft("fast"), draft("slow"), ending=other)
    with pytest.raises(UserError, match="does not lead to the outcome") as caught:
        replayed(name)
    assert caught.value.cause == (
        "trial 1.1: accepted was False, and now True; the journal was changed, or perfwright was"
    )


def test_the_trials_are_compared_before_the_end(improved: str) -> None:
    recorded = outcome_of(improved)
    first, *others = recorded.trials
    wrong = replace(first, state=TrialState.WRONG)
    assert first_difference(recorded, recorded) == ""
    assert first_difference(
        recorded, replace(recorded, trials=(wrong, *others), final=BASELINE)
    ) == ("trial 1.1: state was rejected, and now wrong")
    assert first_difference(recorded, replace(recorded, trials=())) == (
        "there were 4 trials, and now 0"
    )


def test_the_end_is_compared_too(improved: str) -> None:
    recorded = outcome_of(improved)
    assert first_difference(recorded, replace(recorded, status=Status.NO_GAIN)) == (
        "status was improved, and now no-gain"
    )
    assert first_difference(recorded, replace(recorded, final=BASELINE)) == (
        "final was pipeline: fast, and now nothing"
    )
    assert first_difference(recorded, None) == "the record ends before the loop does"
