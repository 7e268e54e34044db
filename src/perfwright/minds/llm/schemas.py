"""What a model answers in each role, as typed records.

The descriptions are part of the schema that the model is shown: they are instructions.
Lists are bounded, so that no answer can be longer than anyone would read.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

EvidenceIds = Annotated[list[str], Field(max_length=12, description="Ids of facts.")]
Weight = Annotated[float, Field(ge=0.0, le=1.0)]
Text = Annotated[str, Field(max_length=600)]
Symbol = Annotated[str, Field(max_length=500)]


class Answer(BaseModel):
    """Anything a role answers.  Fields that nobody asked for are left out, not refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ScoredFunction(Answer):
    """How much one function matters."""

    symbol: Symbol = Field(description="The symbol exactly as listed.")
    weight: Weight = Field(description="0 to 1: how much faster code here would help the program.")
    reason: Text = Field(description="Why, in one short sentence.")


class Scores(Answer):
    """The scorer's answer."""

    functions: list[ScoredFunction] = Field(
        min_length=1, max_length=40, description="Most important first; trivial and I/O left out."
    )


class Hint(Answer):
    """What a piece of code is, semantically."""

    what: Text = Field(description="For example: sorting, stencil, state machine, hashing.")
    symbol: Symbol = ""
    evidence: EvidenceIds = Field(default_factory=list)


class RemarkGroup(Answer):
    """Remarks of one kind."""

    category: Text = Field(description="For example: inlining refused for its cost.")
    count: int = Field(ge=1, le=100_000)
    evidence: EvidenceIds = Field(default_factory=list)


class Bottleneck(Answer):
    """Something that keeps hot code from being faster."""

    kind: Annotated[str, Field(max_length=60)] = Field(
        description="One of those listed in your instructions, or a short word of your own."
    )
    symbol: Symbol = Field(description="Whose time it touches.")
    where: Text = Field(default="", description="file:line:column.")
    weight: Weight = Field(description="Share of the run time.")
    text: Text = Field(description="The cause, in one sentence.")
    evidence: EvidenceIds = Field(min_length=1)


class Analysis(Answer):
    """The analyst's answer."""

    hints: list[Hint] = Field(default_factory=list, max_length=12)
    remarks: list[RemarkGroup] = Field(default_factory=list, max_length=20)
    bottlenecks: list[Bottleneck] = Field(min_length=1, max_length=20)


class ProposedEdit(Answer):
    """One edit and why it should help."""

    edit: Annotated[str, Field(min_length=1, max_length=1000)] = Field(
        description="In the grammar of edits."
    )
    claim: Text = Field(description="Why, in one sentence.")
    evidence: EvidenceIds = Field(default_factory=list)


class Proposal(Answer):
    """One candidate: edits that belong together, or a whole pipeline."""

    edits: list[ProposedEdit] = Field(default_factory=list, max_length=24)
    pipeline: Annotated[str, Field(max_length=200_000)] = Field(
        default="", description="Only instead of edits of passes."
    )
    expects: Text = Field(default="", description="What should change in the code.")
    confidence: Weight = Field(default=0.5, description="That it is faster.")


class Proposals(Answer):
    """The reasoner's answer."""

    candidates: list[Proposal] = Field(
        max_length=3, description="Most promising first; empty when nothing is left to try."
    )


class Judgement(Answer):
    """The evaluator's answer.  Whether the candidate is kept is not its business."""

    cause: Text = Field(description="Why the time changed as it did.")
    next: Text = Field(description="The direction for the next round.")
    evidence: EvidenceIds = Field(default_factory=list)
