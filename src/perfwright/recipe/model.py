"""The recipe as a value, and its TOML form, which is the one that `verify` reads."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from perfwright.errors import UserError
from perfwright.program.plan import BuildPlan
from perfwright.recipe.flags import Flags, flags_of


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RecipeEdit(_Table):
    """One confirmed edit: what it is, why it is there, what it brings.

    There is no `contribution` of an edit that is alone, or that was not told from nothing.
    """

    edit: str
    claim: str = ""
    evidence: tuple[str, ...] = ()
    contribution: float | None = None


class Figure(_Table):
    """The confirmed speed-up over the user's build, with its 95 % interval."""

    speedup: float
    low: float
    high: float
    pairs: int


class Recipe(_Table):
    """What a campaign hands over.

    `code` identifies the machine code that was measured (see `perfwright.evidence.elf`);
    `sources` are digests of the program's files as they were then.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    campaign: str
    program: Path
    arguments: tuple[str, ...] = ()
    """The workload of a one-file program."""
    cwd: Path | None = None
    """Where that runs."""
    toolchain: str
    triple: str
    cpu: str | None = None
    """What `--cpu` said; baseline and result both have it."""
    correct: str
    code: str
    metric: str = "cpu"
    seed: int = 0
    result: Figure
    build: BuildPlan
    edits: tuple[RecipeEdit, ...]
    sources: dict[str, str] = Field(default_factory=dict)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    def name(self) -> str:
        """The program, for people."""
        return self.program.parent.name if self.program.suffix == ".toml" else self.program.stem

    @property
    def major(self) -> int:
        """The LLVM that it needs."""
        return int(self.toolchain.split(".", maxsplit=1)[0])

    def to_toml(self) -> str:
        """The text that `parse` reads back."""
        data = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        flags = flags_of(self.build)
        words = {"flags": flags.model_dump(mode="json")} if flags else {}
        return _HEAD + tomli_w.dumps({"schema": 1, **data, **words})

    @classmethod
    def parse(cls, text: str, source: str = "recipe") -> Recipe:
        """The recipe of a TOML text.

        Raises:
            UserError: it is no TOML, or no recipe.
        """
        try:
            tables = tomllib.loads(text)
            words = tables.pop("flags", None)
            recipe = cls.model_validate(tables)
            said = Flags.model_validate(words) if words is not None else None
        except tomllib.TOMLDecodeError as error:
            raise UserError(f"{source} is no TOML file", cause=str(error)) from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise UserError(
                f"{source} is no recipe of this version",
                cause=f"{key}: {first['msg']}",
                hint="export it again: perfwright recipe CAMPAIGN --format toml",
            ) from error
        if said is not None and said != flags_of(recipe.build):
            raise UserError(
                f"{source} contradicts itself",
                cause="[flags], which launchers add, does not follow from [build]",
                hint="remove [flags]",
            )
        return recipe

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """The recipe in a file.

        Raises:
            UserError: there is no such file, or it holds no recipe.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"cannot read the recipe {path}", cause=str(error)) from error
        return cls.parse(text, str(path))


_HEAD = "# A perfwright recipe.  Check it on this machine:  perfwright verify THIS_FILE\n"
