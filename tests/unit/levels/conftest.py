"""A level over LLVM 22 as it was written down, and tiny programs for the installed ones."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfwright.core.candidate import Candidate, Edit
from perfwright.core.protocols import Refusal
from perfwright.levels.pipeline.level import NAME, PipelineLevel
from perfwright.levels.workshop import EditWorkshop, Site
from perfwright.pipeline.repair_edit import EditRepairer
from perfwright.pipeline.tree import parse
from perfwright.pipeline.validate import validate
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.program.bitcode import UnitBitcode, capture_bitcode
from perfwright.program.build import BuildFailure
from perfwright.program.capture import from_sources
from perfwright.program.captured import CapturedBuild
from perfwright.program.plan import PLAIN, machine_options, optimised_by_linker
from perfwright.program.spec import load
from perfwright.toolchain import about, discovery
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.registry import Option, OptionTable, OptionType, parse_passes

PIPELINES = Path(__file__).parents[2] / "cases" / "pipelines"

MAIN = """\
#include <stdio.h>
long work(const int *v, long n);
int main(int argc, char **argv)
{
    static int v[1000];
    (void)argv;
    for (int i = 0; i < 1000; i++) v[i] = i * argc;
    printf("%ld\\n", work(v, 1000));
    return 0;
}
"""
WORK = """\
long work(const int *v, long n)
{
    long sum = 0;
    for (long i = 0; i < n; i++) {
        if (v[i] & 1) sum += v[i] * 3;
        else if (v[i] % 7 == 2) sum ^= i;
        else sum -= 5;
    }
    return sum;
}
"""


def candidate(*texts: str) -> Candidate:
    """A candidate with these edits of the pipeline level."""
    return Candidate(tuple(Edit(NAME, text) for text in texts))


@pytest.fixture(scope="session")
def edited() -> Callable[..., Candidate]:
    """Makes a candidate of texts: `edited("option unroll-count=8")`."""
    return candidate


@pytest.fixture(scope="session")
def repairer() -> EditRepairer:
    """LLVM 22's -O3 pipeline and passes, with a handful of options."""
    registry = replace(
        parse_passes((PIPELINES / "print-passes-22.txt").read_text()),
        adaptors=(
            *("module", "cgscc", "devirt", "function", "loop", "loop-mssa"),
            *("machine-function", "coro-cond"),
        ),
        needs_memory_ssa=("licm", "lnicm"),
        refuses_memory_ssa=("loop-unroll-full", "loop-versioning-licm"),
    )
    names = ("unroll-count", "inline-threshold", "inlinedefault-threshold")
    tools = ("opt", "clang", "lld")
    options = [Option(name, OptionType.UINT, tools=tools) for name in names]
    options.append(Option("stats", OptionType.BOOL, tools=tools))
    options.append(Option("info-output-file", OptionType.STRING, tools=tools))
    base = parse((PIPELINES / "default-O3-22.txt").read_text().strip())
    return EditRepairer(base, Vocabulary(registry), OptionTable(tuple(options)))


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., CapturedBuild]:
    """Makes a program of two units: `programs(cflags="-O2")`."""

    def make(cflags: str = "-O3", work: str = WORK, ldflags: str = "") -> CapturedBuild:
        folder = tmp_path_factory.mktemp("program")
        (folder / "main.c").write_text(MAIN)
        (folder / "work.c").write_text(work)
        (folder / "perfwright.toml").write_text(
            f'[program]\nname = "tiny"\nsources = ["main.c", "work.c"]\n'
            f"cflags = {json.dumps(cflags.split())}\nldflags = {json.dumps(ldflags.split())}\n"
        )
        return from_sources(load(folder))

    return make


@pytest.fixture(scope="session")
def workshops(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., EditWorkshop]:
    """Makes the workshop of a program: `workshops(toolchain, program, hot=("work",))`."""

    def make(toolchain: Toolchain, captured: CapturedBuild, **more: Any) -> EditWorkshop:
        folder = tmp_path_factory.mktemp("workshop")

        def keep(file: Path) -> str:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            shutil.copy(file, folder / digest)
            return digest

        site = Site(
            captured=captured,
            toolchain=toolchain,
            folder=folder / "builds",
            objects=folder / "objects",
            keep=keep,
        )
        level = pipeline_level(toolchain, captured, folder / "bitcode")
        return EditWorkshop(site, {NAME: level}, **more)

    return make


def pipeline_level(toolchain: Toolchain, captured: CapturedBuild, scratch: Path) -> PipelineLevel:
    """The level over an installed LLVM; opt has the last word on pipelines."""
    host = discovery.host(toolchain)
    registry = about.pass_registry(toolchain, host)
    bitcode: dict[str, UnitBitcode] = {}

    def try_out(unit: str, pipeline: str, options: tuple[str, ...]) -> Refusal | None:
        if not bitcode:
            found = capture_bitcode(captured, toolchain, scratch)
            assert not isinstance(found, BuildFailure), str(found)
            bitcode.update(found)
        opt, flags = toolchain.tool("opt"), captured.unit(unit).argv
        every = (*options, *machine_options(flags))
        said = validate(pipeline, bitcode[unit].plain, opt=opt, options=every)
        return said if isinstance(said, Refusal) else None

    return PipelineLevel(
        repairer=EditRepairer(
            base=parse(registry.pipelines["default<O3>"]),
            vocabulary=Vocabulary(registry),
            options=about.option_table(toolchain),
        ),
        unit_names=tuple(unit.name for unit in captured.units),
        try_out=try_out,
        host_cpu=host.cpu,
        linked=frozenset(unit.name for unit in captured.units if optimised_by_linker(unit, PLAIN)),
    )
