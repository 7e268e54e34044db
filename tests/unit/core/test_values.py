"""Edits, candidates, comparisons and budgets as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.core.budget import Budget, Meter, Usage
from perfwright.core.candidate import BASELINE, Candidate, Claim, Edit
from perfwright.core.verdict import Comparison, Verdict, geometric_mean
from perfwright.testing.clock import ScriptedClock

levels = st.sampled_from(["source", "ir", "pipeline", "asm"])
edits = st.builds(Edit, levels, st.text())


@given(edits)
def test_an_edit_prints_and_parses_itself(edit: Edit) -> None:
    assert Edit.parse(str(edit)) == edit


@pytest.mark.parametrize("line", ["", "pipeline", ": x", "pipe line: x", "pipeline:x"])
def test_what_has_no_level_is_no_edit(line: str) -> None:
    with pytest.raises(ValueError, match="is not an edit"):
        Edit.parse(line)


@given(st.lists(edits), st.lists(edits))
def test_candidates_with_equal_edits_have_equal_ids(first: list[Edit], second: list[Edit]) -> None:
    one, other = Candidate(tuple(first)), Candidate(tuple(second))
    assert (one.id == other.id) == (one.edits == other.edits)


def test_an_edit_of_several_lines_is_not_taken_for_several_edits() -> None:
    one = Candidate((Edit("source", "a\nsource: b"),))
    two = Candidate((Edit("source", "a"), Edit("source", "b")))
    assert one.id != two.id


def test_claims_do_not_count_for_the_id() -> None:
    edit = Edit("pipeline", "x")
    assert Candidate((edit,), (Claim(edit, "because"),)).id == Candidate((edit,)).id


def test_what_is_expected_does_not_count_for_the_id_and_stays_with_the_rest() -> None:
    kept, dropped = Edit("pipeline", "x"), Edit("pipeline", "y")
    hopeful = Candidate((kept, dropped), expects="less time", confidence=0.8)
    assert hopeful.id == Candidate((kept, dropped)).id
    assert hopeful.without(dropped) == Candidate((kept,), expects="less time", confidence=0.8)


def test_claims_go_with_their_edits() -> None:
    kept, dropped = Edit("pipeline", "x"), Edit("pipeline", "y")
    claims = (Claim(kept, "a"), Claim(dropped, "b"))
    left = Candidate((kept, dropped), claims).without(dropped)
    assert left == Candidate((kept,), (Claim(kept, "a"),))


def test_the_baseline_has_no_edits() -> None:
    assert BASELINE.edits == ()
    assert BASELINE.claims == ()


def test_a_comparison_prints_as_people_read_it() -> None:
    comparison = Comparison(Verdict.FASTER, 1.0831, 1.0712, 1.0941, 31)
    assert str(comparison) == "faster 1.083x [1.071, 1.094] from 31 pairs"


@pytest.mark.parametrize(("ratios", "mean"), [([], 1.0), ([2.0, 0.5], 1.0), ([1.1, 1.1], 1.1)])
def test_speed_ups_have_a_geometric_mean(ratios: list[float], mean: float) -> None:
    assert geometric_mean(ratios) == pytest.approx(mean)


@pytest.mark.parametrize(
    ("budget", "rounds", "spent", "reserve", "allowed"),
    [
        (Budget(rounds=3), 2, 1e9, 0.0, True),
        (Budget(rounds=3), 3, 0.0, 0.0, False),
        (Budget(rounds=None), 10**6, 1e9, 0.0, True),
        (Budget(rounds=None, seconds=100), 0, 69.0, 30.0, True),
        (Budget(rounds=None, seconds=100), 0, 70.0, 30.0, False),
        (Budget(rounds=3, seconds=100), 3, 0.0, 0.0, False),
    ],
)
def test_a_budget_ends_by_rounds_or_by_time(
    budget: Budget, rounds: int, spent: float, reserve: float, allowed: bool
) -> None:
    assert budget.allows(rounds, spent, reserve) is allowed


def test_usage_adds_up() -> None:
    one = Usage(requests=1, tokens=10, usd=0.5, seconds=9, compile_seconds=2, run_seconds=3)
    assert one + one == Usage(2, 20, 1.0, 18, 4, 6)
    assert (one + one).overhead_seconds == 8


def test_a_meter_counts_time_by_activity() -> None:
    clock = ScriptedClock()
    meter = Meter(clock)
    clock.advance(1)
    with meter.during("compile"):
        clock.advance(2)
    with meter.during("run"):
        clock.advance(4)
    clock.advance(8)
    assert meter.usage == Usage(seconds=15, compile_seconds=2, run_seconds=4)
    assert meter.usage.overhead_seconds == 9


def test_overlapping_activities_count_once_and_as_running() -> None:
    clock = ScriptedClock()
    meter = Meter(clock)
    with meter.during("compile"):
        clock.advance(1)
        with meter.during("run"):
            clock.advance(2)
        clock.advance(4)
    assert meter.usage == Usage(seconds=7, compile_seconds=5, run_seconds=2)


def raise_after(clock: ScriptedClock, seconds: float) -> None:
    clock.advance(seconds)
    raise KeyError


def test_time_counts_although_the_activity_failed() -> None:
    clock = ScriptedClock()
    meter = Meter(clock)
    with pytest.raises(KeyError), meter.during("run"):
        raise_after(clock, 3)
    clock.advance(1)
    assert meter.usage.run_seconds == 3
