from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perfwright.errors import ProgramError
from perfwright.measure.runner import Run
from perfwright.measure.staging import steps


def staged(root: Path, **values: Any) -> list[tuple[str, ...]]:
    """The steps as (verb, words ...), with the root taken out of paths."""
    words = steps(Run(argv=("prog",), root=root, **values))
    found: list[tuple[str, ...]] = []
    for word in words:
        if word.startswith("--"):
            found.append((word,))
        else:
            found[-1] = (*found[-1], word.replace(f"{root}", "ROOT"))
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "data/deep").mkdir(parents=True)
    (tmp_path / "data/large.txt").touch()
    (tmp_path / "qsort.c").touch()
    return tmp_path


def test_every_entry_is_a_link_to_the_real_one(tree: Path) -> None:
    assert staged(tree) == [
        ("--link", "ROOT/data", "data"),
        ("--link", "ROOT/qsort.c", "qsort.c"),
    ]


def test_the_folder_where_it_runs_is_real_so_that_it_may_write_there(tree: Path) -> None:
    assert staged(tree, cwd="data") == [
        ("--link", "ROOT/qsort.c", "qsort.c"),
        ("--dir", "data"),
        ("--link", "ROOT/data/deep", "data/deep"),
        ("--link", "ROOT/data/large.txt", "data/large.txt"),
        ("--cwd", "data"),
    ]


def test_an_output_of_an_earlier_run_is_not_there(tree: Path) -> None:
    (tree / "out.bin").touch()
    assert ("--link", "ROOT/out.bin", "out.bin") not in staged(tree, outputs=("out.bin",))


def test_the_folder_of_an_output_is_real(tree: Path) -> None:
    found = staged(tree, outputs=("data/deep/out.bin",))
    assert ("--dir", "data/deep") in found
    assert ("--link", "ROOT/data/large.txt", "data/large.txt") in found


def test_a_file_that_may_change_is_copied(tree: Path) -> None:
    found = staged(tree, cwd="data", copied=("large.txt",))
    assert ("--copy", "ROOT/data/large.txt", "data/large.txt") in found
    assert ("--link", "ROOT/data/large.txt", "data/large.txt") not in found


def test_a_tree_to_write_in_is_copied_but_not_its_history(tree: Path) -> None:
    (tree / ".git").mkdir()
    assert staged(tree, copy_tree=True) == [
        ("--link", "ROOT/.git", ".git"),
        ("--copy", "ROOT/data", "data"),
        ("--copy", "ROOT/qsort.c", "qsort.c"),
    ]


def test_the_program_is_put_in_its_place(tree: Path) -> None:
    found = staged(tree, copy_tree=True, program=Path("/cache/x"), place="build/qsort")
    assert found[-1] == ("--place", "/cache/x", "build/qsort")


def test_a_missing_file_is_the_programs_error(tree: Path) -> None:
    with pytest.raises(ProgramError, match=r"table\.txt of a workload is missing"):
        staged(tree, copied=("table.txt",))


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b"])
def test_nothing_is_written_outside_the_scratch_folder(tree: Path, path: str) -> None:
    with pytest.raises(ProgramError, match="outside the program's folder"):
        staged(tree, outputs=(path,))
