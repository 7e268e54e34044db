"""Selection stops as soon as the verdict is clear or futile, at the stated error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import InternalError, UserError
from perfwright.measure.sequential import PRUNING, SequentialSettings, SequentialTest, Stop
from perfwright.measure.statistics import Values

Noise = Callable[[np.random.Generator, int], Values]

PAIR_SPREAD = 0.01 * math.sqrt(2)
"""One per cent a run."""


SEARCH = SequentialSettings()


def judged(
    values: Iterable[float], settings: SequentialSettings = SEARCH
) -> tuple[Comparison, Stop | None]:
    test = SequentialTest(settings)
    for value in values:
        comparison = test.add(value)
        if comparison is not None:
            return comparison, test.stopped
    return test.conclude(), test.stopped


def normal(rng: np.random.Generator, count: int) -> Values:
    return np.asarray(PAIR_SPREAD * rng.standard_normal(count))


def interrupted(rng: np.random.Generator, count: int) -> Values:
    late = (rng.random((2, count)) < 0.05) * rng.exponential(0.2, (2, count))
    return np.asarray(normal(rng, count) + late[0] - late[1])


@pytest.mark.parametrize(("shift", "verdict"), [(0.1, Verdict.FASTER), (-0.1, Verdict.SLOWER)])
def test_ten_per_cent_at_one_per_cent_noise_is_clear_after_seven_pairs(
    shift: float, verdict: Verdict
) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        comparison, stop = judged(shift + normal(rng, 30))
        assert (comparison.verdict, comparison.pairs, stop) == (verdict, 7, Stop.CLEAR)


def test_quiet_equal_programs_are_the_same_soon() -> None:
    comparison, stop = judged(0.1 * normal(np.random.default_rng(2), 30))
    assert comparison.verdict is Verdict.SAME
    assert (stop, comparison.pairs) == (Stop.CLEAR, 7)


def test_a_hopeless_candidate_ends_early_and_inconclusive() -> None:
    rng = np.random.default_rng(3)
    ends = [judged(normal(rng, 30)) for _ in range(200)]
    assert np.mean([stop is Stop.FUTILE for _, stop in ends]) > 0.9
    assert np.mean([comparison.pairs for comparison, _ in ends]) < 12


def test_without_futility_a_series_goes_on_to_its_cap() -> None:
    settings = SequentialSettings(pairs=12, futility=0.0)
    comparison, stop = judged([0.05, -0.05] * 6, settings)
    assert (comparison.pairs, stop) == (12, Stop.BUDGET)


@pytest.mark.parametrize("noise", [normal, interrupted])
@pytest.mark.parametrize("settings", [SEARCH, PRUNING], ids=["search", "pruning"])
def test_equal_programs_are_called_faster_at_most_at_the_stated_rate(
    settings: SequentialSettings,
    noise: Noise,
) -> None:
    rng = np.random.default_rng(4)
    verdicts = [judged(noise(rng, 30), settings)[0].verdict for _ in range(800)]
    assert np.mean([verdict is Verdict.FASTER for verdict in verdicts]) < 0.025 + 0.015
    assert np.mean([verdict is Verdict.SLOWER for verdict in verdicts]) < 0.025 + 0.015


@pytest.mark.parametrize("noise", [normal, interrupted])
def test_two_per_cent_at_one_per_cent_noise_is_found(
    noise: Noise,
) -> None:
    rng = np.random.default_rng(5)
    ends = [judged(math.log(1.02) + noise(rng, 30))[0] for _ in range(200)]
    assert np.mean([end.verdict is Verdict.FASTER for end in ends]) > 0.95
    assert np.mean([end.pairs for end in ends]) < 12


def test_the_interval_covers_the_truth_at_whatever_pair_one_stops() -> None:
    rng = np.random.default_rng(6)
    gain = math.log(1.007)
    ends = [judged(gain + normal(rng, 30))[0] for _ in range(500)]
    assert np.mean([end.low <= 1.007 <= end.high for end in ends]) > 0.94


@given(st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=30))
def test_verdict_and_interval_agree_at_every_stop(values: list[float]) -> None:
    comparison, _ = judged(values)
    assert (comparison.verdict is Verdict.FASTER) == (comparison.low > 1)
    assert (comparison.verdict is Verdict.SLOWER) == (comparison.high < 1)
    assert comparison.low <= comparison.ratio <= comparison.high


@given(st.lists(st.floats(-0.02, 0.02), min_size=30, max_size=30))
def test_the_same_series_gives_the_same_comparison(values: list[float]) -> None:
    assert judged(values) == judged(values)


def test_out_of_time_before_the_first_look_nothing_is_claimed() -> None:
    comparison, stop = judged([0.1, 0.1])
    assert comparison.verdict is Verdict.INCONCLUSIVE
    assert (comparison.low, comparison.high, stop) == (0.0, math.inf, Stop.BUDGET)


def test_out_of_time_before_the_first_pair_nothing_is_claimed() -> None:
    assert SequentialTest().conclude().pairs == 0


def test_pairs_count_every_workload_behind_a_value() -> None:
    comparison, _ = judged([0.1] * 7, SequentialSettings(runs_per_value=3))
    assert comparison.pairs == 21


def test_going_on_after_the_verdict_is_refused() -> None:
    test = SequentialTest()
    for _ in range(7):
        test.add(0.1)
    with pytest.raises(InternalError, match="has ended"):
        test.add(0.1)


def test_a_series_that_only_follows_goes_on_whatever_it_says() -> None:
    test = SequentialTest()
    for _ in range(20):
        test.record(0.1)
    comparison = test.conclude()
    assert (comparison.verdict, comparison.pairs) == (Verdict.FASTER, 20)


def test_nothing_is_recorded_beyond_the_cap() -> None:
    test = SequentialTest(SequentialSettings(pairs=6))
    for _ in range(6):
        test.record(0.1)
    with pytest.raises(InternalError, match="6 pairs was planned"):
        test.record(0.1)


def test_a_higher_confidence_needs_more_pairs_for_the_same_gain() -> None:
    sure, _ = judged([0.1] * 30, SequentialSettings(confidence=0.99))
    assert sure.pairs == 9
    assert sure.confidence == 0.99


@pytest.mark.parametrize(("pairs", "confidence"), [(5, 0.95), (7, 0.99), (501, 0.95)])
def test_a_cap_that_allows_no_verdict_is_refused(pairs: int, confidence: float) -> None:
    with pytest.raises(UserError, match="cannot be judged"):
        SequentialSettings(pairs=pairs, confidence=confidence)


def test_the_least_cap_that_is_accepted_allows_a_verdict() -> None:
    comparison, _ = judged([0.1] * 6, SequentialSettings(pairs=6))
    assert comparison.verdict is Verdict.FASTER


@pytest.mark.parametrize("confidence", [0.5, 1.0, 95])
def test_a_confidence_that_is_no_probability_is_refused(confidence: float) -> None:
    with pytest.raises(UserError, match="confidence"):
        SequentialSettings(confidence=confidence)
