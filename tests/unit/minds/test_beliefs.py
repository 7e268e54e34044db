from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.core.candidate import Candidate, Edit
from perfwright.core.trial import Trial, TrialState
from perfwright.core.verdict import Comparison, Verdict
from perfwright.minds.builtin.beliefs import Beliefs, believe, uses
from perfwright.minds.builtin.levers import Called, Lever
from perfwright.testing.situations import measured, refused


def lever(name: str, mean: float = 0.0, deviation: float = 0.05, *texts: str) -> Called:
    edits = tuple(Edit("pipeline", text) for text in texts or (f"option {name}=1",))
    idea = Lever(name, name, tuple(e.text for e in edits), {}, "", mean, deviation, "")
    return Called(idea, edits, mean, deviation, ())


def candidate(*levers: Called) -> Candidate:
    return Candidate(tuple(edit for each in levers for edit in each.edits))


A, B, C = lever("a"), lever("b"), lever("c")
LEVERS = (A, B, C)


def variances(beliefs: Beliefs) -> Sequence[float]:
    return [float(deviation) ** 2 for deviation in beliefs.deviations]


# --- one trial ------------------------------------------------------------------------------


def test_without_trials_the_prior_stands() -> None:
    beliefs = believe([lever("a", 0.03, 0.05)], [])
    assert beliefs.means == pytest.approx([0.03])
    assert beliefs.deviations == pytest.approx([0.05])


def test_a_lever_that_paid_is_believed_in() -> None:
    beliefs = believe(LEVERS, [measured(candidate(A), 1.10)])
    assert 0.05 < beliefs.means[0] < math.log(1.10)
    assert beliefs.deviations[0] < A.deviation


def test_a_narrow_interval_teaches_more_than_a_wide_one() -> None:
    def after(low: float, high: float) -> Beliefs:
        said = Comparison(Verdict.FASTER, 1.1, low, high, pairs=20)
        trial = Trial("1.1", 1, candidate(A), TrialState.MEASURED, over_baseline=said)
        return believe([A], [trial])

    assert after(1.09, 1.11).means[0] > after(0.9, 1.3).means[0]


@pytest.mark.parametrize(("low", "high"), [(0.0, math.inf), (0.0, 1.2), (0.9, math.inf)])
def test_an_interval_without_a_bound_is_survived(low: float, high: float) -> None:
    said = Comparison(Verdict.INCONCLUSIVE, 1.05, low, high, pairs=3)
    trial = Trial("1.1", 1, candidate(A), TrialState.MEASURED, over_baseline=said)
    beliefs = believe([A], [trial])
    assert np.isfinite(beliefs.means).all()
    assert beliefs.deviations[0] <= A.deviation


@pytest.mark.parametrize("state", [TrialState.WRONG, TrialState.UNBUILDABLE])
def test_levers_of_a_broken_candidate_are_left_alone(state: TrialState) -> None:
    beliefs = believe([A, B], [refused(candidate(A), state, "crash")])
    assert beliefs.hopes(0.8)[0] < 0
    assert beliefs.means[1] == B.mean


@pytest.mark.parametrize("state", [TrialState.REJECTED, TrialState.IDENTICAL])
def test_what_was_never_run_says_nothing_of_its_speed(state: TrialState) -> None:
    beliefs = believe(LEVERS, [refused(candidate(A), state, "for a reason")])
    assert (beliefs.means == 0).all()
    assert beliefs.deviations == pytest.approx([0.05] * 3)


def test_a_lever_is_used_only_with_all_of_its_edits() -> None:
    both = lever("both", 0.0, 0.05, "option x=1", "option y=1")
    half = Candidate(both.edits[:1])
    assert not uses(half.edits, both)
    assert believe([both], [measured(half, 0.8)]).means == pytest.approx([0.0])


def test_curiosity_is_drawn_to_what_is_unknown() -> None:
    beliefs = believe([lever("a", 0.02, 0.01), lever("b", 0.0, 0.05)], [])
    assert beliefs.hopes(0.0).argmax() == 0
    assert beliefs.hopes(1.0).argmax() == 1


# --- bundles --------------------------------------------------------------------------------


def test_a_bundle_that_others_explain_clears_its_levers() -> None:
    """A was good, A with B was not: B did it."""
    trials = [measured(candidate(A), 1.05), measured(candidate(A, B), 0.95)]
    beliefs = believe(LEVERS, trials)
    assert beliefs.means[0] > 0.01
    assert beliefs.means[1] < -0.03


@given(st.floats(0.01, 0.2), st.floats(0.01, 0.2))
def test_a_failed_bundle_casts_more_doubt_on_the_lever_of_which_less_was_known(
    one: float, other: float
) -> None:
    known, unknown = sorted([one, other])
    pair = lever("a", 0.02, known), lever("b", 0.02, unknown)
    beliefs = believe(pair, [measured(candidate(*pair), 0.9)])
    assert beliefs.means[1] <= beliefs.means[0] < 0.02


# --- any history ----------------------------------------------------------------------------

priors = st.lists(st.tuples(st.floats(-0.1, 0.1), st.floats(0.001, 0.2)), min_size=2, max_size=6)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Called], list[Trial]]:
    """Some levers, and trials of any of them together with any result."""
    levers = [lever(f"l{n}", mean, dev) for n, (mean, dev) in enumerate(draw(priors))]
    trials = []
    for number in range(draw(st.integers(0, 8))):
        pulled = draw(st.lists(st.sampled_from(levers), unique_by=lambda c: c.lever.name))
        ratio = draw(st.floats(0.5, 2.0))
        state = draw(st.sampled_from(TrialState))
        name = f"{number + 1}.1"
        if state is TrialState.MEASURED:
            trials.append(measured(candidate(*pulled), ratio, trial=name))
        else:
            trials.append(refused(candidate(*pulled), state, "", trial=name))
    return levers, trials


@given(histories())
def test_what_is_known_only_grows(history: tuple[list[Called], list[Trial]]) -> None:
    levers, trials = history
    known = [variances(believe(levers, trials[:count])) for count in range(len(trials) + 1)]
    for before, after in itertools.pairwise(known):
        assert all(now <= was * (1 + 1e-9) for was, now in zip(before, after, strict=True))
        assert all(now >= 0 for now in after)


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_the_trials_does_not_matter(
    history: tuple[list[Called], list[Trial]], dice: random.Random
) -> None:
    levers, trials = history
    expected = believe(levers, trials)
    dice.shuffle(trials)
    shuffled = believe(levers, trials)
    assert shuffled.means == pytest.approx(expected.means, abs=1e-6)
    assert shuffled.deviations == pytest.approx(expected.deviations, abs=1e-6)


@given(histories())
def test_a_lever_that_was_never_pulled_is_believed_in_as_before(
    history: tuple[list[Called], list[Trial]],
) -> None:
    levers, trials = history
    aside = lever("aside", 0.03, 0.07)
    beliefs = believe([*levers, aside], trials)
    assert beliefs.means[-1] == 0.03
    assert beliefs.deviations[-1] == pytest.approx(0.07)


@given(histories())
def test_the_order_of_the_levers_does_not_matter(
    history: tuple[list[Called], list[Trial]],
) -> None:
    levers, trials = history
    forwards, backwards = believe(levers, trials), believe(levers[::-1], trials)
    assert backwards.means[::-1] == pytest.approx(forwards.means, abs=1e-9)


# --- steps from one candidate to another ----------------------------------------------------


def test_a_step_adds_up_the_levers_that_are_new() -> None:
    beliefs = believe((lever("a", 0.03), lever("b", 0.02), C), [])
    step = beliefs.step((), candidate(A, B).edits)
    assert step.mean == pytest.approx(0.05)
    assert step.stdev == pytest.approx(math.hypot(0.05, 0.05, 0.02))


def test_a_lever_that_is_given_up_counts_against_what_it_brought() -> None:
    beliefs = believe((lever("a", 0.03), B), [])
    assert beliefs.step(A.edits, B.edits).mean == pytest.approx(-0.03)


def test_after_a_gain_that_two_levers_share_their_sum_is_surer_than_each() -> None:
    beliefs = believe((A, B), [measured(candidate(A, B), 1.10)])
    together = beliefs.step((), candidate(A, B).edits)
    assert together.stdev < beliefs.step((), A.edits).stdev


def test_a_step_from_an_accepted_incumbent_comes_true_as_often_as_stated() -> None:
    """What the incumbent owes to its own interplay is lost with the next candidate."""
    dice = np.random.default_rng(1)
    first, second = lever("a", 0.02, 0.03), lever("b", 0.02, 0.03)
    both, stated, true = candidate(first, second), [], []
    for _ in range(6000):
        brings = dice.normal(0.02, 0.03, 2)
        alone, together = brings[0] + dice.normal(0, 0.02), sum(brings) + dice.normal(0, 0.02)
        seen = alone + dice.normal(0, 0.002)
        if seen < 0.01:
            continue  # it did not become the incumbent
        said = Comparison(
            Verdict.FASTER, math.exp(seen), math.exp(seen - 0.004), math.exp(seen + 0.004), 20
        )
        tried = Trial("1.1", 1, candidate(first), TrialState.MEASURED, over_baseline=said)
        step = believe((first, second), [tried]).step(first.edits, both.edits)
        stated.append(1 - step.cdf(0.004))
        true.append(together - alone > 0.004)
    assert np.mean(stated) == pytest.approx(np.mean(true), abs=0.03)


def test_what_edits_of_no_lever_bring_is_not_lost_with_the_next_candidate() -> None:
    foreign = Edit("pipeline", "option of-no-lever=1")
    beliefs = believe(LEVERS, [measured(Candidate((foreign,)), 1.10)])
    assert beliefs.step((foreign,), (foreign, *A.edits)).mean == pytest.approx(0.0)


def test_a_candidate_is_foretold_from_what_it_brought_itself() -> None:
    beliefs = believe((A, B), [measured(candidate(A, B), 1.10)])
    assert beliefs.step((), candidate(A, B).edits).mean == pytest.approx(math.log(1.1), abs=0.01)


def test_nothing_is_foretold_as_certain() -> None:
    edits = candidate(lever("a")).edits
    assert believe([], []).step(edits, edits[::-1]).stdev > 0
