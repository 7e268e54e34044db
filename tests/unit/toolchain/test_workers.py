from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from perfwright.toolchain.process import ProcessResult, kill_running, run
from perfwright.toolchain.workers import worker_threads


def test_the_threads_give_their_results() -> None:
    with worker_threads(2) as pool:
        assert [result.text for result in pool.map(lambda n: run(["echo", n]), "ab")] == [
            "a\n",
            "b\n",
        ]


def test_interrupted_what_runs_is_killed_and_the_rest_never_started(tmp_path: Path) -> None:
    def work(number: int) -> ProcessResult:
        return run(["sh", "-c", f"touch {tmp_path}/{number}; exec sleep 60"])

    futures: list[Future[ProcessResult]] = []

    def interrupted() -> None:
        with worker_threads(1) as pool:
            futures.extend(pool.submit(work, number) for number in range(3))
            while not (tmp_path / "0").exists():
                threading.Event().wait(0.01)
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - started < 30
    assert futures[0].result().status == -9
    assert [future.cancelled() for future in futures] == [False, True, True]
    assert [path.name for path in tmp_path.iterdir()] == ["0"]


def test_there_may_be_nothing_to_kill() -> None:
    kill_running()
