"""Digests of a program's files, so that a campaign is never resumed on another program."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from perfwright.program.spec import FILE_NAME, ProgramSpec

_INCLUDED = frozenset([".h", ".hh", ".hpp", ".hxx", ".h++", ".inc", ".def", ".inl", ".ipp", ".tcc"])
_SOURCES = frozenset([".c", ".cc", ".cpp", ".cxx", ".c++", ".C", ".s", ".S", ".ll"])
_BUILDING = frozenset([".toml", ".mk", ".cmake", ".am", ".ac", ".in", ".json", ".ld"])
_NAMES = frozenset({"Makefile", "makefile", "GNUmakefile", "CMakeLists.txt", "configure"})
_SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__"})
_MOST_FILES = 5000


def digests(spec: ProgramSpec) -> dict[str, str]:
    """SHA-256 of the files that the program and its workloads are made of, by path.

    What a build reads is not known before it has run: every source, header and build file in
    the program's folder counts then.  Of listed sources only headers count beside them.
    """
    files = {Path(path) for path in _named(spec) if _is_readable(path)}
    return {str(path): _digest(path) for path in sorted(files)[:_MOST_FILES]}


def _named(spec: ProgramSpec) -> Iterator[Path]:
    yield spec.path
    yield from spec.sources
    for workload in spec.workloads:
        yield from workload.files
        yield from (workload.cwd / word for word in workload.args if word)
        if workload.stdin:
            yield workload.stdin
    if not spec.sources:
        yield from _tree(spec.root, _INCLUDED | _SOURCES | _BUILDING)
    elif spec.path.name == FILE_NAME:
        yield from _tree(spec.root, _INCLUDED)
    else:  # one source file, in a folder that may be anything
        yield from (p for p in spec.root.iterdir() if p.suffix in _INCLUDED)


def _tree(root: Path, suffixes: frozenset[str]) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        for name in names:
            path = Path(folder, name)
            if path.suffix in suffixes or (name in _NAMES and suffixes >= _BUILDING):
                yield path


def _is_readable(path: Path) -> bool:
    # Path.is_file() would raise for an argument that is too long for a name.
    return os.path.isfile(path) and os.access(path, os.R_OK)  # noqa: PTH113


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
