"""What passes now do, no longer do, or do in another measure: remarks of two builds compared."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from perfwright.evidence.factbook import FactBook, count_of, location_id
from perfwright.evidence.names import original_name
from perfwright.evidence.remarks import Remark
from perfwright.evidence.tally import RemarkGroup, RemarkSummary

Change = Literal["appeared", "vanished", "changed"]

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")
_BESIDE = re.compile(r" with \(cost=.*| at callsite .*", re.DOTALL)
_TELLING = ("passed", "missed")
_SPILLS = "regalloc"
_CODE_GENERATOR = (_SPILLS, "prologepilog", "asm-printer")
_SAID: Mapping[Change, str] = {"appeared": "now", "vanished": "no longer", "changed": "now"}
_FIRST = ("loop-vectorize", "slp-vectorizer", "regalloc", "inline", "loop-unroll")
"""What explains a change of time most often; what other passes did comes after it."""


_CROSSED = (
    " (per unit before, with the whole program now)",
    " (with the whole program before, per unit now)",
)


@dataclass(frozen=True)
class RemarkChange:
    """A remark that one build has and the other has not, or with other numbers.

    `before` is what it was when it changed; `places` is how many places of the function
    changed in the same way, of which `group` is the first.
    """

    change: Change
    group: RemarkGroup
    before: Remark | None = None
    places: int = 1


def add_remark_diff(
    book: FactBook,
    before: RemarkSummary,
    after: RemarkSummary,
    hot: Sequence[str] = (),
    same_code: Set[str] = frozenset(),
) -> None:
    """Which things passes now do, no longer do, or do in another measure; most telling first.

    Where only one of both builds optimised a unit at the link, what is missed is not compared:
    there the passes saw the code a second time, after themselves.

    Args:
        hot: functions, the hottest first: only what happens in them, and in those that they
            were inlined into, is told; without any, everything.
        same_code: functions whose machine code is the same, whatever passes said on the way.
    """
    hosts = hosts_of((*before.groups, *after.groups), hot)
    crossed = before.merged ^ after.merged
    changes = [
        change
        for change in remark_changes(before.groups, after.groups)
        if (not hot or original_name(change.group.remark.function) in hosts)
        and original_name(change.group.remark.function) not in same_code
        and not (change.group.unit in crossed and not _is_done(change.group.remark))
    ]
    for change in sorted(changes, key=lambda change: _rank(change, hosts)):
        note = _CROSSED[change.group.unit in before.merged]
        _add(book, change, note if change.group.unit in crossed else "")


def is_compared(remark: Remark) -> bool:
    """Whether comparing builds needs it: analysis remarks tell only what has machine code."""
    return remark.kind in _TELLING or remark.pass_name in _CODE_GENERATOR


def hosts_of(groups: Iterable[RemarkGroup], hot: Sequence[str]) -> Mapping[str, int]:
    """Where hot code is: hot functions and all that they were inlined into, hottest first.

    Returns:
        The place in `hot` of the hottest function that each of them holds.
    """
    inlined = {
        (str(remark.values.get("callee", "")), remark.function)
        for remark in (group.remark for group in groups)
        if remark.kind == "passed" and "callee" in remark.values
    }
    callers: dict[str, set[str]] = defaultdict(set)
    for callee, caller in sorted(inlined):
        callers[original_name(callee)].add(original_name(caller))
    hosts: dict[str, int] = {}
    for rank, name in enumerate(hot):
        waiting = [original_name(name)]
        while waiting:
            holder = waiting.pop()
            if holder not in hosts:
                hosts[holder] = rank
                waiting += callers[holder]
    return hosts


def remark_changes(
    before: Sequence[RemarkGroup], after: Sequence[RemarkGroup]
) -> Iterator[RemarkChange]:
    """The differences, those of one sort in one function put together; in no special order.

    Remarks that differ in their numbers only are the same remark; when it is about
    something that was done, or about spills, the new numbers are worth a word (unrolled by
    8, not by 4).  The costs that the inliner counted are not: it inlined all the same.
    What is said of the same source line in another function only moved there with it.
    """
    old, new = _by_key(before), _by_key(after)
    counts: Counter[_Sort] = Counter()
    firsts: dict[_Sort, RemarkChange] = {}
    for change in _unmoved(_single_changes(old, new), _emitted(before) & _emitted(after)):
        remark = change.group.remark
        sort = _Sort(
            change.change, change.group.unit, *_text_of(remark), remark.function, remark.kind
        )
        counts[sort] += 1
        firsts.setdefault(sort, change)
    for sort, change in firsts.items():
        yield replace(change, places=counts[sort])


class _Sort(NamedTuple):
    """What makes two changes one fact that names the first of its places."""

    change: Change
    unit: str
    pass_name: str
    text: str
    function: str
    kind: str


class _Key(NamedTuple):
    """What makes two remarks the same in two builds."""

    unit: str
    function: str
    kind: str
    pass_name: str
    text: str
    place: str


_Measure = tuple[tuple[str, str | int | float], ...]
_Keyed = Mapping[_Key, dict[_Measure, RemarkGroup]]


def _by_key(groups: Iterable[RemarkGroup]) -> _Keyed:
    """Groups by what they say without numbers, and then by the numbers that count."""
    found: dict[_Key, dict[_Measure, RemarkGroup]] = defaultdict(dict)
    for group in groups:
        remark = group.remark
        if remark.kind not in _TELLING:
            continue
        if remark.pass_name == _SPILLS and not any(_spills(remark).values()):
            continue  # only copies between registers
        place = str(remark.place or "")
        function = original_name(remark.function)
        key = _Key(group.unit, function, remark.kind, *_text_of(remark), place)
        found[key][_measure(remark)] = group
    return found


def _measure(remark: Remark) -> _Measure:
    """The numbers that make a difference: not what the inliner or spilling was said to cost."""
    if remark.pass_name == _SPILLS:
        return tuple(sorted(_spills(remark).items()))
    if "callee" in remark.values:
        return ()
    return tuple(sorted(remark.values.items()))


def _text_of(remark: Remark) -> tuple[str, str]:
    """The pass, and what identifies a remark of it but for where it is."""
    # A spill remark leaves out what there is none of: its text is no identity.
    if remark.pass_name == _SPILLS:
        return remark.pass_name, remark.name
    if remark.kind == "passed" and "callee" in remark.values:
        return remark.pass_name, f"{remark.name} {original_name(str(remark.values['callee']))}"
    return remark.pass_name, _NUMBER.sub("#", _BESIDE.sub("", remark.message))


def _single_changes(old: _Keyed, new: _Keyed) -> Iterator[tuple[_Key, RemarkChange]]:
    """Key by key; a pass that no longer runs at all misses nothing, which is no news."""
    running = {key.pass_name for key in new}
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key, {}), new.get(key, {})
        gone = [was[measure] for measure in sorted(was.keys() - now.keys(), key=repr)]
        fresh = [now[measure] for measure in sorted(now.keys() - was.keys(), key=repr)]
        if not was:
            yield key, RemarkChange("appeared", fresh[0])
        elif not now and key.kind == "missed" and key.pass_name not in running:
            continue
        elif not now:
            yield key, RemarkChange("vanished", gone[0])
        elif gone and fresh and (key.kind == "passed" or key.pass_name == _SPILLS):
            yield key, RemarkChange("changed", fresh[0], gone[0].remark)


def _unmoved(
    changes: Iterable[tuple[_Key, RemarkChange]], emitted: Set[str]
) -> Iterator[RemarkChange]:
    """Without what only moved: inlining takes the lines of a function into others.

    Spills that came or went with the whole function, not `emitted` by both, are not told,
    nor is what is missed where the same pass now misses it for another reason, or does it.
    """
    found = list(changes)
    ways: dict[tuple[str, ...], set[Change]] = defaultdict(set)
    for key, change in found:
        if change.group.remark.place is not None:
            ways[key[2:]].add(change.change)
    moved: set[Change] = {"appeared", "vanished"}
    spots = Counter(_spot(key) for key, _ in found)
    for key, change in found:
        if key.kind == "missed" and key.pass_name != _SPILLS and spots[_spot(key)] > 1:
            continue
        with_function = key.pass_name == _SPILLS and key.function not in emitted
        if not moved <= ways[key[2:]] and not with_function:
            yield change


def _spot(key: _Key) -> tuple[str, ...]:
    return (key.unit, key.function, key.pass_name, key.place)


def _emitted(groups: Iterable[RemarkGroup]) -> Set[str]:
    """The functions that have machine code of their own: the code generator spoke of them."""
    return {
        original_name(group.remark.function)
        for group in groups
        if group.remark.pass_name in _CODE_GENERATOR
    }


def _is_done(remark: Remark) -> bool:
    """Whether it says what became of the code: what was done to it, and how it spills."""
    return remark.kind == "passed" or remark.pass_name == _SPILLS


def _rank(change: RemarkChange, hosts: Mapping[str, int]) -> tuple[object, ...]:
    """Hot functions first; in them what was done, and how often it spills."""
    remark = change.group.remark
    done = _is_done(remark)
    first = remark.pass_name in _FIRST
    moves_hot_code = original_name(str(remark.values.get("callee", ""))) in hosts
    return (
        not (done and first),
        not (done and moves_hot_code),
        hosts.get(original_name(remark.function), len(hosts)),
        _FIRST.index(remark.pass_name) if first else len(_FIRST),
        remark.kind == "missed",
        remark.function,
        str(remark.place or ""),
        remark.message,
    )


def _add(book: FactBook, change: RemarkChange, note: str) -> None:
    remark, unit = change.group.remark, change.group.unit
    place = remark.place if remark.place and remark.place.line else None
    where = str(place) if place else remark.function
    book.add(
        location_id(
            f"drem-{change.change}", unit, remark.function, remark.pass_name, remark.name, place
        ),
        "diff",
        remark.pass_name,
        where,
        f"{_place_text(remark.function, where, change.places)}: {_change_text(change)}{note}",
        change=change.change,
        outcome=remark.kind,
        symbol=remark.function,
        unit=unit,
        name=remark.name,
        places=change.places,
    )


def _place_text(function: str, where: str, places: int) -> str:
    more = f" and {count_of(places - 1, 'more place')}" if places > 1 else ""
    return f"{function}{'' if where == function else f' at {where}'}{more}"


def _change_text(change: RemarkChange) -> str:
    remark = change.group.remark
    if remark.pass_name == _SPILLS:
        return _spills_text(change)
    said = _brief(remark)
    missed = "missed: " if remark.kind == "missed" else ""
    text = f"{_SAID[change.change]} {missed}{said}"
    return text if change.before is None else f"{text} (before: {_brief(change.before)})"


def _brief(remark: Remark) -> str:
    return _BESIDE.sub("", remark.message) if remark.kind == "passed" else remark.explained


def _spills_text(change: RemarkChange) -> str:
    """`spills 3 -> 61, reloads 0 -> 40 in the loop`: counts alone, costs are LLVM's guess."""
    after = _spills(change.group.remark)
    before = _spills(change.before) if change.before else {}
    if change.change == "vanished":
        before, after = after, {}
    said = [
        f"{name} {before.get(name, 0)} -> {after.get(name, 0)}"
        for name in sorted(before.keys() | after.keys(), key=_spill_order)
        if before.get(name, 0) != after.get(name, 0)
    ]
    placed = change.group.remark.place is not None and change.group.remark.place.line
    loop = " in this loop" if placed else " in a loop"
    where = loop if "Loop" in change.group.remark.name else ""
    return f"{', '.join(said)}{where}"


_SPILLED: Mapping[str, str] = {
    "num_spills": "spills",
    "num_reloads": "reloads",
    "num_folded_spills": "folded spills",
    "num_folded_reloads": "folded reloads",
}
_spill_order: Callable[[str], int] = list(_SPILLED.values()).index


def _spills(remark: Remark) -> Mapping[str, int]:
    return {
        _SPILLED[key]: value
        for key, value in remark.values.items()
        if key in _SPILLED and isinstance(value, int)
    }
