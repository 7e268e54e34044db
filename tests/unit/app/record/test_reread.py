"""Which recorded answer belongs to a question that is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from perfwright.app.record.reread import Answered, Reread
from perfwright.store.campaign import RecordEndsError
from perfwright.store.records import Dialogue

QUESTION = {"role": "user", "content": "what now?"}
BAD = {"role": "assistant", "content": "hm", "tool_calls": []}
OBJECTION = {"role": "user", "content": "this is no JSON"}


def request(*messages: Mapping[str, Any], tools: bool = True) -> dict[str, Any]:
    offered = [{"name": "look", "description": "", "parameters": {}}] if tools else []
    return {"system": "You reason.", "messages": list(messages), "tools": offered}


def answered(*requests: Mapping[str, Any]) -> Answered:
    """A record in which each request was answered with its number."""
    return Answered(
        [Dialogue("reasoner", r, {"answer": n}, 0, 0.0) for n, r in enumerate(requests)]
    )


def test_a_question_and_what_was_answered_so_far_have_one_answer() -> None:
    memory = answered(request(QUESTION), request(QUESTION, BAD, OBJECTION))
    assert memory.recall("reasoner", request(QUESTION, BAD, OBJECTION)) == {"answer": 1}
    assert memory.recall("reasoner", request(QUESTION)) == {"answer": 0}


def test_what_tools_said_and_how_an_objection_is_worded_do_not_matter() -> None:
    told = {"role": "tool", "name": "look", "content": "a loop"}
    announced = {"role": "user", "content": "messages from the application look so"}
    memory = answered(request(announced, QUESTION, BAD, told, OBJECTION))
    assert memory.recall("reasoner", request(QUESTION, BAD, {**told, "content": ""})) == {
        "answer": 0
    }


def test_a_question_without_tools_is_another_one() -> None:
    """A server that holds answers to a schema is asked so, when those with tools were useless."""
    memory = answered(request(QUESTION))
    with pytest.raises(RecordEndsError):
        memory.recall("reasoner", request(QUESTION, tools=False))


@pytest.mark.parametrize("role", ["scorer", "reasoner"])
def test_another_question_or_role_has_no_answer(role: str) -> None:
    other = {"role": "user", "content": "what then?"}
    with pytest.raises(RecordEndsError):
        answered(request(QUESTION)).recall(role, request(other))


def test_answers_that_nobody_asked_for_are_counted() -> None:
    memory = answered(request(QUESTION), request(QUESTION, BAD, OBJECTION))
    memory.recall("reasoner", request(QUESTION))
    assert memory.unasked == 1


def test_answers_that_nobody_asked_for_are_told_where_a_step_was_not_read() -> None:
    assert list(Reread(1, (), unasked=1).lines()) == [
        "  read again  the roles make the same of the answers in 1 step"
    ]
    assert list(Reread(0, ("analysis",), unasked=2).lines()) == [
        "  not read    no such request on record: analysis",
        "  not asked   answers on record that no role asked for: 2",
        "              the journal was changed, or perfwright asks in other words now",
    ]
