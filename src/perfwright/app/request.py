"""What a user asks of `perfwright tune`, checked before anything is run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from perfwright.errors import UserError, unknown_name
from perfwright.minds.assignment import Assignment

METRICS = ("cpu", "wall", "instructions", "cycles")
AGENT = "agent"
"""The mind that sits outside: a coding agent, over MCP."""
LEVELS = ("pipeline",)
"""Levels that this version can edit at; `source`, `ir` and `asm` are planned."""
_LEAST: Mapping[str, int] = {
    "max_usd": 0,
    "max_tokens": 0,
    "max_requests": 0,
    "top_k": 1,
    "context_tokens": 1000,
    "ir_tokens": 0,
    "tool_calls": 0,
    "rounds": 0,
    "seed": 0,
}
_POSITIVE = ("mind_timeout", "seconds", "max_size", "max_compile_time")
_LARGEST = 2**63 - 1
"""What SQLite holds in an integer."""


def likely_name(program: Path) -> str:
    """What a program is called as long as its file has not been read."""
    place = Path(os.path.abspath(program))  # noqa: PTH100 - a link keeps its own name
    if place.is_dir():
        return place.name
    return place.parent.name if place.suffix == ".toml" else place.stem


class TuneRequest(BaseModel):
    """One campaign as the user wants it.  Stored in the journal; resume reads it back.

    `max_size` and `max_compile_time` are ratios to the baseline; `seconds` is wall time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    program: Path
    arguments: tuple[str, ...] = ()
    cwd: Path | None = None
    """Where a program without a `perfwright.toml` runs; here when `None`."""
    mind: str = "builtin"
    """Who plays every role that `roles` does not name."""
    roles: Mapping[str, str] = Field(default_factory=dict)
    """Role -> mind, for those that differ; `none` leaves a role out."""
    mind_timeout: float = 600.0
    """Seconds until one request to a mind counts as lost."""
    max_usd: float | None = None
    max_tokens: int | None = None
    max_requests: int | None = None
    top_k: int = 10
    """Functions that are looked into."""
    context_tokens: int = 2500
    """How much one brief for a model may hold, roughly, IR apart."""
    ir_tokens: int = 1800
    """How much LLVM IR of hot functions the analyst is shown, roughly; 0 sends none."""
    tool_calls: int = 6
    """How often a model may call tools for one proposal."""
    levels: tuple[str, ...] = ("pipeline",)
    rounds: int | None = 3
    seconds: float | None = None
    metric: str | None = None
    """One of `METRICS`; CPU time, or wall time for programs on several CPUs, when `None`."""
    toolchain: str | None = None
    cpu: str | None = None
    seed: int = 0
    out: Path | None = None
    weak_oracle: bool = False
    max_size: float | None = None
    max_compile_time: float | None = None
    null_candidates: bool = False
    """A/A: propose candidates that change nothing and measure them all the same."""

    @property
    def assignment(self) -> Assignment:
        """Who plays which role."""
        return Assignment(self.mind, self.roles)

    def settled(self, here: Path) -> TuneRequest:
        """The same from whatever folder it is resumed; `here` is where it was made."""
        return self.model_copy(
            update={
                "program": here / self.program,
                "cwd": here / (self.cwd or ""),
                "out": here / self.out if self.out else None,
            }
        )

    @field_validator(*_LEAST, *_POSITIVE)
    @classmethod
    def _in_range(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None:
            return None
        name = info.field_name or ""
        enough = value > 0 if name in _POSITIVE else value >= _LEAST[name]
        if enough and value <= _LARGEST:
            return value
        least = "more than 0" if name in _POSITIVE else f"at least {_LEAST[name]}"
        raise UserError(
            f"{'time' if name == 'seconds' else name} is {value}",
            cause=f"it must be at most {_LARGEST}" if enough else f"it must be {least}",
        )

    @field_validator("metric")
    @classmethod
    def _known_metric(cls, name: str | None) -> str | None:
        if name is not None and name not in METRICS:
            raise unknown_name("metric", name, METRICS)
        return name

    @field_validator("levels")
    @classmethod
    def _known_levels(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in LEVELS:
                raise unknown_name("level", name, LEVELS)
        if not names:
            raise UserError("no level is given", hint="--levels pipeline")
        return names
