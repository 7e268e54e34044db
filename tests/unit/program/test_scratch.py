from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from perfwright.errors import ProgramError
from perfwright.program.scratch import build_environment, copy_tree, make_shims
from perfwright.toolchain.discovery import Toolchain
from perfwright.units import Bytes

TOOLCHAIN = Toolchain("22.1.8", 22, Path("/llvm"), {"clang": Path("/llvm/clang")}, "f")


def write(root: Path, *names: str, text: str = "x") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def copy(tmp_path: Path, limit: int = 1 << 20) -> Path:
    place = tmp_path / "root/scratch/tree"
    copy_tree(tmp_path / "root", place, without=tmp_path / "root/scratch", limit=Bytes(limit))
    return place


def test_history_pipes_and_the_scratch_folder_itself_are_left_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, "a.c", "sub/b.c", ".git/config", "scratch/old", "sub/.svn/x", ".gitignore")
    os.mkfifo(root / "pipe")
    (root / "link.c").symlink_to("a.c")
    (root / "broken").symlink_to("absent")
    assert names(copy(tmp_path)) == [".gitignore", "a.c", "broken", "link.c", "sub/b.c"]


def test_build_folders_with_absolute_paths_are_left_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, "CMakeLists.txt", "build/CMakeCache.txt", "build/Makefile", "b2/meson-private/x")
    assert names(copy(tmp_path)) == ["CMakeLists.txt"]


def test_what_cmake_made_among_the_sources_is_left_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, "CMakeLists.txt", "CMakeCache.txt", "CMakeFiles/x", "a.c", "sub/CMakeLists.txt")
    write(root, "Makefile", "sub/Makefile", text="# CMAKE generated file: DO NOT EDIT!\n")
    write(root, "tools/Makefile", text="all:\n")
    assert names(copy(tmp_path)) == [
        "CMakeLists.txt",
        "a.c",
        "sub/CMakeLists.txt",
        "tools/Makefile",
    ]


def test_sources_become_newer_than_object_files_that_were_copied(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, "a.c", "a.o", "a.y")
    for name in ("a.c", "a.o", "a.y"):
        os.utime(root / name, (1000, 1000))
    place = copy(tmp_path)
    assert (place / "a.o").stat().st_mtime == (place / "a.y").stat().st_mtime == 1000
    assert (place / "a.c").stat().st_mtime > time.time() - 3600
    assert (root / "a.c").stat().st_mtime == 1000


def test_a_folder_that_is_too_large_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "root", "a.c", text="x" * 100)
    with pytest.raises(ProgramError, match="too large to copy") as caught:
        copy(tmp_path, limit=99)
    assert caught.value.hint


def test_there_is_a_shim_for_every_compiler_on_path(tmp_path: Path) -> None:
    write(tmp_path / "bin", "gcc-12", "x86_64-linux-gnu-g++", "clang-22", "clang-format", "ccache")
    make_shims(tmp_path / "shims", {"PATH": f"{tmp_path / 'bin'}:/absent"})
    found = set(names(tmp_path / "shims"))
    assert found >= {"cc", "gcc", "clang", "c++", "g++", "clang++", "c99", "gcc-12", "clang-22"}
    assert "x86_64-linux-gnu-g++" in found
    assert not found & {"clang-format", "ccache"}


@pytest.mark.parametrize(
    ("folder", "c"), [("/s/shims", "/s/shims/cc"), ("/a b/shims", "cc"), ("/a$b/shims", "cc")]
)
def test_cc_is_a_path_unless_make_would_split_it(folder: str, c: str) -> None:
    env = build_environment(
        Path(folder), Path("/r"), TOOLCHAIN, {"PATH": "/bin"}, override_make=True
    )
    assert env["CC"] == c
    assert env["CXX"] == c.replace("cc", "c++")
    assert env["MAKEFLAGS"] == f"CC={c} CXX={env['CXX']}"
    assert env["PATH"] == f"{folder}:/bin"


def test_make_keeps_its_own_variables_at_first() -> None:
    env = build_environment(Path("/s"), Path("/r"), TOOLCHAIN, {}, override_make=False)
    assert env["MAKEFLAGS"] == ""
    assert env["PERFWRIGHT_TOOLCHAIN"] == "/llvm"
    assert env["PERFWRIGHT_CAPTURE"] == "/r"
