"""What a model might say, for rehearsals."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perfwright.core.candidate import Candidate
from perfwright.core.protocols import Refusal, Situation
from perfwright.minds.builtin import builtin_mind
from perfwright.minds.llm.schemas import Analysis, Judgement, Proposals, Scores
from perfwright.minds.llm.understudy import Understudy
from perfwright.minds.roles import Draft
from perfwright.testing.mind import draft
from perfwright.testing.situations import measured


class EveryDraft:
    """A bench on which every draft changes something."""

    def draft(self, candidate: Candidate, reference: Candidate) -> Draft | Refusal:
        del reference
        return Draft(candidate.id, 0, ("work",))


@pytest.fixture
def understudy(situations: Callable[..., Situation]) -> Understudy:
    trial = measured(draft("option unroll-threshold=9"), 0.9)
    return Understudy(builtin_mind(EveryDraft()), situations(), trial)


def test_it_answers_in_every_role_in_the_form_that_is_asked_for(understudy: Understudy) -> None:
    kinds = {"scorer": Scores, "analyst": Analysis, "reasoner": Proposals, "evaluator": Judgement}
    for role, kind in kinds.items():
        assert isinstance(understudy.answer(role), kind)


def test_it_says_what_the_built_in_mind_thinks(understudy: Understudy) -> None:
    analysis = understudy.answer("analyst")
    assert isinstance(analysis, Analysis)
    assert "inlining-too-costly" in {found.kind for found in analysis.bottlenecks}
    proposals = understudy.answer("reasoner")
    assert isinstance(proposals, Proposals)
    assert all(edit.claim for each in proposals.candidates for edit in each.edits)


def test_its_turn_of_tools_is_about_the_hottest_function_and_a_draft(
    understudy: Understudy,
) -> None:
    calls = dict(understudy.calls())
    assert calls["show_ir"]["symbol"] == "work"
    assert calls["try_draft"]["edits"]
