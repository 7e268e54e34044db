"""A campaign that ends in a recipe, and everything that can be asked of it afterwards.

The hot loop calls a function of another unit: seen together, the units vectorise, and the
program is several times faster.  That is no matter of noise.
"""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from perfwright.evidence.elf import code_hash
from perfwright.toolchain.process import run

User = Any  # conftest.User: test folders are no packages
Write = Callable[[Path, Mapping[str, str]], Path]

pytestmark = [pytest.mark.e2e, pytest.mark.llvm]

FILES = {
    "main.c": """\
#include <stdio.h>
#include <stdlib.h>
#ifdef BROKEN
#error it does not build
#endif
unsigned weight(unsigned x);
static unsigned table[4096];
int main(int count, char **words)
{
    unsigned sum = count > 1 ? (unsigned)atoi(words[1]) : 1;
    for (int i = 0; i < 4096; i++)
        table[i] = i * 2654435761u;
    for (int round = 0; round < 6000; round++) {
        for (int i = 0; i < 4096; i++)
            sum += weight(table[i]);
        table[round & 4095] = sum;
    }
#ifdef WRONG
    sum++;
#endif
    printf("%u\\n", sum);
    return 0;
}
""",
    "lib/weight.c": "unsigned weight(unsigned x) { return (x ^ x >> 7) * 3u + 1u; }\n",
    "perfwright.toml": """\
[program]
name = "sum"
build = "make"
binary = "sum"
[[workload]]
args = ["3"]
""",
    "Makefile": """\
CFLAGS = -O2 -Wall -Werror
sum: main.o lib/libweight.a
	$(CC) $(LDFLAGS) -o $@ main.o -Llib -lweight
lib/libweight.a: lib/weight.o
	$(AR) rcs $@ $^
""",
}


@dataclass(frozen=True)
class Tuned:
    """The campaign of this module: who ran it, on what, and what `tune --json` said."""

    user: User
    program: Path
    document: dict[str, Any]

    @property
    def recipe(self) -> Path:
        return Path(self.document["recipe"])

    def copy(self, folder: Path) -> Path:
        """The program as it was, somewhere else and not built."""
        shutil.copytree(self.program, folder)
        return folder


@pytest.fixture(scope="module")
def tuned(module_user: User, written: Write) -> Tuned:
    program = written(module_user.cwd / "a program", FILES)
    said = module_user.types("tune", program, "--rounds", "1", "--json")
    assert said.status == 0, said.err
    return Tuned(module_user, program, said.document)


def test_the_document_says_what_was_gained_and_how(tuned: Tuned) -> None:
    found = tuned.document
    assert (found["status"], found["program"], found["mind"]) == ("improved", "sum", "builtin")
    assert found["result"]["speedup"] > 2
    assert found["result"]["low"] > 1
    assert found["baseline"]["seconds"] > 0
    assert "pipeline: link whole-program" in found["edits"]
    assert {claim["edit"] for claim in found["claims"]} == set(found["edits"])
    (round_,) = found["rounds"]
    assert round_["trials"][-1]["state"] == "measured"
    assert {part["edit"] for part in found["attribution"]} >= set(found["edits"])
    usage = found["usage"]
    assert usage["seconds"] >= usage["compile_seconds"] + usage["run_seconds"] > 0


def test_show_gives_the_same_document_from_the_journal(tuned: Tuned) -> None:
    assert tuned.user.types("show", "last", "--json").document == tuned.document


def test_replay_comes_to_the_same_decisions(tuned: Tuned) -> None:
    assert tuned.user.types("replay", "last", "--json").document == tuned.document


def test_people_get_words_on_standard_error_only(tuned: Tuned) -> None:
    shown = tuned.user.types("show", tuned.document["campaign"])
    assert (shown.status, shown.out) == (0, "")
    assert "sum: " in shown.err
    assert "link whole-program" in shown.err


def test_explain_cites_evidence_for_every_edit(tuned: Tuned) -> None:
    story = tuned.user.types("explain", "last", "--json").json
    (step, *_) = story["steps"]
    assert step["edits"]
    assert step["evidence"]
    assert story["end"].startswith("improved")
    assert "correction" in tuned.user.types("explain", "last").err


def test_runs_lists_it(tuned: Tuned) -> None:
    listed = tuned.user.types("runs", "--json").json["campaigns"]
    assert [(run["program"], run["status"]) for run in listed] == [("sum", "improved")]
    assert tuned.document["campaign"] in tuned.user.types("runs").err


def test_what_has_ended_is_not_resumed(tuned: Tuned) -> None:
    said = tuned.user.types("resume", "last", "--json")
    assert said.status == 2
    assert "has ended: improved" in said.err


def test_the_report_is_one_html_file(tuned: Tuned, tmp_path: Path) -> None:
    said = tuned.user.types("report", "last", "--out", tmp_path / "r.html")
    assert said.out == f"{tmp_path / 'r.html'}\n"
    assert "</html>" in (tmp_path / "r.html").read_text()
    assert Path(tuned.document["report"]).exists()


# --- the recipe in builds -----------------------------------------------------------------------


def built(folder: Path, *words: str) -> str:
    result = run(["make", "-C", folder, *words])
    assert result.ok, result.explain()
    return code_hash(folder / "sum")


def test_include_recipe_mk_is_all_a_makefile_needs(tuned: Tuned, tmp_path: Path) -> None:
    folder = tuned.copy(tmp_path / "p")
    said = tuned.user.types("recipe", "last", "--format", "make", "--out", folder / "recipe.mk")
    assert (said.status, said.out) == (0, "")
    makefile = folder / "Makefile"
    makefile.write_text("include recipe.mk\n" + makefile.read_text())
    assert built(folder) == tomllib.loads(tuned.recipe.read_text())["code"]


def test_the_launcher_applies_it_in_any_build(tuned: Tuned, tmp_path: Path) -> None:
    folder = tuned.copy(tmp_path / "p")
    launcher = " ".join([sys.executable, "-m", "perfwright", "cc", "--recipe", str(tuned.recipe)])
    assert built(folder, f"CC={launcher}") == tomllib.loads(tuned.recipe.read_text())["code"]


def test_the_script_builds_from_the_users_own_sources(tuned: Tuned, tmp_path: Path) -> None:
    said = tuned.user.types("recipe", "last", "--format", "shell")
    assert str(tuned.program) in said.out
    scratch = "work"  # the folder with the copy in which the build was captured
    assert f"/{scratch}/" not in said.out
    (tmp_path / "build.sh").write_text(said.out)
    result = run(["sh", tmp_path / "build.sh"], cwd=tmp_path)
    assert result.ok, result.explain()
    made = tuned.recipe.parent / "sum"
    assert code_hash(made) == tomllib.loads(tuned.recipe.read_text())["code"]


@pytest.mark.parametrize(("form", "sign"), [("toml", "[flags]"), ("cmake", "CMAKE_C_COMPILER")])
def test_other_formats_are_printed(tuned: Tuned, form: str, sign: str) -> None:
    said = tuned.user.types("recipe", "last", "--format", form)
    assert said.status == 0
    assert sign in said.out


def test_an_unknown_format_is_bad_usage(tuned: Tuned) -> None:
    said = tuned.user.types("recipe", "last", "--format", "mak")
    assert (said.status, said.out) == (2, "")
    assert "try:   make" in said.err


# --- verify ---------------------------------------------------------------------------------------


def changed(tuned: Tuned, file: Path, **tables: Any) -> Path:
    """The recipe with other values, as somebody else's recipe for this program."""
    recipe = tomllib.loads(tuned.recipe.read_text())
    recipe.pop("flags", None)
    file.write_text(tomli_w.dumps({**recipe, **tables}))
    return file


def test_a_recipe_that_holds_is_0(tuned: Tuned) -> None:
    said = tuned.user.types("verify", tuned.recipe, "--json")
    assert said.status == 0, said.err
    found = said.json
    assert (found["holds"], found["same_code"], found["correct"]) == (True, True, True)
    assert found["speedup"] > 2
    assert found["notes"] == []


def test_verifying_leaves_nothing_behind(tuned: Tuned) -> None:
    listed = tuned.user.types("runs", "--json").json["campaigns"]
    assert [run["campaign"] for run in listed] == [tuned.document["campaign"]]
    assert [p.name for p in (tuned.user.home / "work").iterdir()] == [tuned.document["campaign"]]


def test_a_recipe_that_changes_nothing_is_1(tuned: Tuned, tmp_path: Path) -> None:
    said = tuned.user.types("verify", changed(tuned, tmp_path / "r.toml", build={}), "--json")
    assert (said.status, said.json["holds"]) == (1, False)
    assert "changes nothing" in said.json["notes"][0]


@pytest.mark.parametrize(
    ("flag", "correct", "note"),
    [("-DWRONG", False, "standard output"), ("-DBROKEN", False, "it does not build")],
)
def test_a_recipe_whose_program_is_wrong_or_not_built_is_1(
    tuned: Tuned, tmp_path: Path, flag: str, correct: bool, note: str
) -> None:
    recipe = changed(tuned, tmp_path / "r.toml", build={"compile_flags": [flag]})
    said = tuned.user.types("verify", recipe, "--json")
    assert said.status == 1, said.err
    assert (said.json["holds"], said.json["correct"]) == (False, correct)
    assert any(note in line for line in said.json["notes"])


def test_what_has_changed_is_named(tuned: Tuned, tmp_path: Path) -> None:
    folder = tuned.copy(tmp_path / "p")
    (folder / "main.c").unlink()
    (folder / "main.c").write_text(FILES["main.c"].replace("6000", "600"))
    recipe = changed(tuned, tmp_path / "r.toml", build={})
    said = tuned.user.types("verify", recipe, "--program", folder)
    assert said.status == 1
    assert "NO LONGER HOLDS" in said.err
    assert "main.c has changed" in said.err


@pytest.mark.parametrize(
    ("tables", "status", "fact"),
    [
        ({"toolchain": "23.1.0"}, 3, "LLVM 23 is not installed"),
        ({"program": "/nowhere"}, 2, "--program WHERE_IT_IS"),
        ({"build": {"bogus": 1}}, 2, "is no recipe of this version"),
    ],
)
def test_a_recipe_that_cannot_be_tried_is_an_error(
    tuned: Tuned, tmp_path: Path, tables: dict[str, Any], status: int, fact: str
) -> None:
    said = tuned.user.types("verify", changed(tuned, tmp_path / "r.toml", **tables), "--json")
    assert (said.status, said.json["status"]) == (status, "failed")
    assert fact in said.err


# --- at the end of the module ---------------------------------------------------------------


def test_the_program_itself_is_left_alone(tuned: Tuned) -> None:
    files = {p.relative_to(tuned.program).as_posix() for p in tuned.program.rglob("*.*")}
    assert files == {"main.c", "lib/weight.c", "perfwright.toml"}


def test_clean_keeps_what_the_campaign_needs(tuned: Tuned) -> None:
    freed = tuned.user.types("clean", "--unused", "--json").json
    assert (freed["campaigns"], freed["removed_bytes"] > 0) == (1, True)
    assert tuned.user.types("show", "last", "--json").document == tuned.document
    assert tuned.user.types("verify", changed(tuned, tuned.recipe, build={})).status == 1


def test_a_campaign_can_be_removed(tuned: Tuned) -> None:
    name = tuned.document["campaign"]
    assert tuned.user.types("clean", "--campaign", name, "--json").json["removed_campaigns"] == [
        name
    ]
    assert tuned.user.types("runs", "--json").json == {"campaigns": []}
