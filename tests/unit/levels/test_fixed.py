from __future__ import annotations

import pytest

from perfwright.core.candidate import Candidate
from perfwright.levels.fixed import AS_HANDED_OVER, NAME, FixedLevel
from perfwright.levels.protocol import Mended
from perfwright.program.plan import PLAIN, BuildPlan

PLAN = BuildPlan(compile_flags=("-mllvm", "-unroll-count=8"))


def test_it_has_one_edit_which_needs_no_repair() -> None:
    assert FixedLevel(PLAN).repair(AS_HANDED_OVER.edits) == Mended(AS_HANDED_OVER.edits)
    assert {edit.level for edit in AS_HANDED_OVER.edits} == {NAME}


@pytest.mark.parametrize("base", [PLAIN, BuildPlan(compile_flags=("-march=znver4",))])
def test_the_plan_is_the_recipes_whatever_the_base(base: BuildPlan) -> None:
    assert FixedLevel(PLAN).plan(AS_HANDED_OVER.edits, base) == PLAN


def test_what_is_handed_over_is_not_the_baseline() -> None:
    assert AS_HANDED_OVER.id != Candidate().id
