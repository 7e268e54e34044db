from __future__ import annotations

from pathlib import Path

import pytest

from perfwright.toolchain.discovery import Toolchain, packaged, select

Environ = dict[str, str]


@pytest.fixture
def packages(tmp_path: Path) -> Environ:
    """LLVM 22 as packages install it: the tools in a folder, and links to them on PATH."""
    folder, links = tmp_path / "llvm-22" / "bin", tmp_path / "bin"
    folder.mkdir(parents=True)
    links.mkdir()
    (folder / "clang-22").write_text("#!/bin/sh\n")
    (folder / "opt").write_text("#!/bin/sh\n")
    for path in folder.iterdir():
        path.chmod(0o755)
    (folder / "clang").symlink_to("clang-22")
    (folder / "clang++").symlink_to("clang")
    for name, tool in {"clang-22": "clang", "clang++-22": "clang++", "opt-22": "opt"}.items():
        (links / name).symlink_to(folder / tool)
    return {"PATH": str(links)}


@pytest.mark.parametrize("name", ["clang", "clang++"])
@pytest.mark.parametrize("wanted", ["22", None])
def test_a_packaged_tool_is_found_by_its_name(
    packages: Environ, tmp_path: Path, name: str, wanted: str | None
) -> None:
    assert packaged(name, wanted, packages) == tmp_path / "llvm-22" / "bin" / name


@pytest.mark.parametrize("wanted", ["19", "22.1.8", "/opt/llvm"])
def test_what_names_do_not_tell_is_left_to_asking(packages: Environ, wanted: str) -> None:
    assert packaged("clang", wanted, packages) is None


def test_what_the_user_names_goes_first(packages: Environ) -> None:
    assert packaged("clang", "22", {**packages, "PERFWRIGHT_LLVM": "/opt/llvm"}) is None


def test_a_toolchain_without_opt_is_not_chosen(packages: Environ, tmp_path: Path) -> None:
    (tmp_path / "bin" / "opt-22").unlink()
    assert packaged("clang", None, packages) is None


@pytest.mark.llvm
def test_it_is_the_tool_that_asking_would_have_found(each_toolchain: Toolchain) -> None:
    import os

    major = str(each_toolchain.major)
    found = packaged("clang++", major, dict(os.environ))
    assert found is None or found.resolve() == select(major).tool("clang++").resolve()
