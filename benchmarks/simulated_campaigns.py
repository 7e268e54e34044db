"""Campaigns on a simulated machine: what `study_statistics.py` runs thousands of.

The schedule, the sequential test and the confirmation are the real ones; only the clock is
simulated.  A run's log time is the sum of its program's speed, the luck of its layout and the
noise of the machine at that moment.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from perfwright.core.verdict import Comparison, Verdict
from perfwright.measure.confirm import ConfirmDesign, confirm
from perfwright.measure.schedule import Block, Schedule
from perfwright.measure.sequential import SequentialSettings, SequentialTest
from perfwright.measure.statistics import Values

Noise = Callable[[np.random.Generator, int], Values]
"""Log-scale noise of so many successive runs."""

_MOST_RUNS = 300
"""More runs than any simulated campaign makes (three times 30 pairs, then 40 or 48)."""


def gaussian(rng: np.random.Generator, runs: int, spread: float = 0.01) -> Values:
    """Normal noise: 1 % a run, hence 1.4 % a pair."""
    return spread * rng.standard_normal(runs)


def heavy(rng: np.random.Generator, runs: int) -> Values:
    """Student's t with 3 degrees of freedom, and 4 % of the runs interrupted by 10 % or so."""
    interrupted = (rng.random(runs) < 0.04) * rng.exponential(0.1, runs)
    return np.asarray(0.006 * rng.standard_t(3, runs) + interrupted)


def bimodal(rng: np.random.Generator, runs: int) -> Values:
    """A slow mode, 4 % slower, that comes and stays for a few runs; 30 % of all runs."""
    modes, redrawn = rng.random(runs) < 0.3, rng.random(runs) < 0.5
    redrawn[0] = True
    slow = modes[np.maximum.accumulate(np.where(redrawn, np.arange(runs), 0))]
    return np.asarray(0.005 * rng.standard_normal(runs) + 0.04 * slow)


def drifting(rng: np.random.Generator, runs: int) -> Values:
    """A machine that heats up (0.05 % a run), wanders, and grows three times as noisy."""
    growth = np.linspace(0.006, 0.018, runs)
    wander = np.cumsum(0.003 * rng.standard_normal(runs))
    return np.asarray(5e-4 * np.arange(runs) + wander + growth * rng.standard_normal(runs))


NOISES: dict[str, Noise] = {
    "gaussian": gaussian,
    "heavy-tailed": heavy,
    "bimodal": bimodal,
    "drifting": drifting,
}


@dataclass(frozen=True)
class Setting:
    """One kind of machine and program.

    `layout` is the standard deviation of every program's luck in every layout.  `luck` is
    what the delivered layout of each candidate has on top: an adversary's choice.
    `second_slower` is what a run loses by coming second in its block.  Selection takes turns
    over `selection_layouts`, of which the first is the delivered one.
    """

    noise: Noise = gaussian
    layout: float = 0.0
    luck: float = 0.0
    second_slower: float = 0.0
    selection_layouts: int = 1
    selection: SequentialSettings = field(default_factory=SequentialSettings)
    design: ConfirmDesign = field(default_factory=ConfirmDesign)


@dataclass(frozen=True)
class Outcome:
    """What came of one campaign, and what it cost in pairs."""

    selected: bool
    improved: bool
    selection_pairs: int
    selections: int
    confirmation: Comparison | None
    truth: float


class _Machine:
    """Times blocks of two arms, each with its true log speed-up over the first program."""

    def __init__(self, setting: Setting, seed: int) -> None:
        self._setting = setting
        self._rng = np.random.default_rng(seed)
        self._noise = iter(setting.noise(self._rng, _MOST_RUNS))
        self._luck: dict[tuple[str, int], float] = {}

    def log_ratio(self, block: Block, gains: dict[str, float]) -> float:
        """Log of the reference's time over the candidate's; arms are (candidate, reference)."""
        times = dict.fromkeys(gains, 0.0)
        for place, arm in enumerate(block.order):
            luck = self._layout_luck(arm, block.layout)
            late = place * self._setting.second_slower
            times[arm] = next(self._noise) + late - gains[arm] - luck
        candidate, reference = gains
        return times[reference] - times[candidate]

    def _layout_luck(self, arm: str, layout: int) -> float:
        key = (arm, layout)
        if key not in self._luck:
            extra = self._setting.luck if layout == 0 and arm != "baseline" else 0.0
            spread = self._setting.layout
            self._luck[key] = extra + (spread * self._rng.standard_normal() if spread else 0.0)
        return self._luck[key]


def campaign(setting: Setting, gains: tuple[float, ...], seed: int) -> Outcome:
    """Try candidates with these true log speed-ups one after the other, then confirm."""
    machine = _Machine(setting, seed)
    incumbent, gain, pairs = "baseline", 0.0, 0
    for number, offered in enumerate(gains):
        name = f"candidate {number}"
        comparison = _select(machine, setting, {name: offered, incumbent: gain}, seed)
        pairs += comparison.pairs
        if comparison.verdict is Verdict.FASTER:
            incumbent, gain = name, offered
    if incumbent == "baseline":
        return Outcome(False, False, pairs, len(gains), None, gain)
    confirmed, improved = _confirm(machine, setting, {incumbent: gain, "baseline": 0.0}, seed)
    return Outcome(True, improved, pairs, len(gains), confirmed, gain)


def _select(machine: _Machine, setting: Setting, gains: dict[str, float], seed: int) -> Comparison:
    test = SequentialTest(setting.selection)
    layouts = tuple(range(setting.selection_layouts))
    schedule = Schedule(seed, "/".join(gains), tuple(gains), ("train",), layouts)
    for block in schedule.blocks():
        comparison = test.add(machine.log_ratio(block, gains))
        if comparison is not None:
            return comparison
    raise AssertionError("a schedule has no end")


def _confirm(
    machine: _Machine, setting: Setting, gains: dict[str, float], seed: int
) -> tuple[Comparison, bool]:
    design = setting.design
    rows: dict[int, list[float]] = {}
    for stage in design.stages:
        # The search saw the layouts below `fresh`; confirmation must not see them again.
        fresh = tuple(setting.selection_layouts + layout for layout in stage)
        schedule = Schedule(seed, f"confirm {stage}", tuple(gains), ("confirm",), fresh)
        for block in itertools.islice(schedule.blocks(), len(stage) * design.pairs_per_layout):
            rows.setdefault(block.layout, []).append(machine.log_ratio(block, gains))
        result = confirm([np.array(list(rows.values()))], design)
        if result.final:
            break
    return result.overall, result.improved
