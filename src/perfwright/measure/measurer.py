"""The measurer: core's `Measurer` from the schedule, the executor and the statistics.

Every comparison is a series of blocks (see `perfwright.measure.schedule`); each finished block
is committed before the next one starts, so that none is ever run twice, and a campaign that is
resumed or replayed sees the same values in the same order.  Timed runs are checked like all
others: a build whose output was right once and is wrong later is wrong.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from perfwright.core import events
from perfwright.core.candidate import Candidate
from perfwright.core.events import Reporter
from perfwright.core.protocols import Build, Refusal
from perfwright.core.verdict import Comparison, Verdict
from perfwright.measure.blocks import PairRecord, Rig, Series
from perfwright.measure.confirm import Confirmation, ConfirmDesign, confirm, design_for
from perfwright.measure.counters import CountersUnavailableError
from perfwright.measure.noise import inspect_times
from perfwright.measure.sequential import PRUNING, SequentialSettings, SequentialTest
from perfwright.measure.statistics import compare_once
from perfwright.program.spec import Workload

__all__ = [
    "ConfirmReport",
    "MeasureSettings",
    "PairRecord",
    "PairedMeasurer",
    "Rig",
]

DELIVERED = "delivered"
"""The end of the label under which the delivered layout's blocks are in the journal."""

_SELECTION = SequentialSettings()
_IDENTITY = SequentialSettings(pairs=40, futility=0.0)


@dataclass(frozen=True)
class MeasureSettings:
    """What comparisons may cost, and how sure they must be.

    Attributes:
        select, attribute: caps and confidence of the sequential tests.
        identity: of the identity check; without futility, which only seeks `faster`.
        layouts: how many random layouts take turns in selection and attribution.
        confirm: layouts of the confirmation; chosen by the number of workloads when `None`.
        delivered_pairs: how often the layout that is handed over is run.
    """

    select: SequentialSettings = _SELECTION
    attribute: SequentialSettings = PRUNING
    identity: SequentialSettings = _IDENTITY
    layouts: int = 8
    confirm: ConfirmDesign | None = None
    delivered_pairs: int = 8


SIMULATED = MeasureSettings(
    select=SequentialSettings(pairs=8),
    attribute=SequentialSettings(pairs=8),
    identity=SequentialSettings(pairs=6, futility=0.0),
    confirm=ConfirmDesign(looks=(8,)),
    delivered_pairs=1,
)
"""For counts without noise: each layout once, since a second run of it would say nothing new.
What is left to chance is the layouts alone, and eight of them can give a verdict."""


@dataclass(frozen=True)
class ConfirmReport:
    """All that a confirmation found; the `Comparison` that core gets is its short form.

    Attributes:
        overall: over all workloads, from random layouts.
        workloads: the same for each workload, by id.
        delivered: the layout that is handed over, from repeated runs of it alone.
        layouts: how many random layouts there were; 0 when none could be built.
    """

    overall: Comparison
    workloads: Mapping[str, Comparison]
    delivered: Comparison
    layouts: int

    @property
    def harmed(self) -> tuple[str, ...]:
        """Workloads that are confirmed slower."""
        found = self.workloads.items()
        return tuple(name for name, one in found if one.verdict is Verdict.SLOWER)

    @property
    def comparison(self) -> Comparison:
        """What core decides by: never `faster` while a workload is confirmed slower."""
        if not self.harmed or self.overall.verdict is not Verdict.FASTER:
            return self.overall
        method = f"{self.overall.method}; slower on {', '.join(self.harmed)}"
        return replace(self.overall, verdict=Verdict.INCONCLUSIVE, method=method)


LayoutBuilder = Callable[[Candidate, int], Build | Refusal]


@dataclass(frozen=True)
class PairedMeasurer:
    """Times builds of one program in pairs.

    Attributes:
        rig: where and how blocks are run.
        build_layouts: builds a candidate with so many random layouts (`Workshop.build`).
        settings: what comparisons may cost.
        reporter: hears every pair, and what is wrong with the machine.
    """

    rig: Rig
    build_layouts: LayoutBuilder
    settings: MeasureSettings = MeasureSettings()
    reporter: Reporter = events.silent
    _told: set[str] = field(default_factory=set, repr=False, compare=False)

    def select(self, label: str, arms: Sequence[Build]) -> tuple[Comparison, ...]:
        """See `perfwright.core.protocols.Measurer`.

        The first reference decides when to stop; the others are judged from the same blocks.

        Raises:
            WrongResultError: a build gave a wrong result.
        """
        return self._counted(label, arms, self.settings.select)

    def attribute(self, label: str, winner: Build, without: Build) -> Comparison:
        """See `perfwright.core.protocols.Measurer`.

        Raises:
            WrongResultError: a build gave a wrong result.
        """
        return self._counted(label, (winner, without), self.settings.attribute)[0]

    def same_speed(self, label: str, one: Build, other: Build) -> Comparison:
        """Two ways of building the same program, in the layouts that they have.

        Raises:
            WrongResultError: a build gave a wrong result.
        """
        train = self.rig.runs.spec.train
        return self._compare(label, (one, other), self.settings.identity, train)[0]

    def confirm(self, label: str, winner: Build, baseline: Build) -> Comparison:
        """See `perfwright.core.protocols.Measurer`; `confirm_in_full` tells more.

        Raises:
            WrongResultError: a build gave a wrong result.
        """
        return self.confirm_in_full(label, winner, baseline).comparison

    def confirm_in_full(self, label: str, winner: Build, baseline: Build) -> ConfirmReport:
        """Fresh runs of both over random layouts, and of the delivered layout.

        Asked again with the same label it answers from the journal.

        Raises:
            WrongResultError: a build gave a wrong result.
        """
        names = tuple(w.id for w in self.rig.runs.spec.confirm)
        delivered = self._delivered(label, winner, baseline)
        design = self.settings.confirm or design_for(len(names))
        found = self._over_layouts(label, winner, baseline, design)
        if isinstance(found, Refusal):
            self._tell(f"no random layouts: {found.reason}", "the gain may be luck of the layout")
            arms, where = (winner, baseline), self.rig.runs.spec.confirm
            overall = self._compare(f"{label}/one layout", arms, self.settings.select, where)[0]
            return ConfirmReport(overall, {}, delivered, 0)
        each = dict(zip(names, found.workloads, strict=True))
        return ConfirmReport(found.overall, each, delivered, found.layouts)

    def _counted(
        self, label: str, arms: Sequence[Build], settings: SequentialSettings
    ) -> tuple[Comparison, ...]:
        """Compare; a candidate whose instructions no simulation knows is not judged."""
        try:
            return self._taking_turns(label, arms, settings)
        except CountersUnavailableError as error:
            self._tell(f"{label} is not judged: {error.fact}", error.cause)
            return tuple(compare_once([], settings.confidence) for _ in arms[1:])

    def _taking_turns(
        self, label: str, arms: Sequence[Build], settings: SequentialSettings
    ) -> tuple[Comparison, ...]:
        """Compare on the train workloads, over a few random layouts that take turns.

        One layout's luck would win the search and lose the confirmation
        (docs/decisions/0004-statistics.md).
        """
        train = self.rig.runs.spec.train
        laid_out = self._laid_out(arms, self.settings.layouts)
        if isinstance(laid_out, Refusal):
            return self._compare(label, arms, settings, train)
        layouts = tuple(range(1, self.settings.layouts + 1))
        return self._compare(label, laid_out, settings, train, layouts)

    def _compare(
        self,
        label: str,
        arms: Sequence[Build],
        settings: SequentialSettings,
        workloads: Sequence[Workload],
        layouts: tuple[int, ...] = (0,),
    ) -> tuple[Comparison, ...]:
        """Blocks until the first two arms are told apart."""
        names = tuple(workload.id for workload in workloads)
        settings = replace(settings, runs_per_value=len(names))
        test = SequentialTest(settings)
        ratios: list[tuple[float, ...]] = []
        first: Comparison | None = None
        with Series(self.rig, label, tuple(arms), names, layouts) as series:
            for round_ in series.rounds():
                ratios.append(_mean_ratios(round_))
                first = test.add(ratios[-1][0])
                estimate = math.exp(float(np.median([values[0] for values in ratios])))
                self.reporter(events.PairTimed(len(series.seen), estimate))
                if first is not None:
                    break
        self._look_for_noise(series.seen)
        others = zip(*(values[1:] for values in ratios), strict=True)
        judged = tuple(_judge_series(values, settings) for values in others)
        return (first or test.conclude(), *judged)

    def _delivered(self, label: str, winner: Build, baseline: Build) -> Comparison:
        """The layout that is handed over, by a number of pairs that is fixed beforehand."""
        names = tuple(w.id for w in self.rig.runs.spec.confirm)
        with Series(self.rig, f"{label}/{DELIVERED}", (winner, baseline), names) as series:
            for _ in itertools.islice(series.rounds(), self.settings.delivered_pairs):
                pass
        return judge_delivered(series.seen)

    def _over_layouts(
        self, label: str, winner: Build, baseline: Build, design: ConfirmDesign
    ) -> Confirmation | Refusal:
        """Stage by stage, until the design has its answer or the time is up."""
        names = tuple(w.id for w in self.rig.runs.spec.confirm)
        values: dict[str, list[list[float]]] = {name: [] for name in names}
        confirmation: Confirmation | None = None
        for number, stage in enumerate(design.stages, start=1):
            rounds = len(stage) * design.pairs_per_layout
            place = f"{label}/stage {number}"
            seen = self._stage(place, (winner, baseline), stage, rounds)
            if isinstance(seen, Refusal):
                return confirmation or seen
            for name, table in _tables(seen, names, design.pairs_per_layout).items():
                values[name] += table
            if not values[names[0]]:
                return Refusal("the time is up")
            confirmation = confirm([values[name] for name in names], design)
            if confirmation.final or len(seen) < rounds * len(names):
                break
        return confirmation or Refusal("no layouts are planned")

    def _stage(
        self, label: str, arms: tuple[Build, Build], layouts: range, rounds: int
    ) -> list[PairRecord] | Refusal:
        """The blocks of one stage: every workload on each of its layouts."""
        names = tuple(w.id for w in self.rig.runs.spec.confirm)
        built: tuple[Build, ...] | Refusal = arms
        if not self._is_recorded(label, rounds * len(names)):
            built = self._laid_out(arms, layouts.stop - 1)
        if isinstance(built, Refusal):
            return built
        ratios: list[float] = []
        with Series(self.rig, label, built, names, tuple(layouts)) as series:
            for round_ in itertools.islice(series.rounds(), rounds):
                ratios.append(_mean_ratios(round_)[0])
                estimate = math.exp(float(np.median(ratios)))
                self.reporter(events.PairTimed(len(series.seen), estimate))
        self._look_for_noise(series.seen)
        return series.seen

    def _is_recorded(self, label: str, blocks: int) -> bool:
        """Whether the journal has all of a series, so that no binaries are needed."""
        records = self.rig.log.recorded(label)
        return len(records) >= blocks or any(record.ended for record in records)

    def _laid_out(self, arms: Sequence[Build], layouts: int) -> tuple[Build, ...] | Refusal:
        found = []
        for arm in arms:
            build = self.build_layouts(arm.candidate, layouts)
            if isinstance(build, Refusal):
                return build
            found.append(build)
        return tuple(found)

    def _look_for_noise(self, seen: Sequence[PairRecord]) -> None:
        """Tell once what is wrong with the machine, by the times of the last arm."""
        for name in sorted({record.workload for record in seen}):
            mine = [record for record in seen if record.workload == name]
            wall = [r.wall_seconds[-1] for r in mine] if self.rig.metric == "cpu" else None
            for warning in inspect_times([r.values[-1] for r in mine], wall_times=wall):
                if warning.kind not in self._told:
                    self._told.add(warning.kind)
                    self._tell(warning.fact, warning.hint)

    def _tell(self, fact: str, hint: str) -> None:
        self.reporter(events.Warned(fact, hint))


def judge_delivered(records: Sequence[PairRecord]) -> Comparison:
    """What the blocks of the delivered layout say; a fixed number of them, judged once."""
    rounds: dict[int, list[PairRecord]] = {}
    workloads = len({record.workload for record in records}) or 1
    for record in records:
        rounds.setdefault(record.block // workloads, []).append(record)
    ratios = [_mean_ratios(round_)[0] for round_ in rounds.values()]
    compared = compare_once(ratios, _SELECTION.confidence)
    method = f"{compared.method} on the delivered layout"
    return replace(compared, pairs=len(records), method=method)


def _mean_ratios(round_: Sequence[PairRecord]) -> tuple[float, ...]:
    """For each reference the mean log-ratio over the round's workloads."""
    logs = np.log([record.values for record in round_])
    return tuple(float(x) for x in (logs[:, 1:] - logs[:, :1]).mean(axis=0))


def _judge_series(values: Sequence[float], settings: SequentialSettings) -> Comparison:
    """What a series says that ended because another one did."""
    test = SequentialTest(settings)
    for value in values:
        test.record(value)
    return test.conclude()


def _tables(
    records: Sequence[PairRecord], workloads: Sequence[str], pairs: int
) -> dict[str, list[list[float]]]:
    """Log-ratios by workload: a row for each layout that is complete, in order of measuring."""
    found: dict[tuple[int, str], list[float]] = {}
    for record in records:
        ratio = math.log(record.values[1] / record.values[0])
        found.setdefault((record.layout, record.workload), []).append(ratio)
    layouts = dict.fromkeys(record.layout for record in records)
    complete = [
        layout
        for layout in layouts
        if all(len(found.get((layout, name), ())) == pairs for name in workloads)
    ]
    return {name: [found[layout, name] for layout in complete] for name in workloads}
