"""Rules that read facts and say what keeps hot code from being faster.

Each rule looks at one kind of fact and gives diagnoses with the share of the run time that
they touch.  Thresholds are the rules' own; where a number is LLVM's it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from perfwright.core.evidence import Fact
from perfwright.minds.builtin.scorer import number
from perfwright.minds.roles import Diagnosis, Priority

_HOT = 0.03
"""Code below this share of the run time is not worth a diagnosis."""

_EVEN_LOW, _EVEN_HIGH = 0.15, 0.85
"""A branch taken this often is hard to predict when its condition is data."""

_ONE_SIDED = 0.97
_SMALL_TRIPS = 12.0
_LONG_TRIPS = 32.0
_SMALL_BODY = 48
_SPILLS = 3

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
        """All diagnoses, heaviest first; one of each kind and place."""
        by_kind: dict[str, list[Fact]] = {}
        for fact in facts:
            by_kind.setdefault(fact.kind, []).append(fact)
        hot = Hot(by_kind, {p.symbol: p.weight for p in priorities})
        found = [diagnosis for rule in RULES for diagnosis in rule(hot)]
        found.sort(key=lambda d: (-d.weight, d.kind, d.where))
        unique = {(d.kind, d.where): d for d in reversed(found)}
        return sorted(unique.values(), key=lambda d: (-d.weight, d.kind, d.where))


def calls_across_units(hot: Hot) -> Iterator[Diagnosis]:
    """Hot calls into other units, which a per-unit build cannot inline."""
    for fact in hot.facts("call"):
        weight = number(fact.data, "hotness")
        if fact.data.get("callee_unit") and weight >= _HOT:
            in_loop = number(fact.data, "loop_depth") > 0
            entries = number(fact.data, "callee_entries")
            if in_loop or entries > 1000:
                yield Diagnosis("cross-unit-call", fact.where, weight, fact.text, (fact.id,), {})


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
        callee = str(fact.data.get("Callee", ""))
        weight = max(hot.weight(fact), hot.weights.get(callee, 0.0))
        cost = number(fact.data, "Cost")
        threshold = number(fact.data, "Threshold")
        if weight >= _HOT and cost > threshold > 0:
            yield Diagnosis(
                "inlining-too-costly",
                fact.where,
                weight,
                f"{callee} is not inlined: cost {cost:.0f} is over the threshold {threshold:.0f}",
                (fact.id,),
                {"cost": cost, "threshold": threshold},
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
        text = f"a hot branch {said} (true {100 * ratio:.0f} % of the time)"
        yield Diagnosis(kind, fact.where, weight, text, (fact.id,), {"ratio": ratio})


def machine_code(hot: Hot) -> Iterator[Diagnosis]:
    """Selects, spills and indirect jumps in the hot loops of the machine code."""
    for fact in hot.machine_loops:
        weight = number(fact.data, "share")
        if weight < _HOT:
            continue
        seen = {
            "selects-in-loop": number(fact.data, "selects") >= 1,
            "branchy-loop": number(fact.data, "branches") >= 3,
            "spills-in-loop": number(fact.data, "stack_accesses") >= _SPILLS,
            "dispatch-loop": number(fact.data, "indirect_jumps") >= 1,
            "vector-loop": number(fact.data, "vector") >= 4,
            "scalar-loop": number(fact.data, "vector") == 0,
        }
        for kind, present in seen.items():
            if present:
                yield Diagnosis(kind, fact.where, weight, fact.text, (fact.id,))


def loops(hot: Hot) -> Iterator[Diagnosis]:
    """Loops by how often they run: fixed small counts, short ones, long small ones."""
    for fact in hot.facts("loop"):
        weight = max(number(fact.data, "share"), 0.0)
        if weight < _HOT or not fact.data.get("innermost"):
            continue
        exact = number(fact.data, "trip_count")
        each = number(fact.data, "per_entry") or exact
        if exact > 1:
            kind = "fixed-count-loop"
        elif 0 < each <= _SMALL_TRIPS:
            kind = "short-loop"
        elif each >= _LONG_TRIPS:
            kind = "long-loop"
        else:
            continue
        yield Diagnosis(kind, fact.where, weight, fact.text, (fact.id,), {"trips": each})


def outer_fixed_loops(hot: Hot) -> Iterator[Diagnosis]:
    """Outer loops of a fixed small count around hot inner ones: the nest can be flattened."""
    for fact in hot.facts("loop"):
        exact = number(fact.data, "trip_count")
        if fact.data.get("innermost") or not 1 < exact <= 16:
            continue
        weight = hot.weight(fact)
        if weight >= _HOT:
            yield Diagnosis(
                "fixed-count-nest", fact.where, weight, fact.text, (fact.id,), {"trips": exact}
            )


def vectorisation(hot: Hot) -> Iterator[Diagnosis]:
    """What the loop and the straight-line vectoriser did and did not do in hot functions."""
    for fact in hot.facts("remark"):
        weight = hot.weight(fact)
        if weight < _HOT:
            continue
        done = fact.data.get("outcome") == "passed"
        if fact.source == "loop-vectorize" and done:
            yield Diagnosis("loop-vectorised", fact.where, weight, fact.text, (fact.id,))
        elif fact.source == "loop-vectorize" and fact.data.get("outcome") == "missed":
            yield Diagnosis("loop-not-vectorised", fact.where, weight, fact.text, (fact.id,))
        elif fact.source == "slp-vectorizer" and done:
            yield Diagnosis("slp-vectorised", fact.where, weight, fact.text, (fact.id,))
        elif fact.source == "slp-vectorizer" and fact.data.get("name") == "NotBeneficial":
            yield Diagnosis("slp-not-beneficial", fact.where, weight, fact.text, (fact.id,))
        elif fact.source == "loop-unroll" and done:
            yield Diagnosis("loop-unrolled", fact.where, weight, fact.text, (fact.id,))


def missed_memory(hot: Hot) -> Iterator[Diagnosis]:
    """Loads that GVN or LICM could not remove from hot code."""
    for fact in hot.facts("remark"):
        weight = hot.weight(fact)
        blocked = fact.source in ("gvn", "licm") and fact.data.get("outcome") == "missed"
        if blocked and weight >= _HOT:
            yield Diagnosis("load-not-eliminated", fact.where, weight, fact.text, (fact.id,))


def hot_code(hot: Hot) -> Iterator[Diagnosis]:
    """Any hot function at all: calls for levers that concern code generation as a whole."""
    for fact in hot.facts("function"):
        weight = hot.weight(fact)
        if weight >= _HOT:
            yield Diagnosis("hot-function", fact.where, weight, fact.text, (fact.id,))


RULES: Sequence[Rule] = (
    calls_across_units,
    many_units,
    missed_inlining,
    branches,
    machine_code,
    loops,
    outer_fixed_loops,
    vectorisation,
    missed_memory,
    hot_code,
)
