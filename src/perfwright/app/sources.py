"""Digests of a program's files, so that a campaign is never resumed on another program."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from perfwright.program.spec import ProgramSpec

_SUFFIXES = frozenset(
    [
        ".c",
        ".cc",
        ".cpp",
        ".cxx",
        ".c++",
        ".C",
        ".h",
        ".hh",
        ".hpp",
        ".hxx",
        ".inc",
        ".def",
        ".s",
        ".S",
        ".ll",
        ".toml",
        ".mk",
        ".cmake",
        ".am",
        ".ac",
        ".in",
        ".json",
        ".ld",
    ]
)
_NAMES = frozenset({"Makefile", "makefile", "GNUmakefile", "CMakeLists.txt", "configure"})
_SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__"})
_MOST_FILES = 5000


def digests(spec: ProgramSpec) -> dict[str, str]:
    """SHA-256 of the files that the program and its workloads are made of, by path."""
    files = {path for path in _named(spec) if path.is_file()}
    if spec.build is not None:
        files |= set(_tree(spec.root))
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(files)[:_MOST_FILES]
    }


def _named(spec: ProgramSpec) -> Iterator[Path]:
    yield from spec.sources
    if spec.path.is_file():
        yield spec.path
    if spec.compile_commands:
        yield spec.compile_commands
    for workload in spec.workloads:
        yield from workload.files
        yield from (workload.cwd / word for word in workload.args if word)
        if workload.stdin:
            yield workload.stdin
    for source in spec.sources:
        yield from (p for p in source.parent.iterdir() if p.suffix in _SUFFIXES)


def _tree(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        for name in names:
            path = Path(folder, name)
            if (name in _NAMES or path.suffix in _SUFFIXES) and path.is_file():
                yield path
