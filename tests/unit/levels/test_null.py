from __future__ import annotations

from perfwright.core.candidate import Candidate, Edit
from perfwright.core.protocols import Lesson
from perfwright.levels.null import NAME, NullLevel, NullMind
from perfwright.levels.protocol import Mended
from perfwright.program.plan import BuildPlan
from perfwright.testing.situations import after, first_situation, measured

ONE, TWO = Edit(NAME, "nothing 1"), Edit(NAME, "nothing 2")
BASE = BuildPlan(compile_flags=("-march=znver4",))


def test_a_null_edit_needs_no_repair() -> None:
    assert NullLevel().repair((ONE,)) == Mended((ONE,), (), {ONE: (ONE,)})


def test_a_null_candidate_is_the_baseline_in_another_order() -> None:
    plan = NullLevel(3).plan((ONE,), BASE)
    assert isinstance(plan, BuildPlan)
    assert plan.model_copy(update={"layout_seed": None}) == BASE
    assert plan.layout_seed is not None


def test_each_has_its_own_order_in_each_campaign() -> None:
    plans = [NullLevel(seed).plan((edit,), BASE) for seed in (1, 2) for edit in (ONE, TWO)]
    assert len({plan.layout_seed for plan in plans if isinstance(plan, BuildPlan)}) == 4


def test_every_round_has_a_new_one() -> None:
    mind, situation = NullMind(), first_situation()
    (first,) = mind.propose(situation)
    assert first == Candidate((ONE,))
    trial = measured(first, 1.0)
    assert mind.learn(situation, trial).trial == trial.id
    assert mind.propose(after(situation, trial, Lesson(trial.id, ""))) == (Candidate((TWO,)),)
