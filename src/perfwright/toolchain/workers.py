"""Threads that run tools, and that end when the user wants them to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from perfwright.toolchain.process import kill_running


@contextlib.contextmanager
def worker_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads that call `process.run`; interrupted, what they run is killed.

    Ctrl-C reaches the main thread alone, and what `run` starts is in sessions of its own:
    without this the main thread would wait for every compilation that is still to come.
    """
    pool = ThreadPoolExecutor(max_workers=count)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        kill_running()
        raise
    finally:
        pool.shutdown()
