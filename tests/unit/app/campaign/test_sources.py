from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from perfwright.app.campaign.sources import digests
from perfwright.program.spec import ProgramSpec, load


def write(folder: Path, **files: str) -> None:
    """Files by name, with `_` for `.` and `__` for `/`."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(spec: ProgramSpec) -> set[str]:
    return {str(Path(path).relative_to(spec.root)) for path in digests(spec)}


@pytest.fixture
def listed(tmp_path: Path) -> ProgramSpec:
    """A program of two listed sources, with much beside them."""
    write(
        tmp_path,
        main_c="int main(void) { return 0; }",
        src__work_c="",
        src__work_h="",
        other_c="",
        result_json="{}",
        recipe_mk="",
        perfwright_toml=(
            '[program]\nname = "x"\nsources = ["main.c", "src/work.c"]\n'
            '[[workload]]\nargs = ["in.txt"]\nstdin = "data/input"\nfiles = ["data/more"]\n'
        ),
        in_txt="",
    )
    write(tmp_path / "data", input="", more="")
    return load(tmp_path)


@pytest.fixture
def built(tmp_path: Path) -> ProgramSpec:
    """A program with a build of its own."""
    write(tmp_path, main_c="", config_h_in="", rules_mk="", notes_txt="", lib__a_cpp="")
    write(tmp_path / ".git", config_c="", HEAD="")
    (tmp_path / "Makefile").touch()
    (tmp_path / "perfwright.toml").write_text('[program]\nbuild = "make"\nbinary = "x"\n')
    return load(tmp_path)


def test_a_digest_is_the_sha256_of_the_file(listed: ProgramSpec) -> None:
    path = listed.root / "main.c"
    assert digests(listed)[str(path)] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_of_listed_sources_only_headers_count_beside_them(listed: ProgramSpec) -> None:
    found = names(listed)
    assert {"main.c", "src/work.c", "src/work.h", "perfwright.toml"} <= found
    assert "other.c" not in found


def test_what_a_user_writes_beside_the_program_does_not_count(listed: ProgramSpec) -> None:
    """`perfwright tune --json > result.json` must not keep a campaign from being resumed."""
    assert not {"result.json", "recipe.mk"} & names(listed)


def test_inputs_of_workloads_count(listed: ProgramSpec) -> None:
    assert {"data/input", "data/more", "in.txt"} <= names(listed)


def test_a_changed_header_is_noticed(listed: ProgramSpec) -> None:
    before = digests(listed)
    (listed.root / "src/work.h").write_text("#define N 4\n")
    changed = {path for path, digest in digests(listed).items() if before[path] != digest}
    assert changed == {str(listed.root / "src/work.h")}


def test_of_a_build_every_file_that_it_might_read_counts(built: ProgramSpec) -> None:
    found = {"Makefile", "main.c", "config.h.in", "rules.mk", "lib/a.cpp", "perfwright.toml"}
    assert names(built) == found


def test_version_control_does_not_count(built: ProgramSpec) -> None:
    assert not any(name.startswith(".git") for name in names(built))


def test_one_source_file_may_lie_in_a_folder_that_holds_anything(tmp_path: Path) -> None:
    write(tmp_path, sort_c="", sort_h="", letter_json="", deep__other_h="")
    assert names(load(tmp_path / "sort.c")) == {"sort.c", "sort.h"}


def test_an_argument_that_is_no_file_does_no_harm(tmp_path: Path) -> None:
    write(tmp_path, sort_c="")
    spec = load(tmp_path / "sort.c", ["--size", "x" * 5000, ""])
    assert names(spec) == {"sort.c"}
