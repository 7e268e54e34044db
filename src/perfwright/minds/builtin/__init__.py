"""The mind without a model: rules for what is wrong, a table of levers, and belief updates.

It reads the same facts and gives the same answers in every process: all that it knows of a
campaign is in the situation that it is handed.
"""

from __future__ import annotations

from perfwright.minds.builtin.analyst import RuleAnalyst
from perfwright.minds.builtin.evaluator import RuleEvaluator
from perfwright.minds.builtin.reasoner import LeverReasoner
from perfwright.minds.builtin.scorer import ShareScorer
from perfwright.minds.roles import Bench
from perfwright.minds.team import RoleMind


def builtin_mind(bench: Bench, *, seed: int = 0) -> RoleMind:
    """The built-in mind; `bench` compiles its drafts, `seed` settles ties."""
    return RoleMind(ShareScorer(), RuleAnalyst(), LeverReasoner(bench, seed), RuleEvaluator())
