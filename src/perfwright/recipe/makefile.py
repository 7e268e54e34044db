"""A recipe as a fragment for GNU make."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from perfwright.errors import UserError
from perfwright.program.plan import BuildPlan
from perfwright.recipe.head import head, quiet
from perfwright.recipe.model import Recipe
from perfwright.recipe.tools import ToolNames

_USE = """\
# Anywhere in a Makefile:  include recipe.mk    (GNU make 3.82 or later)
# Every target's own CFLAGS, CXXFLAGS and LDFLAGS get the flags, at their end, wherever and
# however they are set.  The compiler has them too, for rules without these variables, and for
# what was made of them with :=.  A Makefile that starts make in other folders needs the line
# in theirs as well."""

_COMPILE, _LINK = "perfwright-compile", "perfwright-link"


def makefile(recipe: Recipe, plan: BuildPlan, tools: ToolNames) -> str:
    """The fragment: sets CC and CXX, appends to CFLAGS, CXXFLAGS and LDFLAGS.

    The flags are pattern-specific and private, so that the place of the `include` does not
    matter and no target gets them from another; `override` lets `make CFLAGS=...` keep them.

    Raises:
        UserError: a unit's name cannot be written in a Makefile.
    """
    return "\n".join([*head(recipe, "#"), _USE, *_lines(plan, tools), ""])


def _lines(plan: BuildPlan, tools: ToolNames) -> Iterator[str]:
    yield f"{_COMPILE} := {_words(quiet(plan.compile_words()))}"
    yield f"{_LINK} := {_words(quiet(plan.link_words()))}"
    yield f"override CC := {tools.cc} $({_COMPILE}) $({_LINK})"
    yield f"override CXX := {tools.cxx} $({_COMPILE}) $({_LINK})"
    if plan.whole_program:  # object files are bitcode
        yield f"override AR := {tools.ar}"
        yield f"override RANLIB := {tools.ranlib}"
        yield f"override NM := {tools.nm}"
    compiling = [f"$({_COMPILE})"]
    for number, (unit, words) in enumerate(plan.unit_flags.items(), start=1):
        name = f"perfwright-unit-{number}"
        yield f"{name} := {_words(quiet(words))}"
        # By the source, which is the first prerequisite: objects may be called anything.
        compiling.append(f"$(if $(filter {_pattern(unit)},$(abspath $<)),$({name}))")
    for variable in ("CFLAGS", "CXXFLAGS"):
        yield f"%: private override {variable} += {' '.join(compiling)}"
    yield f"%: private override LDFLAGS += $({_LINK})"


def _pattern(unit: str) -> str:
    """What `filter` finds a unit's absolute path by."""
    if any(character.isspace() for character in unit):
        raise UserError(
            f"make cannot tell the unit {unit!r} by its name",
            cause="there is a space in it",
            hint="perfwright recipe CAMPAIGN --format shell",
        )
    escaped = _escaped(unit.replace("\\", "\\\\").replace("%", r"\%"))
    return escaped if unit.startswith("/") else f"%/{escaped}"


def _words(words: Iterable[str]) -> str:
    return _escaped(shlex.join(words))


def _escaped(text: str) -> str:
    return text.replace("$", "$$").replace("#", r"\#")
