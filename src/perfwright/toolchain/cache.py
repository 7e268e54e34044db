"""What was once learned about a toolchain, kept in the user's cache folder.

Asking LLVM for all its passes and options takes a second; the answer only changes with the
tools.  So answers are kept as JSON under the toolchain's fingerprint, and a file that is
broken, or of an older shape, is as good as none.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from perfwright.settings import Settings
from perfwright.toolchain.discovery import Toolchain

T = TypeVar("T")


def cached(
    toolchain: Toolchain,
    name: str,
    kind: type[T] | TypeAdapter[T],
    compute: Callable[[], T],
    *,
    folder: Path | None = None,
) -> T:
    """The kept answer, or the one that `compute` gives now, which is then kept.

    Args:
        toolchain: whose answer it is.
        name: what was asked, as a file name; write a number into it (`passes-2`) and raise it
            when the same tools are to be read in another way.
        kind: the type of the answer, anything that pydantic can read back from JSON.
        compute: asks the tools; called at most once, and only when nothing usable is kept.
        folder: where answers are kept; that of the settings when `None`.
    """
    adapter = kind if isinstance(kind, TypeAdapter) else TypeAdapter(kind)
    path = _place(folder, toolchain) / f"{name}.json"
    with suppress(OSError, ValidationError):
        return adapter.validate_json(path.read_bytes())
    value = compute()
    with suppress(OSError):  # an unwritable cache costs time, not the answer
        _write(path, adapter.dump_json(value))
    return value


def _place(folder: Path | None, toolchain: Toolchain) -> Path:
    root = folder or Settings.load().cache
    return root / "toolchains" / f"{toolchain.version}-{toolchain.fingerprint[:16]}"


def _write(path: Path, content: bytes) -> None:
    """Write in one step, so that a reader at the same time never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    Path(temporary).replace(path)
