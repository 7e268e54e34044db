from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfwright.core.candidate import Candidate, Edit
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Lesson, Situation
from perfwright.core.trial import TrialState
from perfwright.core.verdict import Verdict
from perfwright.minds.builtin import reasoner
from perfwright.minds.builtin.analyst import RuleAnalyst
from perfwright.minds.builtin.beliefs import uses
from perfwright.minds.builtin.levers import LEVERS, Called, called
from perfwright.minds.builtin.reasoner import LeverReasoner
from perfwright.minds.builtin.scorer import ShareScorer
from perfwright.minds.roles import Bench, Diagnosis
from perfwright.testing.situations import after, first_situation, measured, refused
from perfwright.toolchain.process import run

Benches = Callable[..., Bench]
Situations = Callable[..., Situation]

KINDS = sorted({kind for lever in LEVERS for kind in lever.calls})
MOST = 3
"""New levers in one candidate."""


@pytest.fixture
def diagnoses(hot_facts: tuple[Fact, ...]) -> tuple[Diagnosis, ...]:
    """What is wrong with a program that has something of everything."""
    return tuple(RuleAnalyst().analyse(hot_facts, ShareScorer().score(hot_facts)))


@pytest.fixture
def rivals(diagnoses: tuple[Diagnosis, ...]) -> list[Called]:
    """The levers that the diagnoses call for, the most hopeful of each group."""
    of_group: dict[str, Called] = {}
    for lever in called(diagnoses):
        of_group.setdefault(lever.lever.group, lever)
    return list(of_group.values())


def candidate(*levers: Called) -> Candidate:
    return Candidate(tuple(edit for lever in levers for edit in lever.edits))


def used(draft: Candidate, levers: Sequence[Called]) -> list[Called]:
    return [lever for lever in levers if uses(draft.edits, lever)]


def texts(levers: Sequence[Called]) -> frozenset[str]:
    return frozenset(edit.text for lever in levers for edit in lever.edits)


# --- what is proposed -----------------------------------------------------------------------


def test_the_best_bundle_comes_first_then_its_best_lever_alone(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    bundle, alone = LeverReasoner(benches()).reason(situations(), diagnoses)
    assert 1 < len(used(bundle, called(diagnoses))) <= MOST
    assert bundle.edits[: len(alone.edits)] == alone.edits


def test_a_draft_says_what_is_believed_of_it(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    drafts = LeverReasoner(benches()).reason(situations(), diagnoses)
    for draft in drafts:
        assert draft.confidence is not None
        assert 0.5 < draft.confidence < 1
        assert draft.expects.startswith("about 1.")


def test_what_failed_before_is_believed_in_less(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    first, alone = LeverReasoner(benches()).reason(situations(), diagnoses)
    again = LeverReasoner(benches()).reason(situations(measured(first, 0.9)), diagnoses)
    assert alone.confidence is not None
    assert all(d.confidence is not None and d.confidence < alone.confidence for d in again)


def test_without_a_diagnosis_there_is_nothing_to_try(
    benches: Benches, situations: Situations
) -> None:
    assert LeverReasoner(benches()).reason(situations(), ()) == []


def test_a_lever_that_changes_no_hot_code_is_never_proposed(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    first = LeverReasoner(benches()).reason(situations(), diagnoses)[0]
    idle = used(first, called(diagnoses))[0]
    for draft in LeverReasoner(benches(inert=texts([idle]))).reason(situations(), diagnoses):
        assert not uses(draft.edits, idle)


def test_a_lever_that_the_toolchain_refuses_is_passed_over(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    first = LeverReasoner(benches()).reason(situations(), diagnoses)[0]
    missing = used(first, called(diagnoses))[0]
    drafts = LeverReasoner(benches(refused=texts([missing]))).reason(situations(), diagnoses)
    assert drafts
    assert not any(uses(draft.edits, missing) for draft in drafts)


def test_of_levers_that_give_the_same_code_one_is_enough(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    bench = benches(alike=texts(called(diagnoses)))
    for draft in LeverReasoner(bench).reason(situations(), diagnoses):
        assert len(used(draft, called(diagnoses))) == 1


def test_when_no_lever_changes_anything_there_is_no_draft(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    bench = benches(inert=texts(called(diagnoses)))
    assert LeverReasoner(bench).reason(situations(), diagnoses) == []


def test_drafts_stand_on_the_incumbent(
    benches: Benches,
    situations: Situations,
    diagnoses: tuple[Diagnosis, ...],
    rivals: list[Called],
) -> None:
    situation = situations(measured(candidate(rivals[0]), 1.08))
    for draft in LeverReasoner(benches()).reason(situation, diagnoses):
        assert draft.edits[: len(rivals[0].edits)] == rivals[0].edits
        assert len(draft.edits) > len(rivals[0].edits)


def test_every_edit_of_a_draft_has_a_claim(
    benches: Benches,
    situations: Situations,
    diagnoses: tuple[Diagnosis, ...],
    rivals: list[Called],
) -> None:
    """Also those of an incumbent that came without, as from a recipe."""
    situation = situations(incumbent=candidate(rivals[1]))
    for draft in LeverReasoner(benches()).reason(situation, diagnoses):
        assert {claim.edit for claim in draft.claims} == set(draft.edits)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(KINDS), st.floats(0.03, 1.0), max_size=8),
    st.integers(0, 50),
    st.integers(1, 4),
)
def test_whatever_is_wrong_a_bundle_is_small_and_does_not_contradict_itself(
    benches: Benches, wrong: dict[str, float], seed: int, number: int
) -> None:
    diagnoses = [Diagnosis(k, "f", w, k, ("fun-1",), "f") for k, w in wrong.items()]
    first = first_situation()
    situation = Situation(first.ground, first.incumbent, (), (), number, 3)
    drafts = LeverReasoner(benches(), seed).reason(situation, diagnoses)
    assert len({draft.id for draft in drafts}) == len(drafts)
    for draft in drafts:
        levers = used(draft, called(diagnoses))
        groups = [lever.lever.group for lever in levers]
        assert 1 <= len(levers) <= MOST
        assert len(set(groups)) == len(groups)
        assert {fact for claim in draft.claims for fact in claim.evidence} <= {"fun-1"}


# --- what happened before -------------------------------------------------------------------


def test_what_was_tried_is_not_proposed_again(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    situation, tried = situations(), {""}
    for number in range(1, 9):
        drafts = LeverReasoner(benches()).reason(situation, diagnoses)
        assert not {draft.id for draft in drafts} & tried
        if not drafts:
            break
        tried.add(drafts[0].id)
        trial = measured(drafts[0], 1.0 if number % 2 else 0.97, trial=f"{number}.1")
        situation = after(situation, trial, Lesson(trial.id, ""))


@given(ratios=st.lists(st.sampled_from([0.9, 0.97, 1.01, 1.05]), min_size=4, max_size=8))
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_set_of_edits_is_proposed_twice_in_whatever_order(
    benches: Benches,
    situations: Situations,
    diagnoses: tuple[Diagnosis, ...],
    ratios: Sequence[float],
) -> None:
    situation, tried = situations(), set[frozenset[Edit]]()
    for number, ratio in enumerate(ratios, 1):
        drafts = LeverReasoner(benches()).reason(situation, diagnoses)
        sets = [frozenset(draft.edits) for draft in drafts]
        assert not tried & set(sets)
        if not drafts:
            break
        tried.add(sets[0])
        trial = measured(drafts[0], ratio, trial=f"{number}.1")
        situation = after(situation, trial, Lesson(trial.id, ""))


def test_after_a_failed_bundle_its_levers_are_hoped_for_less(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    mind = LeverReasoner(benches())
    bundle = mind.reason(situations(), diagnoses)[0]
    again = mind.reason(situations(measured(bundle, 0.8)), diagnoses)
    assert again
    assert not set(again[0].edits) & set(bundle.edits)


def test_a_lever_that_made_no_difference_comes_again_only_on_another_incumbent(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    mind = LeverReasoner(benches())
    idle = measured(mind.reason(situations(), diagnoses)[0], 1.0)
    assert idle.against_incumbent is not None
    same = replace(idle.against_incumbent, verdict=Verdict.SAME, low=0.999, high=1.001)
    idle = replace(idle, against_incumbent=same, over_baseline=same)
    pulled = {lever.lever.name for lever in used(idle.candidate, called(diagnoses))}

    def again(situation: Situation) -> set[str]:
        drafts = mind.reason(situation, diagnoses)
        added = [used(d.without(*situation.incumbent.edits), called(diagnoses)) for d in drafts]
        return {lever.lever.name for levers in added for lever in levers}

    situation = situations(idle)
    assert not again(situation) & pulled
    other = next(c for c in called(diagnoses) if c.lever.name not in pulled)
    won = measured(candidate(other), 1.2, trial="2.1")
    assert again(after(situation, won, Lesson("2.1", ""))) & pulled


@pytest.mark.parametrize("state", [TrialState.REJECTED, TrialState.IDENTICAL])
def test_a_lever_that_fails_before_it_is_measured_makes_room_for_the_next(
    benches: Benches,
    situations: Situations,
    diagnoses: tuple[Diagnosis, ...],
    state: TrialState,
) -> None:
    """As under --max-size: nothing is learned of its speed, and the search must go on."""
    mind = LeverReasoner(benches())
    bundle, alone = mind.reason(situations(), diagnoses)
    trials = [refused(bundle, state, "too large"), refused(alone, state, "too large", trial="1.2")]
    again = mind.reason(situations(*trials), diagnoses)
    assert again
    assert not any(set(alone.edits) <= set(draft.edits) for draft in again)


def test_the_search_ends_only_when_every_hopeful_lever_was_tried(
    benches: Benches, situations: Situations, diagnoses: tuple[Diagnosis, ...]
) -> None:
    situation, mind = situations(), LeverReasoner(benches())
    for number in range(1, 80):
        drafts = mind.reason(situation, diagnoses)
        if not drafts:
            break
        trial = refused(drafts[0], TrialState.REJECTED, "too large", trial=f"1.{number}")
        situation = after(situation, trial, Lesson(trial.id, ""))
    else:
        pytest.fail("the search did not end")
    hopeful = {c.lever.name for c in called(diagnoses) if c.mean + 0.3 * c.deviation > 0.01}
    tried = {
        lever.lever.name
        for trial in situation.trials
        for lever in used(trial.candidate, called(diagnoses))
    }
    assert hopeful <= tried


def test_a_harmful_lever_of_the_incumbent_is_trimmed(
    benches: Benches,
    situations: Situations,
    diagnoses: tuple[Diagnosis, ...],
    rivals: list[Called],
) -> None:
    good, harmful = rivals[:2]
    trials = [
        measured(candidate(good, harmful), 1.03),
        measured(candidate(harmful), 0.85, trial="2.1"),
    ]
    situation = situations(*trials)
    assert situation.incumbent == candidate(good, harmful)
    for draft in LeverReasoner(benches()).reason(situation, diagnoses):
        assert uses(draft.edits, good)
        assert not uses(draft.edits, harmful)


def test_a_trimmed_incumbent_is_worth_trying_when_nothing_else_is(
    benches: Benches,
    situations: Situations,
    diagnoses: tuple[Diagnosis, ...],
    rivals: list[Called],
) -> None:
    good, harmful, other = rivals[:3]
    trials = [
        measured(candidate(good, harmful, other), 1.03),
        measured(candidate(harmful), 0.85, trial="2.1"),
    ]
    rest = [c for c in called(diagnoses) if c not in (good, harmful, other)]
    bench = benches(inert=texts([*rest, harmful]))
    drafts = LeverReasoner(bench).reason(situations(*trials), diagnoses)
    assert [set(draft.edits) for draft in drafts] == [set(candidate(good, other).edits)]


# --- determinism ----------------------------------------------------------------------------

SCRIPT = """
import random, sys
from perfwright.minds.builtin.levers import LEVERS
from perfwright.minds.builtin.reasoner import LeverReasoner
from perfwright.minds.roles import Diagnosis, Draft
from perfwright.testing.situations import first_situation, measured, after
from perfwright.core.protocols import Lesson

class Bench:
    def draft(self, candidate, reference):
        return Draft(candidate.id, 1, ("f",))

kinds = sorted({kind for lever in LEVERS for kind in lever.calls})
diagnoses = [Diagnosis(kind, "f", 0.5, kind, ("fun-1",), "f") for kind in kinds]
situation = first_situation()
for number in (1, 2, 3):
    drafts = LeverReasoner(Bench(), int(sys.argv[1])).reason(situation, diagnoses)
    print(drafts)
    trial = measured(drafts[0], 0.99, trial=f"{number}.1")
    situation = after(situation, trial, Lesson(trial.id, ""))
"""


def test_the_same_seed_gives_the_same_drafts_in_another_process() -> None:
    said = [
        run([sys.executable, "-c", SCRIPT, "7"], env={"PYTHONHASHSEED": salt}) for salt in "123"
    ]
    assert all(each.ok for each in said), said[0].error_text
    assert len({each.stdout for each in said}) == 1


@pytest.mark.parametrize("gain", [0.05, 0.04])
def test_the_seed_decides_only_between_equals(
    benches: Benches,
    situations: Situations,
    rivals: list[Called],
    monkeypatch: pytest.MonkeyPatch,
    gain: float,
) -> None:
    one = replace(rivals[0], mean=0.05, deviation=0.1)
    other = replace(rivals[1], mean=gain, deviation=0.1)
    monkeypatch.setattr(reasoner, "called", lambda _: [other, one])
    bundles = {LeverReasoner(benches(), s).reason(situations(), ())[0].edits for s in range(20)}
    assert len(bundles) == (2 if one.mean == other.mean else 1)
