"""Live progress on a terminal, plain lines in a pipe; always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

from perfwright.core import events
from perfwright.core.budget import Clock
from perfwright.core.events import Event, Reporter
from perfwright.core.trial import Trial
from perfwright.units import format_duration, format_ratio

_STAGES = {
    "observe": "looking at the program",
    "propose": "thinking",
    "build": "building",
    "check": "checking",
    "measure": "measuring",
    "prune": "leaving out one edit at a time",
    "confirm": "confirming on fresh runs",
    "wait": "waiting",
}


class Progress:
    """Turns events into words: `line` for what stays, `status` for what is going on."""

    def __init__(
        self,
        line: Callable[[str], None],
        status: Callable[[str], None],
        seconds: float | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._line = line
        self._status = status
        self._limit = seconds
        self._clock = clock
        self._started = clock()
        self._best = 1.0
        self._doing = ""

    def __call__(self, event: Event) -> None:
        """Hear one event."""
        match event:
            case events.StageBegan(stage, detail):
                self._doing = " ".join(filter(None, [_STAGES.get(stage, stage), detail]))
                self._tell()
            case events.PairTimed(pairs, estimate):
                self._tell(f"{pairs} pairs, {format_ratio(estimate)} so far")
            case events.RoundBegan(number, of):
                self._line(f"round {number} of {of}" if of else f"round {number}")
            case events.TrialEnded(trial, best):
                self._best = best
                self._line(_trial(trial))
            case events.EditPriced(contribution, kept):
                fate = "stays" if kept else "goes"
                self._line(f"  {contribution.edit}: {contribution.comparison}: {fate}")
            case events.Confirmed(comparison):
                self._line(f"  confirmed on fresh runs: {comparison}")
            case events.Warned(text, hint):
                self._line(f"warning: {text}" + (f" ({hint})" if hint else ""))

    def _tell(self, more: str = "") -> None:
        spent = self._clock() - self._started
        left = f"{format_duration(max(0.0, self._limit - spent))} left" if self._limit else ""
        best = f"best so far {format_ratio(self._best)}"
        self._status(" | ".join(filter(None, [self._doing, more, best, left])))


def _trial(trial: Trial) -> str:
    if trial.against_incumbent is not None:
        fate = "kept" if trial.accepted else "rolled back"
        return f"  {trial.id} {trial.against_incumbent}: {fate}"
    return f"  {trial.id} {trial.state}: {trial.reason}"


@contextmanager
def reporter(seconds: float | None) -> Iterator[Reporter]:
    """The reporter for this standard error; `seconds` is the time budget, if there is one."""
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield Progress(_plain, _ignore, seconds)
        return
    with Status("starting", console=console) as status:

        def line(text: str) -> None:
            console.print(text, markup=False)

        yield Progress(line, status.update, seconds)


def _plain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _ignore(text: str) -> None:
    del text
