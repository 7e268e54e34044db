"""Migrations: the SQL files of `migrations/`, applied in the order of their names.

All pending ones are applied in one transaction and recorded by name, so that a database is
either as it was or up to date.  A database that knows migrations which this program does not
was written by a newer perfwright, and is refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

from perfwright.errors import UserError


@dataclass(frozen=True)
class Migration:
    """One named step of the schema."""

    name: str
    sql: str

    def statements(self) -> Iterator[str]:
        """The statements one by one (`executescript` would end the transaction)."""
        statement = ""
        for line in self.sql.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                yield statement
                statement = ""


def shipped() -> tuple[Migration, ...]:
    """The migrations that this program knows, oldest first."""
    folder = resources.files("perfwright.store") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return tuple(Migration(f.name.removesuffix(".sql"), f.read_text("utf-8")) for f in files)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> tuple[str, ...]:
    """Bring a database up to date; returns the names of what was applied.

    The connection is in autocommit mode (`isolation_level=None`).

    Raises:
        UserError: the database was written by a newer perfwright.
        sqlite3.Error: a migration failed; nothing has changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        names = _apply_pending(connection, migrations)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise
    return names


def _apply_pending(
    connection: sqlite3.Connection, migrations: Sequence[Migration]
) -> tuple[str, ...]:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (name TEXT PRIMARY KEY, at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) STRICT"
    )
    applied = {name for (name,) in connection.execute("SELECT name FROM migrations")}
    newer = sorted(applied - {migration.name for migration in migrations})
    if newer:
        raise UserError(
            "the journal was written by a newer perfwright",
            cause=f"this one does not know its migration {newer[-1]!r}",
            hint="upgrade perfwright, or point PERFWRIGHT_HOME at another folder",
        )
    pending = [migration for migration in migrations if migration.name not in applied]
    for migration in pending:
        for statement in migration.statements():
            connection.execute(statement)
        connection.execute("INSERT INTO migrations (name) VALUES (?)", (migration.name,))
    return tuple(migration.name for migration in pending)
