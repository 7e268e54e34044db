"""Journals of older and newer versions."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from perfwright.errors import InternalError, UserError
from perfwright.store.database import Database
from perfwright.store.journal import JournalStore
from perfwright.store.migrate import Migration, migrate, shipped
from perfwright.store.records import Dialogue

FIRST = Migration("0001_a", "CREATE TABLE a (x INTEGER);\nINSERT INTO a VALUES (1);\n")
SECOND = Migration("0002_b", "-- a comment; with a semicolon\nALTER TABLE a ADD COLUMN y TEXT;\n")
BROKEN = Migration("0003_c", "INSERT INTO a VALUES (2, 'z');\nALTER TABLE nothing ADD x;\n")


@pytest.fixture
def database() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


def columns(database: sqlite3.Connection) -> list[str]:
    return [row[1] for row in database.execute("PRAGMA table_info(a)")]


def test_all_migrations_make_a_new_database(database: sqlite3.Connection) -> None:
    assert migrate(database, [FIRST, SECOND]) == ("0001_a", "0002_b")
    assert columns(database) == ["x", "y"]


def test_only_what_is_missing_is_applied(database: sqlite3.Connection) -> None:
    migrate(database, [FIRST])
    assert migrate(database, [FIRST, SECOND]) == ("0002_b",)
    assert database.execute("SELECT x, y FROM a").fetchall() == [(1, None)]


def test_a_database_that_is_up_to_date_is_left_alone(database: sqlite3.Connection) -> None:
    migrate(database, [FIRST, SECOND])
    assert migrate(database, [FIRST, SECOND]) == ()


def test_a_migration_that_fails_changes_nothing(database: sqlite3.Connection) -> None:
    migrate(database, [FIRST])
    with pytest.raises(sqlite3.Error, match="nothing"):
        migrate(database, [FIRST, SECOND, BROKEN])
    assert columns(database) == ["x"]
    assert database.execute("SELECT name FROM migrations").fetchall() == [("0001_a",)]


def test_a_newer_database_is_refused(database: sqlite3.Connection) -> None:
    migrate(database, [FIRST, SECOND])
    with pytest.raises(UserError, match="newer perfwright") as refused:
        migrate(database, [FIRST])
    assert "0002_b" in refused.value.cause
    assert "upgrade perfwright" in refused.value.hint


def test_shipped_migrations_are_numbered_without_gaps() -> None:
    numbers = [int(migration.name[:4]) for migration in shipped()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_shipped_migrations_hold_nothing_but_whole_statements() -> None:
    for migration in shipped():
        body = "".join(migration.statements())
        assert body.strip() == migration.sql.strip()


def test_the_first_journals_can_still_be_read_and_resumed(home: Path) -> None:
    home.mkdir()
    script = Path(__file__).with_name("data") / "journal_0001.sql"
    old = sqlite3.connect(home / "journal.sqlite3")
    old.executescript(script.read_text())
    old.close()
    with JournalStore.open(home) as store:
        (record,) = store.list()
        assert record.id == "qsort-7f3a2c"
        assert record.status == "interrupted"
        assert record.started == datetime(2030, 1, 1, tzinfo=UTC)
        assert record.usage.seconds == 12.5
        with store.open_campaign("last") as journal:
            assert journal.once("round 1/may begin", bool, lambda: pytest.fail("lost")) is True
            assert journal.once("round 2/may begin", bool, lambda: False) is False
            journal.record(Dialogue("reasoner", {"ask": 1}, {"say": 2}))
            assert len(journal.dialogues()) == 1


def test_a_damaged_migration_is_told_in_words(home: Path) -> None:
    home.mkdir()
    with pytest.raises(InternalError, match="cannot do what it should"):
        Database(home / "journal.sqlite3", [FIRST, BROKEN])
