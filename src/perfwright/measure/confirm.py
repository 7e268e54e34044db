"""Confirmation: the number that is reported, from fresh runs over random layouts.

A program's speed depends on where its code happens to lie, often by as much as a pass is
worth (Mytkowicz, Diwan, Hauswirth and Sweeney 2009, Producing wrong data without doing
anything obviously wrong, ASPLOS; Curtsinger and Berger 2013, Stabilizer, ASPLOS).  Pairs of
one layout share that luck, so they are one observation, not many: each layout gives one
value, and the interval is made from those values alone.  The layout that is delivered is the
one whose luck won the search; it is reported (`perfwright.measure.statistics.compare_once`)
but takes no part here.

A layout's value is the mean over the workloads (speed-ups combine as a geometric mean) of the
median over its pairs.  The interval is the signed-rank interval of the layouts' values, under
alpha spending when the design has several looks; the modules `statistics` and `spending` hold
the method, its sources and what it assumes.  Here that is: layouts are drawn at random, and
under no gain a layout is as likely to favour one program as the other.  Moments are not
needed, and neither is a number of pairs per layout: many layouts with one pair each beat few
layouts with many (docs/decisions/0004-statistics.md), since two random links cost less than
what a repeated pair of an old layout fails to tell.

No workload may be confirmed slower.  The workloads' intervals share the error (Bonferroni),
so that a program with many workloads is not refused by chance.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from perfwright.core.attribution import SMALLEST_EFFECT
from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import InternalError, UserError
from perfwright.measure.sequential import predictive_power
from perfwright.measure.spending import Look, boundaries
from perfwright.measure.statistics import Values, as_values, judge, locate, walsh_averages

METHOD = "signed-rank over random layouts"

_PAIRS_AIMED_AT = 36


@dataclass(frozen=True)
class ConfirmDesign:
    """How many layouts are measured before each look, and how often each.

    `looks` counts layouts, ascending; after the last one the confirmation ends.  The default
    ends after 24 pairs when the gain is clear or hopeless, and after 40 at the latest.

    Raises:
        UserError: the first look comes too early for any verdict, or the looks do not ascend.
    """

    looks: tuple[int, ...] = (24, 40)
    pairs_per_layout: int = 1
    confidence: float = 0.95
    smallest_effect: float = SMALLEST_EFFECT
    futility: float = 0.05

    def __post_init__(self) -> None:
        if not 0.5 < self.confidence < 1 or self.pairs_per_layout < 1:
            raise UserError(
                f"a design with {self.pairs_per_layout} pairs a layout and a confidence of "
                f"{self.confidence} makes no sense"
            )
        if not boundaries(self.looks, self.error)[0].rank:
            least = math.ceil(1 - math.log2(self.error))
            raise UserError(
                f"a first look at {self.looks[0]} layouts cannot give a verdict",
                cause=f"at {self.confidence:.0%} confidence the test needs {least} layouts,"
                " and more when further looks are planned",
                hint="measure more layouts before the first look",
            )

    @property
    def error(self) -> float:
        """The two-sided error that all looks share."""
        return 1 - self.confidence

    @property
    def stages(self) -> tuple[range, ...]:
        """The layouts to measure before each look, numbered from 1; 0 is the delivered one."""
        edges = (0, *self.looks)
        return tuple(range(a + 1, b + 1) for a, b in itertools.pairwise(edges))


FEW_LAYOUTS = ConfirmDesign(looks=(12,), pairs_per_layout=3)
"""For programs that take longer to link than to run: half the links, less power."""


def design_for(workloads: int) -> ConfirmDesign:
    """The default design, with fewer layouts when every layout runs several workloads."""
    if workloads <= 1:
        return ConfirmDesign()
    first = max(12, math.ceil(_PAIRS_AIMED_AT / workloads))
    return ConfirmDesign(looks=(first, math.ceil(first * 5 / 3)))


@dataclass(frozen=True)
class Confirmation:
    """What fresh runs say: over all workloads, for each of them, and from how many layouts.

    `final` is false when the design asks for another stage of layouts before an answer.
    """

    overall: Comparison
    workloads: tuple[Comparison, ...]
    layouts: int
    final: bool

    @property
    def improved(self) -> bool:
        """Faster with its whole interval, and no workload confirmed slower."""
        harmed = any(one.verdict is Verdict.SLOWER for one in self.workloads)
        return self.overall.verdict is Verdict.FASTER and not harmed


def confirm(values: Sequence[ArrayLike], design: ConfirmDesign) -> Confirmation:
    """Judge the layouts measured so far.

    Args:
        values: for each workload an array of log-ratios, one row a layout, one column a pair;
            all workloads have the same layouts, in the order of measuring.
        design: decided before the first of them was measured.

    A number of layouts that is not among the looks is taken as the last: the time ran out.
    That keeps the error rate as long as only the clock decided it, not the values.

    Raises:
        InternalError: the workloads' layouts differ, or a value is not a finite number.
    """
    clusters = _layout_values(values)
    count = clusters.shape[1]
    planned = count in design.looks[:-1]
    earlier = (look for look in design.looks if look < count)
    looks = design.looks if planned else (*earlier, count)
    overall, futile = _compare(clusters.mean(axis=0), looks, design, design.error)
    each = tuple(_compare(row, looks, design, design.error / len(clusters))[0] for row in clusters)
    pairs = sum(np.asarray(v).size for v in values)
    undecided = overall.verdict is Verdict.INCONCLUSIVE
    return Confirmation(
        overall=replace(overall, pairs=pairs),
        workloads=tuple(replace(c, pairs=pairs // len(each)) for c in each),
        layouts=count,
        final=not (planned and undecided and not futile),
    )


def _layout_values(values: Sequence[ArrayLike]) -> Values:
    """One value for each workload (row) and layout (column)."""
    tables = [np.atleast_2d(as_values(table)) for table in values]
    if not tables or len({len(table) for table in tables}) != 1 or not tables[0].size:
        raise InternalError(
            "every workload must have been measured on the same layouts",
            cause=f"their arrays have the shapes {[t.shape for t in tables]}",
        )
    clusters: Values = np.stack([np.median(table, axis=1) for table in tables])
    return clusters


def _compare(
    values: Values, counts: tuple[int, ...], design: ConfirmDesign, error: float
) -> tuple[Comparison, bool]:
    """The comparison at this look, and whether a later one could hardly say `faster`."""
    looks: dict[int, Look] = {look.count: look for look in boundaries(counts, error)}
    look, last = looks[len(values)], looks[counts[-1]]
    averages = walsh_averages(values)
    where = locate(averages, look.rank)
    comparison = judge(where, len(values), 1 - error, METHOD, design.smallest_effect)
    if look is last or not last.rank:
        return comparison, False
    return comparison, predictive_power(averages, len(values), last) < design.futility
