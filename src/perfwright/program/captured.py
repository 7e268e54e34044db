"""A captured build as a value: its units and its link step; JSON both ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from perfwright.program.driver import LANGUAGES, Language

Origin = Literal["sources", "build", "compile_commands"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Unit(_Value):
    """One translation unit: how the user's build compiles it."""

    name: str
    """Unique in the build: the source's path in the program's folder, `src/a.c`; a second
    compilation of the same source is `src/a.c#2`."""
    source: Path
    """Absolute."""
    cwd: Path
    """Where the compiler runs; relative paths in `argv` start here."""
    argv: tuple[str, ...]
    """The user's flags: no compiler, source, `-c`, `-o`, dependency or link options."""
    input_type: str
    """What `-x` says: `c`, `c++`, `cpp-output`, ..., `assembler-with-cpp`, `ir`."""
    key: str
    """Stays the same as long as the build compiles this source in this way."""
    env: dict[str, str] = Field(default_factory=dict)
    """The variables of the build that clang listens to (CPATH, ...)."""

    @property
    def language(self) -> Language | None:
        """C or C++; `None` for assembly and IR, which are built as they are."""
        return LANGUAGES.get(self.input_type)


class LinkItem(_Value):
    """One piece of the link command, in its place."""

    unit: str | None = None
    """The name of a unit, whose object file stands here."""
    words: tuple[str, ...] = ()
    """Otherwise the words themselves: an option, a library, an object file that is no unit."""


class LinkStep(_Value):
    """How the build links its units."""

    driver: Language
    """`c++` when the build links by clang++."""
    cwd: Path
    items: tuple[LinkItem, ...]
    env: dict[str, str] = Field(default_factory=dict)

    def argv(self, objects: Mapping[str, Path]) -> Iterator[str]:
        """The words of the link command, without compiler and output.

        Args:
            objects: the object file of each unit, by unit name.
        """
        for item in self.items:
            if item.unit is not None:
                yield str(objects[item.unit])
            else:
                yield from item.words


class CapturedBuild(_Value):
    """What is to be compiled and linked, so that candidates can be built in its stead."""

    origin: Origin
    root: Path
    """The program's folder, or the copy of it in which the build ran."""
    binary_name: str
    binary_place: str = ""
    """Where in `root` the build puts the binary; empty when no build makes it."""
    units: tuple[Unit, ...]
    """C and C++, in link order; what edits act on."""
    fixed_units: tuple[Unit, ...] = ()
    """Assembly and IR inputs; built as they are, never edited."""
    link: LinkStep
    notes: tuple[str, ...] = ()
    """What was found and could not be captured, in words for the user."""

    def unit(self, name: str) -> Unit:
        """The unit of that name.

        Raises:
            KeyError: there is none.
        """
        for unit in (*self.units, *self.fixed_units):
            if unit.name == name:
                return unit
        raise KeyError(name)
