"""Runs of programs, with the time that they take counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from perfwright.core.budget import Meter
from perfwright.measure.executor import NativeExecutor
from perfwright.measure.runner import Run, RunResult


@dataclass(frozen=True)
class MeteredExecutor:
    """An executor that counts its time as running."""

    inner: NativeExecutor
    meter: Meter
    before: Callable[[], None] = lambda: None
    """Called before each run; may end the campaign."""

    @property
    def sandboxed(self) -> bool:
        """Whether runs are shut in."""
        return self.inner.sandboxed

    def execute(self, run: Run) -> RunResult:
        """Run a program to its end."""
        self.before()
        with self.meter.during("run"):
            return self.inner.execute(run)
