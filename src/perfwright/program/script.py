"""A build as a list of commands of plain tools, for a shell script that anyone can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perfwright.program.captured import CapturedBuild
from perfwright.program.plan import BuildPlan, Paths, link_argv, unit_steps
from perfwright.toolchain.discovery import Toolchain


@dataclass(frozen=True)
class Command:
    """One command, and the folder that it runs in."""

    cwd: Path
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """The variables of the build that clang listens to."""


def commands(
    captured: CapturedBuild, plan: BuildPlan, toolchain: Toolchain, folder: Path, binary: Path
) -> Iterator[Command]:
    """The commands that build the program by a plan, in order.

    Args:
        captured: the program's units and link step.
        plan: what differs from the user's build.
        toolchain: whose tools build.
        folder: where object files go.
        binary: what is linked.

    Raises:
        ToolchainError: a tool that the plan needs is not installed.
    """
    objects = {}
    for number, unit in enumerate((*captured.units, *captured.fixed_units)):
        stem = folder / f"{number:03d}-{unit.source.stem}"
        paths = Paths(
            output=stem.with_suffix(".o"),
            bitcode=stem.with_suffix(".bc"),
            optimised=stem.with_suffix(".opt.bc"),
        )
        objects[unit.name] = paths.output
        for step in unit_steps(unit, plan, toolchain, paths):
            yield Command(unit.cwd, step.argv, unit.env)
    link = captured.link
    yield Command(link.cwd, link_argv(captured, plan, toolchain, objects, binary), link.env)
