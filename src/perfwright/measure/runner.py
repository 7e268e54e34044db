"""Runs of programs under test, as values: what to run, under which limits, what came of it.

What runs them is an `Executor`: `perfwright.measure.executor.NativeExecutor` for real,
`perfwright.testing.executor.ScriptedExecutor` in tests.  A run never raises because of what
the program did; everything that a program can do wrong is an `Outcome`.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from perfwright.toolchain.process import signal_name
from perfwright.units import Bytes, format_bytes, format_duration

MOST_MEMORY = Bytes(8 << 30)
MOST_IN_A_FILE = Bytes(256 << 20)
MOST_ON_DISK = Bytes(1 << 30)
_NOTHING = Bytes(0)


@dataclass(frozen=True)
class RunLimits:
    """What one run may use.

    Attributes:
        wall: elapsed seconds; then everything that it started is killed.
        cpu: CPU seconds of each process; `None`: wall seconds times the number of CPUs.
        memory: bytes for all its processes together where the machine has control groups,
            else of address space for each process; the executor lowers it to the machine's.
        address_space: whether memory may be limited as address space at all.  False for
            AddressSanitizer, which reserves terabytes of it.
        processes: how many processes and threads there may be at once.
        file_size: bytes that any one file may have, standard output included.
        disk: bytes that all files in its scratch folder may have (in the sandbox only).
        stack: bytes of stack; `None`: as for perfwright itself.
    """

    wall: float = 60.0
    cpu: int | None = None
    memory: Bytes = MOST_MEMORY
    address_space: bool = True
    processes: int = 512
    file_size: Bytes = MOST_IN_A_FILE
    disk: Bytes = MOST_ON_DISK
    stack: Bytes | None = None


@dataclass(frozen=True)
class Setting:
    """What must never decide a comparison, and is therefore varied from pair to pair.

    Attributes:
        env_bytes: bytes added to the environment: moves the stack (Mytkowicz et al.,
            "Producing wrong data without doing anything obviously wrong", ASPLOS 2009).
        aslr: whether the system places code, stack and heap at random addresses.
        scratch: name of the folder in which the program runs.
        cpu: the only CPU that it may use; `None`: any.
    """

    env_bytes: int = 0
    aslr: bool = True
    scratch: str = "scratch"
    cpu: int | None = None


@dataclass(frozen=True)
class Run:
    """One run of a program.

    The program runs in a scratch folder that looks like the user's: `root` appears there
    with every entry as a link to the real one (read-only in the sandbox), so that relative
    paths work and new files cost nobody anything.

    Attributes:
        argv: what the program sees as its arguments, its own name first.
        program: the file to execute; `None`: `argv[0]` is a command of the system, or the
            file named by `place`.
        root: the program's folder.
        cwd: where in `root` it runs, as a relative path.
        stdin: what it reads; nothing when `None`.
        env: its environment, besides a few neutral variables (see `executor.BASE_ENV`).
        copied: files relative to `cwd` that it may change: copied, not linked.
        exposed: further files and folders that it may read; matters in the sandbox, where
            the home folders are hidden.
        outputs: files relative to `cwd` to collect after the run.
        place: where in `root` the file `program` is put as well, for a user's own command
            that runs it from there (`make bench`).
        copy_tree: the whole of `root` is copied, so that a user's own command may write.
        writable: a folder of ours that it may write to: where a profiler leaves its data.
        untrusted: a model wrote part of the program: never runs outside the sandbox.
    """

    argv: tuple[str, ...]
    root: Path
    program: Path | None = None
    cwd: str = "."
    stdin: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    copied: tuple[str, ...] = ()
    exposed: tuple[Path, ...] = ()
    outputs: tuple[str, ...] = ()
    place: str = ""
    copy_tree: bool = False
    writable: Path | None = None
    limits: RunLimits = RunLimits()
    setting: Setting = Setting()
    counters: bool = False
    untrusted: bool = False

    @property
    def reproducer(self) -> str:
        """A shell line that runs the same program outside the sandbox."""
        variables = [f"{name}={value}" for name, value in self.env.items()]
        words = [str(self.program) if self.program else self.argv[0], *self.argv[1:]]
        prefix = ["env", *variables] if variables else []
        read = f" < {shlex.quote(str(self.stdin))}" if self.stdin else ""
        return f"cd {shlex.quote(str(self.root / self.cwd))} && {shlex.join(prefix + words)}{read}"


class Outcome(StrEnum):
    """How a run ended.  Only `exited` can be right; everything else is never a pass."""

    EXITED = "exited"
    """By itself, with an exit status."""
    CRASHED = "crashed"
    """By a signal that was not one of our limits."""
    TIME_LIMIT = "time limit"
    CPU_LIMIT = "CPU limit"
    MEMORY_LIMIT = "memory limit"
    PROCESS_LIMIT = "process limit"
    OUTPUT_LIMIT = "output limit"
    DISK_LIMIT = "disk limit"
    LEFT_PROCESSES = "left processes behind"
    NOT_STARTED = "not started"
    """The file is missing, not executable, or its input cannot be put in place."""
    REPLACED = "rebuilt the program"
    """A user's own command made another program at the place of the one to be run."""
    LOST = "lost"
    """The program killed or outlived what was watching it; nothing is known of it."""


@dataclass(frozen=True)
class RunResult:
    """What came of one run.  Times are seconds; CPU time covers all descendants.

    Attributes:
        status: the exit status; -1 when a signal ended it.
        signal: the signal's number; 0 for none.
        output_files: contents of the files asked for; `None` for one that is missing.
        instructions, cycles: of hardware counters in user mode; `None`: not available.
        detail: a few words to the outcome, for people.
    """

    outcome: Outcome
    status: int = 0
    signal: int = 0
    user_seconds: float = 0.0
    sys_seconds: float = 0.0
    wall_seconds: float = 0.0
    max_rss_bytes: Bytes = _NOTHING
    stdout: bytes = field(repr=False, default=b"")
    stderr: bytes = field(repr=False, default=b"")
    output_files: Mapping[str, bytes | None] = field(repr=False, default_factory=dict)
    instructions: int | None = None
    cycles: int | None = None
    context_switches: int = 0
    detail: str = ""

    @property
    def cpu_seconds(self) -> float:
        """User and system time together."""
        return self.user_seconds + self.sys_seconds

    @property
    def exited(self) -> bool:
        """It ended by itself, whatever its exit status."""
        return self.outcome is Outcome.EXITED

    @property
    def parallelism(self) -> float:
        """CPU seconds per elapsed second; above 1 only with several threads or processes."""
        return self.cpu_seconds / self.wall_seconds if self.wall_seconds > 0 else 0.0

    def fingerprint(self) -> str:
        """Identifies what the run left behind: exit status, output and files."""
        state = hashlib.sha256(f"{self.outcome} {self.status} {self.signal}\0".encode())
        for name, data in (("", self.stdout), *sorted(self.output_files.items())):
            state.update(f"{name}\0{-1 if data is None else len(data)}\0".encode())
            state.update(data or b"")
        return state.hexdigest()[:16]

    def ending(self) -> str:
        """How it ended, in words: `exit status 1`, `killed by SIGSEGV`, `time limit: 60 s`."""
        if self.outcome is Outcome.EXITED:
            return f"exit status {self.status}"
        if self.outcome is Outcome.CRASHED:
            return f"killed by {signal_name(self.signal)}"
        return f"{self.outcome}: {self.detail}" if self.detail else str(self.outcome)


class Executor(Protocol):
    """Runs programs, one at a time."""

    @property
    def sandboxed(self) -> bool:
        """Whether runs are shut in."""
        ...

    def execute(self, run: Run) -> RunResult:
        """Run a program to its end.

        Raises:
            UserError: `run.untrusted`, and there is no sandbox to run it in.
            InternalError: no process can be started on this machine.
        """
        ...


@dataclass(frozen=True)
class Report:
    """What `perfwright-run` reports, not yet judged (see `runner_src/perfwright-run.c`)."""

    status: int
    signal: int
    exec_error: int
    timed_out: bool
    disk_full: bool
    replaced: bool
    stopped: int
    wall: float
    user: float
    sys: float
    max_rss: int
    voluntary: int
    involuntary: int
    instructions: int
    cycles: int
    sizes: tuple[int, ...]
    kept: tuple[int, ...]


@dataclass(frozen=True)
class GroupEvents:
    """What a control group refused during one run; zeros where there are no groups."""

    out_of_memory: int = 0
    process_refused: int = 0


_SIGXCPU, _SIGXFSZ, _SIGKILL = 24, 25, 9
_NEARLY = 0.9


def judge(report: Report, limits: RunLimits, events: GroupEvents) -> tuple[Outcome, str]:
    """The outcome that a report means, and a few words to it.  The first that fits counts."""
    cpu = report.user + report.sys
    peak = max(report.max_rss, 1)
    died = report.signal != 0 or report.status != 0
    full_stream = any(size >= limits.file_size for size in report.sizes[:2])
    many = report.stopped >= _NEARLY * limits.processes
    found: list[tuple[bool, Outcome, str]] = [
        (report.exec_error != 0, Outcome.NOT_STARTED, _errno_text(report.exec_error)),
        (events.out_of_memory > 0, Outcome.MEMORY_LIMIT, format_bytes(limits.memory)),
        (
            many or (events.process_refused > 0 and (died or report.timed_out)),
            Outcome.PROCESS_LIMIT,
            f"{limits.processes} at once",
        ),
        (report.timed_out, Outcome.TIME_LIMIT, format_duration(limits.wall)),
        (
            report.signal == _SIGXCPU
            or (report.signal == _SIGKILL and limits.cpu is not None and cpu >= limits.cpu),
            Outcome.CPU_LIMIT,
            f"{format_duration(cpu)} of CPU time",
        ),
        (
            report.signal == _SIGXFSZ or full_stream,
            Outcome.OUTPUT_LIMIT,
            f"a file of {format_bytes(limits.file_size)}",
        ),
        (report.disk_full and died, Outcome.DISK_LIMIT, format_bytes(limits.disk)),
        (
            died and peak >= _NEARLY * limits.memory,
            Outcome.MEMORY_LIMIT,
            format_bytes(limits.memory),
        ),
        (report.signal != 0, Outcome.CRASHED, signal_name(report.signal)),
        (report.disk_full, Outcome.DISK_LIMIT, format_bytes(limits.disk)),
        (report.replaced, Outcome.REPLACED, "its own file is no longer the one that was built"),
        (report.stopped > 0, Outcome.LEFT_PROCESSES, f"{report.stopped}, now stopped"),
    ]
    for holds, outcome, detail in found:
        if holds:
            return outcome, detail
    return Outcome.EXITED, ""


def _errno_text(number: int) -> str:
    return os.strerror(number) if number else ""
