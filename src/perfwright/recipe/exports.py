"""Recipes for ordinary builds, as text made from a recipe alone.

A stock clang and lld of the recipe's LLVM are all that the builds need.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from perfwright.errors import UserError, unknown_name
from perfwright.program.plan import BuildPlan
from perfwright.program.script import Command
from perfwright.recipe.cmake import cmake
from perfwright.recipe.flags import obstacle
from perfwright.recipe.head import head
from perfwright.recipe.makefile import makefile
from perfwright.recipe.model import Recipe
from perfwright.recipe.tools import ToolNames

FORMATS = ("toml", "make", "cmake", "shell")


def export(recipe: Recipe, form: str, script: str = "", tools: ToolNames | None = None) -> str:
    """The recipe in one of `FORMATS`.

    Args:
        recipe: what was confirmed.
        form: which text.
        script: the commands of the `shell` form (see `shell_script`).
        tools: what the build calls its tools; the names of packages when `None`.

    Raises:
        UserError: the form is unknown, or cannot say what the recipe needs.
    """
    names = tools or ToolNames.versioned(recipe.major)
    match form:
        case "toml":
            return recipe.to_toml()
        case "make":
            return makefile(recipe, stepwise_plan(recipe), names)
        case "cmake":
            return cmake(recipe, stepwise_plan(recipe), names)
        case "shell":
            return script
        case _:
            raise unknown_name("format", form, FORMATS)


def stepwise_plan(recipe: Recipe) -> BuildPlan:
    """The plan of a recipe that flags alone can apply, one compile step after the other.

    Raises:
        UserError: it needs more than flags.
    """
    problem = obstacle(recipe.build)
    if problem:
        raise UserError(
            f"flags alone cannot apply the recipe of {recipe.name}",
            cause=problem,
            hint=f"perfwright recipe {recipe.campaign} --format shell",
        )
    return recipe.build


def shell_script(
    recipe: Recipe, commands: Iterable[Command], root: Path, folder: Path, note: str = ""
) -> str:
    """A script of plain tools that builds the program as it was measured.

    Args:
        recipe: what was confirmed.
        commands: the commands of the build, in order.
        root: the program's folder, which has to be there; folders in it need not.
        folder: where object files go; the script makes it.
        note: what its reader has to know.
    """
    comment = [f"# {note}"] if note else []
    begin = ["set -e", shlex.join(["cd", str(root)]), shlex.join(["mkdir", "-p", str(folder)])]
    lines = ["#!/bin/sh", *head(recipe, "#"), *comment, *begin]
    place = root
    for command in commands:
        if command.cwd != place:
            place = command.cwd
            lines += [shlex.join(["mkdir", "-p", str(place)]), shlex.join(["cd", str(place)])]
        variables = [f"{name}={value}" for name, value in command.env.items()]
        lines.append(shlex.join([*(["env", *variables] if variables else []), *command.argv]))
    return "\n".join([*lines, ""])
