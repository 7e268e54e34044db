"""Remarks counted per function and pass, with identical ones merged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from perfwright.evidence.location import Location
from perfwright.evidence.remarks import Remark, RemarkKind

_KIND_ORDER: Mapping[RemarkKind, int] = {"failure": 0, "missed": 1, "analysis": 2, "passed": 3}

_Key = tuple[str, RemarkKind, str, str, str, Location | None, str]


@dataclass(frozen=True, slots=True)
class RemarkGroup:
    """Remarks that say the same of the same place, and how many there were."""

    unit: str
    remark: Remark
    count: int


@dataclass(frozen=True, slots=True)
class RemarkCount:
    """What one pass said of one function."""

    unit: str
    function: str
    pass_name: str
    passed: int = 0
    missed: int = 0
    analysis: int = 0
    failure: int = 0


@dataclass(frozen=True)
class RemarkSummary:
    """All remarks of a program.

    Attributes:
        groups: merged remarks, those of the hottest functions first.
        counts: per function and pass, in the same order; these count every remark.
        dropped: remarks that are only counted, because their function has too many.
        merged: the units that were optimised once more at the link, as one program.
    """

    groups: tuple[RemarkGroup, ...] = ()
    counts: tuple[RemarkCount, ...] = ()
    dropped: int = 0
    merged: frozenset[str] = frozenset()

    def of(self, function: str, unit: str = "") -> tuple[RemarkGroup, ...]:
        """The groups of one function; of all units when none is given."""
        return tuple(
            group
            for group in self.groups
            if group.remark.function == function and unit in ("", group.unit)
        )


@dataclass
class RemarkTally:
    """Counts a stream of remarks in bounded memory.

    Attributes:
        distinct_limit: how many different remarks are kept for each function, pass and
            kind; more of them are counted, but their text is dropped.
        total_limit: the same for the whole program.
    """

    distinct_limit: int = 64
    total_limit: int = 100_000
    _groups: dict[_Key, Remark] = field(default_factory=dict)
    _group_counts: Counter[_Key] = field(default_factory=Counter)
    _counts: dict[tuple[str, str, str], Counter[RemarkKind]] = field(default_factory=dict)
    _distinct: Counter[tuple[str, str, str, RemarkKind]] = field(default_factory=Counter)
    _dropped: int = 0

    @property
    def dropped(self) -> int:
        """How many remarks are only counted."""
        return self._dropped

    def add(self, unit: str, remarks: Iterable[Remark]) -> None:
        """Count the remarks of one unit."""
        for remark in remarks:
            self._add(unit, remark)

    def _add(self, unit: str, remark: Remark) -> None:
        counts_key = (unit, remark.function, remark.pass_name)
        if counts_key not in self._counts:
            self._counts[counts_key] = Counter()
        self._counts[counts_key][remark.kind] += 1
        key = (
            unit,
            remark.kind,
            remark.pass_name,
            remark.name,
            remark.function,
            remark.place,
            remark.explained,
        )
        if key not in self._groups:
            distinct_key = (*counts_key, remark.kind)
            full = len(self._groups) >= self.total_limit
            if full or self._distinct[distinct_key] >= self.distinct_limit:
                self._dropped += 1
                return
            self._distinct[distinct_key] += 1
            self._groups[key] = remark
        self._group_counts[key] += 1

    def summary(
        self, share: Callable[[str, str], float] = lambda _unit, _name: 0.0
    ) -> RemarkSummary:
        """What has been counted so far.

        Args:
            share: the share of run time of a function, given its unit and symbol; hotter
                functions come first.
        """
        hotness = {
            (unit, function): (-share(unit, function), unit, function)
            for unit, function, _ in self._counts
        }
        groups = [
            RemarkGroup(key[0], remark, self._group_counts[key])
            for key, remark in self._groups.items()
        ]
        groups.sort(key=lambda group: (hotness[group.unit, group.remark.function], _order(group)))
        ordered = sorted(self._counts, key=lambda key: (hotness[key[0], key[1]], key[2]))
        counts = [_count(key, self._counts[key]) for key in ordered]
        return RemarkSummary(tuple(groups), tuple(counts), self._dropped)


def _count(key: tuple[str, str, str], kinds: Counter[RemarkKind]) -> RemarkCount:
    return RemarkCount(
        *key,
        passed=kinds["passed"],
        missed=kinds["missed"],
        analysis=kinds["analysis"],
        failure=kinds["failure"],
    )


def _order(group: RemarkGroup) -> tuple[int, int, str, str, tuple[int, int], str]:
    """Within a function: hot places first, then what did not happen before what did."""
    remark = group.remark
    return (
        -(remark.hotness or 0),
        _KIND_ORDER[remark.kind],
        remark.pass_name,
        remark.name,
        remark.place.position if remark.place else (0, 0),
        remark.message,
    )
