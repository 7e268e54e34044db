"""`perfwright cc`: quick to start, and applies recipes in any build."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from perfwright.evidence.elf import code_hash
from perfwright.program.build import Built, build
from perfwright.program.capture import from_sources
from perfwright.program.linker import link_option
from perfwright.program.plan import PLAIN, BuildPlan
from perfwright.program.spec import load
from perfwright.recipe.model import Figure, Recipe
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import ProcessResult, run

HEAVY = {"numpy", "scipy", "pydantic", "pydantic_core", "typer", "rich", "elftools", "sqlite3"}
PERFWRIGHT = [sys.executable, "-m", "perfwright"]

FILES = {
    "main.c": "unsigned step(unsigned x);\n"
    "int main(int n, char **v) { for (int i = 0; i < 99; i++) n = (int)step(n); return n == 7; }\n",
    "sub/step.c": "unsigned step(unsigned x) "
    "{ for (int i = 0; i < 9; i++) x = x * 3 + (x >> 3); return x; }\n",
    "Makefile": "CFLAGS = -O2\nprog: main.o sub/step.o\n\t$(CC) -o $@ $^ $(LDFLAGS)\n"
    "%.o: %.c\n\tcd $(dir $<) && $(CC) $(CFLAGS) -c -o $(notdir $@) $(notdir $<)\n",
    "perfwright.toml": '[program]\nname = "prog"\nsources = ["main.c", "sub/step.c"]\n'
    'cflags = ["-O2"]\n',
}
PLANS = {
    "options": BuildPlan(compile_flags=("-mllvm", "-unroll-count=4")),
    "whole-program": BuildPlan(
        whole_program=True,
        pipeline="default<O3>,function(simplifycfg<bonus-inst-threshold=2;no-sink-common-insts>)",
        link_flags=link_option("-unroll-count=2"),
    ),
    "one-unit": BuildPlan(unit_flags={"sub/step.c": ("-mllvm", "-unroll-count=3")}),
}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "a program"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def write_recipe(folder: Path, plan: BuildPlan, toolchain: Toolchain) -> Path:
    recipe = Recipe(
        campaign="prog-1",
        program=folder / "perfwright.toml",
        toolchain=toolchain.version,
        triple="x86_64-pc-linux-gnu",
        correct="by-construction",
        code="0",
        result=Figure(speedup=1.1, low=1.0, high=1.2, pairs=9),
        build=plan,
        edits=(),
    )
    path = folder.parent / "recipe.toml"
    path.write_text(recipe.to_toml())
    return path


def imported(*words: str) -> set[str]:
    """The top-level packages that a command has imported when it is done, or becomes clang."""
    result = run([sys.executable, "-X", "importtime", "-m", "perfwright", *words])
    assert result.ok, result.explain()
    lines = [line for line in result.error_text.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip() for line in lines}
    return {name.partition(".")[0] for name in names if "[" not in name}


@pytest.mark.llvm
def test_the_launcher_imports_nothing_heavy() -> None:
    assert not imported("cc", "--version") & HEAVY


@pytest.mark.llvm
def test_it_imports_nothing_heavy_for_a_recipe(program: Path, toolchain: Toolchain) -> None:
    recipe = write_recipe(program, PLANS["whole-program"], toolchain)
    words = ["cc", "--recipe", str(recipe), "-c", str(program / "main.c"), "-o", "/dev/null"]
    assert not imported(*words) & HEAVY


@pytest.mark.llvm
@pytest.mark.parametrize("name", PLANS)
def test_make_with_the_launcher_gives_the_code_that_was_measured(
    program: Path, each_toolchain: Toolchain, tmp_path: Path, name: str
) -> None:
    recipe = write_recipe(program, PLANS[name], each_toolchain)
    compiler = f"CC={' '.join(PERFWRIGHT)} cc --recipe {recipe}"
    result = run(["make", "-C", program, compiler])
    assert result.ok, result.explain()
    codes = [_measured(program, plan, each_toolchain, tmp_path) for plan in (PLANS[name], PLAIN)]
    assert code_hash(program / "prog") == codes[0] != codes[1]


def _measured(program: Path, plan: BuildPlan, toolchain: Toolchain, place: Path) -> str:
    built = build(from_sources(load(program)), plan, toolchain, place / "built")
    assert isinstance(built, Built), str(built)
    return code_hash(built.binary)


def refused(*words: str) -> ProcessResult:
    result = run([*PERFWRIGHT, *words])
    assert result.status == 2
    assert "Traceback" not in result.error_text
    return result


def test_a_recipe_that_needs_more_than_flags_is_refused(program: Path) -> None:
    toolchain = Toolchain("22.1.8", 22, Path("/llvm"), {}, "x")
    plan = BuildPlan(unit_pipelines={"main.c": "default<O3>"})
    recipe = write_recipe(program, plan, toolchain)
    said = refused("cc", "--recipe", str(recipe), "-c", "x.c").error_text
    assert "perfwright recipe prog-1 --format shell" in said


def test_a_missing_recipe_is_named() -> None:
    assert (
        "cannot read the recipe nothing.toml" in refused("cc", "--recipe=nothing.toml").error_text
    )
    assert "--recipe needs a file" in refused("c++", "--recipe").error_text
