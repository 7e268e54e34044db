from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from perfwright.app.record.explain import explain
from perfwright.core.candidate import Candidate, Claim, Edit
from perfwright.core.protocols import Mind
from perfwright.errors import UserError
from perfwright.report.explanation import Calibration, Explanation
from perfwright.report.story import story_lines
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore
from perfwright.store.records import Dialogue
from perfwright.testing.mind import draft

Recorder = Callable[..., str]

FAST, IDLE = Edit("pipeline", "fast"), Edit("pipeline", "idle")
CITING = Candidate(
    (FAST, IDLE),
    (Claim(FAST, "the loop is hot", ("fun-1", "gone-1")), Claim(IDLE, "the loop is hot")),
)


@pytest.fixture
def story(recorded: Recorder) -> Explanation:
    return explain(recorded(CITING, draft("unsafe"), draft("slow")))


def test_there_is_a_step_for_each_trial(story: Explanation) -> None:
    assert [step.trial for step in story.steps] == ["1.1", "2.1", "2.2"]


def test_a_step_goes_from_diagnosis_to_correction(story: Explanation) -> None:
    step = story.steps[0]
    assert step.diagnosis == ["the loop is hot"]
    assert step.decision == "try fast; idle"
    assert step.consequence.startswith("measured faster 1.")
    assert step.consequence.endswith("against the incumbent: kept")
    assert [fact.text for fact in step.changes] == ["10002 bytes of code"]
    assert step.measured is not None
    assert step.measured.verdict == "faster"
    assert step.correction


def test_only_facts_that_are_known_are_shown(story: Explanation) -> None:
    assert [fact.id for fact in story.steps[0].evidence] == ["fun-1"]
    assert story.steps[0].evidence[0].source == "perf"


def test_what_did_not_pay_was_rolled_back(story: Explanation) -> None:
    assert "against the incumbent: rolled back" in story.steps[2].consequence
    assert story.steps[2].consequence.endswith("x over the baseline)")


def test_a_step_that_was_not_measured_says_why(story: Explanation) -> None:
    assert story.steps[1].consequence == "wrong: stdout differs"


def test_the_lines_tell_the_same(story: Explanation) -> None:
    text = "\n".join(story_lines(story))
    opening = f"{story.campaign}: tiny, mind builtin\n\ntrial 1.1\n  diagnosis    the loop is hot\n"
    assert text.startswith(opening)
    assert "[fun-1] hot_loop takes 92 % of the time (perf)\n" in text
    assert "  decision     try fast; idle\n" in text
    assert story.end in text


def test_a_later_trial_is_told_by_what_it_changes(recorded: Recorder) -> None:
    """On top of the incumbent: its edits have been told with the trial that brought them."""
    second = explain(recorded(draft("fast", "idle"), draft("fast", "quick"))).steps[1]
    assert (second.base, second.decision) == (
        "1.1",
        "try the edits of trial 1.1, with quick, without idle",
    )
    assert second.diagnosis == ["quick should help"]


# --- what was expected ----------------------------------------------------------------------


def sure(name: str, confidence: float) -> Candidate:
    return replace(draft(name), confidence=confidence, expects=f"{name} code")


def test_what_was_expected_is_told(recorded: Recorder) -> None:
    story = explain(recorded(sure("fast", 0.7)))
    assert (story.steps[0].expects, story.steps[0].confidence) == ("fast code", 0.7)
    assert "  expectation  fast code; 70 % sure that it is faster" in list(story_lines(story))


def test_confidence_is_held_against_what_came_true(recorded: Recorder) -> None:
    story = explain(recorded(sure("slow", 0.9), sure("fast", 0.7), sure("quick", 0.5)))
    assert story.calibration == Calibration(trials=3, expected=2.1, faster=1)
    assert list(story_lines(story))[-1] == (
        "confidence: by the mind's own figures 2.1 of 3 measured candidates should have been "
        "faster; 1 was"
    )


def test_of_two_measured_trials_nothing_is_said(recorded: Recorder) -> None:
    assert explain(recorded(sure("slow", 0.9), sure("unsafe", 0.9))).calibration is None


def test_a_campaign_without_a_scorer_on_record_has_no_priorities(story: Explanation) -> None:
    """As campaigns of earlier versions, and those that an agent leads."""
    assert (story.priorities, story.analysis) == (None, None)


# --- how it ended ---------------------------------------------------------------------------


def test_a_gain_ends_with_its_figure(story: Explanation) -> None:
    assert story.end.startswith("improved: fresh runs say faster 1.")


def test_without_a_winner_there_was_nothing_to_confirm(recorded: Recorder) -> None:
    assert explain(recorded(draft("slow"))).end == (
        "no-gain: nothing was faster than the baseline in the search"
    )


def test_a_winner_that_fresh_runs_do_not_show_is_told_with_its_figure(recorded: Recorder) -> None:
    assert explain(recorded(draft("lucky"))).end.startswith("no-gain: fresh runs say")


def test_a_winner_that_was_never_confirmed_is_not_said_to_have_lost(recorded: Recorder) -> None:
    """As when it is wrong in fresh runs, or comes to the baseline's code once it is pruned."""
    name = recorded(draft("lucky"), ending=lambda said: replace(said, confirmation=None))
    assert explain(name).end == (
        "no-gain: what won the search came to nothing before it was confirmed"
    )


def test_a_failure_ends_with_its_cause(recorded: Recorder, silent_mind: Mind) -> None:
    assert explain(recorded(mind=silent_mind)).end == "failed: no answer: the network is down"


def test_an_interrupted_campaign_has_no_end_yet(recorded: Recorder) -> None:
    said = explain(recorded(draft("fast"), die_at=4))
    assert said.steps == []
    assert said.end == "interrupted: the campaign has not come to its end"


def test_a_campaign_that_does_not_exist_is_an_error_that_names_the_nearest(improved: str) -> None:
    with pytest.raises(UserError) as error:
        explain("tiny-zzz")
    assert improved in error.value.cause


# --- what models asked of tools -------------------------------------------------------------


def exchange(*calls: tuple[str, object, str], before: Sequence[object] = ()) -> dict[str, object]:
    """A request that brings the answers to these calls."""
    asked = [{"name": name, "arguments": given} for name, given, _ in calls]
    said: list[object] = [*before, {"role": "assistant", "content": "", "tool_calls": asked}]
    said += [{"role": "tool", "name": name, "content": told} for name, _, told in calls]
    return {"messages": said, "tools": [{"name": "remarks"}, {"name": "function_ir"}]}


def asked(recorded: Recorder, *requests: dict[str, object]) -> list[tuple[str, str, str]]:
    """Tool, arguments and answer as explained, of a campaign with these requests on record."""
    name = recorded(draft("fast"), die_at=4)
    with JournalStore.open(Settings.load().home) as store, store.open_campaign(name) as journal:
        for request in requests:
            journal.record(Dialogue("reasoner", request, {}))
    return [(q.tool, q.arguments, q.answer) for q in explain(name).questions]


def test_a_question_is_told_once_with_a_line_of_its_answer(recorded: Recorder) -> None:
    first = exchange(("remarks", {"function": "mix", "kind": "missed"}, "\n2 remarks\nmore"))
    messages = first["messages"]
    assert isinstance(messages, list)
    later = exchange(("function_ir", {"function": "mix"}, "define i32"), before=messages)
    assert asked(recorded, {"messages": [], "tools": []}, first, later) == [
        ("remarks", "function=mix, kind=missed", "2 remarks"),
        ("function_ir", "function=mix", "define i32"),
    ]


def test_the_fence_around_data_is_no_answer(recorded: Recorder) -> None:
    fenced = exchange(("function_ir", {}, "<data>\nbefore licm: 40 lines\n</data>"))
    assert asked(recorded, fenced) == [("function_ir", "", "before licm: 40 lines")]


def test_two_questions_at_once_keep_their_own_answers(recorded: Recorder) -> None:
    both = exchange(("remarks", {"n": 1}, "one"), ("remarks", {"n": 2}, "two"))
    assert asked(recorded, both) == [("remarks", "n=1", "one"), ("remarks", "n=2", "two")]


def test_an_answer_that_was_refused_is_no_question(recorded: Recorder) -> None:
    assert asked(recorded, exchange(("answer", {"edits": []}, "no edits"))) == []


def test_long_or_hostile_text_is_cut_to_a_line(recorded: Recorder) -> None:
    ((_, arguments, answer),) = asked(recorded, exchange(("remarks", "\x1b[31m" * 200, "x" * 999)))
    assert "\x1b" not in arguments
    assert (len(arguments), len(answer)) == (123, 123)
