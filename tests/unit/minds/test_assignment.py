"""Who plays which role."""

from __future__ import annotations

import pytest

from perfwright.errors import UserError
from perfwright.minds.assignment import ROLES, Assignment, assign, read_assignment


def test_without_options_everyone_is_built_in() -> None:
    assignment = assign([])
    assert {assignment.mind_of(role) for role in ROLES} == {"builtin"}
    assert assignment.models == ()
    assert str(assignment) == "builtin"


def test_one_mind_plays_all_roles() -> None:
    assert assign(["openai:gpt-x"]).mind_of("evaluator") == "openai:gpt-x"


def test_a_role_can_be_given_to_another_mind() -> None:
    assignment = assign(["openai:gpt-x", "scorer=builtin", "reasoner=exec:./mind --a=b"])
    assert assignment.mind_of("scorer") == "builtin"
    assert assignment.mind_of("reasoner") == "exec:./mind --a=b"
    assert assignment.models == ("openai:gpt-x", "exec:./mind --a=b")
    assert str(assignment) == "openai:gpt-x scorer=builtin reasoner=exec:./mind --a=b"


def test_a_command_with_an_equals_sign_is_no_assignment() -> None:
    assert assign(["exec:env A=1 ./mind"]).everyone == "exec:env A=1 ./mind"


def test_a_role_can_be_left_out() -> None:
    assert assign(["openai:x"], ["analyst,evaluator"]).models == ("openai:x",)
    assert assign(["openai:x"], ["analyst"]).mind_of("analyst") == "none"


@pytest.mark.parametrize(
    ("minds", "without", "fact"),
    [
        (["a:b", "c:d"], [], "two minds for all roles"),
        (["poet=openai:x"], [], "unknown role 'poet'"),
        (["scorer=a:b", "scorer=c:d"], [], "two minds for the scorer"),
        ([], ["poet"], "unknown role 'poet'"),
        ([""], [], "no mind is named"),
    ],
)
def test_what_means_nothing_is_refused(minds: list[str], without: list[str], fact: str) -> None:
    with pytest.raises(UserError, match=fact):
        assign(minds, without)


@pytest.mark.parametrize(
    "assignment",
    [
        Assignment(),
        Assignment("openai:gpt-x", {"scorer": "builtin", "evaluator": "none"}),
        Assignment("exec:./mind --a=b 'c d'", {"reasoner": "exec:env A=1 ./mind"}),
        assign([f"{role}=ollama:{role}" for role in ROLES]),
    ],
)
def test_what_an_assignment_prints_is_read_again(assignment: Assignment) -> None:
    assert read_assignment(str(assignment)) == assignment
