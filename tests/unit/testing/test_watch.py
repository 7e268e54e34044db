from __future__ import annotations

import os
import threading
from pathlib import Path

from perfwright.testing.watch import watching
from perfwright.toolchain.process import run


def test_a_process_that_is_started_is_heard() -> None:
    with watching() as watch:
        run(["true"])
    assert len(watch.started) == 1
    assert "true" in watch.started[0]


def test_what_is_written_and_what_is_only_read_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with watching() as watch:
        file.write_text("x")
        file.read_text()
        os.close(os.open(file, os.O_WRONLY))
    assert watch.written == [str(file)] * 2
    assert watch.read == [str(file)]


def test_what_is_renamed_or_removed_is_written(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()
    with watching() as watch:
        old.rename(new)
        new.unlink()
    assert watch.written == [str(old), str(new)]


def test_other_threads_are_heard(tmp_path: Path) -> None:
    with watching() as watch:
        thread = threading.Thread(target=(tmp_path / "file").write_text, args=("x",))
        thread.start()
        thread.join()
    assert watch.written == [str(tmp_path / "file")]


def test_nothing_is_heard_afterwards(tmp_path: Path) -> None:
    with watching() as watch:
        pass
    (tmp_path / "file").write_text("x")
    assert watch.written == []
