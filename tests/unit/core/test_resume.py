"""A campaign that dies at any boundary of a step ends as if it had not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from perfwright.core.budget import Budget
from perfwright.core.campaign import Outcome
from perfwright.core.protocols import Journal, Situation
from perfwright.errors import MindError
from perfwright.testing.journal import (
    CrashError,
    CrashingJournal,
    CrashingPairs,
    CrashPoints,
    MemoryJournal,
    crash,
)
from perfwright.testing.measurer import ScriptedPair
from perfwright.testing.mind import ScriptedMind, draft
from perfwright.testing.program import ScriptedProgram
from perfwright.testing.team import ScriptedTeam

PROGRAM = ScriptedProgram(
    speedups={"fast": 1.10, "quick": 1.06},
    invalid={"absurd": "no such pass"},
    unbuildable={"huge": "out of memory"},
    wrong={"unsafe": "stdout differs"},
    inert={"idle"},
)
DRAFTS = (
    draft("absurd"),
    draft("fast", "idle"),
    draft("huge"),
    draft("unsafe"),
    draft("fast"),
    draft("fast", "neutral", "quick", "idle"),
)


def session(memory: MemoryJournal[ScriptedPair], points: CrashPoints) -> ScriptedTeam:
    """One process that works on the campaign; it has no memory but the journal."""
    team = ScriptedTeam(
        PROGRAM,
        ScriptedMind(DRAFTS, width=2),
        journal=CrashingJournal(memory, points),
        pairs=CrashingPairs(memory, points),
    )
    team.measurer.pairs = 4
    return team


def run(team: ScriptedTeam) -> Outcome:
    return team.run(Budget(rounds=3))


@pytest.fixture(scope="module")
def undisturbed() -> tuple[Outcome, MemoryJournal[ScriptedPair], CrashPoints]:
    memory, points = MemoryJournal[ScriptedPair](), CrashPoints(None, crash)
    return run(session(memory, points)), memory, points


def crashes_at_every_point() -> Iterator[tuple[int, ScriptedTeam, MemoryJournal[ScriptedPair]]]:
    """For each crash point: the team that died there, and the journal that it left."""
    for at in range(1, 10_000):
        memory = MemoryJournal[ScriptedPair]()
        team = session(memory, CrashPoints(at, crash))
        try:
            run(team)
        except CrashError:
            yield at, team, memory
        else:
            return


def test_the_campaign_passes_every_kind_of_step(
    undisturbed: tuple[Outcome, MemoryJournal[ScriptedPair], CrashPoints],
) -> None:
    outcome, memory, points = undisturbed
    assert {trial.state for trial in outcome.trials} == {
        "rejected",
        "unbuildable",
        "identical",
        "wrong",
        "measured",
    }
    assert any(key.startswith("prune") for key in memory.steps)
    assert "confirm/compare" in memory.steps
    assert points.passed > 100


def test_a_crash_at_any_boundary_changes_nothing(
    undisturbed: tuple[Outcome, MemoryJournal[ScriptedPair], CrashPoints],
) -> None:
    outcome, whole, points = undisturbed
    crashed = 0
    for at, _, memory in crashes_at_every_point():
        crashed += 1
        assert run(session(memory, CrashPoints(None, crash))) == outcome, f"crash point {at}"
        assert memory.steps == whole.steps, f"crash point {at}"
        assert memory.pairs == whole.pairs, f"crash point {at}"
    assert crashed == points.passed


def test_no_committed_pair_is_timed_again() -> None:
    for at, dead, memory in crashes_at_every_point():
        committed = {
            (label, number) for label, pairs in memory.pairs.items() for number in range(len(pairs))
        }
        resumed = session(memory, CrashPoints(None, crash))
        run(resumed)
        again = set(dead.measurer.timed) & set(resumed.measurer.timed)
        assert not again & committed, f"crash point {at}"
        assert len(again) <= 1, f"crash point {at}: more than the pair in flight was lost"


def test_no_committed_step_is_done_again() -> None:
    for at, dead, memory in crashes_at_every_point():
        resumed = session(memory, CrashPoints(None, crash))
        run(resumed)
        again = [trial for trial in dead_learned(dead) if trial in dead_learned(resumed)]
        assert len(again) <= 1, f"crash point {at}: more than the step in flight was lost"
        assert dead.observer.calls + resumed.observer.calls <= 2


def dead_learned(team: ScriptedTeam) -> list[str]:
    assert isinstance(team.mind, ScriptedMind)
    return team.mind.learned


def test_a_campaign_may_die_again_and_again(
    undisturbed: tuple[Outcome, MemoryJournal[ScriptedPair], CrashPoints],
) -> None:
    memory, deaths = MemoryJournal[ScriptedPair](), 0
    while True:
        try:
            outcome = run(session(memory, CrashPoints(4, crash)))
        except CrashError:
            deaths += 1
            continue
        break
    assert deaths > 20
    assert outcome == undisturbed[0]


def test_a_mind_that_failed_with_nothing_found_is_asked_again_on_resume() -> None:
    class Offline(ScriptedMind):
        def propose(self, situation: Situation) -> tuple[()]:
            raise MindError("no network", cause=f"in round {situation.round}")

    journal: Journal = MemoryJournal[ScriptedPair]()
    with pytest.raises(MindError):
        run(ScriptedTeam(PROGRAM, Offline([]), journal=journal))
    assert run(ScriptedTeam(PROGRAM, [draft("fast")], journal=journal)).status == "improved"
