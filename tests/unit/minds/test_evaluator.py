from __future__ import annotations

from dataclasses import replace

import pytest

from perfwright.core.evidence import Fact
from perfwright.core.trial import TrialState
from perfwright.core.verdict import Comparison, Verdict
from perfwright.minds.builtin.evaluator import RuleEvaluator
from perfwright.testing.mind import draft
from perfwright.testing.situations import first_situation, measured, refused

CHANGES = tuple(Fact(f"d-{n}", "diff", "tool", "f", f"change {n}") for n in range(5))


def test_the_cause_names_the_largest_changes_and_cites_them() -> None:
    trial = replace(measured(draft("a"), 1.1), consequences=CHANGES)
    lesson = RuleEvaluator().evaluate(first_situation(), trial)
    assert lesson.cause == "the edits paid (change 0; change 1; change 2)"
    assert lesson.evidence == ("d-0", "d-1", "d-2")


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_a_direction(verdict: Verdict) -> None:
    said = Comparison(verdict, 1.0, 0.99, 1.01, 20)
    trial = replace(measured(draft("a"), 1.0), against_incumbent=said)
    lesson = RuleEvaluator().evaluate(first_situation(), trial)
    assert lesson.cause
    assert lesson.next


def test_only_what_is_faster_is_kept() -> None:
    def direction(ratio: float) -> str:
        return RuleEvaluator().evaluate(first_situation(), measured(draft("a"), ratio)).next

    assert direction(1.1).startswith("keep")
    assert direction(0.9).startswith("roll back")
    assert direction(1.0).startswith("roll back")


@pytest.mark.parametrize("state", [s for s in TrialState if s is not TrialState.MEASURED])
def test_a_failure_is_told_with_its_reason(state: TrialState) -> None:
    lesson = RuleEvaluator().evaluate(first_situation(), refused(draft("a"), state, "out of luck"))
    assert lesson.cause.endswith(": out of luck")
    assert lesson.next
