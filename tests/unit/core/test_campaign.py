"""The campaign as a specification, one rule of the loop each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from perfwright.core import events
from perfwright.core.budget import Budget
from perfwright.core.campaign import Campaign, Outcome, Settings, Status
from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.protocols import Build, Lesson, Refusal, Situation, WrongResultError
from perfwright.core.trial import Correctness, Trial, TrialState
from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import MindError, ProgramError
from perfwright.testing.journal import MemoryJournal
from perfwright.testing.measurer import ScriptedMeasurer, ScriptedPair
from perfwright.testing.mind import ScriptedMind, WanderingMind, draft
from perfwright.testing.program import ScriptedChecker, ScriptedProgram
from perfwright.testing.team import ScriptedTeam

PROGRAM = ScriptedProgram(
    speedups={"fast": 1.10, "quick": 1.05, "slow": 0.90},
    luck={"lucky": 1.10},
    invalid={"absurd": "no such pass"},
    unbuildable={"huge": "clang: out of memory"},
    wrong={"unsafe": "stdout differs", "risky": "timed out"},
    inert={"idle"},
)


def tune(*drafts: Candidate, rounds: int | None = 3) -> tuple[Outcome, ScriptedTeam]:
    team = ScriptedTeam(PROGRAM, drafts)
    return team.run(Budget(rounds=rounds)), team


def states(outcome: Outcome) -> list[str]:
    return [f"{trial.id} {trial.state}" for trial in outcome.trials]


class ScriptedFailure:
    """A mind that fails for good once it has seen so many trials."""

    def __init__(self, drafts: Sequence[Candidate], *, after: int, learning: bool = False) -> None:
        self.script = ScriptedMind(drafts)
        self.after = after
        self.learning = learning

    def propose(self, situation: Situation) -> Sequence[Candidate]:
        if len(situation.trials) >= self.after:
            raise MindError("the model does not answer", cause="no route to host")
        return self.script.propose(situation)

    def learn(self, situation: Situation, trial: Trial) -> Lesson:
        if self.learning:
            raise MindError("the model does not answer")
        return self.script.learn(situation, trial)


# --- what is handed over --------------------------------------------------------------------


def test_a_confirmed_gain_is_an_improvement() -> None:
    outcome, _ = tune(draft("fast"))
    assert outcome.status is Status.IMPROVED
    assert outcome.final == draft("fast")
    assert outcome.confirmation is not None
    assert outcome.confirmation.ratio == pytest.approx(1.10, abs=0.03)


def test_the_baseline_stays_when_nothing_wins() -> None:
    outcome, team = tune(draft("slow"), draft("neutral"), draft("slow", "neutral"))
    assert outcome.status is Status.NO_GAIN
    assert outcome.final == BASELINE
    assert outcome.confirmation is None
    assert "confirm" not in team.timed_labels


def test_a_gain_that_is_not_confirmed_is_no_gain() -> None:
    outcome, _ = tune(draft("lucky"))
    assert outcome.trials[0].accepted
    assert outcome.status is Status.NO_GAIN
    assert outcome.final == BASELINE
    assert outcome.unconfirmed == draft("lucky")
    assert outcome.confirmation is not None


@pytest.mark.parametrize("step", ["attribute", "confirm"])
def test_a_winner_that_turns_out_wrong_is_no_gain(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def wrong(self: object, label: str, winner: Build, other: Build) -> Comparison:
        asked.append(label)
        raise WrongResultError(winner, Refusal("stdout differs in run 7"))

    monkeypatch.setattr(ScriptedMeasurer, step, wrong)
    journal = MemoryJournal[ScriptedPair]()
    for _ in range(2):
        team = ScriptedTeam(PROGRAM, [draft("fast", "quick")], journal=journal, pairs=journal)
        outcome = team.run(Budget(rounds=1))
        assert outcome.status is Status.NO_GAIN
        assert outcome.final == BASELINE
        assert outcome.unconfirmed == draft("fast", "quick")
        said = [event.text for event in team.reporter.of(events.Warned)]
        assert any("the winner was wrong" in text and "in run 7" in text for text in said), said
    assert len(asked) == 1, "the second campaign answers from the record"


def test_what_is_left_of_a_winner_and_turns_out_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attribute = ScriptedMeasurer.attribute

    def wrong(self: ScriptedMeasurer, label: str, winner: Build, without: Build) -> Comparison:
        if winner.candidate == draft("fast", "quick"):
            raise WrongResultError(winner, Refusal("stdout differs", "./run again"))
        return attribute(self, label, winner, without)

    monkeypatch.setattr(ScriptedMeasurer, "attribute", wrong)
    outcome, team = tune(draft("fast", "quick", "dull"), rounds=1)
    assert outcome.status is Status.NO_GAIN
    assert [event.hint for event in team.reporter.of(events.Warned)] == ["./run again"]
    assert outcome.unconfirmed == draft("fast", "quick")


def test_the_next_candidate_competes_with_the_incumbent() -> None:
    outcome, _ = tune(draft("fast"), draft("quick"), draft("fast", "quick"))
    assert [trial.verdict for trial in outcome.trials] == [
        Verdict.FASTER,
        Verdict.SLOWER,
        Verdict.FASTER,
    ]
    assert outcome.final == draft("fast", "quick")


def test_a_slower_candidate_is_rolled_back() -> None:
    outcome, team = tune(draft("fast"), draft("fast", "slow"))
    assert [trial.accepted for trial in outcome.trials] == [True, False]
    assert outcome.final == draft("fast")
    assert team.timed_labels == ["trial 1.1", "trial 2.1", "confirm"]


def test_a_candidate_is_compared_with_the_baseline_too() -> None:
    outcome, _ = tune(draft("fast"), draft("fast", "quick"))
    second = outcome.trials[1]
    assert second.against_incumbent is not None
    assert second.over_baseline is not None
    assert second.against_incumbent.ratio == pytest.approx(1.05, abs=0.03)
    assert second.over_baseline.ratio == pytest.approx(1.155, abs=0.04)


def test_the_outcome_says_how_it_is_known_to_be_right() -> None:
    team = ScriptedTeam(PROGRAM, [draft("fast")])
    team.checker = ScriptedChecker(PROGRAM, Correctness.TESTED)
    outcome = team.run()
    assert outcome.correctness is Correctness.TESTED
    assert outcome.trials[0].correctness is Correctness.TESTED


def test_edits_that_do_not_earn_their_place_are_left_out() -> None:
    outcome, _ = tune(draft("fast", "idle", "neutral", "quick"))
    assert outcome.final == draft("fast", "quick")
    assert [part.edit for part in outcome.attribution] == ["pipeline: fast", "pipeline: quick"]


# --- states of trials -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "state", "reason"),
    [
        ("absurd", TrialState.REJECTED, "no such pass"),
        ("huge", TrialState.UNBUILDABLE, "clang: out of memory"),
        ("idle", TrialState.IDENTICAL, "same machine code as the baseline"),
        ("unsafe", TrialState.WRONG, "stdout differs"),
    ],
)
def test_a_draft_that_fails_says_why(edit: str, state: TrialState, reason: str) -> None:
    outcome, team = tune(draft(edit))
    (trial,) = outcome.trials
    assert (trial.state, trial.reason) == (state, reason)
    assert trial.verdict is None
    assert team.measurer.timed == []


def test_a_refused_build_can_be_reproduced() -> None:
    outcome, _ = tune(draft("huge"))
    assert outcome.trials[0].reproducer == "clang huge"


def test_repairs_are_told_and_the_repaired_candidate_is_tried() -> None:
    team = ScriptedTeam(PROGRAM, [draft("fsat", "nonsense")])
    team.workshop.repairs = {"fsat": "fast", "nonsense": ""}
    outcome = team.run()
    assert outcome.trials[0].repairs == ("fsat -> fast", "nonsense -> ")
    assert [edit.text for edit in outcome.final.edits] == ["fast"]


def test_identical_code_is_never_measured_twice() -> None:
    outcome, team = tune(draft("quick"), draft("quick", "idle"))
    assert outcome.trials[1].reason == "same machine code as trial 1.1"
    assert team.timed_labels == ["trial 1.1", "confirm"]


def test_identical_code_is_never_checked_twice() -> None:
    outcome, team = tune(draft("unsafe"), draft("unsafe", "idle"))
    assert states(outcome) == ["1.1 wrong", "1.2 identical"]
    assert team.checker.checked == [draft("unsafe")]


def test_an_a_a_campaign_measures_identical_code_and_finds_nothing() -> None:
    team = ScriptedTeam(PROGRAM, [draft("idle"), draft("idle"), draft("idle")])
    outcome = team.run(deduplicate=False)
    assert states(outcome) == ["1.1 measured", "2.1 measured", "3.1 measured"]
    assert outcome.status is Status.NO_GAIN


def test_an_a_a_campaign_confirms_what_chance_lets_win() -> None:
    program = ScriptedProgram(luck={"idle": 1.1}, inert={"idle"})
    team = ScriptedTeam(program, [draft("idle")])
    outcome = team.run(deduplicate=False)
    assert "confirm" in team.timed_labels
    assert outcome.status is Status.NO_GAIN


def test_what_a_candidate_changed_is_kept_with_its_trial() -> None:
    outcome, _ = tune(draft("quick"))
    assert [fact.kind for fact in outcome.trials[0].consequences] == ["size"]


def test_what_changed_against_the_incumbent_is_told_too_and_under_ids_of_its_own() -> None:
    outcome, _ = tune(draft("quick"), draft("quick", "neutral"))
    first, second = (trial.consequences for trial in outcome.trials)
    assert ["against the incumbent" in fact.text for fact in first] == [False]
    assert ["against the incumbent" in fact.text for fact in second] == [True, False]
    ids = [fact.id for fact in (*first, *second)]
    assert len(set(ids)) == len(ids)
    assert all(fact.id.endswith("@2.1") for fact in second)


# --- rounds ---------------------------------------------------------------------------------


def test_a_round_is_one_measured_candidate() -> None:
    outcome, _ = tune(draft("quick"), draft("slow"), draft("neutral"), draft("never"), rounds=3)
    assert states(outcome) == ["1.1 measured", "2.1 measured", "3.1 measured"]


def test_three_failed_drafts_end_the_round() -> None:
    failing = [draft("absurd"), draft("huge"), draft("unsafe")]
    outcome, _ = tune(*failing, draft("fast"), rounds=2)
    assert states(outcome) == ["1.1 rejected", "1.2 unbuildable", "1.3 wrong", "2.1 measured"]
    assert outcome.status is Status.IMPROVED


def test_a_round_goes_on_after_fewer_failures() -> None:
    outcome, _ = tune(draft("absurd"), draft("huge"), draft("fast"), rounds=1)
    assert states(outcome) == ["1.1 rejected", "1.2 unbuildable", "1.3 measured"]


def test_a_mind_is_asked_again_when_all_its_drafts_failed() -> None:
    team = ScriptedTeam(PROGRAM, ScriptedMind([draft("absurd"), draft("fast")], width=1))
    assert states(team.run(Budget(rounds=1))) == ["1.1 rejected", "1.2 measured"]


def test_a_mind_that_has_nothing_left_ends_the_search() -> None:
    outcome, team = tune(draft("quick"), rounds=None)
    assert states(outcome) == ["1.1 measured"]
    assert outcome.status is Status.IMPROVED
    assert len(team.reporter.of(events.RoundBegan)) == 2


def test_a_mind_is_asked_once_when_it_has_nothing() -> None:
    _, team = tune()
    proposals = [e for e in team.reporter.of(events.StageBegan) if e.stage == "propose"]
    assert len(proposals) == 1


def test_a_time_budget_keeps_a_share_for_confirmation() -> None:
    seconds = iter([0.0, 60.0, 71.0])
    drafts = [draft("quick"), draft("fast"), draft("quick", "fast")]
    team = ScriptedTeam(PROGRAM, drafts, spent=lambda: next(seconds))
    outcome = team.run(Budget(rounds=None, seconds=100.0))
    assert states(outcome) == ["1.1 measured", "2.1 measured"]
    assert outcome.status is Status.IMPROVED


def test_three_rounds_without_anything_to_measure_end_the_search() -> None:
    useless = [draft("absurd"), draft("huge"), draft("idle")] * 3
    outcome, team = tune(draft("quick"), *useless, draft("fast"), rounds=9)

    assert states(outcome)[-1] == "4.3 identical"
    assert outcome.final == draft("quick")
    assert [warning.text for warning in team.reporter.of(events.Warned)] == [
        "the search ended early"
    ]


def test_a_measured_round_between_useless_ones_goes_on_with_the_search() -> None:
    useless = [draft("absurd"), draft("huge"), draft("idle")] * 2
    outcome, team = tune(*useless, draft("slow"), *useless, draft("fast"), rounds=6)

    assert outcome.final == draft("fast")
    assert not team.reporter.of(events.Warned)


@pytest.mark.parametrize(("rounds", "found"), [(None, False), (9, True)])
def test_eight_rounds_without_a_gain_end_a_search_without_a_number_of_rounds(
    rounds: int | None, found: bool
) -> None:
    slow = [draft("slow", f"neutral{number}") for number in range(8)]
    outcome, team = tune(*slow, draft("fast"), rounds=rounds)

    assert (outcome.status is Status.IMPROVED) is found
    assert bool(team.reporter.of(events.Warned)) is not found


def test_a_search_without_saturation_goes_on() -> None:
    useless = [draft("absurd"), draft("huge"), draft("idle")] * 3
    team = ScriptedTeam(PROGRAM, [*useless, draft("fast")])
    settings = Settings(Budget(rounds=9), saturation=None)

    assert Campaign(team.team, settings).run().final == draft("fast")


def test_a_search_that_used_all_its_rounds_did_not_end_early() -> None:
    _, team = tune(*[draft("absurd"), draft("huge"), draft("idle")] * 3, rounds=3)

    assert not team.reporter.of(events.Warned)


# --- what the mind sees ---------------------------------------------------------------------


def test_the_mind_learns_exactly_once_from_each_trial_in_order() -> None:
    mind = ScriptedMind([draft("absurd"), draft("quick"), draft("slow"), draft("fast")])
    outcome = ScriptedTeam(PROGRAM, mind).run()
    assert mind.learned == [trial.id for trial in outcome.trials] == ["1.1", "1.2", "2.1", "3.1"]


def test_the_mind_learns_in_the_light_of_all_earlier_trials() -> None:
    seen: list[tuple[str, int, int]] = []

    class Watching(ScriptedMind):
        def learn(self, situation: Situation, trial: Trial) -> Lesson:
            seen.append((trial.id, len(situation.trials), len(situation.lessons)))
            return super().learn(situation, trial)

    ScriptedTeam(PROGRAM, Watching([draft("absurd"), draft("huge"), draft("fast")])).run()
    assert seen == [("1.1", 0, 0), ("1.2", 1, 1), ("1.3", 2, 2)]


def test_the_mind_knows_incumbent_and_rounds_left() -> None:
    seen: list[tuple[int, int | None, Candidate]] = []

    class Watching(ScriptedMind):
        def propose(self, situation: Situation) -> Sequence[Candidate]:
            seen.append((situation.round, situation.rounds_left, situation.incumbent))
            return super().propose(situation)

    ScriptedTeam(PROGRAM, Watching([draft("fast"), draft("slow"), draft("slow", "x")])).run()
    assert seen == [(1, 3, BASELINE), (2, 2, draft("fast")), (3, 1, draft("fast"))]


# --- failures -------------------------------------------------------------------------------


def test_a_mind_that_fails_before_anything_is_found_fails_the_campaign() -> None:
    team = ScriptedTeam(PROGRAM, ScriptedFailure([draft("slow")], after=1))
    with pytest.raises(MindError):
        team.run()


@pytest.mark.parametrize("learning", [False, True])
def test_a_mind_that_fails_later_leaves_what_was_found(learning: bool) -> None:
    team = ScriptedTeam(PROGRAM, ScriptedFailure([draft("fast")], after=1, learning=learning))
    outcome = team.run()
    assert outcome.status is Status.IMPROVED
    assert outcome.final == draft("fast")
    warned = team.reporter.of(events.Warned)
    assert warned
    assert "does not answer" in warned[0].text


def test_a_program_that_cannot_be_observed_fails_the_campaign() -> None:
    team = ScriptedTeam(PROGRAM, [draft("fast")])

    def observe() -> None:
        raise ProgramError("it does not build")

    team.observer.observe = observe  # type: ignore[method-assign, assignment]
    with pytest.raises(ProgramError):
        team.run()


def test_every_step_is_heard() -> None:
    _, team = tune(draft("absurd"), draft("fast", "quick"), rounds=1)
    heard = [
        f"{event.stage} {event.detail}".strip()
        if isinstance(event, events.StageBegan)
        else type(event).__name__
        for event in team.reporter.events
        if not isinstance(event, events.PairTimed)
    ]
    assert heard == [
        "observe",
        "RoundBegan",
        "propose round 1",
        "TrialEnded",
        "build 1.2",
        "check 1.2",
        "measure 1.2",
        "TrialEnded",
        "prune",
        "EditPriced",
        "EditPriced",
        "confirm",
        "Confirmed",
    ]


def test_warnings_of_the_observer_are_heard() -> None:
    team = ScriptedTeam(PROGRAM, [])
    team.observer.warnings = ("the machine is noisy",)
    team.run()
    assert team.reporter.of(events.Warned) == [events.Warned("the machine is noisy")]


def test_the_best_so_far_never_falls() -> None:
    _, team = tune(draft("quick"), draft("slow"), draft("fast", "quick"))
    best = [event.best_so_far for event in team.reporter.of(events.TrialEnded)]
    assert best == sorted(best)
    assert best[0] > 1


def wander(seed: int) -> Outcome:
    edits = [*PROGRAM.speedups, *PROGRAM.luck, *PROGRAM.wrong, "idle", "huge"]
    return ScriptedTeam(PROGRAM, WanderingMind(edits, seed), seed=seed).run(Budget(rounds=5))


def test_the_same_seed_gives_the_same_campaign() -> None:
    assert wander(7) == wander(7)


def test_another_seed_gives_another_campaign() -> None:
    assert wander(7).trials != wander(8).trials


def test_a_finished_campaign_run_again_calls_nobody() -> None:
    first = ScriptedTeam(PROGRAM, [draft("absurd"), draft("fast", "quick")])
    outcome = first.run()
    second = ScriptedTeam(
        PROGRAM,
        [draft("absurd"), draft("fast", "quick")],
        journal=first.journal,
        pairs=first.pairs,
    )
    assert second.run() == outcome
    assert second.observer.calls == 0
    assert second.workshop.built == []
    assert second.checker.checked == []
    assert second.measurer.timed == []


def test_a_verdict_is_read_from_the_record_not_judged_again() -> None:
    first = ScriptedTeam(PROGRAM, [draft("fast")])
    outcome = first.run()
    second = ScriptedTeam(PROGRAM, [draft("fast")], journal=first.journal)
    second.measurer.pairs = 1
    assert second.run() == outcome


def test_a_campaign_has_defaults_of_its_own() -> None:
    team = ScriptedTeam(PROGRAM, []).team
    assert Campaign(team).trials is not Campaign(team).trials
    assert Campaign(team).settings == Settings()


# --- the last look --------------------------------------------------------------------------


def looked_at(refused: Sequence[str], *drafts: Candidate) -> Outcome:
    """A campaign whose first candidate is dropped before measuring if it has such an edit."""

    def last_look(situation: Situation, trial: Trial) -> Refusal | None:
        hit = any(edit.text in refused for edit in trial.candidate.edits)
        return Refusal("not worth it") if hit and not situation.trials else None

    team = replace(ScriptedTeam(PROGRAM, drafts).team, last_look=last_look)
    return Campaign(team, Settings()).run()


def test_what_the_last_look_refuses_is_rejected_as_unpromising_and_not_measured() -> None:
    outcome = looked_at(["fast"], draft("fast"), draft("quick"))

    assert states(outcome)[:2] == ["1.1 rejected", "1.2 measured"]
    assert outcome.trials[0].reason == "unpromising: not worth it"
    assert outcome.trials[0].against_incumbent is None


def test_what_the_last_look_refused_may_come_again() -> None:
    outcome = looked_at(["fast"], draft("fast"), draft("fast"))

    assert states(outcome)[:2] == ["1.1 rejected", "1.2 measured"]
