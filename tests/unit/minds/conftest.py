"""Facts, situations and a bench without a compiler, to put the built-in mind into."""

from __future__ import annotations

import json
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.evidence import Fact, Scalar
from perfwright.core.protocols import Lesson, Refusal, Situation
from perfwright.core.trial import Trial
from perfwright.minds.roles import Bench, Draft
from perfwright.testing.situations import after, first_situation

CASES = Path(__file__).parents[2] / "cases" / "minds"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """An argument `scorer_case` runs over the cases of `scorer.json`, named by why-lines."""
    for name in metafunc.fixturenames:
        if name.endswith("_case"):
            path = CASES / f"{name.removesuffix('_case')}.json"
            entries: list[dict[str, Any]] = json.loads(path.read_text())
            metafunc.parametrize(name, entries, ids=[entry["why"] for entry in entries])


@dataclass
class ScriptedBench:
    """Compiles in no time: each edit changes the hot code, unless it is named as one that does not.

    Attributes:
        inert: texts of edits that change no code of a hot function.
        alike: texts of edits that all give the same code.
        refused: texts of edits that the compiler does not take.
        asked: what was drafted so far.
    """

    inert: Set[str] = frozenset()
    alike: Set[str] = frozenset()
    refused: Set[str] = frozenset()
    asked: list[Candidate] = field(default_factory=list)

    def draft(self, candidate: Candidate, reference: Candidate) -> Draft | Refusal:
        """See `perfwright.minds.roles.Bench`."""
        self.asked.append(candidate)
        texts = {edit.text for edit in candidate.edits}
        if texts & self.refused:
            return Refusal("there is no such option")
        code = self._code(candidate)
        changed = ("work",) if code != self._code(reference) else ()
        return Draft(code, 16_384, changed)

    def _code(self, candidate: Candidate) -> str:
        texts = {edit.text for edit in candidate.edits} - self.inert
        return repr(sorted({"alike" if text in self.alike else text for text in texts}))


@pytest.fixture
def benches() -> Callable[..., Bench]:
    """Makes a bench: `benches(inert={"option a=1"})`."""
    return ScriptedBench


@pytest.fixture
def function_fact() -> Callable[..., Fact]:
    """Makes the fact of a function as the evidence has it: `function_fact("work", share=0.8)`."""

    def make(symbol: str, /, unit: str = "main.c", **data: Any) -> Fact:
        text = f"{symbol} in {unit}"
        values = {"symbol": symbol, "unit": unit, **data}
        return Fact(f"fun-{unit}:{symbol}", "function", "opt", unit, text, values)

    return make


@pytest.fixture
def hot_facts(function_fact: Callable[..., Fact]) -> tuple[Fact, ...]:
    """A program with something of everything that the built-in mind looks for."""
    loop: dict[str, Scalar] = {"symbol": "work", "innermost": True}
    code: dict[str, Scalar] = {
        "symbol": "work",
        "share": 0.5,
        "selects": 2,
        "branches": 4,
        "stack_accesses": 5,
    }
    taken: dict[str, Scalar] = {"symbol": "work", "taken": 500, "not_taken": 500, "ratio": 0.5}
    call: dict[str, Scalar] = {
        "callee": "work",
        "callee_unit": "work.c",
        "loop_depth": 1,
        "hotness": 0.8,
    }
    inlining: dict[str, Scalar] = {"symbol": "main", "outcome": "missed", "callee": "work"}
    return (
        function_fact("work", unit="work.c", share=0.8, instructions=100),
        function_fact("main", share=0.2, instructions=50),
        Fact(
            "loop-1",
            "loop",
            "llvm-cov",
            "work.c:3:3",
            "a loop",
            {**loop, "share": 0.5, "per_entry": 900.0},
        ),
        Fact(
            "loop-2",
            "loop",
            "llvm-cov",
            "work.c:8:3",
            "a loop",
            {**loop, "share": 0.3, "trip_count": 8},
        ),
        Fact(
            "code-work-loop1",
            "code",
            "llvm-objdump",
            "work.c:4",
            "machine code",
            {**code, "stack_accesses": 5},
        ),
        Fact("br-1", "branch", "llvm-cov", "work.c:5:9", "a branch", taken),
        Fact("call-1", "call", "opt", "main.c:7:5", "a call", {**call, "loop_depth": 1}),
        Fact(
            "rem-1",
            "remark",
            "inline",
            "main.c:7:5",
            "missed",
            {**inlining, "cost": 405, "threshold": 250},
        ),
    )


@pytest.fixture
def situations(hot_facts: tuple[Fact, ...]) -> Callable[..., Situation]:
    """Makes a situation after some trials; `incumbent` when it is none of theirs."""

    def make(
        *trials: Trial, facts: tuple[Fact, ...] = hot_facts, incumbent: Candidate = BASELINE
    ) -> Situation:
        situation = first_situation(facts)
        for trial in trials:
            situation = after(situation, trial, Lesson(trial.id, "it happened"))
        kept = situation.incumbent if situation.incumbent.edits else incumbent
        return Situation(
            ground=situation.ground,
            incumbent=kept,
            trials=situation.trials,
            lessons=situation.lessons,
            round=situation.round,
            rounds_left=situation.rounds_left,
        )

    return make
