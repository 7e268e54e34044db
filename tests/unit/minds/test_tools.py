"""What a model may look at while it thinks: bounded answers, and little to read beforehand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic_ai import Tool

from perfwright.core.candidate import Candidate
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Refusal, Situation
from perfwright.errors import UserError
from perfwright.minds.llm.tools import Instruments, Toolbox
from perfwright.minds.roles import Draft
from perfwright.testing.situations import first_situation

_MOST_SCHEMAS = 2600
"""Characters of all tools' schemas: they are in every request."""


HOT = Fact("fun-1", "function", "opt", "a.c:1", "hot", {"symbol": "hot", "unit": "a.c"})


@pytest.fixture
def situation() -> Situation:
    """Before the first round, of a program with one function."""
    return first_situation((HOT,))


class OneBench:
    """Gives every draft the same answer."""

    def __init__(self, answer: Draft | Refusal) -> None:
        self.answer = answer
        self.drafts: list[Candidate] = []

    def draft(self, candidate: Candidate, reference: Candidate) -> Draft | Refusal:
        del reference
        self.drafts.append(candidate)
        return self.answer


VALID = Draft("c0de", 2000, ("hot",))


def box(situation: Situation, **instruments: Any) -> Toolbox:
    return Toolbox(situation, Instruments(**instruments), 9)


def test_the_schemas_of_all_tools_are_short(situation: Situation) -> None:
    tools = box(situation, bench=OneBench(VALID)).tools
    defined = [Tool(tool, takes_ctx=False).tool_def for tool in tools]
    texts = [json.dumps([d.name, d.description, d.parameters_json_schema]) for d in defined]
    assert len(texts) == 6
    assert sum(map(len, texts)) < _MOST_SCHEMAS


def test_a_run_of_a_pass_is_asked_for_with_its_edits(situation: Situation) -> None:
    asked: list[tuple[Any, ...]] = []

    def ir(*given: Any) -> str:
        asked.append(given)
        return "define void @hot() {"

    box(situation, ir=ir).show_ir("hot", "licm#2", "before", 3, [" option a=1 ", "", "option a=1"])
    assert asked == [("hot", "licm#2", "before", 3, ("option a=1",))]


@pytest.mark.parametrize("when", ["after", "during", ""])
def test_any_other_moment_than_before_is_after(situation: Situation, when: str) -> None:
    assert "after" in box(situation, ir=lambda *given: str(given)).show_ir("hot", "gvn", when)


def test_blocks_are_listed_and_shown_as_data(situation: Situation) -> None:
    said = box(situation, block=lambda *given: f"{given} </data>").show_block("hot", "loop 1")
    assert said.startswith("<data>\n('hot', 'loop 1', ()) (/data>\n</data>")


def test_a_function_may_be_named_with_its_unit(situation: Situation) -> None:
    assert "('a.c:hot'," in box(situation, ir=lambda *given: str(given)).show_ir("a.c:hot", "gvn")


def test_a_block_of_no_function_is_not_looked_for(situation: Situation) -> None:
    assert "known: hot" in box(situation).show_block("ghost")


def test_long_answers_are_cut(situation: Situation) -> None:
    tools = box(situation, block=lambda *_: "addl %eax, %ecx\n" * 2000, ir=lambda *_: "x\n" * 9999)
    assert len(tools.show_block("hot", "b1")) < 3500
    assert len(tools.show_ir("hot", "gvn")) < 3500


def test_a_refusal_comes_with_what_to_do_about_it(situation: Situation) -> None:
    def ir(*_: Any) -> str:
        raise UserError("passes run in the linker", hint="leave `link whole-program` out")

    assert "leave `link whole-program` out" in box(situation, ir=ir).show_ir("hot", "gvn")


def test_a_draft_is_told_with_the_first_of_its_effects(situation: Situation) -> None:
    def effects(draft: Candidate, incumbent: Candidate) -> Sequence[Fact]:
        assert draft.edits
        assert incumbent == situation.incumbent
        return [Fact(f"diff-{n}", "diff", "", "", f"change {n} </data>") for n in range(50)]

    said = box(situation, bench=OneBench(VALID), effects=effects).try_draft(["option a=1"])
    assert said.startswith("valid; code of the whole program 2000 bytes")
    assert "change 0 (/data>" in said
    assert "change 6" not in said


def test_the_size_of_a_draft_is_told_once(situation: Situation) -> None:
    def effects(*_: Any) -> Sequence[Fact]:
        total = "code of the whole program 1990 -> 2000 bytes (+10)"
        return [
            Fact("dsize-total", "diff", "", "", total),
            Fact("dsize-f", "diff", "", "f", "f 8 -> 18 bytes (+10)", {"symbol": "f"}),
        ]

    said = box(situation, bench=OneBench(VALID), effects=effects).try_draft(["option a=1"])
    assert said.count("code of the whole program") == 1
    assert "f 8 -> 18 bytes" in said


def test_effects_of_a_refused_draft_are_not_looked_for(situation: Situation) -> None:
    def never(*_: Any) -> Sequence[Fact]:
        raise AssertionError

    bench = OneBench(Refusal("no such pass"))
    said = box(situation, bench=bench, effects=never).try_draft(["insert x after gvn#1"])
    assert said.startswith("refused: no such pass")


def test_more_edits_than_anybody_needs_are_not_read(situation: Situation) -> None:
    bench = OneBench(VALID)
    box(situation, bench=bench).try_draft([f"option a{n}=1" for n in range(999)])
    assert len(bench.drafts[0].edits) < 30
