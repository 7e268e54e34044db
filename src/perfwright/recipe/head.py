"""What all exports of a recipe have in common: the comment in front, and quiet flags."""

from __future__ import annotations

from collections.abc import Sequence

from perfwright.recipe.model import Recipe


def head(recipe: Recipe, comment: str) -> list[str]:
    """What this is, in comment lines."""
    figure = recipe.result
    lines = [
        f"{recipe.name}: {figure.speedup:.3f}x over the build without it",
        f"(95 % interval {figure.low:.3f} to {figure.high:.3f}, LLVM {recipe.toolchain},"
        f" perfwright campaign {recipe.campaign})",
        *(f"  {edit.edit}" for edit in recipe.edits),
    ]
    return [f"{comment} {_one_line(line)}" for line in lines]


def _one_line(text: str) -> str:
    """The text as one line of a comment: a name with a line feed in it must not end it.

    In Makefiles and CMake a backslash at the end of a comment takes the next line with it.
    """
    return "".join(c if c.isprintable() else "?" for c in text).rstrip("\\")


def quiet(words: Sequence[str]) -> tuple[str, ...]:
    """The words, without clang's complaint where a step has no use for them.

    Builds link with CFLAGS and compile with LDFLAGS, and `-Werror` turns the complaint into an
    error.  Clang 14 and later.
    """
    if not words:
        return ()
    return ("--start-no-unused-arguments", *words, "--end-no-unused-arguments")
