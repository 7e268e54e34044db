"""The tables of `perfwright.toml` as they are written, and an example line for each key."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from perfwright.program.driver import Language

Role = Literal["train", "confirm"]

EXAMPLES = {
    "name": 'name = "qsort"',
    "language": 'language = "c"  (or "c++")',
    "sources": 'sources = ["qsort.c"]',
    "build": 'build = "make -j2"',
    "build_dir": 'build_dir = "src"',
    "binary": 'binary = "qsort"',
    "cflags": 'cflags = ["-O3", "-Iinclude"]',
    "ldflags": 'ldflags = ["-lm"]',
    "args": 'args = ["data/large.txt", "3"]',
    "stdin": 'stdin = "data/input"',
    "env": 'env = { THREADS = "1" }',
    "files": 'files = ["data/input"]',
    "cwd": 'cwd = "data"',
    "timeout": 'timeout = 10  (or "2m")',
    "role": 'role = "train"  (or "confirm")',
    "run": 'run = "make bench"',
    "metric": "metric = 'score: ([0-9.]+)'",
    "test": 'test = "make check"',
    "stdout": 'stdout = "exact"  (or { rel = 1e-9, abs = 1e-12 })',
    "rel": "stdout = { rel = 1e-9 }",
    "abs": "stdout = { abs = 1e-12 }",
    "exit": "exit = 0",
    "program": '[program] with sources = ["qsort.c"] or build = "make"',
    "workload": "[[workload]] in double brackets: there may be several",
    "oracle": "[oracle]",
}


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Tolerance(_Table):
    """How far numbers in the output may be off: by `rel` of their size, or by `abs`."""

    rel: float = Field(default=0.0, ge=0.0)
    abs: float = Field(default=0.0, ge=0.0)


class ProgramTable(_Table):
    """`[program]` as written."""

    name: str | None = None
    language: Language | None = None
    sources: list[str] = Field(default_factory=list)
    build: str | None = None
    build_dir: str | None = None
    binary: str | None = None
    cflags: list[str] | None = None
    ldflags: list[str] = Field(default_factory=list)


class WorkloadTable(_Table):
    """`[[workload]]` as written."""

    args: list[str] = Field(default_factory=list)
    stdin: str | None = None
    env: dict[str, str] = Field(default_factory=dict)
    files: list[str] = Field(default_factory=list)
    cwd: str | None = None
    timeout: float | str | None = None
    role: Role = "train"
    run: str | None = None
    metric: str | None = None


class OracleTable(_Table):
    """`[oracle]` as written."""

    test: str | None = None
    stdout: Literal["exact"] | Tolerance = "exact"
    files: list[str] = Field(default_factory=list)
    exit: int = 0


class File(_Table):
    """A whole `perfwright.toml` as written."""

    program: ProgramTable
    workload: list[WorkloadTable] = Field(default_factory=list)
    oracle: OracleTable = Field(default_factory=OracleTable)
