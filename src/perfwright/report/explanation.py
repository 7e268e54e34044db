"""The story of a campaign as JSON: what `perfwright explain --json` prints.

After AutoPass (arXiv 2606.20373, section 6.6): diagnosis, decision, measured consequence,
correction, each with the ids of the facts that it stands on.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from perfwright.core.trial import TrialState
from perfwright.report.document import AttributionRecord, ClaimRecord, ComparisonRecord


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ExplainedFact(_Model):
    """A fact that some step cites."""

    id: str
    source: str
    where: str
    text: str


class ExplainedFunction(_Model):
    """How much a function matters, from 0 to 1, and why."""

    symbol: str
    weight: float
    reason: str
    evidence: list[str]


class ExplainedHint(_Model):
    """What a piece of code is."""

    what: str
    symbol: str
    evidence: list[str]


class ExplainedRemarks(_Model):
    """Remarks of the compiler of one category."""

    category: str
    count: int
    evidence: list[str]


class ExplainedBottleneck(_Model):
    """What keeps hot code from being faster; `weight` is the share of time that it touches."""

    kind: str
    symbol: str
    where: str
    weight: float
    text: str
    evidence: list[str]


class ExplainedPriorities(_Model):
    """The scorer's answer; `instead_of` names a mind that gave none that could be used."""

    by: str
    instead_of: str = ""
    functions: list[ExplainedFunction]


class ExplainedAnalysis(_Model):
    """The analyst's answer, normalised."""

    by: str
    instead_of: str = ""
    hints: list[ExplainedHint]
    remarks: list[ExplainedRemarks]
    bottlenecks: list[ExplainedBottleneck]


class ExplainedQuestion(_Model):
    """A tool that a model called while it thought: its arguments, and one line of the answer."""

    role: str
    tool: str
    arguments: str
    answer: str


class ExplainedStep(_Model):
    """One trial: why it was tried, what was expected, what happened, what followed.

    Attributes:
        base: the trial whose edits it stands on; empty for the baseline.
        added, dropped: its edits against those of `base`.
        diagnosis: why the added edits should help; `claims` say it of each, `evidence` are the
            facts behind it.
        changes: what it changed in the code.
        correction_evidence: ids of facts, the `changes` among them.
    """

    trial: str
    state: TrialState
    edits: list[str]
    base: str
    added: list[str]
    dropped: list[str]
    diagnosis: list[str]
    claims: list[ClaimRecord]
    evidence: list[ExplainedFact]
    repairs: list[str]
    decision: str
    expects: str
    confidence: float | None
    consequence: str
    measured: ComparisonRecord | None
    accepted: bool
    changes: list[ExplainedFact]
    correction: str
    correction_evidence: list[str]


class Calibration(_Model):
    """Stated confidence against what came true, over measured trials that had one."""

    trials: int
    expected: float = Field(description="the sum of the stated confidences")
    faster: int


class Explanation(_Model):
    """The whole story; `minds` says who was asked in each role (an agent outside has none)."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    campaign: str
    program: str
    mind: str
    minds: dict[str, str]
    priorities: ExplainedPriorities | None
    analysis: ExplainedAnalysis | None
    questions: list[ExplainedQuestion] = []
    steps: list[ExplainedStep]
    calibration: Calibration | None
    worth: list[AttributionRecord]
    end: str
