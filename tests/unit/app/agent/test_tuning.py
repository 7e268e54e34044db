"""A campaign whose models are asked from outside: what it asks, and what answers make of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import ModelResponse, TextPart

from perfwright.app.agent.conducted import conduct_of
from perfwright.app.agent.session import resume_session
from perfwright.app.agent.tuning import Reply, Sample, Tuning, resume_tuning, unanswered
from perfwright.app.campaign.tune import resume, tune
from perfwright.app.request import AGENT, TuneRequest
from perfwright.core.events import silent
from perfwright.core.evidence import Fact
from perfwright.errors import MindError, UserError
from perfwright.minds.assignment import SAMPLING
from perfwright.minds.llm.providers import check_name, choose
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore
from perfwright.store.records import Plan
from perfwright.testing.agent import CAMPAIGN, ScriptedConduct, scripted_tuning
from perfwright.testing.program import ScriptedProgram

PROGRAM = ScriptedProgram(speedups={"fast": 1.3})
FACTS = (Fact("fun-f", "function", "opt", "a.c:1", "f in a.c", {"symbol": "f"}),)
ANSWERS: dict[str, dict[str, Any]] = {
    "scorer": {"functions": [{"symbol": "f", "weight": 1, "reason": "hot"}]},
    "analyst": {
        "bottlenecks": [
            {"kind": "loop", "symbol": "f", "weight": 1, "text": "t", "evidence": ["fun-f"]}
        ]
    },
    "reasoner": {"candidates": [{"edits": [{"edit": "fast", "claim": "c"}]}]},
    "evaluator": {"cause": "it is", "next": "stop"},
}


@pytest.fixture
def tuning() -> Iterator[Tuning]:
    found = scripted_tuning(PROGRAM, facts=FACTS, rounds=1)
    yield found
    found.close()


def told(sample: Sample, text: str | None = None) -> Reply:
    said = json.dumps(ANSWERS[sample.prompt.role]) if text is None else text
    return Reply(sample.key, ModelResponse([TextPart(said)]))


def play(tuning: Tuning) -> list[str]:
    """Answer whatever is asked; the roles that were."""
    roles = []
    while (sample := tuning.next()) is not None:
        roles.append(sample.prompt.role)
        tuning.answer(told(sample))
    return roles


def test_the_model_outside_plays_every_role_of_a_whole_campaign(tuning: Tuning) -> None:
    assert play(tuning) == ["scorer", "analyst", "reasoner", "evaluator"]
    assert tuning.document().edits == ["pipeline: fast"]


def test_a_question_stays_until_it_is_answered(tuning: Tuning) -> None:
    assert tuning.next() == tuning.next()


def test_an_answer_to_another_question_is_dropped(tuning: Tuning) -> None:
    first = tuning.next()
    assert first is not None
    tuning.answer(Reply("sample-99", ModelResponse([TextPart("{}")])))
    again = tuning.next()
    assert again == first


def test_what_was_answered_before_an_interruption_is_not_asked_again(tuning: Tuning) -> None:
    first = tuning.next()
    assert first is not None
    tuning.answer(told(first))
    assert tuning.next() is not None
    tuning.stop()
    assert play(tuning) == ["analyst", "reasoner", "evaluator"]


def test_a_campaign_that_is_closed_is_interrupted(tuning: Tuning) -> None:
    assert tuning.next() is not None
    tuning.close()
    with pytest.raises(UserError, match="interrupted"):
        tuning.document()


def test_no_answer_ends_the_campaign_with_the_reason_and_the_way_on(tuning: Tuning) -> None:
    sample = tuning.next()
    assert sample is not None
    tuning.answer(Reply(sample.key, unanswered(CAMPAIGN, "the client says: no")))
    assert tuning.next() is None
    with pytest.raises(MindError, match="gave no answer") as caught:
        tuning.document()
    assert caught.value.cause == "the client says: no"
    assert f'tune with campaign="{CAMPAIGN}"' in caught.value.hint


def test_nobody_is_waited_for_longer_than_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfwright.app.agent.tuning._GRACE_SECONDS", 0.0)
    tuning = scripted_tuning(PROGRAM, facts=FACTS, mind_timeout=0.01)
    while tuning.next() is not None:
        pass
    with pytest.raises(MindError) as caught:
        tuning.document()
    assert caught.value.cause == "it gave none within 0.01 s"


def test_garbage_from_all_roles_but_the_reasoner_gives_way_to_the_rules(tuning: Tuning) -> None:
    roles = []
    while (sample := tuning.next()) is not None:
        roles.append(sample.prompt.role)
        tuning.answer(told(sample) if roles[-1] == "reasoner" else told(sample, "no JSON"))
    assert roles == ["scorer"] * 3 + ["analyst"] * 3 + ["reasoner"] + ["evaluator"] * 3
    assert tuning.document().edits == ["pipeline: fast"]


def test_garbage_alone_fails_the_campaign(tuning: Tuning) -> None:
    while (sample := tuning.next()) is not None:
        tuning.answer(Reply(sample.key, UnexpectedModelBehavior("an answer in the form 'image'")))
    with pytest.raises(MindError, match="no usable answer in 3 drafts") as caught:
        tuning.document()
    assert "form 'image'" in caught.value.cause


def recorded(home: Path, **asked: Any) -> str:
    request = TuneRequest(program=home / "a.c", **asked)
    settings = {"request": request.model_dump(mode="json"), "context": {}}
    plan = Plan("a", home / "a.c", settings=settings, mind=str(request.assignment))
    with (
        JournalStore.open(Settings.load().home) as store,
        store.create_campaign(plan) as journal,
    ):
        return journal.campaign


def test_sampling_means_nothing_where_there_is_no_client(perfwright_home: Path) -> None:
    request = TuneRequest(program=perfwright_home / "a.c", roles={"reasoner": SAMPLING})
    ended = tune(request, silent)
    assert isinstance(ended.error, UserError)
    assert "the tool tune of `perfwright mcp`" in ended.error.hint
    check_name(SAMPLING)
    with pytest.raises(UserError, match="there is none here"):
        choose(SAMPLING, "scorer", timeout=1.0)


def test_resuming_it_elsewhere_is_refused_with_the_way_on(perfwright_home: Path) -> None:
    campaign = recorded(perfwright_home, mind=SAMPLING)
    with pytest.raises(UserError) as caught:
        resume(campaign, silent)
    assert caught.value.hint == f'perfwright mcp; its tool tune(campaign="{campaign}")'
    with pytest.raises(UserError) as caught:
        resume_session(campaign)
    assert caught.value.hint == f'call tune with campaign="{campaign}"'


def test_only_campaigns_without_foreign_minds_go_on_here(perfwright_home: Path) -> None:
    mine = recorded(perfwright_home, mind=SAMPLING, roles={"scorer": "builtin"})
    assert resume_tuning(mine).campaign == mine
    users = recorded(perfwright_home, mind="exec:./mine")
    with pytest.raises(UserError, match="is led by exec:") as caught:
        resume_tuning(users)
    assert caught.value.hint.endswith(f"perfwright resume {users}")
    agents = recorded(perfwright_home, mind=AGENT)
    with pytest.raises(UserError) as caught:
        resume_tuning(agents)
    assert caught.value.hint == f'call open with campaign="{agents}"'


def test_a_campaign_that_cannot_begin_says_why(tmp_path: Path) -> None:
    request = TuneRequest(program=tmp_path / "none.c", mind=SAMPLING)
    tuning = Tuning(request, conduct_of(request))
    assert tuning.next() is None
    with pytest.raises(UserError, match=r"none\.c"):
        tuning.document()
    assert tuning.campaign == ""


def test_a_campaign_without_models_asks_nothing() -> None:
    request = TuneRequest(program=Path("a.c"))
    tuning = Tuning(request, ScriptedConduct(PROGRAM, request), cast=_nobody)
    assert tuning.next() is None
    assert tuning.document().status == "no-gain"


def _nobody(place: Any) -> Any:
    from perfwright.app.campaign.tune import Lead
    from perfwright.testing.mind import ScriptedMind

    del place
    return Lead(ScriptedMind([]))
