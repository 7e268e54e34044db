"""Object files kept by what they were made from, so that a candidate compiles what it changed.

An entry is found by the commands (without the names of outputs), and holds for as long as
every file that the compiler then read has the same content.  A header that appears earlier in
the search path than the one that was read is not noticed; a new folder for objects is the
remedy.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfwright.program.records import file_digest, make_key, write_atomically
from perfwright.units import Seconds

_SEPARATOR = re.compile(r"(?<!\\)\s+")
_VARIANTS = 16
"""How many sets of inputs are remembered for one command; the oldest is forgotten first."""


@dataclass(frozen=True)
class KeptObject:
    """One object file in the store."""

    path: Path
    digest: str
    """SHA-256 of the file."""
    seconds: Seconds
    """How long the commands took that made it, in seconds of wall time."""
    reused: bool


class ObjectStore:
    """A folder of object files; campaigns may share it.

    Args:
        folder: where the files are.
        overlay: files that are read in place of others, as in `BuildPlan.overlay`.
    """

    def __init__(self, folder: Path, overlay: Mapping[Path, Path]) -> None:
        self._folder = folder
        self._overlay = overlay

    def find(self, recipe: str) -> KeptObject | None:
        """The object file that these commands would make again, if it is here.

        Args:
            recipe: a hash over the commands (see `recipe`).
        """
        for variant in self._variants(recipe):
            path = self._folder / variant["object"]
            if path.is_file() and all(
                self._digest(Path(name)) == digest for name, digest in variant["inputs"]
            ):
                return KeptObject(path, variant["digest"], Seconds(variant["seconds"]), reused=True)
        return None

    def keep(self, recipe: str, made: Path, inputs: Iterable[Path], seconds: Seconds) -> KeptObject:
        """Take a new object file into the store.

        Args:
            recipe: a hash over the commands.
            made: the file.
            inputs: every file that the commands read.
            seconds: how long they took.
        """
        read = [[str(path), self._digest(path)] for path in dict.fromkeys(inputs)]
        path = self._folder / f"{make_key(recipe, read)}.o"
        write_atomically(path, made.read_bytes())
        digest = file_digest(path) or ""
        variant = {"object": path.name, "inputs": read, "digest": digest, "seconds": seconds}
        variants = [variant, *(v for v in self._variants(recipe) if v["object"] != path.name)]
        content = json.dumps(variants[:_VARIANTS])
        write_atomically(self._folder / f"{recipe}.json", content.encode())
        return KeptObject(path, digest, seconds, reused=False)

    def _variants(self, recipe: str) -> list[dict[str, Any]]:
        with suppress(OSError, ValueError):
            variants: list[dict[str, Any]] = json.loads(
                (self._folder / f"{recipe}.json").read_bytes()
            )
            return variants
        return []

    def _digest(self, path: Path) -> str | None:
        real = self._overlay.get(path, path)
        try:
            status = real.stat()
        except OSError:
            return None
        return _digest_of(real, status.st_size, status.st_mtime_ns)


def recipe(
    commands: Sequence[Sequence[str]], cwd: Path, env: Mapping[str, str], *tools: str
) -> str:
    """The hash under which the outcome of commands is kept.

    Args:
        commands: the command lines, with the same stand-ins for outputs every time.
        cwd: where they run.
        env: the variables that they listen to.
        tools: the fingerprint of the toolchain, and whatever else decides.
    """
    return make_key(commands, str(cwd), dict(env), tools)


def read_dependencies(text: str, cwd: Path) -> list[Path]:
    """The files behind the colon of a make rule, as clang's `-MD` writes it."""
    _, _, behind = text.replace("\\\n", " ").partition(": ")
    names = (name for name in _SEPARATOR.split(behind.strip()) if name)
    return [cwd / _unescape(name) for name in names]


def _unescape(name: str) -> str:
    return name.replace("\\ ", " ").replace("\\#", "#").replace("$$", "$")


@functools.lru_cache(maxsize=65536)
def _digest_of(path: Path, size: int, mtime_ns: int) -> str | None:
    del size, mtime_ns  # part of the key: a changed file is read again
    return file_digest(path)
