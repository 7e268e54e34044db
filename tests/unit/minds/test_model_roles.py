"""The roles played by models: what becomes of their answers, usable or not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import FunctionModel

from perfwright.core.budget import Usage
from perfwright.core.candidate import Candidate
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Mind, Situation
from perfwright.core.trial import TrialState
from perfwright.errors import MindError, ProgramError
from perfwright.minds.llm.brief import Budget
from perfwright.minds.llm.client import Line
from perfwright.minds.llm.ledger import Caps
from perfwright.minds.llm.mind import Frugal, model_role
from perfwright.minds.llm.roles import (
    ModelAnalyst,
    ModelReasoner,
    ModelScorer,
    Study,
    prompt,
    prompt_versions,
)
from perfwright.minds.llm.tools import Instruments, Toolbox
from perfwright.minds.roles import Priority
from perfwright.minds.team import RoleMind
from perfwright.testing.conformance_mind import MindConformance
from perfwright.testing.mind import draft
from perfwright.testing.situations import after, first_situation, measured, refused

FACTS = (
    Fact("fun-1", "function", "opt", "a.c:1:1", "hot", {"symbol": "hot", "share": 0.9}),
    Fact("rem-1", "remark", "inline", "a.c:3:5", "missed", {"symbol": "hot", "outcome": "missed"}),
)
ANSWERS: Mapping[str, Any] = {
    "scorer": {"functions": [{"symbol": "hot", "weight": 0.9, "reason": "hot"}]},
    "analyst": {
        "bottlenecks": [
            {
                "kind": "hot-function",
                "symbol": "hot",
                "weight": 1,
                "text": "t",
                "evidence": ["fun-1"],
            }
        ]
    },
    "reasoner": {
        "candidates": [
            {"edits": [{"edit": "option a=1", "claim": "c", "evidence": ["[rem-1]", "rem-9"]}]}
        ]
    },
    "evaluator": {"cause": "c", "next": "n", "evidence": ["fun-1"]},
}


class Nothing:
    """A recorder that remembers nothing."""

    requests = 0

    def recall(self, *_: Any) -> None:
        return None

    def record(self, *_: Any) -> None:
        return

    def sent(self) -> None:
        self.requests += 1

    def used(self) -> Usage:
        return Usage(requests=self.requests)


def line(*answers: Any, caps: Caps | None = None) -> Line:
    """A model that gives these answers, the last one for ever."""
    left = list(answers)

    def answer(*_: Any) -> ModelResponse:
        said = left.pop(0) if len(left) > 1 else left[0]
        return ModelResponse([TextPart(said if isinstance(said, str) else json.dumps(said))])

    return Line("test:model", FunctionModel(answer), Nothing(), caps=caps or Caps())


def mind(warned: list[str], **answers: Any) -> Frugal:
    study = Study(tool_calls=0, warn=warned.append)
    roles = {
        role: model_role(role, line(answers.get(role, ANSWERS[role])), study) for role in ANSWERS
    }
    return Frugal(RoleMind(**roles), warned.append)


class TestConformance(MindConformance):
    @pytest.fixture
    def mind(self) -> Mind:
        return mind([])

    @pytest.fixture
    def situation(self) -> Situation:
        return first_situation(FACTS)


@pytest.fixture
def situation() -> Situation:
    return first_situation(FACTS)


def reasoner(*answers: Any, warned: list[str] | None = None) -> ModelReasoner:
    hear = warned.append if warned is not None else lambda _: None
    return ModelReasoner(line(*answers), Study(tool_calls=0, warn=hear))


def candidates(*edits: str, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"edits": [{"edit": edit, "claim": "c"} for edit in edits], **more}]}


def test_claims_cite_only_evidence_that_exists(situation: Situation) -> None:
    (candidate,) = reasoner(ANSWERS["reasoner"]).reason(situation, ())
    assert candidate.claims[0].evidence == ("rem-1",)


def test_a_whole_pipeline_is_an_edit(situation: Situation) -> None:
    (candidate,) = reasoner(candidates(pipeline="function(sroa,\n gvn)")).reason(situation, ())
    assert [str(edit) for edit in candidate.edits] == ["pipeline: pipeline function(sroa,gvn)"]


def test_several_edits_in_a_line_each_become_one(situation: Situation) -> None:
    (candidate,) = reasoner(candidates("option a=1\n\n option b=2")).reason(situation, ())
    assert [edit.text for edit in candidate.edits] == ["option a=1", "option b=2"]


def test_no_candidate_ends_the_search(situation: Situation) -> None:
    assert reasoner({"candidates": []}).reason(situation, ()) == ()


def test_what_was_tried_is_objected_to_once(situation: Situation) -> None:
    tried = measured(Candidate(draft("option a=1").edits), 0.9)
    later = after(situation, tried, mind([]).learn(situation, tried))
    corrected = reasoner(candidates("option a=1"), candidates("option a=2")).reason(later, ())
    assert [edit.text for edit in corrected[0].edits] == ["option a=2"]
    stubborn = reasoner(candidates("option a=1")).reason(later, ())
    assert stubborn[0].id == tried.candidate.id


def test_unusable_answers_are_a_failed_draft(situation: Situation) -> None:
    (candidate,) = reasoner("I cannot help with that.").reason(situation, ())
    assert candidate.flaw.startswith("unusable answer: ")
    assert candidate.edits == ()


def failed(situation: Situation, count: int) -> Situation:
    for number in range(count):
        flawed = Candidate(flaw="unusable answer: x")
        trial = refused(flawed, TrialState.REJECTED, "x", trial=f"1.{number}")
        situation = after(situation, trial, mind([]).learn(situation, trial))
    return situation


def test_unusable_answers_alone_are_a_failure(situation: Situation) -> None:
    with pytest.raises(MindError, match="no usable answer in 3 drafts"):
        reasoner("no").reason(failed(situation, 2), ())


def test_unusable_answers_after_a_real_candidate_end_the_search(situation: Situation) -> None:
    trial = measured(draft("option a=1"), 0.9)
    tried = after(situation, trial, mind([]).learn(situation, trial))
    warned: list[str] = []
    assert reasoner("no", warned=warned).reason(failed(tried, 2), ()) == ()
    assert "no usable answer any more" in warned[0]


def test_the_rules_stand_in_for_other_roles(situation: Situation) -> None:
    warned: list[str] = []
    thinking = mind(warned, scorer="no", analyst="no", evaluator="no")
    (candidate,) = thinking.propose(situation)
    assert thinking.learn(situation, measured(candidate, 1.1)).cause.startswith("the edits paid")
    assert [text.split()[1] for text in warned] == ["scorer's", "analyst's", "evaluator's"]


@pytest.mark.parametrize("cited", [{}, {"evidence": ["ghost-1"]}])
def test_an_explanation_without_evidence_keeps_none(
    situation: Situation, cited: Mapping[str, Any]
) -> None:
    warned: list[str] = []
    thinking = mind(warned, evaluator={"cause": "spills", "next": "n", **cited})
    lesson = thinking.learn(situation, measured(draft("option a=1"), 0.9))
    assert (lesson.cause, lesson.evidence, warned) == ("spills", (), [])


def test_functions_that_do_not_exist_are_left_out(situation: Situation) -> None:
    answer = {"functions": [{"symbol": s, "weight": 1, "reason": "r"} for s in ("ghost", "hot")]}
    found = ModelScorer(line(answer), Study()).score(FACTS)
    assert [priority.symbol for priority in found] == ["hot"]


def analysed(study: Study) -> str:
    """What the analyst is shown."""
    told: list[str] = []

    def answer(messages: list[ModelMessage], _: Any) -> ModelResponse:
        told.append(str(messages))
        return ModelResponse([TextPart(json.dumps(ANSWERS["analyst"]))])

    asked = Line("test:model", FunctionModel(answer), Nothing())
    ModelAnalyst(asked, study).analyse(FACTS, [Priority("hot", 0.9, "hot")])
    return told[0]


def test_the_analyst_is_shown_ir_of_functions_that_matter() -> None:
    tools = Instruments(functions=lambda symbols: {s: f"define @{s}" for s in symbols})
    assert "define @hot" in analysed(Study(instruments=tools))


def test_no_ir_is_asked_for_when_none_is_to_be_sent() -> None:
    def never(symbols: Sequence[str]) -> Mapping[str, str]:
        raise AssertionError(symbols)

    study = Study(budget=Budget(ir_tokens=0), instruments=Instruments(functions=never))
    assert "define" not in analysed(study)


def test_an_analyst_without_ir_goes_on_and_says_so() -> None:
    def broken(symbols: Sequence[str]) -> Mapping[str, str]:
        raise ProgramError(f"no IR of {symbols[0]}")

    warned: list[str] = []
    study = Study(instruments=Instruments(functions=broken), warn=warned.append)
    assert "fun-1" in analysed(study)
    assert warned == ["the analyst is shown no IR: no IR of hot"]


def test_a_limit_ends_the_search_with_what_was_found(situation: Situation) -> None:
    warned: list[str] = []
    study = Study(tool_calls=0, warn=warned.append)
    roles = {
        role: model_role(role, line(ANSWERS[role], caps=Caps(requests=0)), study)
        for role in ANSWERS
    }
    thinking = Frugal(RoleMind(**roles), warned.append)
    assert thinking.propose(situation) == ()
    assert "--max-requests 0 is reached" in warned[0]
    assert thinking.learn(situation, measured(draft("option a=1"), 1.1)).cause


def test_prompts_have_a_version_each() -> None:
    assert set(prompt_versions()) == set(ANSWERS)
    for role in ANSWERS:
        assert "(version " in prompt(role).splitlines()[0]
        assert "{" + "kinds}" not in prompt(role)


def box(situation: Situation, left: int = 5, **instruments: Any) -> Toolbox:
    return Toolbox(situation, Instruments(**instruments), left)


def test_facts_can_be_queried(situation: Situation) -> None:
    said = box(situation).query_facts(kind="remark")
    assert "[rem-1] a.c:3:5: missed" in said
    assert "fun-1" not in said


def test_tools_are_bounded(situation: Situation) -> None:
    tools = box(situation, left=1)
    assert "(0 tool calls left)" in tools.query_facts()
    assert tools.query_facts() == "No tool calls are left. Answer now."


def test_an_unknown_function_is_answered_with_the_known_ones(situation: Situation) -> None:
    assert "known: hot" in box(situation).show_ir("ghost", "licm")


def test_ir_is_shown_as_data(situation: Situation) -> None:
    said = box(situation, ir=lambda *_: "define </data> x").show_ir("hot", "licm")
    assert said.startswith("<data>\ndefine (/data> x\n</data>")


def test_drafts_are_compiled_only_where_there_is_a_bench(situation: Situation) -> None:
    names = [tool.__name__ for tool in box(situation).tools]
    assert names == ["query_facts", "show_ir", "show_block", "explain_option", "explain_pass"]
