from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from perfwright.errors import InternalError
from perfwright.measure.lock import measuring


def test_the_lock_is_free_again_afterwards(tmp_path: Path) -> None:
    heard: list[str] = []
    for _ in range(2):
        with measuring("us", places=[tmp_path], waiting=heard.append):
            pass
    assert heard == []


def test_who_waits_is_told_for_whom(tmp_path: Path) -> None:
    heard: list[str] = []
    told, entered = threading.Event(), threading.Event()

    def listen(holder: str) -> None:
        heard.append(holder)
        told.set()

    def other() -> None:
        with measuring("the second", places=[tmp_path], waiting=listen):
            entered.set()

    with measuring("campaign qsort-1", places=[tmp_path]):
        thread = threading.Thread(target=other)
        thread.start()
        assert told.wait(10)
        assert not entered.is_set()
    thread.join(10)
    assert entered.is_set()
    assert heard == [f"campaign qsort-1 (process {os.getpid()})"]


def test_an_error_inside_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), measuring("us", places=[tmp_path]):
        raise ValueError("x")
    with measuring("us", places=[tmp_path]):
        pass


def test_the_first_folder_that_works_is_taken(tmp_path: Path) -> None:
    with measuring("us", places=[tmp_path / "absent", tmp_path]):
        assert [path.name for path in tmp_path.iterdir()] == ["perfwright-measuring.lock"]


def test_everyone_may_lock(tmp_path: Path) -> None:
    with measuring("us", places=[tmp_path]):
        (path,) = tmp_path.iterdir()
        assert path.stat().st_mode & 0o777 == 0o666


def test_without_any_folder_there_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(InternalError, match="no lock file"),
        measuring("us", places=[tmp_path / "absent"]),
    ):
        pass
