"""The recipe as a script of plain tools: the only form that single units' pipelines have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perfwright.program.capture import from_sources
from perfwright.program.plan import BuildPlan
from perfwright.program.script import Command, commands
from perfwright.program.spec import load
from perfwright.recipe.exports import export, shell_script
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run

Bench = Any
PIPELINE = (
    "default<O3>,function(loop-unroll<O3>,simplifycfg<bonus-inst-threshold=2;no-sink-common-insts>)"
)
PIPELINES = BuildPlan(
    unit_pipelines={"lib/step.c": PIPELINE}, compile_flags=("-mllvm", "-unroll-count=2")
)
PLANS = {
    "one-unit": "one-unit",
    "per-unit": "per-unit",
    "pipeline": "pipeline",
    "unit-pipelines": PIPELINES,
}


@pytest.mark.llvm
@pytest.mark.parametrize("name", PLANS)
def test_the_script_gives_the_code_that_was_measured(
    bench: Bench, each_toolchain: Toolchain, name: str
) -> None:
    plan = bench.plan(PLANS[name])
    bench.sources()
    code = bench.measured(plan, each_toolchain, ["-flto"] if name == "per-unit" else None)
    captured = from_sources(load(bench.folder))
    objects = bench.folder / "a folder"
    steps = commands(captured, plan, each_toolchain, objects, bench.folder / "prog")
    recipe = bench.recipe(plan, each_toolchain)
    script = bench.write("build.sh", shell_script(recipe, steps, bench.folder, objects))
    result = run(["sh", script], cwd=Path("/"))
    assert result.ok, result.explain()
    assert bench.code() == code


def test_the_script_says_what_it_is_and_stops_at_the_first_failure(bench: Bench) -> None:
    steps = [Command(Path("/a b"), ("cc", "x y.c")), Command(Path("/a b"), ("ld",))]
    text = shell_script(bench.recipe("options"), steps, Path("/p"), Path("/o"), "Build first.")
    assert text.splitlines() == [
        "#!/bin/sh",
        "# program: 1.250x over the build without it",
        "# (95 % interval 1.200 to 1.300, LLVM 22.1.8, perfwright campaign prog-123abc)",
        "#   pipeline: option unroll-count=4",
        "# Build first.",
        "set -e",
        "cd /p",
        "mkdir -p /o",
        "mkdir -p '/a b'",
        "cd '/a b'",
        "cc 'x y.c'",
        "ld",
    ]


def test_variables_that_clang_listens_to_are_set(bench: Bench) -> None:
    steps = [Command(Path("/a"), ("cc", "x.c"), {"CPATH": "/my include"})]
    text = shell_script(bench.recipe("options"), steps, Path("/a"), Path("/o"))
    assert text.endswith("env 'CPATH=/my include' cc x.c\n")


def test_the_script_itself_is_what_the_format_shell_gives(bench: Bench) -> None:
    assert export(bench.recipe(PIPELINES), "shell", "the script") == "the script"


@pytest.mark.parametrize("form", ["shell", "make", "cmake"])
def test_the_name_of_a_folder_adds_no_command(bench: Bench, form: str) -> None:
    named = bench.recipe("options").model_copy(
        update={"program": Path("/p/a\ntouch HERE\x1b[2J\\/perfwright.toml")}
    )
    text = export(named, form, shell_script(named, [], Path("/p"), Path("/o")))
    assert not any(line.lstrip().startswith("touch") for line in text.splitlines())
    assert "\x1b" not in text
    assert not any(line.startswith("#") and line.endswith("\\") for line in text.splitlines())
