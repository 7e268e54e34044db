"""The place where a user's build runs while it is captured: a copy, and compilers in disguise.

The copy keeps the user's folder as it was.  The shims are called `cc`, `gcc`, `clang`, `g++`
and so on, stand first on PATH, and start the launcher; so a build is captured that takes its
compiler from `$CC`, from make's default, or from a name written into a Makefile.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import perfwright
from perfwright.errors import ProgramError
from perfwright.program.driver import SUFFIXES, Language
from perfwright.program.launcher import CAPTURE_VARIABLE, TOOLCHAIN_VARIABLE
from perfwright.toolchain.discovery import Toolchain
from perfwright.units import Bytes, format_bytes

COPY_LIMIT = Bytes(8 << 30)
"""A folder larger than this is taken for a mistake (a home folder, a disk of data)."""

_HISTORY = frozenset({".git", ".hg", ".svn"})
_CMAKE_MARK = b"# CMAKE generated file: DO NOT EDIT!"
_CMAKE_FILES = ("CMakeCache.txt", "cmake_install.cmake", "build.ninja", "Makefile")
_COMPILER = re.compile(
    r"(?:(?:x86_64|aarch64|riscv64|i686|arm)[\w-]*-linux-gnu\w*-)?"
    r"(?:gcc|cc|clang|g\+\+|c\+\+|clang\+\+)(?:-\d+(?:\.\d+)*)?"
)
_ALWAYS = ("cc", "gcc", "clang", "c++", "g++", "clang++")
_STANDARDS = {"c89": "-std=c89", "c99": "-std=c99"}
"""The compilers that POSIX names."""


def copy_tree(root: Path, copy: Path, *, without: Path, limit: Bytes = COPY_LIMIT) -> None:
    """Copy a program's folder so that its build starts from the sources.

    Left out are version history, the scratch folder, and what CMake and Meson generated: it
    holds absolute paths, by which a build of the copy would write into the original.  Sources
    get the present time, so that make rebuilds every object file that was copied along.

    Args:
        root: the program's folder.
        copy: where the copy goes; must not exist.
        without: a folder that is not copied (`copy` may be inside of it).
        limit: refuse larger folders.

    Raises:
        ProgramError: the folder is too large, or a file in it cannot be read.
    """
    size = 0

    def ignored(folder: str, names: list[str]) -> set[str]:
        nonlocal size
        left_out = set(_left_out(Path(folder), names, without))
        size += sum(_size(Path(folder) / name) for name in names if name not in left_out)
        if size > limit:
            raise ProgramError(
                f"the folder {root} is too large to copy",
                cause=f"it holds more than {format_bytes(limit)}; builds are captured in a copy",
                hint="put perfwright.toml into the folder that is to be built",
            )
        return left_out

    try:
        shutil.copytree(root, copy, symlinks=True, ignore=ignored)
    except (OSError, shutil.Error) as error:
        raise ProgramError(
            f"cannot copy {root}", cause=str(error), hint="check permissions and free space"
        ) from error
    for folder, _, names in os.walk(copy):
        for name in names:
            path = Path(folder) / name
            if path.suffix in SUFFIXES and not path.is_symlink():
                os.utime(path)


def _left_out(folder: Path, names: list[str], without: Path) -> Iterator[str]:
    present = set(names)
    cmake_source = "CMakeCache.txt" in present
    for name in names:
        path = folder / name
        ours_or_history = name in _HISTORY or path == without or _is_special(path)
        generated = _is_generated_folder(path) if path.is_dir() else _is_cmake_file(path)
        if ours_or_history or generated or (cmake_source and name == "CMakeFiles"):
            yield name


def _is_generated_folder(path: Path) -> bool:
    """Whether it is a build folder apart from the sources, set up by CMake or Meson."""
    if (path / "meson-private").is_dir():
        return True
    return (path / "CMakeCache.txt").is_file() and not (path / "CMakeLists.txt").is_file()


def _is_cmake_file(path: Path) -> bool:
    if path.name == "CMakeCache.txt":
        return True
    if path.name not in _CMAKE_FILES:
        return False
    with path.open("rb") as stream:
        return _CMAKE_MARK in stream.read(400)


def _is_special(path: Path) -> bool:
    mode = path.lstat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))


def _size(path: Path) -> int:
    status = path.lstat()
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def make_shims(folder: Path, environ: Mapping[str, str]) -> None:
    """Write a launcher under every name by which builds call a C or C++ compiler.

    Args:
        folder: where the shims go.
        environ: its PATH tells which versioned names (`gcc-12`) there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in {*_ALWAYS, *_STANDARDS, *_compilers_on(environ.get("PATH", ""))}:
        path = folder / name
        path.write_text(_shim("c++" if "++" in name else "c", _STANDARDS.get(name)))
        path.chmod(0o755)


def _compilers_on(path: str) -> Iterator[str]:
    for part in path.split(os.pathsep):
        if part and Path(part).is_dir():
            yield from (p.name for p in Path(part).iterdir() if _COMPILER.fullmatch(p.name))


def _shim(language: Language, flag: str | None) -> str:
    """A script that starts the launcher in a bare interpreter.

    Neither the build's PYTHONPATH nor a `json.py` in its folder can get in the way (`-I`), and
    no site-packages are set up (`-S`), which halves the time to start; the launcher needs none.
    """
    package = Path(perfwright.__file__).parent.parent
    program = (
        f"import sys; sys.path.insert(0, {str(package)!r}); "
        "from perfwright.program.launcher import main; sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-I", "-S", "-c", program, language, *([flag] if flag else [])]
    return f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'


def build_environment(
    shims: Path,
    records: Path,
    toolchain: Toolchain,
    environ: Mapping[str, str],
    *,
    override_make: bool,
) -> dict[str, str]:
    """The variables under which a build is captured.

    Args:
        shims: the folder of `make_shims`.
        records: where the launcher writes.
        toolchain: whose clang compiles.
        environ: the present environment; PATH is extended.
        override_make: make `CC` and `CXX` win over those that a Makefile sets.  That reaches
            compilers given by an absolute path, but loses the flags in `CC = gcc -std=c99`.
    """
    # A path with a space cannot stand in CC: make and shells would split it.
    spaced = re.search(r"[^\w/.+-]", str(shims))
    c, cxx = ("cc", "c++") if spaced else (str(shims / "cc"), str(shims / "c++"))
    return {
        "CC": c,
        "CXX": cxx,
        "PATH": f"{shims}{os.pathsep}{environ.get('PATH', os.defpath)}",
        CAPTURE_VARIABLE: str(records),
        TOOLCHAIN_VARIABLE: str(toolchain.tool("clang").parent),
        # A cached object file would not be compiled, and so not be seen.
        "CCACHE_DISABLE": "1",
        # Of a make that started us; its job server is not for this build.
        "MAKEFLAGS": f"CC={c} CXX={cxx}" if override_make else "",
        "MAKELEVEL": "",
    }
