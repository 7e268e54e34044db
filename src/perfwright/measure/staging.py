"""The scratch folder: how a program's own folder is made to appear in it.

A program finds its files by relative paths, may write beside them, and must not be able to
spoil them.  So the scratch folder mirrors the program's folder: links to the real entries,
real folders where something is to be written, copies of what may be changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from perfwright.errors import ProgramError
from perfwright.measure.runner import Run

_LINKED_EVEN_IN_COPIES = frozenset({".git", ".hg", ".svn"})


def steps(run: Run) -> list[str]:
    """The runner's words that fill the scratch folder, in order; paths are relative to it.

    Raises:
        ProgramError: a file that the run needs is missing, or a path leaves the program's folder.
    """
    cwd = _inside(run.cwd)
    copies = {_inside(cwd / name): run.root / cwd / name for name in run.copied}
    outputs = {_inside(cwd / name) for name in run.outputs}
    place = {_inside(run.place)} if run.place else set()
    for target, source in copies.items():
        if not source.exists():
            raise ProgramError(
                f"the file {target} of a workload is missing",
                cause=f"{source} does not exist",
                hint="make the file, or correct its name in perfwright.toml",
            )
    if run.copy_tree:
        words = [*_copied(run.root), *(["--dir", str(cwd)] if cwd.parts else [])]
    else:
        taken = {*copies, *outputs, *place}
        real = {folder for path in (cwd / "x", *taken) for folder in path.parents}
        words = list(_mirrored(run.root, real, taken))
        for target, source in copies.items():
            words += ["--copy", str(source), str(target)]
    if run.place and run.program:
        words += ["--place", str(run.program), run.place]
    return [*words, *(["--cwd", str(cwd)] if cwd.parts else [])]


def _inside(path: PurePosixPath | str) -> PurePosixPath:
    """The path without `.` and `..`, as seen from the program's folder."""
    normal = PurePosixPath(os.path.normpath(path))
    if normal.is_absolute() or ".." in normal.parts:
        raise ProgramError(
            f"{str(path)!r} is outside the program's folder",
            cause="a program runs in a copy of its folder, and of nothing else",
            hint="give input files as absolute paths in args, or move perfwright.toml up",
        )
    return normal


def _copied(root: Path) -> Iterator[str]:
    for name in _entries(root):
        verb = "--link" if name in _LINKED_EVEN_IN_COPIES else "--copy"
        yield from (verb, str(root / name), name)


def _mirrored(root: Path, real: set[PurePosixPath], taken: set[PurePosixPath]) -> Iterator[str]:
    """The folders in `real`, and links for what is in them but neither `real` nor `taken`."""
    for folder in sorted(real):
        if folder.parts:
            yield from ("--dir", str(folder))
        for name in _entries(root / folder) if (root / folder).is_dir() else ():
            path = folder / name
            if path not in real and path not in taken:
                yield from ("--link", str(root / path), str(path))


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise ProgramError(
            f"the folder {folder} cannot be read", cause=error.strerror or str(error)
        ) from error
