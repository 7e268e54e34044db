"""What the user is told when the file under the journal fails."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from perfwright.errors import InternalError, UserError
from perfwright.store import database as module
from perfwright.store.database import Database, explained
from perfwright.store.journal import JournalStore
from perfwright.store.records import Plan


def test_commits_reach_the_disk_before_they_return(home: Path) -> None:
    home.mkdir()
    database = Database(home / "journal.sqlite3")
    assert database.rows("PRAGMA synchronous")[0][0] == 2
    assert database.rows("PRAGMA journal_mode")[0][0] == "wal"


def test_a_transaction_that_fails_leaves_nothing(home: Path) -> None:
    home.mkdir()
    database = Database(home / "journal.sqlite3")
    twice = "INSERT INTO migrations (name) VALUES ('x'), ('y'), ('x')"
    with pytest.raises(InternalError), database.transaction() as connection:
        connection.execute(twice)
    assert database.rows("SELECT * FROM migrations WHERE name = 'x'") == []


def test_a_full_disk_says_what_to_free(store: JournalStore) -> None:
    journal = store.create_campaign(Plan("qsort", Path("qsort.c")))
    pages = store._database.rows("PRAGMA page_count")[0][0]
    store._database.rows(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(InternalError, match="cannot write the journal") as full:
        journal.once("big", str, lambda: "x" * 1_000_000)
    assert full.value.exit_status == 6
    assert "full" in full.value.cause
    assert "perfwright clean" in full.value.hint


def test_a_step_that_met_a_full_disk_is_done_again(store: JournalStore) -> None:
    journal = store.create_campaign(Plan("qsort", Path("qsort.c")))
    pages = store._database.rows("PRAGMA page_count")[0][0]
    store._database.rows(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(InternalError):
        journal.once("big", str, lambda: "x" * 1_000_000)
    store._database.rows("PRAGMA max_page_count = 1000000")
    assert journal.once("big", str, lambda: "again") == "again"


def test_what_is_no_database_is_set_aside(home: Path) -> None:
    home.mkdir()
    (home / "journal.sqlite3").write_bytes(b"not a database at all, but long enough " * 99)
    with pytest.raises(InternalError, match="is damaged") as damaged:
        JournalStore.open(home)
    assert f"mv {home}/journal.sqlite3" in damaged.value.hint


def test_damage_in_the_middle_is_found_before_a_campaign_begins(home: Path) -> None:
    with JournalStore.open(home) as store:
        journal = store.create_campaign(Plan("qsort", Path("qsort.c")))
        for number in range(60):
            journal.once(f"step {number}", str, lambda: "y" * 900)
        journal.close()
    file = home / "journal.sqlite3"
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xff" * 8192
    file.write_bytes(content)
    with JournalStore.open(home) as store, pytest.raises(InternalError, match="is damaged"):
        store.create_campaign(Plan("qsort", Path("qsort.c")))


def test_the_words_for_setting_aside_work(home: Path) -> None:
    home.mkdir()
    file = home / "journal.sqlite3"
    file.write_bytes(b"garbage " * 999)
    with pytest.raises(InternalError):
        JournalStore.open(home)
    file.rename(f"{file}.damaged")
    for rest in home.glob("journal.sqlite3-*"):
        rest.unlink()
    with JournalStore.open(home) as store:
        assert store.list() == ()


def test_a_folder_that_is_a_file_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(UserError, match="cannot write to") as refused:
        JournalStore.open(tmp_path / "home")
    assert "PERFWRIGHT_HOME" in refused.value.hint


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        (sqlite3.SQLITE_FULL, InternalError, "cannot write"),
        (sqlite3.SQLITE_IOERR_WRITE, InternalError, "cannot write"),
        (sqlite3.SQLITE_CORRUPT, InternalError, "is damaged"),
        (sqlite3.SQLITE_NOTADB, InternalError, "is damaged"),
        (sqlite3.SQLITE_BUSY, UserError, "stays locked"),
        (sqlite3.SQLITE_READONLY, UserError, "cannot open"),
        (sqlite3.SQLITE_CANTOPEN, UserError, "cannot open"),
        (sqlite3.SQLITE_ERROR, InternalError, "cannot do what it should"),
    ],
)
def test_every_failure_names_who_must_act(
    code: int, error: type[Exception], words: str, tmp_path: Path
) -> None:
    failure = sqlite3.OperationalError("so it is")
    failure.sqlite_errorcode = code
    with pytest.raises(error, match=words), explained(tmp_path / "j"):
        raise failure


def test_a_journal_that_another_process_keeps_locked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.01)
    home.mkdir()
    first, second = Database(home / "j"), Database(home / "j")
    with (
        first.transaction(),
        pytest.raises(UserError, match="stays locked"),
        second.transaction(),
    ):
        pass


def test_who_opens_a_new_database_waits_for_another_who_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.sqlite3"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            other.close()

    monkeypatch.setattr("perfwright.store.database.time.sleep", nap)
    with closing(Database(path)) as database:
        assert database.rows("PRAGMA journal_mode")[0][0] == "wal"
    assert len(naps) == 2


def test_many_may_open_a_new_journal_at_once(home: Path) -> None:
    def open_and_close(number: int) -> int:
        with JournalStore.open(home) as store:
            store.create_campaign(Plan(f"p{number}", Path("p.c"))).close()
            return number

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(open_and_close, range(24))) == list(range(24))
    with JournalStore.open(home) as store:
        assert len(store.list()) == 24


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_the_users_to_mend(home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(UserError):
        JournalStore.open(home)
