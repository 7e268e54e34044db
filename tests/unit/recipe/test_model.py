"""The recipe's own form, which `verify` and the launcher read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perfwright.errors import UserError
from perfwright.program.plan import BuildPlan
from perfwright.recipe.model import Recipe

Bench = Any
ALL = BuildPlan(
    compile_flags=("-mllvm", "-a=1"),
    unit_flags={"a.c": ('-DB="x y"',)},
    link_flags=("-s",),
    whole_program=True,
    pipeline="default<O3>,function(simplifycfg<a;b>)",
)


@pytest.mark.parametrize("plan", [BuildPlan(), ALL, BuildPlan(unit_pipelines={"a.c": "x<y;z>"})])
def test_what_is_written_is_read_back(bench: Bench, plan: BuildPlan) -> None:
    recipe = bench.recipe(plan)
    assert Recipe.parse(recipe.to_toml()) == recipe


def test_the_words_for_launchers_are_written_out(bench: Bench) -> None:
    text = bench.recipe("options").to_toml()
    assert '[flags]\ncompile = [\n    "-mtune=skylake",' in text


def test_a_recipe_that_flags_cannot_apply_has_none(bench: Bench) -> None:
    assert "[flags]" not in bench.recipe(BuildPlan(unit_pipelines={"a.c": "x"})).to_toml()


def test_a_recipe_whose_two_parts_disagree_is_refused(bench: Bench) -> None:
    text = bench.recipe("options").to_toml()
    changed = text.replace('compile_flags = [\n    "-mtune=skylake",', "compile_flags = [")
    assert changed != text
    with pytest.raises(UserError, match="contradicts itself") as caught:
        Recipe.parse(changed, "r.toml")
    assert caught.value.hint == "remove [flags]"


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("a = ", "is no TOML file"),
        ("a = 1", "is no recipe"),
        ("[flags]\nbogus = 1", "is no recipe"),
    ],
)
def test_other_files_are_refused_with_their_name(text: str, fact: str) -> None:
    with pytest.raises(UserError, match=f"r.toml {fact}"):
        Recipe.parse(text, "r.toml")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the recipe"):
        Recipe.load(tmp_path / "nothing.toml")


@pytest.mark.parametrize(
    ("program", "name"), [("/p/qsort/perfwright.toml", "qsort"), ("/p/a.b.c", "a.b"), ("/p/q", "q")]
)
def test_a_recipe_is_called_after_its_program(bench: Bench, program: str, name: str) -> None:
    recipe = bench.recipe("options").model_copy(update={"program": Path(program)})
    assert recipe.name == name
