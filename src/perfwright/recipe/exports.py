"""Recipes for ordinary builds: Makefile fragment, CMake toolchain snippet, shell script.

Each is text made from a recipe alone; a stock clang and lld of the recipe's LLVM are all
that the build needs.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import PurePath

from perfwright.errors import UserError, unknown_name
from perfwright.program.plan import BuildPlan
from perfwright.program.script import Command
from perfwright.recipe.model import Recipe

FORMATS = ("toml", "make", "cmake", "shell")


def export(recipe: Recipe, form: str, script: str = "") -> str:
    """The recipe in one of `FORMATS`.

    Args:
        recipe: what was confirmed.
        form: which text.
        script: the commands of the `shell` form (see `shell_script`).

    Raises:
        UserError: the form is unknown, or cannot say what the recipe needs.
    """
    match form:
        case "toml":
            return recipe.to_toml()
        case "make":
            return makefile(recipe)
        case "cmake":
            return cmake(recipe)
        case "shell":
            return script
        case _:
            raise unknown_name("format", form, FORMATS)


def makefile(recipe: Recipe) -> str:
    """A fragment for `include`: sets CC and CXX, appends to CFLAGS, CXXFLAGS and LDFLAGS.

    The flags are pattern-specific and private, so that the place of the `include` does not
    matter and no target gets them twice; `override` lets `make CFLAGS=...` keep them too.
    Needs GNU make 3.82.
    """
    plan = _exportable(recipe)
    lines = [
        *_head(recipe, "#"),
        f"override CC := clang-{recipe.major}",
        f"override CXX := clang++-{recipe.major}",
    ]
    for words, variables in (
        (plan.compile_words(), ("CFLAGS", "CXXFLAGS")),
        (plan.link_words(), ("LDFLAGS",)),
    ):
        if words:
            text = _make_words(words)
            lines += [f"%: private override {name} += {text}" for name in variables]
    for unit, words in plan.unit_flags.items():
        text = _make_words(words)
        name = f"{PurePath(unit).stem}.o"
        for target in (name, f"%/{name}"):
            lines += [
                f"{target}: private override {variable} += {text}"
                for variable in ("CFLAGS", "CXXFLAGS")
            ]
    return "\n".join([*lines, ""])


def cmake(recipe: Recipe) -> str:
    """A toolchain snippet: `cmake -DCMAKE_TOOLCHAIN_FILE=recipe.cmake`."""
    plan = _exportable(recipe)
    compile_text = _cmake_words(plan.compile_words())
    link_text = _cmake_words(plan.link_words())
    lines = [
        *_head(recipe, "#"),
        f"set(CMAKE_C_COMPILER clang-{recipe.major})",
        f"set(CMAKE_CXX_COMPILER clang++-{recipe.major})",
    ]
    if compile_text:
        lines += [
            f'string(APPEND CMAKE_C_FLAGS_INIT " {compile_text}")',
            f'string(APPEND CMAKE_CXX_FLAGS_INIT " {compile_text}")',
        ]
    if link_text:
        lines.append(f'string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " {link_text}")')
    if plan.whole_program:
        lines += [
            f"set(CMAKE_{tool} llvm-{tool.lower()}-{recipe.major})" for tool in ("AR", "RANLIB")
        ]
    for unit, words in plan.unit_flags.items():
        text = _cmake_words(words)
        lines.append("# in the CMakeLists.txt that names the source:")
        lines.append(f'#   set_source_files_properties({unit} PROPERTIES COMPILE_FLAGS "{text}")')
    return "\n".join([*lines, ""])


def shell_script(recipe: Recipe, commands: Iterable[Command], folder: str) -> str:
    """A script of plain tools that builds the program as it was measured.

    Args:
        recipe: what was confirmed.
        commands: the commands of the build, in order.
        folder: where object files go; the script makes it.
    """
    lines = ["#!/bin/sh", *_head(recipe, "#"), "set -e", f"mkdir -p {shlex.quote(folder)}"]
    place = None
    for command in commands:
        if command.cwd != place:
            place = command.cwd
            lines.append(f"cd {shlex.quote(str(place))}")
        lines.append(shlex.join(command.argv))
    return "\n".join([*lines, ""])


def _exportable(recipe: Recipe) -> BuildPlan:
    if recipe.build.unit_pipelines:
        raise UserError(
            "this recipe has pass pipelines for single units, which no stock build can apply",
            hint=f"perfwright recipe {recipe.campaign} --format shell",
        )
    return recipe.build


def _head(recipe: Recipe, comment: str) -> list[str]:
    figure = recipe.result
    return [
        f"{comment} {recipe.program.name}: {figure.speedup:.3f}x over the build without it",
        f"{comment} (95 % interval {figure.low:.3f} to {figure.high:.3f}, LLVM {recipe.toolchain},"
        f" perfwright campaign {recipe.campaign})",
        *(f"{comment}   {edit.edit}" for edit in recipe.edits),
    ]


def _make_words(words: Iterable[str]) -> str:
    quoted = " ".join(shlex.quote(word) for word in words)
    return quoted.replace("$", "$$").replace("#", r"\#")


def _cmake_words(words: Iterable[str]) -> str:
    quoted = " ".join(shlex.quote(word) for word in words)
    for character in ("\\", '"', "$"):
        quoted = quoted.replace(character, f"\\{character}")
    return quoted
