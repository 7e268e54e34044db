"""Rules that read facts and say what keeps hot code from being faster.

Each rule looks at one kind of fact and gives diagnoses with the share of the run time that
they touch.  Thresholds are the rules' own; where a number is LLVM's it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from perfwright.core.evidence import Fact, Scalar
from perfwright.minds.builtin.hints import hints, remark_groups
from perfwright.minds.builtin.scorer import number
from perfwright.minds.roles import Diagnosis, Priority

_HOT = 0.03
"""Code below this share of the run time is not worth a diagnosis."""

_EVEN_LOW, _EVEN_HIGH = 0.15, 0.85
"""A branch taken this often is hard to predict when its condition is data."""

_ONE_SIDED = 0.97
_SMALL_TRIPS = 12.0
_LONG_TRIPS = 32.0
_SMALL_NEST = 16
_SPILLS = 3
_BRANCHY = 3
_OFTEN = 1000
_FLOATS = 0.03
"""Of the IR instructions: a fused multiply-add in a small loop is one of thirty."""

_VECTOR_REMARKS = {
    ("loop-vectorize", "passed"): "loop-vectorised",
    ("loop-vectorize", "missed"): "loop-not-vectorised",
    ("slp-vectorizer", "passed"): "slp-vectorised",
    ("slp-vectorizer", "missed"): "slp-not-beneficial",
    ("loop-unroll", "passed"): "loop-unrolled",
}

Rule = Callable[["Hot"], Iterator[Diagnosis]]


@dataclass(frozen=True)
class Hot:
    """The facts by kind, with the weight of each symbol that matters."""

    by_kind: Mapping[str, Sequence[Fact]]
    weights: Mapping[str, float]

    def facts(self, kind: str) -> Sequence[Fact]:
        """The facts of one kind, in the order in which they were gathered."""
        return self.by_kind.get(kind, ())

    def weight(self, fact: Fact) -> float:
        """The share of the run time of the function that the fact is about."""
        return self.weights.get(str(fact.data.get("symbol", "")), 0.0)

    @property
    def machine_loops(self) -> Sequence[Fact]:
        """Loops of the machine code, with the share that was sampled in them."""
        return [fact for fact in self.facts("code") if "-loop" in fact.id]


@dataclass(frozen=True)
class RuleAnalyst:
    """Runs every rule and sorts what they say by weight."""

    def analyse(self, facts: Sequence[Fact], priorities: Sequence[Priority]) -> Sequence[Diagnosis]:
        """All diagnoses, heaviest first, one of each kind, place and function; hints at the end."""
        by_kind: dict[str, list[Fact]] = {}
        for fact in facts:
            by_kind.setdefault(fact.kind, []).append(fact)
        weights: dict[str, float] = {}
        for priority in priorities:  # local functions of two units may share a name
            weights[priority.symbol] = max(priority.weight, weights.get(priority.symbol, 0.0))
        hot = Hot(by_kind, weights)
        found = [diagnosis for rule in RULES for diagnosis in rule(hot)]
        found.sort(key=lambda d: (-d.weight, d.kind, d.where, d.symbol))
        unique: dict[tuple[str, str, str], Diagnosis] = {}
        for diagnosis in found:
            unique.setdefault((diagnosis.kind, diagnosis.where, diagnosis.symbol), diagnosis)
        what_it_is = hints(hot.facts("function"), weights)
        return (*unique.values(), *what_it_is, *remark_groups(hot.facts("remark"), weights))


def calls_across_units(hot: Hot) -> Iterator[Diagnosis]:
    """Hot calls into other units, which a per-unit build cannot inline."""
    for fact in hot.facts("call"):
        weight = number(fact.data, "hotness")
        if not fact.data.get("callee_unit") or weight < _HOT:
            continue
        in_loop = number(fact.data, "loop_depth") > 0
        if in_loop or number(fact.data, "callee_entries") > _OFTEN:
            yield _about(fact, "cross-unit-call", weight, symbol=str(fact.data.get("callee", "")))


def many_units(hot: Hot) -> Iterator[Diagnosis]:
    """Several units: internalising what no other unit needs can help even without hot calls."""
    units = {str(fact.data.get("unit")) for fact in hot.facts("function")}
    hottest = max(hot.weights.values(), default=0.0)
    if len(units) > 1 and hottest:
        text = f"the program has {len(units)} units, each compiled without sight of the others"
        yield Diagnosis("many-units", "", hottest, text, ())


def missed_inlining(hot: Hot) -> Iterator[Diagnosis]:
    """Calls that the inliner refused for their cost, with cost and threshold."""
    for fact in hot.facts("remark"):
        if fact.source != "inline" or fact.data.get("outcome") != "missed":
            continue
        callee = str(fact.data.get("callee", ""))
        weight = max(hot.weight(fact), hot.weights.get(callee, 0.0))
        cost = number(fact.data, "cost")
        threshold = number(fact.data, "threshold")
        if weight >= _HOT and cost > threshold > 0:
            text = f"{callee} is not inlined: cost {cost:.0f} is over the threshold {threshold:.0f}"
            numbers = {"cost": cost, "threshold": threshold}
            yield _about(
                fact, "inlining-too-costly", weight, text=text, symbol=callee, data=numbers
            )


def branches(hot: Hot) -> Iterator[Diagnosis]:
    """Branches on data that go either way, and branches that nearly always go one way."""
    counts = [number(f.data, "taken") + number(f.data, "not_taken") for f in hot.facts("branch")]
    busiest = max(counts, default=0.0)
    for fact, count in zip(hot.facts("branch"), counts, strict=True):
        weight = hot.weight(fact) * (count / busiest if busiest else 0.0)
        ratio = number(fact.data, "ratio")
        if weight < _HOT:
            continue
        if _EVEN_LOW <= ratio <= _EVEN_HIGH:
            kind, said = "even-branch", "goes either way"
        elif ratio >= _ONE_SIDED or ratio <= 1 - _ONE_SIDED:
            kind, said = "one-sided-branch", "nearly always goes one way"
        else:
            continue
        text = f"a hot branch at {fact.where} {said} (true {100 * ratio:.0f} % of the time)"
        yield _about(fact, kind, weight, text=text)


def machine_code(hot: Hot) -> Iterator[Diagnosis]:
    """Selects, spills and indirect jumps in the hot loops of the machine code."""
    for fact in hot.machine_loops:
        weight = number(fact.data, "share")
        if weight < _HOT:
            continue
        seen = {
            "selects-in-loop": number(fact.data, "selects") >= 1,
            "branchy-loop": number(fact.data, "branches") >= _BRANCHY,
            "spills-in-loop": number(fact.data, "stack_accesses") >= _SPILLS,
            "dispatch-loop": number(fact.data, "indirect_jumps") >= 1,
            "vector-loop": number(fact.data, "vector") >= _BRANCHY,
            "scalar-loop": number(fact.data, "vector") == 0,
        }
        yield from (_about(fact, kind, weight) for kind, present in seen.items() if present)


def float_code(hot: Hot) -> Iterator[Diagnosis]:
    """Hot functions whose work is floating-point arithmetic, which may not be reordered."""
    for fact in hot.facts("function"):
        floats = number(fact.data, "float_operations")
        if hot.weight(fact) >= _HOT and floats >= _FLOATS * number(fact.data, "instructions", 1.0):
            yield _about(fact, "float-code", hot.weight(fact))


def loops(hot: Hot) -> Iterator[Diagnosis]:
    """Loops by how often they run: fixed small counts, short ones, long small ones."""
    profiled = any(number(fact.data, "share") for fact in hot.facts("loop"))
    for fact in hot.facts("loop"):
        # Without a profile no loop has a share of its own: its function's guess stands in.
        weight = number(fact.data, "share") if profiled else hot.weight(fact)
        exact = number(fact.data, "trip_count")
        each = number(fact.data, "per_entry") or exact
        if not fact.data.get("innermost"):
            if 1 < exact <= _SMALL_NEST and hot.weight(fact) >= _HOT:
                yield _about(fact, "fixed-count-nest", hot.weight(fact))
        elif weight < _HOT:
            continue
        elif exact > 1:
            yield _about(fact, "fixed-count-loop", weight)
        elif 0 < each <= _SMALL_TRIPS:
            yield _about(fact, "short-loop", weight)
        elif each >= _LONG_TRIPS:
            yield _about(fact, "long-loop", weight)


def vectorisation(hot: Hot) -> Iterator[Diagnosis]:
    """What the loop and the straight-line vectoriser did and did not do in hot functions."""
    for fact in hot.facts("remark"):
        kind = _VECTOR_REMARKS.get((fact.source, str(fact.data.get("outcome"))))
        if kind and hot.weight(fact) >= _HOT:
            yield _about(fact, kind, hot.weight(fact))


def missed_memory(hot: Hot) -> Iterator[Diagnosis]:
    """Loads that GVN or LICM could not remove from hot code."""
    for fact in hot.facts("remark"):
        blocked = fact.source in ("gvn", "licm") and fact.data.get("outcome") == "missed"
        if blocked and hot.weight(fact) >= _HOT:
            yield _about(fact, "load-not-eliminated", hot.weight(fact))


def hot_code(hot: Hot) -> Iterator[Diagnosis]:
    """Any hot function at all: calls for levers that concern code generation as a whole."""
    for fact in hot.facts("function"):
        if hot.weight(fact) >= _HOT:
            yield _about(fact, "hot-function", hot.weight(fact))


def _about(
    fact: Fact,
    kind: str,
    weight: float,
    *,
    text: str = "",
    symbol: str = "",
    data: Mapping[str, Scalar] | None = None,
) -> Diagnosis:
    """A diagnosis that stands on one fact."""
    return Diagnosis(
        kind=kind,
        where=fact.where,
        weight=min(1.0, weight),
        text=text or fact.text,
        evidence=(fact.id,),
        symbol=symbol or str(fact.data.get("symbol", "")),
        data=dict(data or {}),
    )


RULES: Sequence[Rule] = (
    calls_across_units,
    many_units,
    missed_inlining,
    branches,
    machine_code,
    float_code,
    loops,
    vectorisation,
    missed_memory,
    hot_code,
)
