"""The SQLite file under the journal: opening, transactions, and errors in words.

Write-ahead log, `synchronous=FULL`: a transaction that has returned survives `kill -9` and a
power cut (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from perfwright.errors import InternalError, PerfwrightError, UserError
from perfwright.store.disk import FREE_SPACE
from perfwright.store.migrate import Migration, migrate, shipped

_BUSY_SECONDS = 30.0
"""Other processes hold the file for one short transaction at a time."""

_LOOK_AGAIN = 0.01

_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_FORBIDDEN = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}

Parameters = Sequence[str | int | float | None]


class Database:
    """One open file.  Threads may share it: statements and transactions take turns.

    Raises (from every method):
        InternalError: the disk is full, or the file is damaged; says how to set it aside.
        UserError: the file cannot be opened, is from a newer perfwright, or stays locked.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration] | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        with explained(path):
            self.connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            with explained(path):
                _write_ahead(self.connection)
                self.connection.execute("PRAGMA synchronous = FULL")
                self.connection.execute("PRAGMA foreign_keys = ON")
                migrate(self.connection, shipped() if migrations is None else migrations)
        except BaseException:
            self.connection.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All statements of the block, or none of them, on the disk when the block is left."""
        with self._lock, explained(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of a query; columns by name."""
        with self._lock, explained(self.path):
            cursor = self.connection.execute(sql, parameters)
            cursor.row_factory = sqlite3.Row
            found: list[sqlite3.Row] = cursor.fetchall()
            return found

    def check(self) -> None:
        """Look through the whole file for damage (`PRAGMA quick_check`).

        Raises:
            InternalError: there is some.
        """
        complaints = [row[0] for row in self.rows("PRAGMA quick_check(1)")]
        if complaints != ["ok"]:
            raise _damaged(self.path, complaints[0])

    def close(self) -> None:
        """Close the file; the object is of no use afterwards."""
        with self._lock:
            self.connection.close()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch a database to its write-ahead log, after whoever makes it at the same time.

    SQLite's own busy time-out does not cover the switch beside a writer: it fails at once.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_AGAIN)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into errors that say what to do; `path` is the database."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: sqlite3.Error) -> PerfwrightError:
    # The low byte is the primary result code (https://www.sqlite.org/rescode.html).
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in _DAMAGED:
        return _damaged(path, str(error))
    if code in _FULL:
        return InternalError(
            f"cannot write the journal {path}",
            cause=str(error),
            hint=FREE_SPACE,
        )
    if code in _BUSY:
        return UserError(
            f"the journal {path} stays locked",
            cause="another process has kept it for long",
            hint="end that process, or point PERFWRIGHT_HOME at another folder",
        )
    if code in _FORBIDDEN:
        return UserError(
            f"cannot open the journal {path}",
            cause=str(error),
            hint="point PERFWRIGHT_HOME at a folder that you may write",
        )
    return InternalError(f"the journal {path} cannot do what it should", cause=str(error))


def _damaged(path: Path, cause: str) -> InternalError:
    return InternalError(
        f"the journal {path} is damaged",
        cause=cause,
        hint=f"set it aside and start a new one: mv {path} {path}.damaged; rm -f {path}-*",
    )
