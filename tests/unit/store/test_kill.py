"""`kill -9` at any moment loses at most the step in flight, and changes no decision.

Children are forked: they start at once, and die for real.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from perfwright.store.database import Database
from perfwright.store.journal import JournalStore
from perfwright.testing import scripted_campaign
from perfwright.testing.journal import CrashPoints
from perfwright.toolchain.process import Limits, run

SEED = 3
"""A campaign with trials in all five states, and edits of the winner that are dropped."""

FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Record:
    """All that a journal knows of a campaign but times of day; and the pairs that were timed."""

    status: str
    outcome: object
    steps: tuple[tuple[str, str, str], ...]
    pairs: tuple[tuple[Any, ...], ...]
    timed: Counter[str]


def record_of(home: Path) -> Record:
    with JournalStore.open(home) as store:
        journal = store.replay_campaign("last")
        rows = store._database.rows("SELECT label, number, payload FROM pairs")
        return Record(
            status=store.find("last").status,
            outcome=journal.outcome(),
            steps=tuple((step.key, step.kind, step.payload) for step in journal.steps()),
            pairs=tuple(tuple(row) for row in rows),
            timed=Counter((home / "timed.txt").read_text().splitlines()),
        )


def campaign(home: Path, die_at: int | None) -> None:
    """In a child: work on the campaign.  Dying within a transaction is a crash point too."""
    points = CrashPoints(die_at, scripted_campaign.die)
    commit = Database.transaction

    @contextmanager
    def deadly(database: Database) -> Iterator[object]:
        with commit(database) as connection:
            yield connection
            points.reach()

    Database.transaction = deadly  # type: ignore[method-assign, assignment]
    scripted_campaign.run(home, SEED, points)


def child(home: Path, die_at: int | None = None) -> int:
    """Exit status of a process that works on the campaign; -9 if it died."""
    process = FORK.Process(target=campaign, args=(home, die_at))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Record:
    home = tmp_path_factory.mktemp("undisturbed")
    assert child(home) == 0
    return record_of(home)


def assert_same(found: Record, undisturbed: Record, deaths: int) -> None:
    assert found.status == undisturbed.status == "improved"
    assert found.outcome == undisturbed.outcome
    assert found.steps == undisturbed.steps
    assert found.pairs == undisturbed.pairs
    again = sum((found.timed - undisturbed.timed).values())
    assert again <= deaths, "more than the pairs in flight were timed again"


def test_the_campaign_that_is_killed_has_something_of_everything(undisturbed: Record) -> None:
    kinds = {kind for _, kind, _ in undisturbed.steps}
    assert {"Ground", "Build", "Refusal", "Correctness", "Lesson", "Comparison"} <= kinds
    assert any(key.startswith("prune") for key, _, _ in undisturbed.steps)
    assert set(undisturbed.timed.values()) == {1}


def test_a_campaign_killed_again_and_again_ends_as_if_it_had_not_been(
    home: Path, undisturbed: Record
) -> None:
    dice = random.Random(1)
    deaths = 0
    while (status := child(home, dice.randint(4, 11))) != 0:
        assert status == -signal.SIGKILL
        deaths += 1
    assert deaths >= 50
    assert_same(record_of(home), undisturbed, deaths)


@pytest.mark.parametrize("turn", range(10))
def test_a_campaign_killed_at_a_random_step_ends_as_if_it_had_not_been(
    home: Path, undisturbed: Record, turn: int
) -> None:
    assert child(home, random.Random(turn).randint(2, 250)) == -signal.SIGKILL
    assert child(home) == 0
    assert_same(record_of(home), undisturbed, 1)


def test_a_campaign_killed_at_any_time_ends_as_if_it_had_not_been(
    home: Path, undisturbed: Record
) -> None:
    dice = random.Random(2)
    deaths = 0
    for _ in range(15):
        process = FORK.Process(target=campaign, args=(home, None))
        process.start()
        process.join(timeout=dice.uniform(0.005, 0.08))
        if process.exitcode is None:
            os.kill(process.pid or 0, signal.SIGKILL)
            deaths += 1
        process.join()
    assert child(home) == 0
    assert_same(record_of(home), undisturbed, deaths)


def test_another_process_with_the_same_seed_runs_the_same_campaign(
    tmp_path: Path, undisturbed: Record
) -> None:
    script = [sys.executable, "-m", "perfwright.testing.scripted_campaign"]
    limits = Limits(wall=60)
    options = ["--seed", str(SEED)]
    killed = run([*script, tmp_path / "a", *options, "--die-at", "100"], limits=limits)
    assert killed.status == -signal.SIGKILL
    resumed = run([*script, tmp_path / "a", *options], limits=limits)
    replayed = run([*script, tmp_path / "a", *options], limits=limits)
    assert resumed.status == replayed.status == 0
    assert json.loads(resumed.text) == json.loads(replayed.text)
    assert_same(record_of(tmp_path / "a"), undisturbed, 1)


def test_a_killed_campaign_shows_as_interrupted_and_can_be_resumed_at_once(home: Path) -> None:
    assert child(home, 30) == -signal.SIGKILL
    with JournalStore.open(home) as store:
        assert store.find("last").status == "interrupted"
        store.open_campaign("last").close()
