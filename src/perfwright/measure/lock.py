"""One measurement at a time on a machine: two campaigns would only measure each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from perfwright.errors import InternalError

_NAME = "perfwright-measuring.lock"
_PLACES = (Path("/run/lock"), Path("/dev/shm"), Path("/tmp"))
"""Folders that all users of a machine share; never a user's own runtime folder."""

_EVERYONE = 0o666


def _silent(holder: str) -> None:
    """Say nothing."""


@contextlib.contextmanager
def measuring(
    who: str,
    *,
    waiting: Callable[[str], None] = _silent,
    places: Sequence[Path] = _PLACES,
) -> Iterator[None]:
    """Hold the machine's measuring lock.  Not re-entrant; it ends with the process.

    Args:
        who: what others are told who must wait, for example `campaign qsort-3f2a`.
        waiting: told once who holds the lock, before waiting for it.
        places: folders where the lock file may be; the first that works.

    Raises:
        InternalError: none of the folders can be used.
    """
    descriptor = _open(places)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting(_holder(descriptor))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{who} (process {os.getpid()})".encode(), 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode("utf-8", "replace") or "another process"


def _open(places: Sequence[Path]) -> int:
    """The lock file, made by whoever comes first, for everyone."""
    causes = []
    for folder in places:
        path = folder / _NAME
        try:
            # Without O_CREAT first: in a sticky folder the kernel refuses to "create" a file
            # that somebody else owns (fs.protected_regular).
            with contextlib.suppress(FileNotFoundError):
                return os.open(path, os.O_RDWR | os.O_CLOEXEC)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _EVERYONE)
            with contextlib.suppress(PermissionError):  # somebody else was first
                os.fchmod(descriptor, _EVERYONE)
            return descriptor
        except OSError as error:
            causes.append(f"{path}: {error.strerror}")
    raise InternalError(
        "no lock file for measuring can be made",
        cause="; ".join(causes),
        hint="make /tmp writable for this user",
    )
