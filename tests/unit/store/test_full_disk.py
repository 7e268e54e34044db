from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from perfwright.store.migrate import migrate, shipped


class FullDisk(sqlite3.Connection):
    """SQLite on a disk without any space: it ends the transaction by itself, and says why."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql.startswith("CREATE"):
            super().execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *parameters)


def test_a_disk_that_is_full_from_the_start_is_told_as_such(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "j", isolation_level=None, factory=FullDisk)
    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        migrate(connection, shipped())
    connection.close()
