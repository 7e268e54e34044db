"""Warnings about the machine and the benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.measure.noise import NoiseKind, NoiseWarning, inspect_times
from perfwright.measure.statistics import Values


def quiet(rng: np.random.Generator, runs: int = 30) -> Values:
    return np.asarray(0.2 * np.exp(0.01 * rng.standard_normal(runs)))


def kinds(warnings: tuple[NoiseWarning, ...]) -> set[NoiseKind]:
    return {warning.kind for warning in warnings}


def share_warned(draw: Callable[[], Values], kind: NoiseKind, times: int = 40) -> float:
    return float(np.mean([kind in kinds(inspect_times(draw())) for _ in range(times)]))


@pytest.mark.parametrize("runs", [15, 20, 60])
def test_quiet_series_raise_hardly_any_false_alarm(runs: int) -> None:
    rng = np.random.default_rng(1)
    alarms = Counter(w.kind for _ in range(200) for w in inspect_times(quiet(rng, runs)))
    assert max(alarms.values(), default=0) <= 4


def test_runs_below_five_milliseconds_are_too_short() -> None:
    (warning,) = inspect_times([0.002, 0.0021, 0.0019])
    assert str(warning) == (
        "a run takes 2.0 ms, much of it to start the process; "
        "give the workload more to do: 5.0 ms at least, 50 ms are better"
    )


def test_a_machine_that_heats_up_is_drifting() -> None:
    rng = np.random.default_rng(2)
    heat = np.exp(np.linspace(0, 0.05, 30))
    assert share_warned(lambda: quiet(rng) * heat, NoiseKind.DRIFT) > 0.95


def test_the_drift_says_which_way() -> None:
    rng = np.random.default_rng(2)
    times = quiet(rng) * np.exp(np.linspace(0.05, 0, 30))
    (warning,) = (w for w in inspect_times(times) if w.kind is NoiseKind.DRIFT)
    assert "faster while it was measured" in warning.fact
    assert warning.value < 0


def test_two_speeds_are_bimodal() -> None:
    rng = np.random.default_rng(3)
    slow = np.tile([1.0, 1.0, 1.06, 1.0, 1.06], 6)
    assert share_warned(lambda: slow * (0.2 + 0.001 * rng.random(30)), NoiseKind.BIMODAL) > 0.95


def test_frequent_interruptions_are_outliers() -> None:
    rng = np.random.default_rng(4)

    def interrupted() -> Values:
        times = quiet(rng)
        times[3::4] *= np.geomspace(1.1, 8.0, 7)
        return times

    assert share_warned(interrupted, NoiseKind.OUTLIERS) > 0.95


def test_one_interruption_in_thirty_is_no_reason_to_warn() -> None:
    times = quiet(np.random.default_rng(5))
    times[7] *= 3
    assert not inspect_times(times)


def test_a_cold_first_run_is_a_slow_start() -> None:
    times = quiet(np.random.default_rng(6))
    times[0] *= 1.5
    assert kinds(inspect_times(times)) == {NoiseKind.SLOW_START}


def test_a_spread_that_hides_small_gains_is_noisy() -> None:
    rng = np.random.default_rng(7)
    assert share_warned(lambda: quiet(rng) ** 6, NoiseKind.NOISY) > 0.95


def test_waiting_for_a_cpu_is_a_busy_machine() -> None:
    rng = np.random.default_rng(8)
    times = quiet(rng)
    wall = times * 1.02 + np.where(np.arange(30) % 3, 0.05, 0.0)
    assert NoiseKind.BUSY in kinds(inspect_times(times, wall_times=wall))


def test_waiting_for_input_every_time_is_not_a_busy_machine() -> None:
    times = quiet(np.random.default_rng(9))
    assert not inspect_times(times, wall_times=times * 1.5)


def test_counts_that_repeat_exactly_are_quiet() -> None:
    assert not inspect_times([0.2] * 30)


@given(st.lists(st.floats(0, 1e3), max_size=40))
def test_any_series_of_times_is_inspected(times: list[float]) -> None:
    for warning in inspect_times(times):
        assert warning.fact
        assert warning.hint
