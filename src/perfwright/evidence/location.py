"""Places in the source text, named in one way whatever tool speaks of them.

Debug information, remarks, coverage and symbolizer name the same file differently (as
typed, absolute, relative to the folder of the compilation).  `SourceRoot` turns all of
them into paths relative to the root of the program.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass


@dataclass(frozen=True, order=True, slots=True)
class Location:
    """A place in a source file; line and column 0 mean unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        tail = f":{self.column}" if self.column else ""
        return f"{self.file}:{self.line}{tail}"

    @property
    def position(self) -> tuple[int, int]:
        """Line and column, for comparing places within one file."""
        return (self.line, self.column)

    def on_line(self) -> Location:
        """The same place without its column."""
        return Location(self.file, self.line)


@dataclass(frozen=True, slots=True)
class SourceRoot:
    """The folder that source names are relative to; without a path, names stay as they are.

    >>> SourceRoot("/home/me/prog").name("src/../dct.c", "/home/me/prog")
    'dct.c'
    >>> SourceRoot("/home/me/prog").name("/usr/include/stdio.h")
    '/usr/include/stdio.h'
    """

    path: str = ""

    def name(self, file: str, directory: str = "") -> str:
        """The name of `file`, as some tool wrote it while working in `directory`."""
        if not file:
            return ""
        base = directory or self.path
        full = posixpath.normpath(posixpath.join(base, file) if base else file)
        if self.path and posixpath.isabs(full):
            root = posixpath.normpath(self.path)
            if full.startswith(root + "/"):
                return full[len(root) + 1 :]
        return full

    def locate(self, place: Location, directory: str = "") -> Location:
        """The place with its file named relative to the root."""
        return Location(self.name(place.file, directory), place.line, place.column)


AS_WRITTEN = SourceRoot()
"""Leaves names as the tools write them."""
