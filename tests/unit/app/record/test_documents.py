from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from perfwright.app.record.documents import claims_by_edit, usage_record
from perfwright.app.record.reports import document_of
from perfwright.core.budget import Usage
from perfwright.core.campaign import Status
from perfwright.core.candidate import Candidate, Claim, Edit
from perfwright.core.events import Warned
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Lesson, Mind, Situation
from perfwright.core.trial import Trial, TrialState
from perfwright.core.verdict import Verdict
from perfwright.report.document import CampaignDocument, TrialRecord
from perfwright.report.schema import campaign_schema
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore
from perfwright.testing.mind import ScriptedMind, draft
from perfwright.testing.situations import FACTS

Recorder = Callable[..., str]


def document(name: str) -> CampaignDocument:
    with JournalStore.open(Settings.load().home) as store:
        return document_of(store, name)


def trials(said: CampaignDocument) -> dict[str, TrialRecord]:
    return {trial.id: trial for each in said.rounds for trial in each.trials}


# --- a campaign that improved ---------------------------------------------------------------


def test_it_says_what_was_tuned_by_whom_and_where(improved: str) -> None:
    said = document(improved)
    assert (said.campaign, said.program, said.mind, said.seed) == (improved, "tiny", "builtin", 0)
    assert said.toolchain is not None
    assert said.toolchain.version == "22.1.8"
    assert said.target is not None
    assert (said.target.triple, said.target.cpu) == ("x86_64-pc-linux-gnu", "znver4")
    assert said.baseline is not None
    assert (said.baseline.identity, said.baseline.seconds) == ("same-code", 0.4)
    assert said.metric == "cpu"


def test_the_figure_is_the_confirmed_one(improved: str) -> None:
    said = document(improved)
    assert said.status is Status.IMPROVED
    assert said.result is not None
    assert said.result.speedup == pytest.approx(1.10, rel=0.01)
    assert said.result.low is not None
    assert 1 < said.result.low < said.result.speedup
    assert said.result.pairs > 0
    assert said.result.correct == "by-construction"


def test_what_is_kept_is_what_pruning_left(improved: str) -> None:
    said = document(improved)
    assert said.edits == ["pipeline: fast"]
    assert [claim.edit for claim in said.claims] == said.edits


def test_each_of_several_edits_has_its_price(recorded: Recorder) -> None:
    said = document(recorded(draft("fast", "quick")))
    prices = {part.edit: part.contribution for part in said.attribution}
    assert prices == {
        "pipeline: fast": pytest.approx(1.10, rel=0.01),
        "pipeline: quick": pytest.approx(1.05, rel=0.01),
    }
    assert all(part.resolved for part in said.attribution)


def test_every_trial_is_told_in_its_round(improved: str) -> None:
    found = trials(document(improved))
    assert {name: trial.state for name, trial in found.items()} == {
        "1.1": TrialState.REJECTED,
        "1.2": TrialState.MEASURED,
        "2.1": TrialState.WRONG,
        "2.2": TrialState.MEASURED,
    }
    assert found["1.1"].reason == "no such pass"
    assert found["1.2"].accepted
    assert found["1.2"].verdict is Verdict.FASTER
    assert found["2.1"].reason == "stdout differs"
    assert found["2.2"].verdict is Verdict.SLOWER


def test_a_trial_that_was_not_measured_has_no_figures(improved: str) -> None:
    rejected = trials(document(improved))["1.1"]
    figures = (rejected.verdict, rejected.speedup, rejected.low, rejected.high)
    assert figures == (None,) * 4
    assert rejected.over_baseline is None
    assert rejected.pairs == 0


def test_later_trials_are_compared_with_the_baseline_too(improved: str) -> None:
    slow = trials(document(improved))["2.2"]
    assert slow.over_baseline is not None
    assert slow.speedup is not None
    assert slow.over_baseline.speedup != slow.speedup


def test_the_document_keeps_the_published_schema(improved: str, recorded: Recorder) -> None:
    for name in (improved, recorded(draft("slow")), recorded(draft("fast"), die_at=1)):
        data = document(name).model_dump(mode="json", by_alias=True)
        jsonschema.validate(data, campaign_schema())


def test_recipe_and_report_are_named_only_when_they_are_there(
    improved: str, perfwright_home: Path
) -> None:
    assert document(improved).recipe is None
    folder = perfwright_home / "results" / improved
    folder.mkdir(parents=True)
    (folder / "recipe.toml").touch()
    (folder / "report.html").touch()
    said = document(improved)
    assert (said.recipe, said.report) == (f"{folder}/recipe.toml", f"{folder}/report.html")


# --- other ends -----------------------------------------------------------------------------


def test_no_gain_is_a_figure_of_one_without_pairs_or_bounds(recorded: Recorder) -> None:
    said = document(recorded(draft("slow")))
    assert said.status is Status.NO_GAIN
    assert said.result is not None
    assert (said.result.speedup, said.result.pairs) == (1.0, 0)
    assert (said.result.low, said.result.high) == (None, None)
    assert said.edits == []


def test_a_gain_that_fresh_runs_do_not_show_is_no_gain(recorded: Recorder) -> None:
    said = document(recorded(draft("lucky")))
    assert said.status is Status.NO_GAIN
    assert said.result is not None
    assert said.result.pairs > 0
    assert said.edits == []
    assert trials(said)["1.1"].accepted


def test_a_failure_is_never_a_figure(recorded: Recorder, silent_mind: Mind) -> None:
    said = document(recorded(mind=silent_mind))
    assert said.status is Status.FAILED
    assert said.cause == "no answer: the network is down"
    assert said.result is None
    assert said.baseline is not None, "what was found until then is told"


def test_an_interrupted_campaign_has_no_figure_yet(recorded: Recorder) -> None:
    said = document(recorded(draft("fast"), die_at=16))
    assert said.status is Status.INTERRUPTED
    assert said.result is None


def test_a_campaign_that_knows_nothing_yet_has_a_document(recorded: Recorder) -> None:
    said = document(recorded(die_at=1, metric="wall"))
    assert said.baseline is None
    assert said.rounds == []
    assert said.metric == "wall"


# --- details --------------------------------------------------------------------------------


def test_warnings_come_from_the_ground_and_from_the_way(recorded: Recorder) -> None:
    warned = (Warned("the machine is noisy", "close the browser"),)
    said = document(recorded(draft("slow"), warnings=("weak oracle",), warned=warned))
    assert [(w.text, w.hint) for w in said.warnings] == [
        ("weak oracle", ""),
        ("the machine is noisy", "close the browser"),
    ]


@pytest.mark.parametrize(
    ("direction", "text"), [("go on", "it paid; next: go on"), ("", "it paid")]
)
def test_a_lesson_without_a_direction_is_its_cause(
    recorded: Recorder, direction: str, text: str
) -> None:
    class Terse(ScriptedMind):
        def learn(self, situation: Situation, trial: Trial) -> Lesson:
            del situation
            return Lesson(trial.id, "it paid", direction)

    said = document(recorded(mind=Terse([draft("fast")])))
    assert trials(said)["1.1"].lesson == text


def test_a_bound_that_is_not_known_yet_is_null(recorded: Recorder) -> None:
    """JSON has no infinity, and 0 would be read as a measurement."""
    dumped = document(recorded(draft("fast"))).model_dump_json()
    assert not any(word in dumped for word in ("Infinity", "NaN", str(math.inf)))


def test_claims_keep_their_evidence(recorded: Recorder) -> None:
    edit = Edit("pipeline", "fast")
    cited = Candidate((edit,), (Claim(edit, "the loop is hot", ("fun-1",)),))
    said = document(recorded(cited, facts=(*FACTS, Fact("x", "loop", "opt", "", ""))))
    assert said.claims[0].model_dump() == {
        "edit": "pipeline: fast",
        "text": "the loop is hot",
        "evidence": ["fun-1"],
    }


def test_of_several_claims_the_first_speaks_for_an_edit() -> None:
    edit = Edit("pipeline", "fast")
    first, second = Claim(edit, "first"), Claim(edit, "second")
    assert claims_by_edit([first, second]) == {"pipeline: fast": first}


def test_usage_is_in_milliseconds_and_has_its_remainder() -> None:
    said = usage_record(Usage(1, 20, 0.5, 10.00049, 2.0, 3.0))
    assert said.seconds == 10.0
    assert said.overhead_seconds == 5.0
    assert (said.requests, said.tokens, said.usd) == (1, 20, 0.5)
