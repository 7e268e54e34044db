"""What the installed LLVM offers, as lines that can be searched and paged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from perfwright.pipeline.forbidden import FLAGS, pass_reason
from perfwright.pipeline.options import TunableOption, format_value, tunable_options
from perfwright.pipeline.places import outline
from perfwright.pipeline.tree import parse
from perfwright.toolchain import discovery
from perfwright.toolchain.about import option_table, pass_registry
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.registry import Option, PassRegistry

What = Literal["passes", "options", "pipeline", "edits"]

EDITS = (
    "option NAME=VALUE                  option inline-threshold=600",
    "flag FLAG                          flag -mprefer-vector-width=512",
    "insert PASS before|after PLACE     insert licm<allowspeculation> after gvn#1",
    "remove PLACE                       remove loop-vectorize#1",
    "move PLACE before|after PLACE      move slp-vectorizer#1 before loop-vectorize#1",
    "repeat PLACE xTIMES                repeat instcombine#3 x2",
    "set PLACE PARAMETER                set simplifycfg#2 bonus-inst-threshold=4",
    "link whole-program|per-unit        link whole-program",
    "VERB in UNIT: ... is for one unit  option in src/dct.c: unroll-threshold=600",
)
"""The forms of `perfwright.pipeline.edits`, each with an example."""


def listed(what: What, match: str = "", toolchain: str | None = None) -> list[str]:
    """The lines of one list that have a text in them, whatever its case.

    Raises:
        ToolchainError: there is no such toolchain, or it cannot be asked.
    """
    wanted = match.lower()
    return [line for line in _lines(what, toolchain) if wanted in line.lower()]


def _lines(what: What, name: str | None) -> Iterator[str]:
    if what == "edits":
        yield from EDITS
        yield from (f"flag {rule.pattern}: {rule.reason}" for rule in FLAGS)
        return
    toolchain = discovery.select(name)
    if what == "options":
        yield from _options(toolchain)
        return
    registry = pass_registry(toolchain, discovery.host(toolchain))
    if what == "pipeline":
        yield from outline(parse(registry.pipelines["default<O3>"])).splitlines()
    else:
        yield from _passes(registry)


def _passes(registry: PassRegistry) -> Iterator[str]:
    for info in registry.passes:
        if pass_reason(info.name) is None:
            parameters = f" <{';'.join(info.parameters)}>" if info.parameters else ""
            yield f"{info.name} ({info.kind.value}){parameters}"


def _options(toolchain: Toolchain) -> Iterator[str]:
    """Those worth tuning first, with what -O3 uses; then all that clang takes."""
    table, tunable = option_table(toolchain), tunable_options()
    major = int(toolchain.version.partition(".")[0])
    for name, known in tunable.items():
        if table.find(name) is not None:
            yield _tunable(known, major)
    for option in table.options:
        if option.name not in tunable and "clang" in option.tools:
            yield _plain(option)


def _tunable(option: TunableOption, major: int) -> str:
    default = option.default_for(major)
    takes = "|".join(option.values) or option.type.value
    if option.min is not None and option.max is not None:
        takes += f" {format_value(option.min)}..{format_value(option.max)}"
    uses = f", -O3 uses {default}" if default is not None else ""
    return f"{option.name} ({option.stage}; {takes}{uses}): {option.does}"


def _plain(option: Option) -> str:
    takes = "|".join(option.values) or option.type.value
    return f"{option.name} ({takes}){f': {option.help}' if option.help else ''}"
