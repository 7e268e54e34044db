"""A measurer without a machine: true times from the script, noise from a seed."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from perfwright.core import events
from perfwright.core.events import Reporter
from perfwright.core.protocols import Build, PairLog
from perfwright.core.verdict import Comparison, Verdict
from perfwright.testing.program import ScriptedProgram

_HALF_WIDTH = 3.0
"""Standard errors on either side: a false verdict about once in 400 comparisons."""

_SAME_WITHIN = math.log(1.005)


@dataclass(frozen=True)
class ScriptedPair:
    """One round over all arms: seconds of each, in the order of `arms`."""

    seconds: tuple[float, ...]


class ScriptedMeasurer:
    """Times `pairs` pairs a comparison; each has noise of its own, from seed, label, number.

    Resumed over the same log it times only what is missing, and gets the same times.
    `timed` lists every pair that was really timed, as (label, number).
    """

    def __init__(
        self,
        program: ScriptedProgram,
        log: PairLog[ScriptedPair],
        *,
        seed: int = 0,
        noise: float = 0.01,
        pairs: int = 10,
        reporter: Reporter = events.silent,
    ) -> None:
        self.program = program
        self.log = log
        self.seed = seed
        self.noise = noise
        self.pairs = pairs
        self.reporter = reporter
        self.timed: list[tuple[str, int]] = []

    def select(self, label: str, arms: Sequence[Build]) -> tuple[Comparison, ...]:
        """See `perfwright.core.protocols.Measurer`."""
        return self._compare(label, arms, searching=True)

    def attribute(self, label: str, winner: Build, without: Build) -> Comparison:
        """See `perfwright.core.protocols.Measurer`."""
        return self._compare(label, (winner, without), searching=True)[0]

    def confirm(self, label: str, winner: Build, baseline: Build) -> Comparison:
        """See `perfwright.core.protocols.Measurer`."""
        return self._compare(label, (winner, baseline), searching=False)[0]

    def _compare(
        self, label: str, arms: Sequence[Build], *, searching: bool
    ) -> tuple[Comparison, ...]:
        pairs = list(self.log.recorded(label))
        while len(pairs) < self.pairs:
            pair = self._time(label, len(pairs), arms, searching=searching)
            self.log.append(label, pair)
            pairs.append(pair)
            estimate = compare([p.seconds[0] for p in pairs], [p.seconds[1] for p in pairs]).ratio
            self.reporter(events.PairTimed(len(pairs), estimate))
        times = list(zip(*(pair.seconds for pair in pairs), strict=True))
        return tuple(compare(times[0], reference) for reference in times[1:])

    def _time(
        self, label: str, number: int, arms: Sequence[Build], *, searching: bool
    ) -> ScriptedPair:
        dice = random.Random(f"{self.seed}/{label}/{number}")
        self.timed.append((label, number))
        true = [self.program.seconds(arm.candidate, searching=searching) for arm in arms]
        return ScriptedPair(tuple(t * math.exp(dice.gauss(0.0, self.noise)) for t in true))


def compare(candidate: Sequence[float], reference: Sequence[float]) -> Comparison:
    """The comparison that paired times give; good enough for scripts, not for machines."""
    logs = [math.log(r / c) for c, r in zip(candidate, reference, strict=True)]
    mean = statistics.fmean(logs)
    error = statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else 0.0
    low, high = mean - _HALF_WIDTH * error, mean + _HALF_WIDTH * error
    if max(-low, high) <= _SAME_WITHIN:
        verdict = Verdict.SAME
    elif low > 0:
        verdict = Verdict.FASTER
    elif high < 0:
        verdict = Verdict.SLOWER
    else:
        verdict = Verdict.INCONCLUSIVE
    return Comparison(
        verdict,
        ratio=math.exp(mean),
        low=math.exp(low),
        high=math.exp(high),
        pairs=len(logs),
        confidence=0.997,
        method="scripted",
    )
