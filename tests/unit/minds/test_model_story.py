"""A campaign with hand-written dialogues: harm is rolled back, its correction is kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from perfwright.app.campaign.minds import JournalRecorder
from perfwright.app.record.explain import explain
from perfwright.app.record.replay import replay
from perfwright.app.request import TuneRequest
from perfwright.core.budget import Meter
from perfwright.core.campaign import Campaign, Outcome, Settings, Status, Team
from perfwright.core.evidence import Fact
from perfwright.core.verdict import Verdict
from perfwright.errors import MindError, UserError
from perfwright.minds.builtin.analyst import RuleAnalyst
from perfwright.minds.builtin.evaluator import RuleEvaluator
from perfwright.minds.builtin.scorer import ShareScorer
from perfwright.minds.llm.brief import Scene
from perfwright.minds.llm.client import Line
from perfwright.minds.llm.mind import Frugal, model_role
from perfwright.minds.llm.roles import Study
from perfwright.minds.recorded import CONSTRAINED, SCENE, recorded
from perfwright.minds.team import RoleMind
from perfwright.report.story import story_lines
from perfwright.store.journal import JournalStore
from perfwright.store.records import Plan
from perfwright.testing.measurer import ScriptedMeasurer, ScriptedPair
from perfwright.testing.program import (
    ScriptedChecker,
    ScriptedObserver,
    ScriptedProgram,
    ScriptedWorkshop,
)

STORY: Mapping[str, Any] = json.loads(
    (Path(__file__).parents[2] / "replays" / "qsort_story.json").read_text()
)
ANSWERS = {
    role: [json.dumps(answer) for answer in answers] for role, answers in STORY["answers"].items()
}
FACTS = (
    Fact("fun-sort", "function", "opt", "qsort.c:12:1", "sort_range", {"symbol": "sort_range"}),
    Fact("rem-less", "remark", "inline", "qsort.c:31:9", "missed: less, cost 315, threshold 250"),
)


READ = "  read again  the roles make the same of the answers in 7 steps"
"""Of the scorer, of the analyst, three of the reasoner and two of the evaluator."""


class Told:
    """Answers of a role in order, over pydantic-ai's own test model."""

    def __init__(self, answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        self.asked.append(str(messages))
        return ModelResponse([TextPart(self.answers.pop(0) if self.answers else "no more")])


class StoryRun:
    """The campaign, run over a real journal."""

    def __init__(
        self,
        home: Path,
        answers: Mapping[str, Sequence[str]] = ANSWERS,
        *,
        constrained: bool = False,
        rules: Mapping[str, Any] | None = None,
    ) -> None:
        rules = rules or {}
        self.told = {role: Told(said) for role, said in answers.items()}
        self.meter = Meter()
        program = ScriptedProgram(speedups=STORY["edits"])
        builtin = dict.fromkeys(rules, "builtin")
        request = TuneRequest(
            program=home / "qsort.c", mind="openai:story", roles=builtin, tool_calls=0
        )
        context = {"version": "22", "triple": "x86_64", "cpu": "generic"}
        settings = {"request": request.model_dump(mode="json"), "context": context}
        with (
            JournalStore.open(home) as store,
            store.create_campaign(
                Plan("qsort", home, settings=settings), lambda: self.meter.usage
            ) as journal,
        ):
            recorder = JournalRecorder(journal, self.meter)
            study = Study(scene=Scene(target="a machine"), tool_calls=0)
            journal.once(SCENE, Scene, lambda: study.scene)
            held = tuple(self.told) if constrained else ()
            journal.once(CONSTRAINED, tuple[str, ...], lambda: held)
            lines = {
                role: Line(role, FunctionModel(told), recorder, constrained=constrained)
                for role, told in self.told.items()
            }
            played = {role: model_role(role, line, study) for role, line in lines.items()}
            minds = dict.fromkeys(lines, "openai:story") | builtin
            roles = {
                role: recorded(role, player, minds[role], journal)
                for role, player in {**played, **rules}.items()
            }
            team = Team(
                observer=ScriptedObserver(program, FACTS),
                mind=Frugal(RoleMind(**roles), lambda _: None),
                workshop=ScriptedWorkshop(program),
                checker=ScriptedChecker(program),
                measurer=ScriptedMeasurer(program, journal.pairs(ScriptedPair), pairs=12),
                journal=journal,
            )
            self.outcome: Outcome = Campaign(team, Settings()).run()
            journal.finish(self.outcome.status, self.outcome)
            self.dialogues = journal.dialogues()
            self.usage = journal.usage()


@pytest.fixture
def story(perfwright_home: Path) -> StoryRun:
    return StoryRun(perfwright_home)


def test_an_aggressive_round_is_rolled_back_and_its_correction_is_kept(story: StoryRun) -> None:
    first, second = story.outcome.trials
    assert (first.verdict, first.accepted) == (Verdict.SLOWER, False)
    assert (second.verdict, second.accepted) == (Verdict.FASTER, True)
    assert story.outcome.status is Status.IMPROVED
    assert [edit.text for edit in story.outcome.final.edits] == ["option inline-threshold=330"]


def test_the_reasoner_is_told_what_was_measured_and_why(story: StoryRun) -> None:
    second = story.told["reasoner"].asked[1]
    assert "slower" in second
    assert "rolled back" in second
    assert "inline less alone" in second


def test_what_was_asked_before_is_not_asked_again(story: StoryRun) -> None:
    assert len(story.told["scorer"].asked) == 1
    assert len(story.told["analyst"].asked) == 1


def test_every_dialogue_is_recorded_and_counted(story: StoryRun) -> None:
    asked = sum(len(told.asked) for told in story.told.values())
    assert len(story.dialogues) == asked == story.usage.requests
    assert story.usage.tokens == sum(dialogue.tokens for dialogue in story.dialogues) > 0


def test_explain_shows_diagnosis_decision_consequence_and_correction(story: StoryRun) -> None:
    text = " ".join(" ".join(story_lines(explain("last"))).split())
    harm, correction = text.split("trial 1.1")[1].split("trial 2.1")
    assert "inline every call of the sort" in harm
    assert "rem-less" in harm
    assert "rolled back" in harm
    assert "correction the sort grew out of the instruction cache; inline less alone" in harm
    assert "just enough for less" in correction
    assert ": kept" in correction


def test_explain_begins_with_what_the_scorer_and_the_analyst_said(story: StoryRun) -> None:
    text = "\n".join(story_lines(explain("last"))).split("trial 1.1")[0]
    assert "what matters (openai:story)\n  0.90  sort_range  92 % of the run time" in text
    assert "what it is\n  sort_range: sorting [fun-sort]" in text
    assert "0.90  inlining-too-costly: qsort.c:31:9: less is called" in text
    assert "   3  inlining refused for its cost [rem-less]" in text


def test_explain_says_how_sure_the_model_was(story: StoryRun) -> None:
    assert [step.confidence for step in explain("last").steps] == [0.8, 0.7]


def test_evidence_that_does_not_exist_is_not_cited(story: StoryRun) -> None:
    assert "rem-invented" not in story.told["reasoner"].asked[0]


def test_it_replays_from_the_record_without_asking_anyone(story: StoryRun) -> None:
    asked = {role: len(told.asked) for role, told in story.told.items()}
    again = replay("last")
    assert again.document.status == "improved"
    assert again.document.usage.requests == story.usage.requests
    assert {role: len(told.asked) for role, told in story.told.items()} == asked
    assert again.read_again == (READ,)


def test_answers_that_a_server_held_to_a_schema_are_read_again(perfwright_home: Path) -> None:
    StoryRun(perfwright_home, constrained=True)
    assert replay("last").read_again == (READ,)


@pytest.mark.parametrize(
    ("rules", "steps"),
    [
        ({"scorer": ShareScorer()}, 6),
        ({"analyst": RuleAnalyst()}, 6),
        ({"scorer": ShareScorer(), "analyst": RuleAnalyst(), "evaluator": RuleEvaluator()}, 3),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_answers_of_models_beside_rules_are_read_again(
    perfwright_home: Path, rules: Mapping[str, Any], steps: int
) -> None:
    StoryRun(perfwright_home, rules=rules)
    assert replay("last").read_again == (READ.replace("7", str(steps)),)


ODD = ("", "no", "{", "[]", '{"a": 1}', '{"cause": "c", "next": "n"}', '{"candidates": []}')
"""What is no answer of most roles, or a poor one."""


@given(
    said=st.fixed_dictionaries(
        {
            role: st.lists(st.sampled_from([*ODD, *good, f"So: {good[0]}"]), max_size=8)
            for role, good in ANSWERS.items()
        }
    )
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_models_said_is_read_again_and_is_the_same(
    perfwright_home: Path, said: Mapping[str, Sequence[str]]
) -> None:
    with suppress(MindError):  # it never gave a candidate; there is a record of that, too
        StoryRun(perfwright_home, said)
    (line,) = replay("last").read_again
    assert line.startswith("  read again  the roles make the same of the answers in")


def changed(home: Path, order: str) -> None:
    """Change what is on record."""
    with closing(sqlite3.connect(home / "journal.sqlite3")) as database, database:
        assert database.execute(order).rowcount == 1


def differs_at() -> list[str]:
    """The steps of which a replay says that their answers lead elsewhere."""
    with pytest.raises(UserError, match="does not lead to what was made of its answers") as caught:
        replay("last")
    steps, _, why = caught.value.cause.partition("; ")
    assert why == "the journal was changed, or perfwright was"
    assert caught.value.hint.startswith("perfwright show qsort-")
    return steps.split(", ")


@pytest.mark.parametrize(
    ("role", "was", "now", "step"),
    [
        ("scorer", "0.9", "0.8", "priorities"),
        ("analyst", "cost 315", "cost 314", "analysis"),
        ("reasoner", "inline-threshold=330", "inline-threshold=331", "round 2/proposal 1"),
        ("evaluator", "no call is left", "no call was left", "trial 2.1/lesson"),
    ],
)
@pytest.mark.usefixtures("story")
def test_an_answer_that_leads_elsewhere_is_told(
    perfwright_home: Path, role: str, was: str, now: str, step: str
) -> None:
    changed(
        perfwright_home,
        f"UPDATE dialogues SET answer = replace(answer, '{was}', '{now}')"
        f" WHERE role = '{role}' AND answer LIKE '%{was}%'",
    )
    assert differs_at() == [step]


@pytest.mark.usefixtures("story")
def test_an_answer_that_is_none_any_more_is_told(perfwright_home: Path) -> None:
    changed(perfwright_home, "UPDATE dialogues SET answer = '{}' WHERE role = 'analyst'")
    assert differs_at() == ["analysis"]


@pytest.mark.usefixtures("story")
def test_an_answer_that_asks_for_another_one_now_is_told(perfwright_home: Path) -> None:
    changed(
        perfwright_home,
        "UPDATE dialogues SET answer = replace(answer, 'bottlenecks', 'bottles')"
        " WHERE role = 'analyst'",
    )
    assert "  not read    no such request on record: analysis" in replay("last").read_again


@pytest.mark.usefixtures("story")
def test_what_was_made_of_an_answer_and_changed_later_is_told(perfwright_home: Path) -> None:
    changed(
        perfwright_home,
        "UPDATE steps SET payload = replace(payload, 'inline less alone', 'inline more')"
        " WHERE key = 'trial 1.1/lesson'",
    )
    assert differs_at() == ["trial 1.1/lesson"]


@pytest.mark.usefixtures("story")
def test_an_answer_that_is_not_on_record_is_told(perfwright_home: Path) -> None:
    changed(perfwright_home, "DELETE FROM dialogues WHERE role = 'scorer'")
    assert replay("last").read_again == (
        "  read again  the roles make the same of the answers in 6 steps",
        "  not read    no such request on record: priorities",
    )
