"""A small LLVM to test against without one, and the installed ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfwright.pipeline.tree import Pipeline, parse
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain import about, discovery
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.registry import (
    Option,
    OptionTable,
    OptionType,
    PassRegistry,
    parse_passes,
)

CASES = Path(__file__).parents[2] / "cases" / "pipelines"

LOOPS = b"""
define i32 @sum(ptr %a, i32 %n, i1 %c) {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %latch ]
  %s = phi i32 [ 0, %entry ], [ %t, %latch ]
  %p = getelementptr i32, ptr %a, i32 %i
  %v = load i32, ptr %p
  br i1 %c, label %then, label %latch
then:
  %w = call i32 @twice(i32 %v)
  br label %latch
latch:
  %u = phi i32 [ %v, %loop ], [ %w, %then ]
  %t = add i32 %s, %u
  %next = add i32 %i, 1
  %more = icmp slt i32 %next, %n
  br i1 %more, label %loop, label %exit
exit:
  ret i32 %t
}
define internal i32 @twice(i32 %x) {
  %y = shl i32 %x, 1
  ret i32 %y
}
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """An argument `repair_case` runs over the cases of `repair.json`, named by why-lines."""
    for name in metafunc.fixturenames:
        path = CASES / f"{name.removesuffix('_case').replace('_', '-')}.json"
        if name.endswith("_case"):
            entries: list[dict[str, Any]] = json.loads(path.read_text())
            metafunc.parametrize(name, entries, ids=[entry["why"] for entry in entries])


@pytest.fixture(scope="session")
def registry() -> PassRegistry:
    """The passes of LLVM 22's own pipelines, and some more."""
    return replace(
        parse_passes((CASES / "print-passes-22.txt").read_text()),
        pipelines={"default<O3>": (CASES / "default-O3-22.txt").read_text().strip()},
        adaptors=(
            *("module", "cgscc", "devirt", "function", "loop", "loop-mssa"),
            *("machine-function", "coro-cond"),
        ),
        needs_memory_ssa=("licm", "lnicm"),
        refuses_memory_ssa=("loop-unroll-full", "loop-versioning-licm"),
    )


@pytest.fixture(scope="session")
def vocabulary(registry: PassRegistry) -> Vocabulary:
    return Vocabulary(registry)


@pytest.fixture(scope="session")
def o3(registry: PassRegistry) -> Pipeline:
    return parse(registry.pipelines["default<O3>"])


@pytest.fixture(scope="session")
def options() -> OptionTable:
    """A handful of options, of every type and of every reason for refusal."""
    everywhere = ("opt", "clang", "lld")
    return OptionTable(
        (
            Option("disable-output", OptionType.BOOL, tools=("opt",)),
            Option("enable-newgvn", OptionType.BOOL, initial="false", tools=everywhere),
            Option("enable-unsafe-fp-math", OptionType.BOOL, tools=everywhere),
            Option("force-target-max-vector-interleave", OptionType.UINT, tools=everywhere),
            Option("inline-threshold", OptionType.INT, initial="225", tools=everywhere),
            Option("pass-remarks-output", OptionType.STRING, tools=everywhere),
            Option("print-after-all", OptionType.BOOL, tools=everywhere),
            Option("regalloc", OptionType.ENUM, ("fast", "greedy", "basic"), tools=everywhere),
            Option("some-ratio", OptionType.NUMBER, initial="0.5", tools=everywhere),
        )
    )


@pytest.fixture(scope="session")
def each_registry(each_toolchain: Toolchain) -> PassRegistry:
    """The passes of every installed LLVM."""
    return about.pass_registry(each_toolchain, discovery.host(each_toolchain))


@pytest.fixture(scope="session")
def each_options(each_toolchain: Toolchain) -> OptionTable:
    """The options of every installed LLVM."""
    return about.option_table(each_toolchain)


@pytest.fixture(scope="session")
def loops_ir() -> bytes:
    """A function with a loop, a branch and a call: something to do for most passes."""
    return LOOPS
