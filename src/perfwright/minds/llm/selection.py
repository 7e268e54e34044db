"""Which facts a model is shown, and in which order: the most telling first, repeats together.

Vague remarks are left out: without a place or a cause they do more harm than good
(arXiv 2604.13927).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from perfwright.core.evidence import Fact
from perfwright.minds.roles import Priority

_LOUDNESS = {
    "function": 1.0,
    "call": 1.0,
    "loop": 0.9,
    "code": 0.9,
    "branch": 0.7,
    "profile": 0.3,
}
"""How much a fact of a kind tells about time, next to one about the function as a whole."""

_REMARK_LOUDNESS = {
    ("inline", "missed"): 0.8,
    ("loop-vectorize", "missed"): 0.8,
    ("loop-vectorize", "passed"): 0.7,
    ("slp-vectorizer", "missed"): 0.5,
    ("slp-vectorizer", "passed"): 0.5,
    ("loop-unroll", "passed"): 0.5,
    ("gvn", "missed"): 0.5,
    ("licm", "missed"): 0.5,
    ("regalloc", "missed"): 0.4,
}
"""The same for remarks by pass and outcome; what is not here was done, or is of little weight."""

_OTHER_REMARK = 0.1
_VAGUER = 0.2
_AGAIN = 4
"""How fast the next fact of one sort about one function counts less: a fifth, a ninth..."""

_MATTERS, _COLD = 0.01, 0.001
"""Shares of the run time from which on a function always matters, and below which it never does."""

_PLACED = ("loop", "code", "profile")
"""Kinds whose share is that of their own lines or instructions, not of the function."""

_CAUSE = re.compile(r"'[^']*'|\b(?:i\d+|ptr|float|double)\b|\bat callsite .*|-?\d+(?:\.\d+)?")


def weights_of(priorities: Iterable[Priority]) -> dict[str, float]:
    """The weight of each function; local functions of two units may share a name."""
    found: dict[str, float] = {}
    for priority in priorities:
        found[priority.symbol] = max(priority.weight, found.get(priority.symbol, 0.0))
    return found


def relevant(facts: Iterable[Fact], weights: Mapping[str, float]) -> list[tuple[Fact, ...]]:
    """The facts about these functions in groups that say the same, the most telling first.

    What one function has many of counts less with each further one, so that a function's
    eighth missed load does not hide another's only spill.
    """
    about = [fact for fact in facts if not is_vague(fact)]
    busiest = max((_runs(fact) for fact in about), default=0.0)
    telling = {fact.id: _telling(fact, weights, busiest) for fact in about}
    groups = alike(sorted(about, key=lambda fact: (-telling[fact.id], fact.id)))
    earlier: Counter[tuple[object, ...]] = Counter()
    ranked: list[tuple[float, tuple[Fact, ...]]] = []
    for group in groups:
        sort = _sort(group[0])
        rank = telling[group[0].id] / (1 + _AGAIN * earlier[sort])
        earlier[sort] += 1
        if rank > 0:
            ranked.append((rank, group))
    return [group for _, group in sorted(ranked, key=lambda each: -each[0])]


def alike(facts: Iterable[Fact]) -> list[tuple[Fact, ...]]:
    """Remarks of one function with the same cause together, everything else alone."""
    found: dict[object, list[Fact]] = {}
    for fact in facts:
        key: object = fact.id
        if fact.kind == "remark" and "cost" in fact.data:
            key = (*_sort(fact), fact.data["cost"], fact.data.get("threshold"))
        elif fact.kind == "remark":
            key = (*_sort(fact), _CAUSE.sub("", fact.text))
        found.setdefault(key, []).append(fact)
    return [tuple(group) for group in found.values()]


def is_vague(fact: Fact) -> bool:
    """Whether it is a remark without a place in a line or a cause, or one that only counts."""
    return fact.kind == "remark" and (
        ":" not in fact.where
        or fact.data.get("outcome") == "analysis"
        or (fact.data.get("name") == "MissedDetails" and not fact.data.get("cause"))
    )


def share_of(fact: Fact) -> float:
    """The share of the run time that was measured for a fact, however it was attributed."""
    return max(number(fact, "share"), number(fact, "source_share"))


def has_profile(facts: Sequence[Fact]) -> bool:
    """Whether shares of the run time were measured."""
    return any(share_of(fact) for fact in facts if fact.kind == "function")


def is_idle(fact: Fact, *, profiled: bool) -> bool:
    """Whether a function's code cannot matter: trivial, mostly input and output, or cold.

    A measured share of one per cent overrules the first two.
    """
    if share_of(fact) >= _MATTERS:
        return False
    if fact.data.get("trivial") or fact.data.get("io_bound"):
        return True
    return profiled and share_of(fact) < _COLD


def number(fact: Fact, key: str) -> float:
    """A number of a fact's data; 0 when it is absent or no number."""
    value = fact.data.get(key, 0.0)
    return float(value) if isinstance(value, int | float) else 0.0


def _telling(fact: Fact, weights: Mapping[str, float], busiest: float) -> float:
    """The share of the run time that it touches, times how loud facts of its kind are."""
    names = (fact.data.get("symbol"), fact.data.get("caller"), fact.data.get("callee"))
    weight = max(weights.get(str(name), 0.0) for name in names)
    if fact.kind == "branch" and busiest:
        weight *= _runs(fact) / busiest
    if fact.kind in _PLACED and 0 < number(fact, "share") <= 1:
        weight = number(fact, "share")
    if fact.kind == "call":
        weight = max(weight, number(fact, "hotness"))
    return weight * _loudness(fact)


def _loudness(fact: Fact) -> float:
    if fact.kind == "code" and "-loop" not in fact.id:
        return _VAGUER
    if fact.kind != "remark":
        return _LOUDNESS.get(fact.kind, 0.3)
    if fact.source == "inline" and "cost" not in fact.data:
        return _OTHER_REMARK  # the callee is in another unit or a library: calls tell which
    if fact.source == "slp-vectorizer" and "cost" not in fact.data:
        return _VAGUER
    if fact.source == "regalloc" and not number(fact, "num_spills") + number(fact, "num_reloads"):
        return _OTHER_REMARK  # copies alone
    known = (fact.source, str(fact.data.get("outcome")))
    return _REMARK_LOUDNESS.get(known, _OTHER_REMARK)


def _runs(fact: Fact) -> float:
    return number(fact, "taken") + number(fact, "not_taken") if fact.kind == "branch" else 0.0


def _sort(fact: Fact) -> tuple[object, ...]:
    about = fact.data.get("symbol") or fact.data.get("callee")
    if fact.kind in ("code", "loop"):
        about = fact.id  # each loop is another matter
    if fact.kind == "branch":
        return fact.kind, fact.data.get("bias"), about
    return fact.kind, fact.source, fact.data.get("outcome"), about
