"""`perfwright cc` and `c++`: the compiler of a capture, or of a recipe."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path

from perfwright.errors import UserError
from perfwright.program.driver import Language
from perfwright.program.launcher import TOOLCHAIN_VARIABLE, ExtraFlags
from perfwright.program.launcher import launch as launch_compiler

_RECIPE = "--recipe"


def launch(arguments: Sequence[str], language: Language) -> int:
    """Run clang with these arguments, and what `--recipe FILE` in front of them adds.

    Returns:
        clang's exit status.

    Raises:
        UserError: the recipe cannot be read, or no build can apply it step by step.
        ToolchainError: there is no clang.
    """
    words = list(arguments)
    environ = dict(os.environ)
    extra = ExtraFlags()
    if words and (words[0] == _RECIPE or words[0].startswith(f"{_RECIPE}=")):
        if words[0] == _RECIPE and len(words) == 1:
            raise UserError("--recipe needs a file", hint="perfwright cc --recipe recipe.toml ...")
        given = words.pop(0)
        file = words.pop(0) if given == _RECIPE else given.partition("=")[2]
        extra = _flags(Path(file), environ)
    return launch_compiler(words, language, environ, extra=extra)


def _flags(file: Path, environ: dict[str, str]) -> ExtraFlags:
    quick = _written_out(file)
    if quick is not None:
        major, extra = quick
        environ.setdefault(TOOLCHAIN_VARIABLE, major)
        return extra
    # Pydantic takes longer than many a compilation: it is for what has to be looked into.
    from perfwright.recipe.exports import stepwise_plan  # noqa: PLC0415
    from perfwright.recipe.model import Recipe  # noqa: PLC0415

    recipe = Recipe.load(file)
    plan = stepwise_plan(recipe)
    environ.setdefault(TOOLCHAIN_VARIABLE, str(recipe.major))
    return ExtraFlags(plan.compile_words(), plan.link_words(), plan.unit_flags)


def _written_out(file: Path) -> tuple[str, ExtraFlags] | None:
    """The major version and the words of a recipe that has them; `None` for any other file."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        flags = tables["flags"]
        units = {unit: tuple(words) for unit, words in flags["units"].items()}
        extra = ExtraFlags(tuple(flags["compile"]), tuple(flags["link"]), units)
        return str(tables["toolchain"]).partition(".")[0], extra
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
