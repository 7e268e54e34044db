"""Ranks functions: by measured share of the run time, else by the shape of their IR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perfwright.core.evidence import Fact, Scalar
from perfwright.minds.roles import Priority

_LOOP_FACTOR = 10.0
"""How often a loop is taken to run when nothing was counted (LLVM's own guess is alike)."""

_DEEPEST = 4


@dataclass(frozen=True)
class ShareScorer:
    """The functions that make up most of the time; `top` of them at most."""

    top: int = 10
    least_share: float = 0.01

    def score(self, facts: Sequence[Fact]) -> Sequence[Priority]:
        """Rank by measured share when there is a profile, by static weight when not."""
        functions = [fact for fact in facts if fact.kind == "function"]
        ranked = _measured(functions, self.least_share) or _guessed(functions)
        return sorted(ranked, key=lambda p: (-p.weight, p.symbol))[: self.top]


def number(data: Mapping[str, Scalar], key: str, default: float = 0.0) -> float:
    """A number of a fact's data; `default` when it is absent or no number."""
    value = data.get(key, default)
    return float(value) if isinstance(value, int | float) else default


def _measured(functions: Sequence[Fact], least: float) -> list[Priority]:
    ranked = []
    for fact in functions:
        share = max(number(fact.data, "share"), number(fact.data, "source_share"))
        if share >= least:
            reason = f"{100 * share:.0f} % of the run time"
            ranked.append(Priority(str(fact.data.get("symbol", "")), share, reason, (fact.id,)))
    return ranked


def _guessed(functions: Sequence[Fact]) -> list[Priority]:
    """Instructions times ten to the power of loop depth, trivial and I/O code left out."""
    costs: list[tuple[float, Fact]] = []
    for fact in functions:
        if fact.data.get("trivial") or fact.data.get("io_bound"):
            continue
        depth = min(_DEEPEST, number(fact.data, "max_loop_depth"))
        cost = number(fact.data, "instructions") * _LOOP_FACTOR**depth
        costs.append((cost, fact))
    total = sum(cost for cost, _ in costs) or 1.0
    reason = "by instructions and loop depth; no profile"
    return [
        Priority(str(fact.data.get("symbol", "")), cost / total, reason, (fact.id,))
        for cost, fact in costs
        if cost > 0
    ]
