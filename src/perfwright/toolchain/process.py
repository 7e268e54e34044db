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
import select
import selectors
import shlex
import signal
import subprocess  # noqa: TID251 - this module is the door
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, cast

from perfwright.errors import InternalError, ToolchainError
from perfwright.units import Bytes

_STDERR_TAIL_LINES = 12
_SILENCE = 2.0
"""Seconds of silence after which a program that has ended is not listened to any more: whoever it
left behind may hold its pipes open for ever."""
_LOOK_AGAIN = 0.1
"""Seconds between two looks at a silent program: its end is no news on its pipes then."""
_CHUNK = 2**16
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
    output: Bytes | None = None
    """What is collected of each of its two outputs; the whole process group is killed then."""


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
    flooded: bool = False
    """It printed more than its limit."""

    @property
    def ok(self) -> bool:
        """Exit status 0 within the limits of time and output."""
        return self.status == 0 and not self.timed_out and not self.flooded

    @property
    def crashed(self) -> bool:
        """Ended by a signal that was not for a limit of ours."""
        return self.status < 0 and not self.timed_out and not self.flooded

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
        if self.flooded:
            return "printed more than its limit"
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
        limits: at those of wall time and output the whole process group is killed.  Whoever
            holds the outputs open when the program has ended is waited for while it prints,
            and then killed if it is of the group.
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
        )
    try:
        _running.add(process.pid)
        _limit_memory(process.pid, limits.memory)
        with contextlib.closing(_Pipes(process, stdin, limits.output)) as pipes:
            timed_out = pipes.follow(None if limits.wall is None else started + limits.wall)
            if timed_out or pipes.open:  # a limit was reached, or whoever was left behind is silent
                _kill_group(process.pid)
            if timed_out or pipes.flooded:
                pipes.drain()
            process.wait()
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
        stdout=pipes.text(process.stdout),
        stderr=pipes.text(process.stderr),
        seconds=time.monotonic() - started,
        timed_out=timed_out,
        env=dict(env or {}),
        flooded=pipes.flooded,
    )


def _limit_memory(pid: int, size: int | None) -> None:
    """Limit a program that has just begun, and whatever it starts.

    Not before its `exec`: Python code between fork and exec may hang where there are threads, and
    prints a traceback when Ctrl-C comes in between.
    """
    if size is not None:
        with contextlib.suppress(ProcessLookupError):  # it is over already
            resource.prlimit(pid, resource.RLIMIT_AS, (size, size))


class _Pipes:
    """What goes into a program and comes out of it.

    Unlike `Popen.communicate` it bounds what it collects, and does not wait for ever for a pipe
    that somebody else than the program holds open.
    """

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, most: int | None) -> None:
        self._process = process
        self._unsent = memoryview(stdin)
        self._most = most
        self._collected: dict[IO[bytes], bytearray] = {}
        self._selector = selectors.DefaultSelector()
        for pipe in filter(None, (process.stdout, process.stderr)):
            self._collected[pipe] = bytearray()
            self._selector.register(pipe, selectors.EVENT_READ)
        assert process.stdin is not None
        self._selector.register(process.stdin, selectors.EVENT_WRITE)

    @property
    def open(self) -> bool:
        """Whether there may be more to pass on."""
        return bool(self._selector.get_map())

    @property
    def flooded(self) -> bool:
        """Whether there was more of an output than its limit."""
        return self._most is not None and any(
            len(collected) > self._most for collected in self._collected.values()
        )

    def follow(self, deadline: float | None) -> bool:
        """Pass data on until the program has ended, or its limit of output is reached.

        Returns:
            Whether it still ran at the deadline, a value of `time.monotonic`.
        """
        news = time.monotonic()
        while self.open and not self.flooded:
            now = time.monotonic()
            running = self._process.poll() is None
            if deadline is not None and now >= deadline:
                return running
            if not running and now >= news + _SILENCE:
                return False
            left = _LOOK_AGAIN if deadline is None else min(_LOOK_AGAIN, deadline - now)
            if self._pass_on(left) or running:
                news = time.monotonic()
        return not self.flooded and not self._ends(deadline)

    def drain(self) -> None:
        """Collect what there still is from a program that was killed."""
        deadline = time.monotonic() + _SILENCE
        while self.open and not self.flooded and time.monotonic() < deadline:
            self._pass_on(_LOOK_AGAIN)

    def text(self, pipe: IO[bytes] | None) -> bytes:
        """What came out of one pipe; nothing of one that was not collected."""
        return bytes(self._collected[pipe][: self._most]) if pipe else b""

    def close(self) -> None:
        """Leave the rest to nobody."""
        for key in tuple(self._selector.get_map().values()):
            self._done_with(key.fileobj)
        self._selector.close()

    def _ends(self, deadline: float | None) -> bool:
        """Wait for a program that has closed its pipes; whether it ended in time."""
        try:
            self._process.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _pass_on(self, timeout: float) -> bool:
        """Wait for a pipe that is ready and serve it; whether there was one."""
        ready = self._selector.select(timeout)
        for key, _ in ready:
            if key.fileobj is self._process.stdin:
                self._write(key)
            else:
                self._read(key)
        return bool(ready)

    def _read(self, key: selectors.SelectorKey) -> None:
        chunk = os.read(key.fd, _CHUNK)
        self._collected[cast(IO[bytes], key.fileobj)] += chunk
        if not chunk:
            self._done_with(key.fileobj)

    def _write(self, key: selectors.SelectorKey) -> None:
        # So much fits without blocking into a pipe that can be written to.
        try:
            sent = os.write(key.fd, self._unsent[: select.PIPE_BUF])
        except BrokenPipeError:
            sent = len(self._unsent)  # it need not read what it is given
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._done_with(key.fileobj)

    def _done_with(self, pipe: Any) -> None:
        self._selector.unregister(pipe)
        pipe.close()


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
