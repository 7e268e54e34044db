"""Budgets and clocks: how much a campaign may spend, and what it has spent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol


class Clock(Protocol):
    """Monotonic seconds; scripted in tests."""

    def __call__(self) -> float:
        """Seconds since some fixed moment."""
        ...


@dataclass(frozen=True)
class Budget:
    """Limits of one campaign: `rounds` (None: no limit) and `seconds` of wall time.

    A round is one measured candidate, or `drafts_per_round` drafts that failed before
    measuring.  Pruning and confirmation are not rounds.
    """

    rounds: int | None = 3
    seconds: float | None = None
    drafts_per_round: int = 3

    def allows(self, rounds_done: int, spent_seconds: float, reserve_seconds: float = 0.0) -> bool:
        """Whether another round may begin, with `reserve_seconds` kept for confirmation."""
        if self.rounds is not None and rounds_done >= self.rounds:
            return False
        return self.seconds is None or spent_seconds + reserve_seconds < self.seconds


@dataclass(frozen=True)
class Usage:
    """What a campaign has cost so far; seconds are wall time."""

    requests: int = 0
    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    compile_seconds: float = 0.0
    run_seconds: float = 0.0

    @property
    def overhead_seconds(self) -> float:
        """Time in which perfwright neither compiled nor ran the program."""
        return max(0.0, self.seconds - self.compile_seconds - self.run_seconds)

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.tokens + other.tokens,
            self.usd + other.usd,
            self.seconds + other.seconds,
            self.compile_seconds + other.compile_seconds,
            self.run_seconds + other.run_seconds,
        )


Activity = Literal["compile", "run", "wait"]
"""`wait`: for another campaign that is measuring on this machine; no time of this one."""


class Meter:
    """Adds up wall time by activity; activities of the same kind may overlap in threads.

    Time in which several kinds are active counts once: as waiting, else as running.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()
        self._active: dict[Activity, int] = {"compile": 0, "run": 0, "wait": 0}
        self._spent: dict[Activity, float] = {"compile": 0.0, "run": 0.0, "wait": 0.0}
        self._since = self._started
        self._asked = Usage()

    def ask(self, *, requests: int = 0, tokens: int = 0, usd: float = 0.0) -> None:
        """Count what a model was asked: requests, tokens in and out, and their price."""
        with self._lock:
            self._asked += Usage(requests=requests, tokens=tokens, usd=usd)

    def _settle(self) -> None:
        now = self._clock()
        order: tuple[Activity, ...] = ("wait", "run", "compile")
        busy = next((activity for activity in order if self._active[activity]), None)
        if busy is not None:
            self._spent[busy] += now - self._since
        self._since = now

    @contextmanager
    def during(self, activity: Activity) -> Iterator[None]:
        """Count the time of the block as `activity`."""
        with self._lock:
            self._settle()
            self._active[activity] += 1
        try:
            yield
        finally:
            with self._lock:
                self._settle()
                self._active[activity] -= 1

    @property
    def usage(self) -> Usage:
        """What has been spent since the meter was made, waiting left out."""
        with self._lock:
            self._settle()
            return self._asked + Usage(
                seconds=self._clock() - self._started - self._spent["wait"],
                compile_seconds=self._spent["compile"],
                run_seconds=self._spent["run"],
            )
