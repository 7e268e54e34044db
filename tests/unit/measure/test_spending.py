"""The looks of a group-sequential test share one error rate."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.errors import InternalError
from perfwright.measure.spending import Look, boundaries, information, spending
from perfwright.measure.statistics import Values

EVERY_PAIR = tuple(range(1, 31))

Draw = Callable[[np.random.Generator, int, int], Values]


def share_of_series_that_reject(looks: tuple[Look, ...], draw: Draw, series: int) -> float:
    """Simulated error: signed-rank sums of many series at once, against every look."""
    ranks = {look.count: look.rank for look in looks}
    rng = np.random.default_rng(11)
    values = draw(rng, series, looks[-1].count)
    positive = np.zeros(series, dtype=np.int64)
    going_on = np.ones(series, dtype=bool)
    for count in range(1, looks[-1].count + 1):
        positive += (values[:, :count] + values[:, count - 1 : count] > 0).sum(axis=1)
        rank = ranks.get(count, 0)
        if rank:
            lesser = np.minimum(positive, count * (count + 1) // 2 - positive)
            going_on &= lesser >= rank
    return 1 - float(going_on.mean())


def normal(rng: np.random.Generator, series: int, count: int) -> Values:
    return rng.standard_normal((series, count))


def three_modes(rng: np.random.Generator, series: int, count: int) -> Values:
    modes = rng.choice((-1.0, 0.0, 0.0, 1.0), (series, count))
    return np.asarray(modes + 0.01 * rng.standard_normal((series, count)))


def cauchy(rng: np.random.Generator, series: int, count: int) -> Values:
    return rng.standard_cauchy((series, count))


def tripling(rng: np.random.Generator, series: int, count: int) -> Values:
    return np.asarray(rng.standard_normal((series, count)) * np.geomspace(1, 3, count))


@pytest.mark.parametrize("draw", [normal, three_modes, cauchy, tripling])
@pytest.mark.parametrize(
    "counts", [EVERY_PAIR, EVERY_PAIR[:15], EVERY_PAIR[:8], (24, 40), (12,)], ids=str
)
def test_looks_together_reject_equal_programs_at_most_at_the_stated_rate(
    counts: tuple[int, ...], draw: Draw
) -> None:
    looks = boundaries(counts, 0.05)
    assert share_of_series_that_reject(looks, draw, 20_000) < 0.05 + 0.002


@pytest.mark.parametrize("error", [0.01, 0.1, 0.2])
def test_other_error_rates_hold_as_well(error: float) -> None:
    looks = boundaries(EVERY_PAIR, error)
    assert share_of_series_that_reject(looks, normal, 20_000) < error * 1.05


def test_hardly_any_error_is_left_unused() -> None:
    looks = boundaries(EVERY_PAIR, 0.05)
    assert share_of_series_that_reject(looks, normal, 20_000) > 0.039


def test_the_first_stop_of_a_cap_of_thirty_comes_after_seven_pairs() -> None:
    first = next(look for look in boundaries(EVERY_PAIR, 0.05) if look.rank)
    assert (first.count, first.rank, first.tail) == (7, 1, 2**-7)


def test_a_single_look_spends_the_error_as_exactly_as_the_ranks_allow() -> None:
    (look,) = boundaries((12,), 0.05)
    assert look.rank == 14
    assert 2 * look.tail == look.spent == pytest.approx(0.0425, abs=1e-4)


@given(
    st.sets(st.integers(1, 60), min_size=1, max_size=20),
    st.sampled_from([0.01, 0.05, 0.1, 0.2]),
)
def test_what_is_spent_grows_and_stays_below_the_error(counts: set[int], error: float) -> None:
    looks = boundaries(tuple(sorted(counts)), error)
    assert all(a.spent <= b.spent for a, b in itertools.pairwise(looks))
    assert all(a.rank <= b.rank for a, b in itertools.pairwise(looks))
    assert looks[-1].spent <= error


@given(st.integers(2, 40), st.integers(1, 5))
def test_a_cap_that_was_not_reached_changes_nothing_that_was_decided(cap: int, more: int) -> None:
    """An earlier end only raises the error that the looks before it are charged with."""
    planned = boundaries((cap, cap + more), 0.05)[0]
    assert planned.rank <= boundaries((cap,), 0.05)[0].rank


def test_signed_rank_sums_correlate_as_the_information_says() -> None:
    """All orders and signs of four values: the correlation of the sums of two and of four."""
    sums: list[tuple[int, int]] = []
    for order in itertools.permutations((1.0, 2.0, 4.0, 8.0)):
        for signs in itertools.product((-1, 1), repeat=4):
            values = np.array(order) * np.array(signs)
            sums.append((_positive(values[:2]), _positive(values)))
    correlation = np.corrcoef(np.array(sums).T)[0, 1]
    assert correlation == pytest.approx((information(2) / information(4)) ** 0.5)


def _positive(values: Values) -> int:
    return int((np.add.outer(values, values)[np.triu_indices(len(values))] > 0).sum())


def test_spending_begins_at_nothing_and_ends_at_all() -> None:
    assert (spending(0), spending(1), spending(2)) == (0, 1, 1)


@pytest.mark.parametrize("counts", [(), (0, 1), (5, 5), (6, 4)])
def test_looks_that_do_not_ascend_are_refused(counts: tuple[int, ...]) -> None:
    with pytest.raises(InternalError, match="ascend"):
        boundaries(counts, 0.05)


@pytest.mark.parametrize("error", [0.0, 1.0, -0.1])
def test_an_impossible_error_rate_is_refused(error: float) -> None:
    with pytest.raises(InternalError, match="error rate"):
        boundaries((10,), error)
