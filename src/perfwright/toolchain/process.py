"""The only door to subprocesses.

Everything that runs another program comes through `run` (or, for programs under test,
through `perfwright.measure.runner`, which builds on it).  A run never raises because of what
the program did: exit status, signal and time-out are data in `ProcessResult`.  It raises only
when the program cannot be started at all.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shlex
import signal
import subprocess  # noqa: TID251 - this module is the door
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from perfwright.errors import InternalError, ToolchainError
from perfwright.units import Bytes

_STDERR_TAIL_LINES = 12
_ASKING_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)

_running: set[int] = set()
"""The process groups that `run` waits for, in whatever thread."""


@dataclass(frozen=True)
class Limits:
    """What one run may use; `None` means no limit."""

    wall: float | None = 300.0
    """Seconds of wall time; the whole process group is killed then."""
    memory: Bytes | None = None
    """Address space (RLIMIT_AS).  Not for programs built with AddressSanitizer."""


@dataclass(frozen=True)
class ProcessResult:
    """What came of one run.

    `status` is the exit status, or minus the signal number, as in the standard library.
    """

    argv: tuple[str, ...]
    cwd: Path | None
    status: int
    stdout: bytes = field(repr=False, default=b"")
    stderr: bytes = field(repr=False, default=b"")
    seconds: float = 0.0
    timed_out: bool = False
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Exit status 0 within the time limit."""
        return self.status == 0 and not self.timed_out

    @property
    def crashed(self) -> bool:
        """Ended by a signal that was not our time limit."""
        return self.status < 0 and not self.timed_out

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def error_text(self) -> str:
        """Standard error as text."""
        return self.stderr.decode("utf-8", "replace")

    @property
    def reproducer(self) -> str:
        """A line to paste into a shell that does the same."""
        words = shlex.join([*(f"{k}={v}" for k, v in self.env.items()), *self.argv])
        prefix = "env " if self.env else ""
        place = f"cd {shlex.quote(str(self.cwd))} && " if self.cwd else ""
        return f"{place}{prefix}{words}"

    def outcome(self) -> str:
        """How it ended, in words: `exit status 1`, `killed by SIGSEGV`, `timed out`."""
        if self.timed_out:
            return f"timed out after {self.seconds:.3g} s"
        if self.status < 0:
            return f"killed by {signal_name(-self.status)}"
        return f"exit status {self.status}"

    def explain(self) -> str:
        """Outcome, the end of standard error, and the reproducer line."""
        tail = self.error_text.strip().splitlines()[-_STDERR_TAIL_LINES:]
        return "\n".join([f"{Path(self.argv[0]).name}: {self.outcome()}", *tail, self.reproducer])


class Runner(Protocol):
    """The shape of `run`, so that code that drives tools can be tested with a double."""

    def __call__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        limits: Limits = ...,
    ) -> ProcessResult:
        """Run `argv` to its end; see `run`."""
        ...


def signal_name(number: int) -> str:
    """`SIGSEGV` for 11; the number itself for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _limiter(limits: Limits) -> Callable[[], None] | None:
    if limits.memory is None:
        return None
    size = limits.memory

    def apply() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (size, size))

    return apply


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    limits: Limits = Limits(),
    stdout_file: IO[bytes] | None = None,
) -> ProcessResult:
    """Run a program to its end, with its whole process group under the limits.

    Args:
        argv: the program and its arguments; never a shell line.
        cwd: where to run it; here when `None`.
        env: variables to *add* to the present environment.
        stdin: what it reads on standard input.
        limits: wall time and memory; at the time limit the whole process group is killed.
        stdout_file: where its standard output goes; collected in the result when `None`.

    Raises:
        ToolchainError: there is no such program, or it cannot be executed.
        InternalError: the operating system refuses to start any process.
    """
    words = tuple(os.fspath(word) for word in argv)
    started = time.monotonic()
    with _starting(words[0], cwd):
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **env} if env else None,
            stdin=subprocess.PIPE,
            stdout=stdout_file or subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_limiter(limits),  # noqa: PLW1509 - one thread, nothing but setrlimit
        )
    timed_out = False
    _running.add(process.pid)
    try:
        stdout, stderr = process.communicate(stdin, timeout=limits.wall)
    except subprocess.TimeoutExpired:
        timed_out = True
        _kill_group(process.pid)
        stdout, stderr = process.communicate()
    except BaseException:
        _kill_group(process.pid)
        process.wait()
        raise
    finally:
        _running.discard(process.pid)
    return ProcessResult(
        argv=words,
        cwd=cwd,
        status=process.returncode,
        stdout=stdout or b"",
        stderr=stderr or b"",
        seconds=time.monotonic() - started,
        timed_out=timed_out,
        env=dict(env or {}),
    )


def run_attached(argv: Sequence[str | os.PathLike[str]], stdin: bytes | None = None) -> int:
    """Run a program to its end as if it were this one: with our standard streams and signals.

    It stays in our process group, and what `kill` sends to us goes to it.  For the main thread.

    Args:
        argv: the program and its arguments.
        stdin: what it reads on standard input; our own when `None`.

    Returns:
        Its exit status, or minus the number of the signal that ended it.

    Raises:
        ToolchainError: there is no such program, or it cannot be executed.
        InternalError: the operating system refuses to start any process.
    """
    words = [os.fspath(word) for word in argv]
    with _starting(words[0]):
        process = subprocess.Popen(words, stdin=None if stdin is None else subprocess.PIPE)
    with _passing_on(process):
        process.communicate(stdin)
    return process.returncode


def replace_process(argv: Sequence[str | os.PathLike[str]]) -> None:
    """Become another program (`execvp`); returns never.  For launchers that only pass on.

    Raises:
        ToolchainError: there is no such program, or it cannot be executed.
        InternalError: the operating system refuses to start any process.
    """
    words = [os.fspath(word) for word in argv]
    # Python ignores it, and a program inherits that: `... | head` would be an error to it.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with _starting(words[0]):
        os.execvp(words[0], words)


@contextlib.contextmanager
def _starting(program: str, cwd: Path | None = None) -> Iterator[None]:
    """What the operating system says against starting a program, as our errors."""
    try:
        yield
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        if cwd is not None and not cwd.is_dir():
            raise InternalError(f"the folder {cwd} does not exist", cause=str(error)) from error
        raise ToolchainError(
            f"cannot run {program!r}", cause=error.strerror or str(error), hint="perfwright doctor"
        ) from error
    except OSError as error:
        raise InternalError("cannot start a process", cause=str(error)) from error


@contextlib.contextmanager
def _passing_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass the signals that ask to end on to a program, whose end is then ours."""

    def pass_on(number: int, _: object) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _ASKING_TO_END}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def kill_running() -> None:
    """Kill what `run` waits for in any thread; it returns there as after a signal."""
    for group in tuple(_running):
        _kill_group(group)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
