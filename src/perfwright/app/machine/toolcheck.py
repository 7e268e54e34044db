"""What the doctor says of tools: the installed LLVMs, what they build, and Python's packages."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfwright.app.machine.surroundings import ASK, Finding, State, Surroundings, in_short
from perfwright.errors import ToolchainError
from perfwright.toolchain.discovery import Toolchain

_NEEDED = ("clang", "opt")
_USES: Mapping[str, str] = {
    "clang++": "programs in C++",
    "llvm-ar": "libraries inside of programs",
    "llvm-nm": "libraries inside of programs",
    "llvm-link": "pipelines over the whole program",
    "lld": "whole-program edits, and random layouts for the confirmation",
    "ld.lld": "whole-program edits, and random layouts for the confirmation",
    "llvm-objdump": "evidence from machine code",
    "llvm-mca": "evidence on hot loops",
    "llvm-profdata": "evidence on branches and trip counts",
    "llvm-cov": "evidence on branches and trip counts",
    "llvm-symbolizer": "source lines in profiles",
    "llvm-strip": "profiles by valgrind",
}
"""What tuning uses tools for; the others are for comparisons and for developers."""


def toolchains(here: Surroundings) -> Iterator[Finding]:
    """The installed LLVMs, and for each what it lacks."""
    area = "toolchain"
    found = here.toolchains()
    try:
        chosen = here.select()
    except ToolchainError as error:
        yield Finding(
            area=area, name="LLVM", state="missing", text=in_short(error), hint=error.hint
        )
        return
    for toolchain in found if chosen in found else [chosen, *found]:
        first = toolchain == chosen
        role = "used unless --toolchain says otherwise" if first else "--toolchain can name it"
        yield Finding(
            area=area,
            name=f"LLVM {toolchain.version}",
            state="ok",
            text=f"{toolchain.folder}; {role}",
        )
        yield from _missing_tools(toolchain, needed=first)


def _missing_tools(toolchain: Toolchain, *, needed: bool) -> Iterator[Finding]:
    """One finding for what cannot be missing, one for what is missed, one for the rest."""
    lacks = toolchain.missing()
    kinds: tuple[tuple[State, tuple[str, ...]], ...] = (
        ("missing" if needed else "warn", tuple(t for t in lacks if t in _NEEDED)),
        ("warn", tuple(t for t in lacks if t in _USES)),
        ("ok", tuple(t for t in lacks if t not in _NEEDED and t not in _USES)),
    )
    for state, tools in kinds:
        if tools:
            uses = dict.fromkeys(_USES[tool] for tool in tools if tool in _USES)
            why = f", for {'; '.join(uses)}" if uses else ""
            rest = "; tuning does not need it" if state == "ok" else ""
            packages = dict.fromkeys(toolchain.package(tool) for tool in tools)
            yield Finding(
                area="toolchain",
                name=f"LLVM {toolchain.version}",
                state=state,
                text=f"without {', '.join(tools)}{why}{rest}",
                hint=f"apt-get install {' '.join(packages)}",
            )


@dataclass(frozen=True)
class Probe:
    """A small build that shows whether something works.

    Attributes:
        fails: what a failure means; the state of its finding.
        needs: the Debian package that mends it; `{}` is the LLVM's major version.
    """

    name: str
    tool: str
    words: tuple[str, ...]
    fails: State
    means: str
    needs: str
    source: str = "int main(void) { return 0; }\n"


PROBES = (
    Probe("C builds", "clang", ("-xc",), "missing", "no program can be built", "libc6-dev"),
    Probe(
        "C++ builds",
        "clang++",
        ("-xc++",),
        "warn",
        "programs in C++ cannot be built",
        "g++",
        "#include <string>\nint main() { return std::string().size(); }\n",
    ),
    Probe(
        "lld links",
        "clang",
        ("-xc", "-fuse-ld=lld", "-flto"),
        "warn",
        "no whole-program edits, and confirmation in one layout only",
        "lld-{}",
    ),
    Probe(
        "counted builds",
        "clang",
        ("-xc", "-fprofile-instr-generate", "-fcoverage-mapping"),
        "warn",
        "no evidence on branches and trip counts",
        "libclang-rt-{}-dev",
    ),
    Probe(
        "sanitizers",
        "clang",
        ("-xc", "-fsanitize=address,undefined"),
        "warn",
        "undefined behaviour of programs is not found",
        "libclang-rt-{}-dev",
    ),
)


def builds(here: Surroundings, toolchain: Toolchain) -> Iterator[Finding]:
    """Whether the chosen toolchain builds what tuning will ask it to build."""
    with tempfile.TemporaryDirectory(prefix="perfwright-doctor-") as folder:
        for probe in PROBES:
            if not toolchain.has(probe.tool):
                continue  # reported as a missing tool
            clang, out = toolchain.tool(probe.tool), Path(folder) / "probe"
            words: Sequence[str | os.PathLike[str]] = [clang, *probe.words, "-", "-o", out]
            result = here.runner(words, stdin=probe.source.encode(), limits=ASK)
            if result.ok:
                yield Finding(area="toolchain", name=probe.name, state="ok", text="work")
                continue
            said = _first_error(result.error_text) or result.outcome()
            yield Finding(
                area="toolchain",
                name=probe.name,
                state=probe.fails,
                text=f"{probe.means}: {said}",
                hint=f"apt-get install {probe.needs.format(toolchain.major)}",
            )


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line), lines[-1] if lines else "")


def packages(here: Surroundings) -> Iterator[Finding]:
    """The versions of Python packages."""
    known = here.requirements()
    there = ", ".join(f"{name} {version}" for name, version in known.items() if version)
    if there:
        yield Finding(area="Python", name="packages", state="ok", text=there)
    for name in (name for name, version in known.items() if not version):
        yield Finding(
            area="Python",
            name=name,
            state="missing",
            text="is not installed",
            hint=f"pip install {name}",
        )
