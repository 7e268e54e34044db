from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from perfwright.store.journal import JournalStore

Opener = Callable[[], JournalStore]


MEMORY = Path("/dev/shm")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a file system: thousands of commits wait for no disk."""
    if not MEMORY.is_dir():
        yield tmp_path / "home"
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder) / "home"


@pytest.fixture
def open_store(home: Path) -> Iterator[Opener]:
    """Opens the same journal as another process would: time goes by seconds, ids count up."""
    opened: list[JournalStore] = []
    moments = (datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=n) for n in itertools.count())
    tokens = (f"{number:06x}" for number in itertools.count(0xA1))

    def open_one() -> JournalStore:
        opened.append(
            JournalStore.open(home, now=lambda: next(moments), token=lambda: next(tokens))
        )
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Opener) -> JournalStore:
    return open_store()
