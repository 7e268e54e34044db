"""The roles of AutoPass as protocols (arXiv 2606.20373, section 4), with their answers.

A mind is one of each: the scorer says where to look, the analyst what is wrong there, the
reasoner what to change, the evaluator what is to be learned from what happened.  Any role
can be played by rules or by a model; `perfwright.minds.team` puts them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from perfwright.core.candidate import Candidate
from perfwright.core.evidence import Fact, Scalar
from perfwright.core.protocols import Lesson, Refusal, Situation
from perfwright.core.trial import Trial


@dataclass(frozen=True)
class Priority:
    """How much a function matters: `weight` from 0 to 1, and why."""

    symbol: str
    weight: float
    reason: str
    evidence: tuple[str, ...] = ()


HINT = "hint"
"""The kind of a diagnosis that says what a piece of code is: sorting, a stencil, a hash."""

REMARKS = "remarks"
"""The kind of one that stands for a group of remarks, by `category` and `count` of its data."""


@dataclass(frozen=True)
class Diagnosis:
    """Something that keeps a hot piece of code from being faster.

    Attributes:
        kind: what it is; levers are looked up by it.
        where: place in the source, or function.
        symbol: the function whose time it touches.
        weight: share of the run time that it touches, from 0 to 1.
        text: one sentence.
        evidence: the facts that it stands on.
        data: the numbers that levers need (a cost, a trip count).
    """

    kind: str
    where: str
    weight: float
    text: str
    evidence: tuple[str, ...]
    symbol: str = ""
    data: dict[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """A candidate that was compiled but not run, and what that changed: free to look at.

    `changed` names the hot functions whose machine code differs from the reference's.
    """

    code: str
    size_bytes: int
    changed: tuple[str, ...]


class Bench(Protocol):
    """What a mind may do while it thinks, without using up a trial."""

    def draft(self, candidate: Candidate, reference: Candidate) -> Draft | Refusal:
        """Compile a candidate and compare its code with the reference's."""
        ...


@dataclass(frozen=True)
class Priorities:
    """The scorer's answer as the journal keeps it.

    Attributes:
        by: the mind that gave it.
        instead_of: the mind that was asked first and gave no answer that could be used.
    """

    functions: tuple[Priority, ...]
    by: str
    instead_of: str = ""


@dataclass(frozen=True)
class Analysis:
    """The analyst's answer as the journal keeps it; `by` and `instead_of` as for priorities."""

    diagnoses: tuple[Diagnosis, ...]
    by: str
    instead_of: str = ""


def remark_group(category: str, count: int, evidence: tuple[str, ...]) -> Diagnosis:
    """A group of remarks of one category."""
    text = f"{count} remarks: {category}"
    data: dict[str, Scalar] = {"category": category, "count": count}
    return Diagnosis(REMARKS, "", 0.0, text, evidence, data=data)


class Scorer(Protocol):
    """Ranks functions by how much a change of them could matter."""

    def score(self, facts: Sequence[Fact]) -> Sequence[Priority]:
        """The functions worth looking at, first the most important."""
        ...


class Analyst(Protocol):
    """Finds what is wrong in the functions that matter."""

    def analyse(self, facts: Sequence[Fact], priorities: Sequence[Priority]) -> Sequence[Diagnosis]:
        """Diagnoses, first the heaviest."""
        ...


class Reasoner(Protocol):
    """Turns diagnoses and history into candidates."""

    def reason(self, situation: Situation, diagnoses: Sequence[Diagnosis]) -> Sequence[Candidate]:
        """Drafts, first the most promising; none when nothing is left to try."""
        ...


class Evaluator(Protocol):
    """Says what is to be learned from a trial.  The verdict itself is the rules' business."""

    def evaluate(self, situation: Situation, trial: Trial) -> Lesson:
        """The cause of what happened and the next direction, briefly."""
        ...
