"""Hears what this process does to the machine: for tests that nothing is to be touched."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn")
_CHANGES = (
    *("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.symlink"),
    *("os.truncate", "os.chown", "os.utime", "sqlite3.connect"),
)
_WRITE_FLAGS = 3  # O_WRONLY and O_RDWR


@dataclass
class Watch:
    """What Python code of any thread started, wrote and read while this was on.

    Its source is the audit events of Python (`sys.addaudithook`): code in C that tells nobody
    is not heard.
    """

    on: bool = False
    started: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """See `sys.addaudithook`."""
        if not self.on:
            return
        if event in _STARTS:
            self.started.append(f"{event} {arguments}")
        elif event in _CHANGES:
            self.written.append(str(arguments[0]))
        elif event == "open":
            path, mode, flags = arguments
            writes = (mode and set(mode) & set("wax+")) or (flags and flags & _WRITE_FLAGS)
            (self.written if writes else self.read).append(str(path))


@contextmanager
def watching() -> Iterator[Watch]:
    """Listen within the block; one after the other, not one within the other."""
    watch = _hooked()
    watch.started, watch.written, watch.read = [], [], []
    watch.on = True
    try:
        yield watch
    finally:
        watch.on = False


@cache
def _hooked() -> Watch:
    """Hooks cannot be taken away again, so there is one, and it is mostly off."""
    watch = Watch()
    sys.addaudithook(watch.hear)
    return watch
