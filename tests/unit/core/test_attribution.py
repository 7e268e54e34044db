"""Pruning keeps what earns its place, whatever the winner was made of."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfwright.core import events
from perfwright.core.attribution import Pruned, prune
from perfwright.core.candidate import Candidate
from perfwright.core.protocols import Build, Refusal
from perfwright.core.trial import Correctness
from perfwright.core.verdict import Comparison, Verdict
from perfwright.testing.measurer import ScriptedMeasurer
from perfwright.testing.mind import draft
from perfwright.testing.program import ScriptedProgram
from perfwright.testing.team import ScriptedTeam

PROGRAM = ScriptedProgram(
    speedups={f"good{n}": 1.06 + n / 100 for n in range(4)} | {"bad": 0.93},
    inert={"idle", "vain"},
)
TEXTS = [*PROGRAM.speedups, *PROGRAM.inert, "neutral", "dull"]

winners = st.lists(st.sampled_from(TEXTS), min_size=1, unique=True).map(lambda texts: draft(*texts))


def pruned(candidate: Candidate, program: ScriptedProgram = PROGRAM) -> tuple[Pruned, ScriptedTeam]:
    team = ScriptedTeam(program, [])
    result = prune(program.build(candidate), Correctness.BY_CONSTRUCTION, team.team)
    return result, team


def kept(result: Pruned) -> list[str]:
    return [edit.text for edit in result.build.candidate.edits]


def test_one_edit_is_left_to_the_confirmation() -> None:
    result, team = pruned(draft("good1"))
    assert kept(result) == ["good1"]
    assert result.contributions == ()
    assert team.workshop.built == []


def test_an_edit_without_effect_on_the_code_goes_unmeasured() -> None:
    result, team = pruned(draft("good1", "idle"))
    assert kept(result) == ["good1"]
    assert team.measurer.timed == []


def test_an_edit_that_harms_goes() -> None:
    result, _ = pruned(draft("good1", "bad", "good2"))
    assert kept(result) == ["good1", "good2"]


def test_each_kept_edit_has_its_price() -> None:
    result, team = pruned(draft("good1", "good3"))
    ratios = {part.edit: part.comparison.ratio for part in result.contributions}
    assert ratios == {
        "pipeline: good1": pytest.approx(1.07, abs=0.03),
        "pipeline: good3": pytest.approx(1.09, abs=0.03),
    }
    assert [event.kept for event in team.reporter.of(events.EditPriced)] == [True, True]


@pytest.mark.parametrize("ratio", [0.99, 1.0, 1.002])
def test_a_series_that_says_nothing_takes_no_edit(
    ratio: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_short = Comparison(Verdict.INCONCLUSIVE, ratio, 0.0, math.inf, 1)
    monkeypatch.setattr(ScriptedMeasurer, "attribute", lambda *_: cut_short)

    result, _ = pruned(draft("good1", "good2", "neutral"))

    assert kept(result) == ["good1", "good2", "neutral"]


def test_an_edit_without_effect_on_the_code_makes_nothing_be_measured_twice() -> None:
    _, plain = pruned(draft("good1", "good2"))
    _, beside = pruned(draft("good1", "good2", "idle"))

    assert len(beside.measurer.timed) == len(plain.measurer.timed)


def test_halves_are_tried_before_single_edits() -> None:
    result, team = pruned(draft("good1", "good2", "neutral", "dull"))
    assert kept(result) == ["good1", "good2"]
    # The idle half at once; then two edits, each judged against the winner and priced alone.
    assert len(team.timed_labels) == 5


def test_an_edit_whose_removal_cannot_be_built_stays_unpriced() -> None:
    team = ScriptedTeam(PROGRAM, [])
    build = team.workshop.build

    def only_with_prop(candidate: Candidate, layouts: int = 0) -> Build | Refusal:
        texts = [edit.text for edit in candidate.edits]
        return build(candidate, layouts) if "prop" in texts else Refusal("does not build")

    team.workshop.build = only_with_prop  # type: ignore[method-assign]
    winner = PROGRAM.build(draft("prop", "good1"))
    result = prune(winner, Correctness.BY_CONSTRUCTION, team.team)
    assert kept(result) == ["prop", "good1"]
    assert [part.edit for part in result.contributions] == ["pipeline: good1"]


def test_edits_with_equal_texts_at_two_levels_are_two_edits() -> None:
    candidate = Candidate((*draft("good1").edits, *draft("good1", level="source").edits))
    result, team = pruned(candidate)
    assert len(result.build.candidate.edits) == 2
    assert len(team.timed_labels) == 2


@pytest.mark.parametrize(("ratio", "stays"), [(1.006, True), (1.004, False)])
def test_an_unresolved_edit_stays_for_half_a_percent(ratio: float, stays: bool) -> None:
    team = ScriptedTeam(PROGRAM, [])
    vague = Comparison(Verdict.INCONCLUSIVE, ratio, 0.98, 1.03, 8)
    team.measurer.attribute = lambda *_: vague  # type: ignore[method-assign]
    winner = PROGRAM.build(draft("a", "b"))
    result = prune(winner, Correctness.BY_CONSTRUCTION, team.team)
    assert len(kept(result)) == (2 if stays else 1)
    assert all(not part.resolved for part in result.contributions)


def test_small_gains_that_add_up_do_not_all_go() -> None:
    """Each of three edits brings less than the smallest effect, all together more."""
    small = ScriptedProgram(speedups=dict.fromkeys("abc", 1.0045))
    team = ScriptedTeam(small, [], noise=1e-6)
    result = prune(small.build(draft("a", "b", "c")), Correctness.BY_CONSTRUCTION, team.team)
    assert kept(result) == ["a", "b"]


def test_the_price_of_an_edit_is_its_own_whatever_went_before_it() -> None:
    small = ScriptedProgram(speedups=dict.fromkeys("abc", 1.0045))
    team = ScriptedTeam(small, [], noise=1e-6)
    result = prune(small.build(draft("a", "b", "c")), Correctness.BY_CONSTRUCTION, team.team)
    ratios = [part.comparison.ratio for part in result.contributions]
    assert ratios == pytest.approx([1.0045, 1.0045], abs=1e-5)


@pytest.mark.parametrize("verdict", [Verdict.SLOWER, Verdict.INCONCLUSIVE])
def test_what_is_gained_by_leaving_an_edit_out_pays_for_no_other(verdict: Verdict) -> None:
    """A hopeless series ends early: often no verdict says how harmful an edit was."""
    team = ScriptedTeam(PROGRAM, [], noise=1e-6)
    attribute = team.measurer.attribute

    def unresolved(label: str, winner: Build, without: Build) -> Comparison:
        said = attribute(label, winner, without)
        return replace(said, verdict=verdict) if said.ratio < 1 else said

    team.measurer.attribute = unresolved  # type: ignore[method-assign]
    winner = PROGRAM.build(draft("good0", "good1", "bad"))
    left = kept(prune(winner, Correctness.BY_CONSTRUCTION, team.team))
    assert left == ["good0", "good1"]


def test_the_correctness_is_that_of_what_is_left() -> None:
    team = ScriptedTeam(PROGRAM, [])
    team.checker.correctness = Correctness.PROVED
    winner = PROGRAM.build(draft("good1", "bad"))
    assert prune(winner, Correctness.TESTED, team.team).correctness is Correctness.PROVED


@settings(max_examples=60, deadline=None)
@given(winners)
def test_what_is_left_is_part_of_the_winner_in_its_order(winner: Candidate) -> None:
    left = pruned(winner)[0].build.candidate
    assert [edit for edit in winner.edits if edit in left.edits] == list(left.edits)
    assert {claim.edit for claim in left.claims} == set(left.edits)


@settings(max_examples=60, deadline=None)
@given(winners)
def test_something_is_always_left(winner: Candidate) -> None:
    assert pruned(winner)[0].build.candidate.edits


@settings(max_examples=60, deadline=None)
@given(winners)
def test_what_is_left_is_as_fast_as_the_winner(winner: Candidate) -> None:
    # Half a percent may go with each group: such effects are too small to be worth an edit.
    left = pruned(winner)[0].build.candidate
    before, after = (PROGRAM.seconds(c, searching=False) for c in (winner, left))
    assert after <= before * 1.015


@settings(max_examples=60, deadline=None)
@given(winners)
def test_every_good_edit_is_kept_unless_a_bad_one_cancels_it(winner: Candidate) -> None:
    texts = {edit.text for edit in winner.edits}
    good = {text for text in texts if text.startswith("good")}
    if "bad" not in texts:
        assert good <= set(kept(pruned(winner)[0]))


@settings(max_examples=60, deadline=None)
@given(winners)
def test_beside_a_good_edit_no_useless_one_is_kept(winner: Candidate) -> None:
    left = kept(pruned(winner)[0])
    if any(text.startswith("good") for text in left):
        assert not {"bad", "idle", "vain"} & set(left)


@settings(max_examples=60, deadline=None)
@given(winners)
def test_only_what_is_left_has_a_price(winner: Candidate) -> None:
    result, _ = pruned(winner)
    left = [str(edit) for edit in result.build.candidate.edits]
    priced = [part.edit for part in result.contributions]
    assert [edit for edit in left if edit in priced] == priced


@settings(max_examples=60, deadline=None)
@given(winners)
def test_nothing_is_timed_twice(winner: Candidate) -> None:
    timed = pruned(winner)[1].measurer.timed
    assert len(timed) == len(set(timed))
