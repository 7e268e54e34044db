"""What the journal says about campaigns, as values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from perfwright.core.budget import Usage
from perfwright.errors import UserError

RUNNING = "running"
"""Status of a campaign that a living process works on."""


@dataclass(frozen=True)
class Plan:
    """What a campaign is started with; all of it is needed to resume or replay it.

    Attributes:
        program: its name, for people.
        path: what was given on the command line.
        settings: options of the run, as JSON.
        toolchain: fingerprint, for example `LLVM 22.1.8 3f2a...`; see `changes_since`.
        sources: digest of each source and input file, by path.
        seed: of every random choice.
        mind: for example `builtin`.
    """

    program: str
    path: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    toolchain: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    mind: str = "builtin"


@dataclass(frozen=True)
class CampaignRecord:
    """One campaign as the journal knows it.

    `status` is one of core's (`improved`, `no-gain`, `failed`, `interrupted`) or `running`.
    `cause` says why it failed.
    """

    id: str
    plan: Plan
    version: str
    started: datetime
    ended: datetime | None
    status: str
    cause: str
    usage: Usage


@dataclass(frozen=True)
class StepRecord:
    """One finished step; `payload` is JSON of a value of type `kind`."""

    seq: int
    key: str
    kind: str
    payload: str
    at: datetime


@dataclass(frozen=True)
class Dialogue:
    """One request to a model and its answer."""

    role: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any]
    tokens: int = 0
    usd: float = 0.0


def changes_since(plan: Plan, toolchain: str, sources: Mapping[str, str]) -> tuple[str, ...]:
    """What is no longer as it was when the campaign began, one line each; empty if all is."""
    changes = []
    if toolchain != plan.toolchain:
        changes.append(f"the toolchain was {plan.toolchain}, and is {toolchain}")
    for path in sorted({*plan.sources, *sources}):
        if path not in sources:
            changes.append(f"{path} is gone")
        elif path not in plan.sources:
            changes.append(f"{path} is new")
        elif sources[path] != plan.sources[path]:
            changes.append(f"{path} has changed")
    return tuple(changes)


def refuse_changes(record: CampaignRecord, toolchain: str, sources: Mapping[str, str]) -> None:
    """Let a campaign be resumed only on what it began with.

    Raises:
        UserError: the toolchain or the program has changed; finished steps would no longer
            be true.
    """
    changes = changes_since(record.plan, toolchain, sources)
    if changes:
        raise UserError(
            f"campaign {record.id} cannot be resumed: what it stands on has changed",
            cause="; ".join(changes),
            hint=f"undo the change, or start afresh: perfwright tune {record.plan.path}",
        )


def campaign_from(row: sqlite3.Row, usage: Usage, *, alive: bool) -> CampaignRecord:
    """A row of `campaigns`; `alive` says whether a process holds the campaign's lease.

    Who is killed cannot write a status: `running` without a living process is `interrupted`.
    """
    status = row["status"]
    return CampaignRecord(
        id=row["id"],
        plan=Plan(
            program=row["program"],
            path=Path(row["path"]),
            settings=json.loads(row["settings"]),
            toolchain=row["toolchain"],
            sources=json.loads(row["sources"]),
            seed=row["seed"],
            mind=row["mind"],
        ),
        version=row["version"],
        started=datetime.fromisoformat(row["started"]),
        ended=datetime.fromisoformat(row["ended"]) if row["ended"] else None,
        status="interrupted" if status == RUNNING and not alive else status,
        cause=row["cause"],
        usage=usage,
    )
