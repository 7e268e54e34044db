"""Campaigns in the journal: beginning, finding, resuming, replaying, forgetting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import perfwright
from perfwright.core.budget import Budget, Usage
from perfwright.core.campaign import Campaign, Outcome, Settings, Status
from perfwright.core.protocols import Build, Journal, PairLog
from perfwright.errors import UserError
from perfwright.store.campaign import RecordEndsError
from perfwright.store.journal import JournalStore
from perfwright.store.records import Dialogue, Plan, changes_since, refuse_changes
from perfwright.testing.conformance_journal import JournalConformance, PairLogConformance
from perfwright.testing.measurer import ScriptedPair
from perfwright.testing.mind import draft
from perfwright.testing.program import ScriptedProgram
from perfwright.testing.team import ScriptedTeam

Opener = Callable[[], JournalStore]

PLAN = Plan(
    program="qsort",
    path=Path("qsort.c"),
    settings={"rounds": 3, "levels": ["pipeline"]},
    toolchain="LLVM 22.1.8",
    sources={"qsort.c": "ab", "data/input": "cd"},
    seed=7,
    mind="builtin",
)
PROGRAM = ScriptedProgram(speedups={"fast": 1.1, "quick": 1.05}, wrong={"unsafe": "differs"})
DRAFTS = [draft("unsafe"), draft("fast"), draft("fast", "quick")]


class TestCampaignJournal(JournalConformance):
    @pytest.fixture
    def reopen(self, open_store: Opener) -> Iterator[Callable[[], Journal]]:
        opened = [open_store().create_campaign(PLAN)]

        def again() -> Journal:
            opened[-1].close()
            opened.append(open_store().open_campaign("last"))
            return opened[-1]

        yield again
        opened[-1].close()


class TestCampaignPairs(PairLogConformance):
    @pytest.fixture
    def reopen(self, open_store: Opener) -> Iterator[Callable[[], PairLog[ScriptedPair]]]:
        opened = [open_store().create_campaign(PLAN)]

        def again() -> PairLog[ScriptedPair]:
            opened[-1].close()
            opened.append(open_store().open_campaign("last"))
            return opened[-1].pairs(ScriptedPair)

        yield again
        opened[-1].close()


def run_on(store: JournalStore, name: str | None = None) -> tuple[Outcome, str]:
    """A whole campaign; the journal of `name` is replayed if there is one."""
    journal = store.replay_campaign(name) if name else store.create_campaign(PLAN)
    with journal:
        team = ScriptedTeam(PROGRAM, DRAFTS, journal=journal, pairs=journal.pairs(ScriptedPair))
        outcome = team.run(Budget(rounds=2))
        if name is None:
            journal.finish(outcome.status, outcome)
        return outcome, journal.campaign


# --- names and lists ------------------------------------------------------------------------


def test_ids_are_short_and_readable(store: JournalStore) -> None:
    assert store.create_campaign(PLAN).campaign == "qsort-0000a1"


@pytest.mark.parametrize(
    ("program", "slug"), [("Lua 5.4!", "lua-5-4"), ("../x", "x"), ("", "program"), ("ä", "program")]
)
def test_ids_are_made_of_plain_letters(store: JournalStore, program: str, slug: str) -> None:
    assert store.create_campaign(Plan(program, Path())).campaign == f"{slug}-0000a1"


def test_no_two_campaigns_have_one_id(home: Path) -> None:
    tokens = iter(["000000", "000000", "000001"])
    with JournalStore.open(home, token=lambda: next(tokens)) as store:
        names = {store.create_campaign(PLAN).campaign for _ in range(2)}
    assert names == {"qsort-000000", "qsort-000001"}


def test_everything_a_campaign_was_started_with_is_kept(store: JournalStore) -> None:
    with store.create_campaign(PLAN):
        pass
    (record,) = store.list()
    assert record.plan == PLAN
    assert record.version == perfwright.__version__
    assert record.started == datetime(2030, 1, 1, tzinfo=UTC)
    assert record.ended is None


def test_campaigns_are_listed_newest_first(store: JournalStore) -> None:
    names = [store.create_campaign(PLAN).campaign for _ in range(3)]
    assert [record.id for record in store.list()] == names[::-1]


def test_a_campaign_is_found_by_id_beginning_or_as_the_last(store: JournalStore) -> None:
    first = store.create_campaign(PLAN).campaign
    last = store.create_campaign(Plan("lzss", Path("lzss.c"))).campaign
    assert (first, last) == ("qsort-0000a1", "lzss-0000a2")
    assert store.find(first).id == store.find("qso").id == store.find("0000a1").id == first
    assert store.find("last").id == last


def test_an_exact_id_wins_over_a_beginning(home: Path) -> None:
    tokens = iter(["aa", "aab"])
    with JournalStore.open(home, token=lambda: next(tokens)) as store:
        store.create_campaign(PLAN)
        store.create_campaign(PLAN)
        assert store.find("qsort-aa").id == "qsort-aa"


def test_a_beginning_of_several_ids_lists_them(store: JournalStore) -> None:
    store.create_campaign(PLAN)
    store.create_campaign(PLAN)
    with pytest.raises(UserError, match="2 campaigns begin with 'qsort'") as several:
        store.find("qsort")
    assert several.value.cause == "qsort-0000a2, qsort-0000a1"
    assert "qsort-0000a2" in several.value.hint


def test_an_unknown_campaign_lists_the_nearest(store: JournalStore) -> None:
    store.create_campaign(Plan("lzss", Path()))
    store.create_campaign(PLAN)
    with pytest.raises(UserError, match="unknown campaign 'qsrt-0000a2'") as unknown:
        store.find("qsrt-0000a2")
    assert unknown.value.hint == "qsort-0000a2"
    assert unknown.value.exit_status == 2


@pytest.mark.parametrize("name", ["last", "", "x"])
def test_an_empty_journal_knows_no_campaign(store: JournalStore, name: str) -> None:
    with pytest.raises(UserError, match="there is no campaign yet"):
        store.find(name)


# --- status and sessions --------------------------------------------------------------------


def test_a_campaign_runs_as_long_as_its_process_has_it(store: JournalStore) -> None:
    journal = store.create_campaign(PLAN)
    assert store.find("last").status == "running"
    journal.close()
    assert store.find("last").status == "interrupted"


def test_a_finished_campaign_keeps_its_outcome(open_store: Opener) -> None:
    outcome, name = run_on(open_store())
    store = open_store()
    assert store.find(name).status == "improved"
    assert store.find(name).ended is not None
    assert store.replay_campaign(name).outcome() == outcome


def test_an_ended_campaign_is_not_resumed(store: JournalStore) -> None:
    run_on(store)
    with pytest.raises(UserError, match="has ended: improved") as ended:
        store.open_campaign("last")
    assert "perfwright show qsort-0000a1" in ended.value.hint


@pytest.mark.parametrize("status", [Status.FAILED, Status.INTERRUPTED])
def test_a_failed_or_interrupted_campaign_is_resumed(store: JournalStore, status: Status) -> None:
    with store.create_campaign(PLAN) as journal:
        journal.finish(status, cause="the network is down")
    assert store.find("last").status == status
    assert store.find("last").cause == "the network is down"
    with store.open_campaign("last"):
        assert store.find("last").status == "running"
        assert store.find("last").cause == ""


def test_a_campaign_is_run_by_one_process_only(open_store: Opener) -> None:
    journal = open_store().create_campaign(PLAN)
    with pytest.raises(UserError, match="campaign qsort-0000a1 is being run by another process"):
        open_store().open_campaign("last")
    journal.close()
    open_store().open_campaign("last").close()


def test_usage_adds_up_over_sessions(open_store: Opener) -> None:
    used = Usage(requests=1, tokens=100, usd=0.25, seconds=10, compile_seconds=4, run_seconds=5)
    with open_store().create_campaign(PLAN, meter=lambda: used) as journal:
        assert journal.spent() == 10
    with open_store().open_campaign("last", meter=lambda: used) as journal:
        assert journal.usage() == used + used
        assert journal.spent() == 20
    assert open_store().find("last").usage == used + used
    assert open_store().replay_campaign("last").usage() == used + used


def test_a_closed_journal_still_knows_its_usage(store: JournalStore) -> None:
    journal = store.create_campaign(PLAN, meter=lambda: Usage(seconds=10))
    journal.close()
    journal.close()
    assert journal.spent() == 10


def test_a_killed_session_is_accounted_for_up_to_its_last_commit(open_store: Opener) -> None:
    seconds = 0.0
    killed = open_store().create_campaign(PLAN, meter=lambda: Usage(seconds=seconds))
    seconds = 3.0
    killed.once("a", str, lambda: "b")
    seconds = 5.0
    killed.pairs(ScriptedPair).append("c", ScriptedPair((1.0, 2.0)))
    seconds = 9.0
    assert killed._session is not None
    killed._session.lease.release()  # as the kernel does
    with open_store().open_campaign("last") as journal:
        assert journal.spent() == 5.0


# --- steps, pairs, dialogues ----------------------------------------------------------------


def test_steps_are_listed_in_order_with_their_types(store: JournalStore) -> None:
    journal = store.create_campaign(PLAN)
    journal.once("z", bool, lambda: True)
    journal.once("a", tuple[int, ...], lambda: (1, 2))
    steps = [(step.seq, step.key, step.kind, step.payload) for step in journal.steps()]
    assert steps == [(0, "z", "bool", "true"), (1, "a", "tuple[int, ...]", "[1,2]")]


def test_campaigns_do_not_see_each_others_steps_and_pairs(store: JournalStore) -> None:
    first, second = store.create_campaign(PLAN), store.create_campaign(PLAN)
    first.once("a", str, lambda: "first")
    first.pairs(ScriptedPair).append("a", ScriptedPair((1.0, 2.0)))
    assert second.once("a", str, lambda: "second") == "second"
    assert second.pairs(ScriptedPair).recorded("a") == []


def test_what_cannot_be_read_back_is_not_written(store: JournalStore) -> None:
    journal = store.create_campaign(PLAN)
    with pytest.raises(TypeError):
        journal.once("a", Build, lambda: "no build")
    assert journal.steps() == ()


def test_dialogues_are_kept_in_order(store: JournalStore) -> None:
    journal = store.create_campaign(PLAN)
    asked = [Dialogue("reasoner", {"n": n}, {"text": "ü"}, tokens=10, usd=0.01) for n in range(3)]
    for dialogue in asked:
        journal.record(dialogue)
    assert journal.dialogues() == tuple(asked)


# --- replay ---------------------------------------------------------------------------------


def test_a_finished_campaign_replays_to_the_same_outcome(open_store: Opener) -> None:
    outcome, name = run_on(open_store())
    assert run_on(open_store(), name) == (outcome, name)


def test_a_replay_writes_nothing(store: JournalStore) -> None:
    _, name = run_on(store)
    before = list(store._database.connection.iterdump())
    run_on(store, name)
    assert list(store._database.connection.iterdump()) == before


def test_a_replay_ends_where_the_record_ends(store: JournalStore) -> None:
    with store.create_campaign(PLAN) as journal:
        journal.once("a", str, lambda: "b")
    replay = store.replay_campaign("last")
    assert replay.once("a", str, lambda: pytest.fail("computed")) == "b"
    with pytest.raises(RecordEndsError, match="step 'c' was never finished") as end:
        replay.once("c", str, lambda: pytest.fail("computed"))
    assert end.value.hint == "perfwright resume qsort-0000a1"


@pytest.mark.parametrize(
    "write",
    [
        lambda journal: journal.pairs(ScriptedPair).append("a", ScriptedPair((1.0, 2.0))),
        lambda journal: journal.record(Dialogue("r", {}, {})),
        lambda journal: journal.finish(Status.NO_GAIN),
    ],
)
def test_a_replay_refuses_to_write(store: JournalStore, write: Callable[[object], None]) -> None:
    store.create_campaign(PLAN).close()
    with pytest.raises(RecordEndsError):
        write(store.replay_campaign("last"))


def test_a_running_campaign_can_be_read_by_others(open_store: Opener) -> None:
    journal = open_store().create_campaign(PLAN)
    reader = open_store().replay_campaign("last")
    journal.once("a", str, lambda: "b")
    assert [step.key for step in reader.steps()] == ["a"]


# --- what a campaign stands on --------------------------------------------------------------


def test_nothing_has_changed() -> None:
    assert changes_since(PLAN, PLAN.toolchain, PLAN.sources) == ()


def test_changes_are_told_one_by_one() -> None:
    now = {"qsort.c": "xx", "new.h": "ef"}
    assert changes_since(PLAN, "LLVM 22.1.9", now) == (
        "the toolchain was LLVM 22.1.8, and is LLVM 22.1.9",
        "data/input is gone",
        "new.h is new",
        "qsort.c has changed",
    )


def test_a_campaign_on_changed_ground_is_refused(store: JournalStore) -> None:
    store.create_campaign(PLAN).close()
    record = store.find("last")
    refuse_changes(record, PLAN.toolchain, PLAN.sources)
    with pytest.raises(UserError, match="cannot be resumed") as refused:
        refuse_changes(record, "LLVM 22.1.9", PLAN.sources)
    assert "LLVM 22.1.8" in refused.value.cause
    assert "perfwright tune qsort.c" in refused.value.hint


# --- forgetting -----------------------------------------------------------------------------


def test_a_forgotten_campaign_leaves_nothing(store: JournalStore) -> None:
    kept, _ = run_on(store), run_on(store)
    store.remove("last")
    assert [record.id for record in store.list()] == [kept[1]]
    for table in ("sessions", "steps", "pairs", "dialogues"):
        rows = store._database.rows(f"SELECT DISTINCT campaign FROM {table}")
        assert {row[0] for row in rows} <= {kept[1]}


def test_a_running_campaign_is_not_forgotten(open_store: Opener) -> None:
    journal = open_store().create_campaign(PLAN)
    with pytest.raises(UserError, match="is being run"):
        open_store().remove("last")
    journal.close()


def test_artefacts_in_use_are_those_that_steps_name(store: JournalStore) -> None:
    outcome, name = run_on(store)
    used = store.artefacts_in_use()[name]
    assert set(outcome.ground.baseline.binaries) <= used
    assert all(len(digest) == 64 for digest in used)


def test_a_campaign_over_the_journal_has_the_outcome_of_one_in_memory(store: JournalStore) -> None:
    team = ScriptedTeam(PROGRAM, DRAFTS)
    settings = Settings(Budget(rounds=2))
    assert run_on(store)[0] == Campaign(team.team, settings).run()
