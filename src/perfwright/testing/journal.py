"""Journals in memory, and journals that break off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from perfwright.core.protocols import Journal, PairLog

T = TypeVar("T")
P = TypeVar("P")


class MemoryJournal(Generic[P]):
    """Core's `Journal` and `PairLog` in two dictionaries.  Values are kept as they are."""

    def __init__(self) -> None:
        self.steps: dict[str, Any] = {}
        self.pairs: dict[str, list[P]] = {}

    def once(self, key: str, kind: Any, compute: Callable[[], T]) -> T:  # noqa: ARG002 - kept as is
        """See `perfwright.core.protocols.Journal`."""
        if key not in self.steps:
            self.steps[key] = compute()
        outcome: T = self.steps[key]
        return outcome

    def recorded(self, label: str) -> Sequence[P]:
        """See `perfwright.core.protocols.PairLog`."""
        return tuple(self.pairs.get(label, ()))

    def append(self, label: str, record: P) -> None:
        """See `perfwright.core.protocols.PairLog`."""
        self.pairs.setdefault(label, []).append(record)


class CrashError(Exception):
    """The process "died" here."""


class CrashPoints:
    """Counts the moments at which a campaign could die, and lets it die at one of them.

    A step passes three of them: before it begins, when it is done, and when it is committed;
    a pair passes two: timed, committed.  What is answered from the record passes none.
    `crash` must not return: it raises, or kills the process.
    """

    def __init__(self, at: int | None, crash: Callable[[], None]) -> None:
        self.at = at
        self.crash = crash
        self.passed = 0

    def reach(self) -> None:
        """One such moment."""
        self.passed += 1
        if self.passed == self.at:
            self.crash()


def crash() -> None:
    """Die without the process: raises `CrashError`."""
    raise CrashError


class CrashingJournal:
    """A journal that leads its campaign past crash points."""

    def __init__(self, journal: Journal, points: CrashPoints) -> None:
        self.journal = journal
        self.points = points

    def once(self, key: str, kind: Any, compute: Callable[[], T]) -> T:
        """See `perfwright.core.protocols.Journal`."""
        fresh = False

        def watched() -> T:
            nonlocal fresh
            fresh = True
            self.points.reach()
            value = compute()
            self.points.reach()
            return value

        outcome = self.journal.once(key, kind, watched)
        if fresh:
            self.points.reach()
        return outcome


class CrashingPairs(Generic[P]):
    """A log of pairs that leads its campaign past crash points."""

    def __init__(self, log: PairLog[P], points: CrashPoints) -> None:
        self.log = log
        self.points = points

    def recorded(self, label: str) -> Sequence[P]:
        """See `perfwright.core.protocols.PairLog`."""
        return self.log.recorded(label)

    def append(self, label: str, record: P) -> None:
        """See `perfwright.core.protocols.PairLog`."""
        self.points.reach()
        self.log.append(label, record)
        self.points.reach()
