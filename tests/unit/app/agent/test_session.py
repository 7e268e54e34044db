"""An agent's campaign: what each call does, and when it is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfwright.app.agent.meeting import Question
from perfwright.app.agent.session import Hopes, Idea, Session
from perfwright.app.campaign.tune import tune
from perfwright.app.inside.builds import edit_from
from perfwright.app.request import AGENT, TuneRequest
from perfwright.core.events import silent
from perfwright.core.evidence import Fact
from perfwright.core.trial import TrialState
from perfwright.errors import UserError
from perfwright.testing.agent import ScriptedConduct, scripted_session
from perfwright.testing.program import ScriptedProgram

PROGRAM = ScriptedProgram(
    speedups={"fast": 1.2, "quick": 1.1, "slow": 0.8},
    invalid={"absurd": "no such pass"},
    wrong={"unsafe": "stdout differs"},
    inert={"idle"},
)
FACT = Fact("rem-1", "remark", "loop-vectorize", "a.c:1", "missed: not vectorised")


@pytest.fixture
def session() -> Iterator[Session]:
    found = scripted_session(PROGRAM, facts=(FACT,))
    found.begin()
    yield found
    found.close()


def idea(*texts: str) -> list[Idea]:
    return [Idea(text, "it should help") for text in texts]


def test_a_session_begins_with_the_question_for_a_candidate(session: Session) -> None:
    assert session.asked is not None
    assert session.asked.question is Question.WHAT_NEXT
    assert session.asked.rounds_left == 3


def test_a_sound_proposal_waits_to_be_measured(session: Session) -> None:
    asked = session.propose(idea("fast"))

    assert asked.question is Question.WORTH_IT
    assert asked.trial is not None
    assert asked.trial.consequences


def test_what_an_agent_expects_goes_into_the_candidate(session: Session) -> None:
    asked = session.propose(idea("fast"), hopes=Hopes("a shorter loop", 0.7))

    assert asked.trial is not None
    candidate = asked.trial.candidate
    assert (candidate.expects, candidate.confidence) == ("a shorter loop", 0.7)


def test_what_an_agent_says_is_kept_without_what_hides_words(session: Session) -> None:
    hidden = [Idea("slow", "it\u202e helps\x1b[2J")]
    session.propose(hidden, hopes=Hopes("less\0 time"))
    session.measure()
    session.confirm("not\u2066\nso")

    assert isinstance(session.conduct, ScriptedConduct)
    candidate = session.trials["1.1"].candidate
    assert candidate.claims[0].text == "it\ufffd helps\ufffd[2J"
    assert candidate.expects == "less\ufffd time"
    assert session.conduct.journal.steps["trial 1.1/lesson"].cause == "not\ufffd so"


def test_a_bad_proposal_ends_as_a_trial_with_its_reason(session: Session) -> None:
    asked = session.propose(idea("unsafe"))

    assert asked.question is Question.WHAT_NEXT
    assert asked.trial is not None
    assert (asked.trial.state, asked.trial.reason) == (TrialState.WRONG, "stdout differs")


def test_measuring_ends_in_a_verdict_and_makes_the_winner_the_incumbent(session: Session) -> None:
    session.propose(idea("fast"))
    asked = session.measure()

    assert asked.trial is not None
    assert asked.trial.accepted
    assert asked.rounds_left == 2
    assert [edit.text for edit in asked.situation.incumbent.edits] == ["fast"]


def test_edits_come_on_top_of_the_incumbent_unless_it_is_told_to_drop_some(
    session: Session,
) -> None:
    session.propose(idea("fast"))
    session.measure()

    added = session.candidate(idea("quick"))
    corrected = session.candidate(idea("quick"), ["fast"])

    assert [edit.text for edit in added.edits] == ["fast", "quick"]
    assert [edit.text for edit in corrected.edits] == ["quick"]


def test_what_is_not_measured_is_dropped_by_the_next_proposal_and_may_come_again(
    session: Session,
) -> None:
    session.propose(idea("fast"))
    session.propose(idea("quick"))
    asked = session.propose(idea("fast"))

    assert [t.state for t in session.trials.values()] == [TrialState.REJECTED] * 2
    assert "unpromising" in session.trials["1.1"].reason
    assert asked.question is Question.WORTH_IT


def test_confirming_gives_the_confirmed_figure(session: Session) -> None:
    session.propose(idea("fast"))
    session.measure()
    document = session.confirm()

    assert document.status == "improved"
    assert document.result is not None
    assert document.result.speedup == pytest.approx(1.2, rel=0.02)


def test_the_agents_lesson_is_in_the_journal_and_the_rules_speak_when_it_is_silent() -> None:
    session = scripted_session(PROGRAM)
    session.begin()
    session.propose(idea("slow"))
    session.measure()
    session.propose(idea("idle"), lesson="more work in the loop")
    session.confirm()

    assert isinstance(session.conduct, ScriptedConduct)
    steps = session.conduct.journal.steps
    assert steps["trial 1.1/lesson"].cause == "more work in the loop"
    assert "changed no machine code" in steps["trial 2.1/lesson"].cause


def test_no_round_is_left_after_the_last_one() -> None:
    session = scripted_session(PROGRAM, rounds=1)
    session.begin()
    session.propose(idea("slow"))
    assert session.measure().rounds_left == 0

    with pytest.raises(UserError, match="used up"):
        session.propose(idea("fast"))
    assert session.confirm().status == "no-gain"


def test_three_failed_drafts_use_up_a_round(session: Session) -> None:
    left = [session.propose(idea("absurd", str(n))).rounds_left for n in range(3)]

    assert left == [3, 3, 2]


def test_a_refused_trial_has_no_build_to_look_at(session: Session) -> None:
    session.propose(idea("absurd"))

    with pytest.raises(UserError) as caught:
        session.named("1.1")

    assert caught.value.fact == "trial 1.1 has no build: it is rejected"
    assert "no such pass" in caught.value.cause


@pytest.mark.parametrize("text", ["fast", "unsafe", "idle"])
def test_what_was_built_has_a_build_to_look_at(session: Session, text: str) -> None:
    """Measured or not, wrong or the same as another."""
    session.propose(idea(text))

    assert [edit.text for edit in session.named("1.1").edits] == [text]


def test_measuring_nothing_is_refused(session: Session) -> None:
    with pytest.raises(UserError, match="no candidate waits"):
        session.measure()


def test_unknown_evidence_is_refused_with_what_is_known(session: Session) -> None:
    with pytest.raises(UserError, match="rem-2") as refused:
        session.propose([Idea("fast", "", ("rem-2",))])

    assert "rem-1" in refused.value.cause


def test_the_incumbent_itself_is_no_proposal(session: Session) -> None:
    with pytest.raises(UserError, match="incumbent itself"):
        session.propose([])


def test_after_the_end_calls_say_that_it_has_ended(session: Session) -> None:
    session.confirm()

    with pytest.raises(UserError, match="has ended: no-gain"):
        session.propose(idea("fast"))


def test_an_interrupted_campaign_goes_on_where_it_was_with_the_next_call(session: Session) -> None:
    session.propose(idea("slow"))
    session.measure()
    session.propose(idea("fast"))
    session.close()
    asked = session.measure()

    assert asked.trial is not None
    assert asked.trial.id == "2.1"
    assert asked.trial.accepted
    assert isinstance(session.conduct, ScriptedConduct)
    assert session.conduct.names == ["", "scripted-000000"]


def test_confirming_again_says_the_same(session: Session) -> None:
    session.propose(idea("fast"))
    session.measure()

    assert session.confirm() == session.confirm()


def test_one_call_at_a_time() -> None:
    session = scripted_session(PROGRAM)
    session.begin()
    entered, left = threading.Event(), threading.Event()

    def hold() -> None:
        with session.inside():
            entered.set()
            left.wait()

    other = threading.Thread(target=hold)
    other.start()
    entered.wait()
    with pytest.raises(UserError, match="still at work"):
        session.propose(idea("fast"))
    left.set()
    other.join()
    session.close()


@pytest.mark.parametrize("text", ["option a=1", "pipeline: option a=1", "  option a=1 "])
def test_edits_are_of_the_level_pipeline_whether_or_not_they_say_so(text: str) -> None:
    assert str(edit_from(text)) == "pipeline: option a=1"


def test_an_empty_edit_is_refused() -> None:
    with pytest.raises(UserError, match="empty"):
        edit_from("  ")


def test_only_a_session_can_begin_an_agents_campaign() -> None:
    ended = tune(TuneRequest(program=Path("any.c"), mind=AGENT), silent)

    assert ended.error is not None
    assert "perfwright mcp" in ended.error.hint
