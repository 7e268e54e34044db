"""The order of everything, from a seed."""

from __future__ import annotations

import itertools
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.errors import InternalError
from perfwright.measure.schedule import Block, Schedule, layout_seed
from perfwright.toolchain.process import run

THREE_ARMS = Schedule(1, "trial 1.1", ("candidate", "incumbent", "baseline"), ("a", "b"), (1, 2, 3))


def first(schedule: Schedule, count: int) -> list[Block]:
    return list(itertools.islice(schedule.blocks(), count))


schedules = st.builds(
    Schedule,
    seed=st.integers(),
    label=st.text(max_size=8),
    arms=st.lists(st.text(max_size=3), min_size=2, max_size=4, unique=True).map(tuple),
    workloads=st.lists(st.text(max_size=3), min_size=1, max_size=3, unique=True).map(tuple),
    layouts=st.lists(st.integers(0, 99), min_size=1, max_size=5, unique=True).map(tuple),
)


def test_the_same_seed_gives_the_same_schedule_in_another_process() -> None:
    program = (
        "from perfwright.measure.schedule import Block, Schedule, layout_seed\n"
        f"schedule = {THREE_ARMS}\n"
        "print([schedule.block(i) for i in range(20)], layout_seed(1, 2))"
    )
    result = run([sys.executable, "-c", program], env={"PYTHONHASHSEED": "12345"})
    assert result.text.strip() == f"{first(THREE_ARMS, 20)} {layout_seed(1, 2)}", result.explain()


def test_the_order_that_journals_were_recorded_with_is_kept() -> None:
    """A change here would make every recorded campaign unreplayable."""
    blocks = first(Schedule(7, "trial 1.1", ("new", "old"), ("w",), (0, 1)), 4)
    assert [(block.order[0], block.layout, block.padding_bytes) for block in blocks] == [
        ("old", 0, 4000),
        ("new", 1, 1200),
        ("new", 1, 2160),
        ("old", 0, 1344),
    ]


@given(schedules)
def test_every_block_runs_every_arm_once(schedule: Schedule) -> None:
    for block in first(schedule, 12):
        assert sorted(block.order) == sorted(schedule.arms)


@given(schedules)
def test_every_round_runs_every_workload_once_on_one_layout(schedule: Schedule) -> None:
    width = len(schedule.workloads)
    blocks = first(schedule, 6 * width)
    for start in range(0, len(blocks), width):
        one = blocks[start : start + width]
        assert sorted(block.workload for block in one) == sorted(schedule.workloads)
        assert len({block.layout for block in one}) == 1


@given(schedules)
def test_every_layout_comes_once_before_any_comes_again(schedule: Schedule) -> None:
    width = len(schedule.workloads)
    rounds = first(schedule, 3 * len(schedule.layouts) * width)[::width]
    for start in range(0, len(rounds), len(schedule.layouts)):
        turn = [block.layout for block in rounds[start : start + len(schedule.layouts)]]
        assert sorted(turn) == sorted(schedule.layouts)


@given(schedules)
def test_two_rounds_give_every_arm_both_sides_of_every_other(schedule: Schedule) -> None:
    blocks = first(schedule, 8 * len(schedule.workloads))
    for workload in schedule.workloads:
        orders = [b.order for b in blocks if b.workload == workload]
        for even, odd in zip(orders[::2], orders[1::2], strict=False):
            assert even == odd[::-1]


@given(schedules, st.integers(0, 10_000))
def test_a_resumed_schedule_goes_on_where_it_was(schedule: Schedule, start: int) -> None:
    resumed = next(schedule.blocks(start))
    assert resumed == schedule.block(start)
    assert resumed.index == start


def test_which_arm_comes_first_is_a_fair_coin() -> None:
    schedule = Schedule(3, "x", ("new", "old"), ("w",))
    firsts = Counter(block.order[0] for block in first(schedule, 2000)[::2])
    assert 430 < firsts["new"] < 570


def test_padding_varies_and_keeps_the_stack_aligned() -> None:
    paddings = [block.padding_bytes for block in first(THREE_ARMS, 200)]
    assert len(set(paddings)) > 100
    assert all(padding % 16 == 0 and 0 <= padding < 4096 for padding in paddings)


def test_another_label_or_seed_gives_another_order() -> None:
    one = [b.order for b in first(Schedule(1, "a", ("x", "y", "z"), ("w",)), 20)]
    assert one != [b.order for b in first(Schedule(1, "b", ("x", "y", "z"), ("w",)), 20)]
    assert one != [b.order for b in first(Schedule(2, "a", ("x", "y", "z"), ("w",)), 20)]


def test_warm_up_runs_every_arm_on_every_workload_untimed() -> None:
    blocks = list(THREE_ARMS.warm_up())
    assert [block.workload for block in blocks] == ["a", "b"]
    assert all(block.order == THREE_ARMS.arms and not block.timed for block in blocks)


def test_layout_seeds_fit_the_linkers_option_and_differ() -> None:
    seeds = [layout_seed(1, layout) for layout in range(200)]
    assert len(set(seeds)) == 200
    assert all(0 < seed < 2**31 for seed in seeds)


@pytest.mark.parametrize(
    "parts",
    [
        {"arms": ("one",)},
        {"arms": ("one", "one")},
        {"workloads": ()},
        {"layouts": ()},
        {"layouts": (1, 1)},
    ],
)
def test_a_schedule_without_enough_to_schedule_is_refused(parts: dict[str, object]) -> None:
    whole: dict[str, object] = {"arms": ("a", "b"), "workloads": ("w",), "layouts": (0,)}
    with pytest.raises(InternalError, match="a schedule needs"):
        Schedule(1, "x", **(whole | parts))  # type: ignore[arg-type]
