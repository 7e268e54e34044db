"""Confirmation: one value a layout, no workload slower, few looks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.core.verdict import Verdict
from perfwright.errors import InternalError, UserError
from perfwright.measure.confirm import (
    FEW_LAYOUTS,
    Confirmation,
    ConfirmDesign,
    confirm,
    design_for,
)
from perfwright.measure.statistics import Values

DESIGN = ConfirmDesign()


def table(
    rng: np.random.Generator, layouts: int, pairs: int = 1, *, gain: float = 0.0, luck: float = 0.0
) -> Values:
    """Log-ratios with 1 % noise a run, each program's luck `luck` in every layout."""
    offsets = luck * math.sqrt(2) * rng.standard_normal((layouts, 1))
    return np.asarray(gain + offsets + 0.01 * math.sqrt(2) * rng.standard_normal((layouts, pairs)))


def confirmed(rng: np.random.Generator, design: ConfirmDesign, gain: float, luck: float) -> bool:
    values = table(rng, design.looks[-1], design.pairs_per_layout, gain=gain, luck=luck)
    for layouts in design.looks:
        result = confirm([values[:layouts]], design)
        if result.final:
            break
    return result.improved


@pytest.mark.parametrize("design", [DESIGN, FEW_LAYOUTS], ids=["default", "few layouts"])
@pytest.mark.parametrize("luck", [0.0, 0.005, 0.01])
def test_equal_programs_are_confirmed_at_most_at_the_stated_rate(
    luck: float, design: ConfirmDesign
) -> None:
    rng = np.random.default_rng(1)
    assert np.mean([confirmed(rng, design, 0.0, luck) for _ in range(400)]) < 0.025 + 0.02


@pytest.mark.parametrize("luck", [0.0, 0.005])
def test_two_per_cent_at_one_per_cent_noise_is_confirmed(luck: float) -> None:
    rng = np.random.default_rng(2)
    assert np.mean([confirmed(rng, DESIGN, math.log(1.02), luck) for _ in range(200)]) > 0.97


def test_many_pairs_of_few_lucky_layouts_prove_nothing() -> None:
    """The pooled pairs would be overwhelming; the layouts disagree about the sign."""
    rng = np.random.default_rng(3)
    luck = np.array([0.03, -0.02, 0.025, 0.03, -0.03, 0.02, 0.03, 0.01, -0.02, 0.03, 0.02, -0.03])
    values = luck[:, None] + 0.001 * rng.standard_normal((12, 50))
    assert confirm([values], ConfirmDesign((12,), 50)).overall.verdict is Verdict.INCONCLUSIVE


def test_more_pairs_in_a_layout_are_one_value_still() -> None:
    rng = np.random.default_rng(4)
    once = table(rng, 12, gain=0.02)
    result = confirm([np.repeat(once, 9, axis=1)], ConfirmDesign((12,), 9))
    alone = confirm([once], ConfirmDesign((12,), 1))
    assert (result.overall.low, result.overall.high) == (alone.overall.low, alone.overall.high)
    assert (result.overall.pairs, alone.overall.pairs) == (108, 12)


def test_an_interrupted_pair_does_not_move_its_layout() -> None:
    values = np.full((12, 3), 0.02)
    values[:, 1] = -0.5
    assert confirm([values], FEW_LAYOUTS).overall.ratio == pytest.approx(math.exp(0.02))


def test_workloads_combine_as_their_geometric_mean() -> None:
    result = confirm([np.full((24, 1), math.log(1.2)), np.full((24, 1), math.log(1.1))], DESIGN)
    assert result.overall.ratio == pytest.approx(math.sqrt(1.2 * 1.1))
    assert [one.ratio for one in result.workloads] == pytest.approx([1.2, 1.1])
    assert result.improved


def test_one_workload_confirmed_slower_is_no_improvement() -> None:
    result = confirm([np.full((24, 1), 0.2), np.full((24, 1), -0.02)], DESIGN)
    assert result.overall.verdict is Verdict.FASTER
    assert result.workloads[1].verdict is Verdict.SLOWER
    assert not result.improved


def test_many_equal_workloads_rarely_refuse_a_gain_by_chance() -> None:
    rng = np.random.default_rng(5)
    design = ConfirmDesign((12,))

    def harmed() -> bool:
        result = confirm([table(rng, 12) for _ in range(10)], design)
        return any(one.verdict is Verdict.SLOWER for one in result.workloads)

    assert np.mean([harmed() for _ in range(300)]) < 0.025 + 0.02


def test_an_unclear_first_look_asks_for_more_layouts() -> None:
    rng = np.random.default_rng(6)
    values = table(rng, 24) * 2 + 0.006
    assert not confirm([values], DESIGN).final


def test_a_clear_first_look_ends_it() -> None:
    assert confirm([np.full((24, 1), 0.02)], DESIGN).final


def test_a_hopeless_first_look_ends_it() -> None:
    values = np.linspace(-0.03, 0.025, 24)[:, None]
    result = confirm([values], DESIGN)
    assert (result.final, result.overall.verdict) == (True, Verdict.INCONCLUSIVE)


def test_the_last_look_is_final_whatever_it_says() -> None:
    assert confirm([table(np.random.default_rng(7), 40)], DESIGN).final


@pytest.mark.parametrize("layouts", [8, 30])
def test_layouts_are_judged_when_the_time_runs_out_between_looks(layouts: int) -> None:
    result = confirm([np.full((layouts, 1), 0.02)], DESIGN)
    assert (result.final, result.layouts, result.improved) == (True, layouts, True)


def test_too_few_layouts_for_any_verdict_are_inconclusive() -> None:
    result = confirm([np.full((3, 1), 0.5)], DESIGN)
    assert result.overall.verdict is Verdict.INCONCLUSIVE
    assert not result.improved


@given(st.lists(st.floats(-0.1, 0.1), min_size=24, max_size=24))
def test_improved_means_that_the_lower_bound_is_above_one(values: list[float]) -> None:
    result = confirm([np.array(values)[:, None]], DESIGN)
    assert result.improved == (result.overall.low > 1)
    assert result.workloads == (result.overall,)


def test_workloads_measured_on_different_layouts_are_refused() -> None:
    with pytest.raises(InternalError, match="same layouts"):
        confirm([np.zeros((24, 1)), np.zeros((23, 1))], DESIGN)


def test_no_workload_is_refused() -> None:
    with pytest.raises(InternalError, match="same layouts"):
        confirm([], DESIGN)


def test_stages_number_the_layouts_from_one_the_delivered_one_apart() -> None:
    assert DESIGN.stages == (range(1, 25), range(25, 41))


def test_a_first_look_that_allows_no_verdict_is_refused() -> None:
    with pytest.raises(UserError, match="first look at 5 layouts"):
        ConfirmDesign(looks=(5,))


@pytest.mark.parametrize("workloads", [1, 2, 3, 5, 12])
def test_the_default_design_grows_less_than_the_workloads(workloads: int) -> None:
    design = design_for(workloads)
    assert 12 <= design.looks[0] <= 24
    assert design.looks[0] * workloads <= max(36, 12 * workloads)


def test_confirmations_are_values() -> None:
    values = np.full((24, 1), 0.02)
    assert confirm([values], DESIGN) == confirm([values], DESIGN)
    assert isinstance(confirm([values], DESIGN), Confirmation)
