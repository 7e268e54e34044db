"""A program in two units, recipes for it as values, and what they have to build to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from perfwright.evidence.elf import code_hash
from perfwright.program.build import Built, build
from perfwright.program.capture import from_sources
from perfwright.program.linker import link_option, plugin_option
from perfwright.program.plan import NO_LTO, BuildPlan
from perfwright.program.spec import load
from perfwright.recipe.model import Figure, Recipe, RecipeEdit
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import ProcessResult, run

MAIN = """\
#include <stdio.h>
#ifdef __cplusplus
extern "C"
#endif
unsigned step(unsigned x, unsigned k);
int main(void)
{
    unsigned x = 1;
    for (unsigned i = 0; i < 1000; i++)
        x = step(x, i & 7);
    printf("%u\\n", x);
    return 0;
}
"""
STEP = """\
#ifdef __cplusplus
extern "C"
#endif
unsigned step(unsigned x, unsigned k)
{
    for (unsigned i = 0; i < k; i++)
        x = x * 1664525u + (x >> i);
    return x;
}
"""

SUFFIXES = (".c", ".cc")

PIPELINE = (
    "default<O3>,function<eager-inv>(simplifycfg<bonus-inst-threshold=2;no-hoist-common-insts>,"
    "loop-unroll<O3>,instcombine<no-verify-fixpoint>)"
)
"""Commas for the linker driver, semicolons for CMake, brackets and angles for the shell."""

PLANS: Mapping[str, BuildPlan] = {
    "options": BuildPlan(compile_flags=("-mtune=skylake", "-mllvm", "-unroll-count=4")),
    "whole-program": BuildPlan(
        compile_flags=("-mllvm", "-unroll-count=2"),
        link_flags=link_option("-unroll-count=2"),
        whole_program=True,
    ),
    "pipeline": BuildPlan(whole_program=True, pipeline=PIPELINE),
    "per-unit": BuildPlan(compile_flags=NO_LTO, link_flags=NO_LTO),
    "of-flto": BuildPlan(
        compile_flags=("-mllvm", "-align-all-nofallthru-blocks=6"),
        link_flags=plugin_option("-align-all-nofallthru-blocks=6"),
    ),
    "one-unit": BuildPlan(unit_flags={"lib/step.c": ("-mllvm", "-unroll-count=8")}),
}
"""What a recipe may ask of a build; each gives other code than the program's own build;
`per-unit` and `of-flto` where that has `-flto`."""


@dataclass(frozen=True)
class Bench:
    """One program in a folder of its own, and recipes for it."""

    folder: Path
    scratch: Path

    def sources(self, suffix: str = "c") -> None:
        """Write the program in C or C++, without any build."""
        for name, text in {"main": MAIN, "lib/step": STEP}.items():
            self.write(f"{name}.{suffix}", text)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def recipe(self, plan: BuildPlan | str, toolchain: Toolchain | None = None) -> Recipe:
        return Recipe(
            campaign="prog-123abc",
            program=self.folder / "perfwright.toml",
            toolchain=toolchain.version if toolchain else "22.1.8",
            triple="x86_64-pc-linux-gnu",
            correct="by-construction",
            code="0" * 64,
            result=Figure(speedup=1.25, low=1.2, high=1.3, pairs=24),
            build=self.plan(plan),
            edits=(RecipeEdit(edit="pipeline: option unroll-count=4"),),
        )

    def plan(self, plan: BuildPlan | str, suffix: str = "c") -> BuildPlan:
        found = PLANS[plan] if isinstance(plan, str) else plan
        flags = {name.replace(".c", f".{suffix}"): f for name, f in found.unit_flags.items()}
        return found.model_copy(update={"unit_flags": flags})

    def measured(
        self, plan: BuildPlan, toolchain: Toolchain, lto: Sequence[str] | None = None
    ) -> str:
        """The code that a campaign would have measured with this plan.

        With `lto` the program's own build is linked by lld, and has these flags everywhere.
        """
        names = [f"{stem}{suffix}" for stem in ("main", "lib/step") for suffix in SUFFIXES]
        named = ", ".join(f'"{name}"' for name in names if (self.folder / name).exists())
        head = f'[program]\nname = "prog"\nsources = [{named}]\n'
        head += f"cflags = {json.dumps(['-O2', *(lto or ())])}\n"
        if lto is not None:
            head += f"ldflags = {json.dumps(['-fuse-ld=lld', *lto])}\n"
        captured = from_sources(load(self.write("perfwright.toml", head)))
        built = build(captured, plan, toolchain, self.scratch)
        assert isinstance(built, Built), str(built)
        return working(built.binary)

    def code(self, name: str = "prog") -> str:
        """The code of a binary that a build has made in the folder."""
        return working(self.folder / name)

    def make(self, *words: str) -> ProcessResult:
        return ok(run(["make", "-C", self.folder, *words]))


def ok(result: ProcessResult) -> ProcessResult:
    assert result.ok, result.explain() + result.text
    return result


def working(binary: Path) -> str:
    """The code of a binary that runs."""
    assert ok(run([binary])).text.strip().isdigit()
    return code_hash(binary)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "program").mkdir()
    return Bench(tmp_path / "program", tmp_path / "scratch")
