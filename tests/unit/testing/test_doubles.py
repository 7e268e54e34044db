"""The doubles keep the contracts that they stand for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perfwright.core import events
from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.protocols import Build, Journal, Lesson, Measurer, PairLog, Repaired
from perfwright.core.verdict import Verdict
from perfwright.testing.clock import ScriptedClock
from perfwright.testing.conformance_journal import JournalConformance, PairLogConformance
from perfwright.testing.conformance_mind import MindConformance
from perfwright.testing.conformance_reporter import ReporterConformance
from perfwright.testing.conformance_workshop import (
    CheckerConformance,
    MeasurerConformance,
    WorkshopConformance,
)
from perfwright.testing.journal import (
    CrashError,
    CrashingJournal,
    CrashingPairs,
    CrashPoints,
    MemoryJournal,
    crash,
)
from perfwright.testing.measurer import ScriptedMeasurer, ScriptedPair, compare
from perfwright.testing.mind import ScriptedMind, WanderingMind, draft
from perfwright.testing.program import ScriptedChecker, ScriptedProgram, ScriptedWorkshop
from perfwright.testing.reporter import RecordingReporter
from perfwright.testing.situations import after, first_situation, measured

PROGRAM = ScriptedProgram(
    speedups={"fast": 1.1, "quick": 1.05},
    luck={"lucky": 1.1},
    invalid={"absurd": "no such pass"},
    unbuildable={"huge": "out of memory"},
    wrong={"unsafe": "stdout differs"},
    inert={"idle"},
)


class TestMemoryJournal(JournalConformance):
    @pytest.fixture
    def reopen(self) -> Callable[[], Journal]:
        journal = MemoryJournal[ScriptedPair]()
        return lambda: journal


class TestCrashingJournalThatLives(JournalConformance):
    @pytest.fixture
    def reopen(self) -> Callable[[], Journal]:
        journal = MemoryJournal[ScriptedPair]()
        return lambda: CrashingJournal(journal, CrashPoints(None, crash))


class TestMemoryPairs(PairLogConformance):
    @pytest.fixture
    def reopen(self) -> Callable[[], PairLog[ScriptedPair]]:
        journal = MemoryJournal[ScriptedPair]()
        return lambda: journal


class TestScriptedMind(MindConformance):
    @pytest.fixture
    def mind(self) -> ScriptedMind:
        return ScriptedMind([draft("a"), draft("b", "c")])


class TestWanderingMind(MindConformance):
    @pytest.fixture
    def mind(self) -> WanderingMind:
        return WanderingMind(["a", "b", "c", "d"], seed=3)


class TestScriptedWorkshop(WorkshopConformance):
    @pytest.fixture
    def workshop(self) -> ScriptedWorkshop:
        return ScriptedWorkshop(PROGRAM)

    @pytest.fixture
    def good(self) -> Candidate:
        return draft("fast")

    @pytest.fixture(params=["absurd", "huge"])
    def bad(self, request: pytest.FixtureRequest) -> Candidate:
        return draft(str(request.param))


class TestScriptedChecker(CheckerConformance):
    @pytest.fixture
    def checker(self) -> ScriptedChecker:
        return ScriptedChecker(PROGRAM)

    @pytest.fixture
    def right(self) -> Build:
        return PROGRAM.build(draft("fast"))

    @pytest.fixture
    def broken(self) -> Build:
        return PROGRAM.build(draft("fast", "unsafe"))


class TestScriptedMeasurer(MeasurerConformance):
    @pytest.fixture
    def log(self) -> MemoryJournal[ScriptedPair]:
        return MemoryJournal()

    @pytest.fixture
    def reopen(self, log: MemoryJournal[ScriptedPair]) -> Callable[[], Measurer]:
        return lambda: ScriptedMeasurer(PROGRAM, log, seed=5)

    @pytest.fixture
    def arms(self) -> tuple[Build, ...]:
        return tuple(map(PROGRAM.build, (draft("fast"), draft("quick"), BASELINE)))


class TestRecordingReporter(ReporterConformance):
    @pytest.fixture
    def reporter(self) -> events.Reporter:
        return RecordingReporter()


class TestSilentReporter(ReporterConformance):
    @pytest.fixture
    def reporter(self) -> events.Reporter:
        return events.silent


# --- clock and crash points -----------------------------------------------------------------


def test_a_clock_stands_still_until_it_is_told_to_go() -> None:
    clock = ScriptedClock(start=5)
    assert clock() == clock() == 5
    clock.advance(2)
    assert clock() == 7


def test_a_clock_may_tick_at_each_look() -> None:
    clock = ScriptedClock(tick=1)
    assert [clock(), clock()] == [1, 2]


def test_a_step_passes_three_crash_points_and_its_record_none() -> None:
    points = CrashPoints(None, crash)
    journal = CrashingJournal(MemoryJournal[ScriptedPair](), points)
    journal.once("a", str, lambda: "b")
    assert points.passed == 3
    journal.once("a", str, lambda: "b")
    assert points.passed == 3


@pytest.mark.parametrize(("at", "committed"), [(1, []), (2, []), (3, ["a"])])
def test_a_crash_happens_at_its_point_only(at: int, committed: list[str]) -> None:
    memory = MemoryJournal[ScriptedPair]()
    journal = CrashingJournal(memory, CrashPoints(at, crash))
    with pytest.raises(CrashError):
        journal.once("a", str, lambda: "b")
    assert list(memory.steps) == committed


@pytest.mark.parametrize(("at", "committed"), [(1, 0), (2, 1)])
def test_a_pair_passes_two_crash_points(at: int, committed: int) -> None:
    memory = MemoryJournal[ScriptedPair]()
    log = CrashingPairs(memory, CrashPoints(at, crash))
    with pytest.raises(CrashError):
        log.append("a", ScriptedPair((1.0, 2.0)))
    assert len(memory.recorded("a")) == committed


# --- program, measurer, minds ---------------------------------------------------------------


def test_speed_ups_multiply() -> None:
    both = PROGRAM.seconds(draft("fast", "quick"), searching=False)
    assert PROGRAM.seconds(BASELINE, searching=False) / both == pytest.approx(1.1 * 1.05)


def test_luck_is_gone_at_confirmation() -> None:
    assert PROGRAM.seconds(draft("lucky"), searching=False) == PROGRAM.seconds(
        BASELINE, searching=False
    )
    assert PROGRAM.seconds(draft("lucky"), searching=True) < PROGRAM.seconds(
        BASELINE, searching=True
    )


def test_inert_edits_leave_the_code() -> None:
    assert PROGRAM.build(draft("fast", "idle")).code == PROGRAM.build(draft("fast")).code


def test_a_repair_is_told() -> None:
    workshop = ScriptedWorkshop(PROGRAM, {"fsat": "fast"})
    repaired = workshop.repair(draft("fsat"))
    assert isinstance(repaired, Repaired)
    assert repaired.repairs == ("fsat -> fast",)
    assert repaired.candidate.edits == draft("fast").edits


def test_noise_depends_on_seed_label_and_number_only() -> None:
    arms = (PROGRAM.build(draft("fast")), PROGRAM.build(BASELINE))

    def ratios(seed: int, label: str) -> float:
        measurer = ScriptedMeasurer(PROGRAM, MemoryJournal[ScriptedPair](), seed=seed)
        return measurer.select(label, arms)[0].ratio

    assert ratios(1, "a") == ratios(1, "a")
    assert len({ratios(1, "a"), ratios(2, "a"), ratios(1, "b")}) == 3


def test_a_resumed_comparison_times_only_what_is_missing() -> None:
    arms = (PROGRAM.build(draft("fast")), PROGRAM.build(BASELINE))
    whole, part = MemoryJournal[ScriptedPair](), MemoryJournal[ScriptedPair]()
    expected = ScriptedMeasurer(PROGRAM, whole).select("a", arms)
    for pair in whole.recorded("a")[:4]:
        part.append("a", pair)
    resumed = ScriptedMeasurer(PROGRAM, part)
    assert resumed.select("a", arms) == expected
    assert resumed.timed == [("a", number) for number in range(4, 10)]


@pytest.mark.parametrize(
    ("candidate", "reference", "verdict"),
    [
        ([1.0, 1.01, 0.99], [1.1, 1.11, 1.09], Verdict.FASTER),
        ([1.1, 1.11, 1.09], [1.0, 1.01, 0.99], Verdict.SLOWER),
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], Verdict.SAME),
        ([1.0, 1.2, 1.0], [1.2, 1.0, 1.1], Verdict.INCONCLUSIVE),
    ],
)
def test_paired_times_make_a_verdict(
    candidate: list[float], reference: list[float], verdict: Verdict
) -> None:
    assert compare(candidate, reference).verdict is verdict


def test_equal_builds_seldom_differ() -> None:
    arms = (PROGRAM.build(BASELINE), PROGRAM.build(BASELINE))
    verdicts = [
        ScriptedMeasurer(PROGRAM, MemoryJournal[ScriptedPair](), seed=seed).confirm("a", *arms)
        for seed in range(200)
    ]
    assert sum(comparison.verdict is Verdict.FASTER for comparison in verdicts) <= 4


def test_a_scripted_mind_proposes_what_is_left() -> None:
    mind = ScriptedMind([draft("a"), draft("b"), draft("c")], width=2)
    situation = first_situation()
    assert list(mind.propose(situation)) == [draft("a"), draft("b")]
    later = after(situation, measured(draft("a"), 0.9), Lesson("1.1", ""))
    assert list(mind.propose(later)) == [draft("b"), draft("c")]


def test_a_wandering_mind_builds_on_the_incumbent() -> None:
    mind = WanderingMind(["a", "b", "c"])
    won = after(first_situation(), measured(draft("a"), 1.1), Lesson("1.1", ""))
    for candidate in mind.propose(won):
        assert candidate.edits[:1] == draft("a").edits
        assert len(set(candidate.edits)) == len(candidate.edits) > 1
