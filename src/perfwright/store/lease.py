"""Leases: one campaign is run by one process at a time.

A lease is an advisory lock (`flock`) on a file of its own.  The kernel drops it with the
process, so that a killed campaign can be resumed at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

from perfwright.errors import UserError
from perfwright.store.disk import unwritable

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.02
"""`is_held` takes the lock for a moment; who wants it in earnest asks again."""


class Lease:
    """A lock that is held from construction to `release`, or to the end of the process.

    Raises:
        UserError: another process holds it, or the folder cannot be written.
        InternalError: the disk is full.
    """

    def __init__(self, path: Path, what: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise unwritable(path.parent, error) from error
        if not self._taken():
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise UserError(
                f"{what} is being run by another process",
                cause=f"process {holder}" if holder else "",
                hint="wait for it, or end it and resume",
            )
        # For people only: without space for it the lease holds all the same.
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def _taken(self) -> bool:
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE_SECONDS)
            if _locked(self._file):
                return True
        return False

    def release(self) -> None:
        """Give it back; more than once does no harm."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def is_held(path: Path) -> bool:
    """Whether a living process holds the lease."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _locked(file)
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
