"""The signed-rank interval and the verdict that it amounts to."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from perfwright.core.verdict import Verdict
from perfwright.errors import InternalError
from perfwright.measure.statistics import (
    Values,
    as_values,
    compare_once,
    locate,
    null_tails,
    rank_within,
    standard_error,
    walsh_averages,
)

log_ratios = st.lists(st.floats(-1, 1).map(lambda x: round(x, 6)), min_size=6, max_size=40)


def test_null_tails_are_those_of_all_sign_patterns() -> None:
    ranks = np.arange(1, 6)
    sums = [int(ranks @ np.array(signs)) for signs in itertools.product((0, 1), repeat=5)]
    expected = [np.mean([s <= w for s in sums]) for w in range(16)]
    assert null_tails(5) == pytest.approx(expected)


def test_the_interval_rejects_when_scipys_exact_test_does() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        series = rng.normal(0.007, 0.01, 12)
        p_value = stats.wilcoxon(series, mode="exact").pvalue
        excluded = compare_once(series).verdict in (Verdict.FASTER, Verdict.SLOWER)
        assert excluded == (p_value <= 0.05)


def test_the_estimate_is_the_median_of_the_walsh_averages() -> None:
    assert locate(walsh_averages(np.array([0.0, 1.0, 5.0])), 0).estimate == pytest.approx(1.75)


def test_no_interval_is_claimed_for_fewer_values_than_the_confidence_needs() -> None:
    comparison = compare_once([0.1] * 5)
    assert (comparison.low, comparison.high) == (0.0, math.inf)
    assert comparison.verdict is Verdict.INCONCLUSIVE


def test_nothing_measured_is_inconclusive() -> None:
    assert compare_once([]).verdict is Verdict.INCONCLUSIVE


def test_a_difference_below_the_smallest_effect_is_the_same() -> None:
    assert compare_once(np.linspace(-0.003, 0.003, 20)).verdict is Verdict.SAME


@pytest.mark.parametrize("gain", [1e-6, 0.004, -1e-6, -0.004])
def test_a_certain_difference_below_the_smallest_effect_is_the_same_too(gain: float) -> None:
    comparison = compare_once(np.full(8, gain))
    assert comparison.verdict is Verdict.SAME
    assert comparison.ratio == pytest.approx(math.exp(gain))


def test_a_gain_that_may_matter_is_faster() -> None:
    values = np.linspace(0.003, 0.008, 20)
    assert compare_once(values).low < 1.005
    assert compare_once(values).verdict is Verdict.FASTER


def test_equal_counts_are_the_same_and_constant_gains_are_faster() -> None:
    assert compare_once(np.zeros(8)).verdict is Verdict.SAME
    assert compare_once(np.full(8, 1e-2)).verdict is Verdict.FASTER


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_finite_number_is_refused(bad: float) -> None:
    with pytest.raises(InternalError, match="not a finite number"):
        as_values([0.1, bad])


@given(log_ratios)
def test_the_verdict_says_what_the_interval_says(values: list[float]) -> None:
    comparison = compare_once(values)
    assert (comparison.verdict is Verdict.FASTER) == (comparison.low > 1)
    assert (comparison.verdict is Verdict.SLOWER) == (comparison.high < 1)
    assert comparison.low <= comparison.ratio <= comparison.high


@given(log_ratios)
def test_exchanging_the_arms_mirrors_the_comparison(values: list[float]) -> None:
    one, other = compare_once(values), compare_once([-v for v in values])
    assert other.ratio == pytest.approx(1 / one.ratio)
    assert (other.low, other.high) == pytest.approx((1 / one.high, 1 / one.low))


@given(log_ratios, st.floats(-1, 1))
def test_a_speed_up_of_all_pairs_moves_the_interval_by_as_much(
    values: list[float], shift: float
) -> None:
    before = compare_once(values)
    after = compare_once([v + shift for v in values])
    assert after.low == pytest.approx(before.low * math.exp(shift))
    assert after.high == pytest.approx(before.high * math.exp(shift))


@given(log_ratios)
def test_the_order_of_pairs_does_not_matter_to_one_look(values: list[float]) -> None:
    assert compare_once(sorted(values)) == compare_once(values)


def test_interruptions_of_a_fifth_of_the_pairs_leave_the_estimate_in_place() -> None:
    series = 0.02 + 0.002 * np.random.default_rng(3).standard_normal(30)
    series[::5] -= 3.0
    assert compare_once(series).ratio == pytest.approx(1.02, abs=0.002)


def test_the_standard_error_agrees_with_the_means_for_normal_noise() -> None:
    rng = np.random.default_rng(5)
    samples = [rng.standard_normal(25) for _ in range(200)]
    errors = [standard_error(walsh_averages(sample), 25) for sample in samples]
    assert np.mean(errors) == pytest.approx(1 / 5, rel=0.1)


@pytest.mark.parametrize("count", [6, 12, 25])
def test_the_interval_covers_the_truth_as_often_as_it_says(count: int) -> None:
    rng = np.random.default_rng(count)
    rank = rank_within(count, 0.025)

    def missed(series: Values) -> bool:
        where = locate(walsh_averages(series), rank)
        return not where.low <= 0 <= where.high

    misses = [missed(rng.standard_t(2, count)) for _ in range(2000)]
    nominal = 2 * null_tails(count)[rank - 1]
    assert nominal <= 0.05
    assert np.mean(misses) == pytest.approx(nominal, abs=0.012)
