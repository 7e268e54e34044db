"""What all exports of a recipe have in common: the comment in front, and quiet flags."""

from __future__ import annotations

from collections.abc import Sequence

from perfwright.recipe.model import Recipe


def head(recipe: Recipe, comment: str) -> list[str]:
    """What this is, in comment lines."""
    figure = recipe.result
    return [
        f"{comment} {recipe.name}: {figure.speedup:.3f}x over the build without it",
        f"{comment} (95 % interval {figure.low:.3f} to {figure.high:.3f}, LLVM {recipe.toolchain},"
        f" perfwright campaign {recipe.campaign})",
        *(f"{comment}   {edit.edit}" for edit in recipe.edits),
    ]


def quiet(words: Sequence[str]) -> tuple[str, ...]:
    """The words, without clang's complaint where a step has no use for them.

    Builds link with CFLAGS and compile with LDFLAGS, and `-Werror` turns the complaint into an
    error.  Clang 14 and later.
    """
    if not words:
        return ()
    return ("--start-no-unused-arguments", *words, "--end-no-unused-arguments")
