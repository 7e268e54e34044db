"""The JSON document of a campaign (`--json`), schema version 1.

The models are the schema: `perfwright/report/schema/campaign-1.json` is printed from them
and a test keeps the two equal.  Fields are only ever added within a version.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from perfwright.core.campaign import Status
from perfwright.core.protocols import Identity
from perfwright.core.trial import Correctness, TrialState
from perfwright.core.verdict import Verdict


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolchainRecord(_Model):
    """The LLVM that built everything."""

    version: str


class TargetRecord(_Model):
    """Where it ran: the triple, and the CPU that code was generated for."""

    triple: str
    cpu: str


class BaselineRecord(_Model):
    """The user's own build.

    `seconds` is the mean over the train workloads, of the quickest run of each.
    """

    identity: Identity
    seconds: float
    over_o3: float | None = Field(
        default=None,
        description="time at -O3, other flags as they are, over baseline time; null: it is -O3",
    )


class ComparisonRecord(_Model):
    """A measured comparison; `speedup` is reference time over candidate time."""

    verdict: Verdict
    speedup: float
    low: float | None = Field(description="null: no bound yet")
    high: float | None = Field(description="null: no bound yet")
    pairs: int


class ResultRecord(_Model):
    """The confirmed figure, from fresh runs, with its 95 % interval.

    With no pairs nothing was confirmed: the build stays as it is, which is 1.0 without bounds.
    """

    speedup: float
    low: float | None = Field(description="null: no bound yet")
    high: float | None = Field(description="null: no bound yet")
    pairs: int
    correct: Correctness
    method: str = ""
    delivered: ComparisonRecord | None = Field(
        default=None, description="the layout that is handed over, measured on its own"
    )


class ClaimRecord(_Model):
    """Why an edit should help, and the facts it stands on."""

    edit: str
    text: str
    evidence: list[str]


class TrialRecord(_Model):
    """One trial.  The verdict and figures are against the incumbent of its time."""

    id: str
    level: str
    state: TrialState
    reason: str = ""
    reproducer: str = ""
    verdict: Verdict | None = None
    speedup: float | None = None
    low: float | None = None
    high: float | None = None
    pairs: int = 0
    accepted: bool = False
    over_baseline: ComparisonRecord | None = None
    edits: list[str]
    claims: list[ClaimRecord]
    expects: str = ""
    confidence: float | None = Field(
        default=None, description="stated beforehand, 0 to 1, that it is faster; null: not stated"
    )
    repairs: list[str] = []
    lesson: str = ""


class RoundRecord(_Model):
    """A round: one measured candidate, or drafts that failed before measuring."""

    round: int
    trials: list[TrialRecord]


class AttributionRecord(_Model):
    """What one edit is worth: the winner over the winner without it."""

    edit: str
    contribution: float
    low: float | None = Field(description="null: no bound yet")
    high: float | None = Field(description="null: no bound yet")
    pairs: int
    resolved: bool


class UsageRecord(_Model):
    """What the campaign cost; seconds are wall time, all sessions together."""

    requests: int
    tokens: int
    usd: float
    seconds: float
    compile_seconds: float
    run_seconds: float
    overhead_seconds: float


class WarningRecord(_Model):
    """Something the reader must know, with what can be done about it."""

    text: str
    hint: str = ""


class CampaignDocument(_Model):
    """One campaign, as `perfwright tune --json` and `perfwright show --json` print it."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    campaign: str | None = Field(description="null when it failed before it began")
    program: str
    status: Status
    cause: str = ""
    mind: str
    seed: int
    toolchain: ToolchainRecord | None = None
    target: TargetRecord | None = None
    metric: str
    baseline: BaselineRecord | None = None
    result: ResultRecord | None = None
    rounds: list[RoundRecord] = []
    attribution: list[AttributionRecord] = []
    edits: list[str] = []
    claims: list[ClaimRecord] = []
    recipe: str | None = None
    report: str | None = None
    usage: UsageRecord
    warnings: list[WarningRecord] = []

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def stillborn(
    status: Status,
    cause: str = "",
    *,
    program: str = "",
    mind: str = "builtin",
    seed: int = 0,
    metric: str = "cpu",
    seconds: float = 0.0,
) -> CampaignDocument:
    """The document of what ended before there was a campaign; `seconds` is what it took."""
    return CampaignDocument(
        campaign=None,
        program=program,
        status=status,
        cause=cause,
        mind=mind,
        seed=seed,
        metric=metric,
        usage=UsageRecord(
            requests=0,
            tokens=0,
            usd=0.0,
            seconds=round(seconds, 3),
            compile_seconds=0.0,
            run_seconds=0.0,
            overhead_seconds=round(seconds, 3),
        ),
    )
