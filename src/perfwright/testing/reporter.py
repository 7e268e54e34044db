"""A reporter that remembers."""

from __future__ import annotations

from typing import TypeVar

from perfwright.core.events import Event

E = TypeVar("E")


class RecordingReporter:
    """Hears every event and keeps it, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """See `perfwright.core.events.Reporter`."""
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]
