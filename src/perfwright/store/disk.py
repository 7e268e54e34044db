"""What the user is told when a folder cannot be written."""

from __future__ import annotations

import errno
from pathlib import Path

from perfwright.errors import InternalError, PerfwrightError, UserError

FREE_SPACE = "free some space (perfwright clean), then perfwright resume"
"""What to do when a disk is full; every finished step is safe."""

_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EIO}


def unwritable(folder: Path, error: OSError) -> PerfwrightError:
    """A full or failing disk is an internal error (exit 6); a forbidden folder is the user's."""
    cause = error.strerror or str(error)
    if error.errno in _MACHINE:
        return InternalError(f"cannot write to {folder}", cause=cause, hint=FREE_SPACE)
    return UserError(
        f"cannot write to {folder}",
        cause=cause,
        hint="point PERFWRIGHT_HOME at a folder that you may write",
    )
