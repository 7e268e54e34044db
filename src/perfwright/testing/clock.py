"""A clock that goes only when it is told to."""

from __future__ import annotations


class ScriptedClock:
    """Seconds that pass by `advance`, and by `tick` at each look (0: time stands still)."""

    def __init__(self, start: float = 0.0, tick: float = 0.0) -> None:
        self.now = start
        self.tick = tick

    def __call__(self) -> float:
        """See `perfwright.core.budget.Clock`."""
        self.now += self.tick
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
