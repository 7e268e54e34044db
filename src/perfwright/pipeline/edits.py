"""Edits of the pipeline level as data, and their text form.

The text is what the journal, recipes and language models read and write; `str(parse_edit(t))`
is `t` for every text in normal form.  One edit, one line:

    insert PASS before|after PLACE     insert licm<allowspeculation> after gvn#1
    remove PLACE                       remove loop-vectorize#1
    move PLACE before|after PLACE      move slp-vectorizer#1 before loop-vectorize#1
    repeat PLACE xTIMES                repeat instcombine#3 x2
    set PLACE PARAMETER                set simplifycfg#2 bonus-inst-threshold=4
                                       set licm#1 no-allowspeculation
    option NAME=VALUE                  option inline-threshold=600
    flag FLAG                          flag -mprefer-vector-width=512
    link whole-program|per-unit        link whole-program
    pipeline PASSES                    pipeline function(sroa,instcombine),globaldce

`pipeline` runs other passes altogether and goes with no other edit of passes.  All but `link` may
be for one unit, named after `in` behind the verb:

    option in src/dct.c: unroll-threshold=600
    insert in src/dct.c: licm after gvn#1

A PLACE names a node of the pipeline *before any edit* (`perfwright.pipeline.places`), so the
edits of a candidate do not depend on each other's order.  A PASS is written as in a pipeline
and may carry what nests in it, `loop(indvars,loop-deletion)`.  A unit is written bare, or as a
JSON string when it has spaces, quotes or colons.  Options are LLVM's (`-mllvm`), flags clang's.
With `link whole-program` an option of one unit acts on its code before the link alone, and on
nothing when passes are edited as well: that is refused.  `link per-unit` takes the build's own
`-flto` back.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from perfwright.errors import UserError, shortened
from perfwright.pipeline.places import Place
from perfwright.pipeline.tree import Node, Param, Pipeline, PipelineSyntaxError, parse, parse_node

MAX_REPEAT = 16
MAX_LENGTH = 200_000
"""Longest text of an edit that is looked at, in characters; -O3 itself has 4,000."""


class EditError(UserError):
    """An edit is malformed, contradicts another, or cannot be applied."""


class Side(StrEnum):
    """On which side of a place."""

    BEFORE = "before"
    AFTER = "after"


class LinkMode(StrEnum):
    """How the program is optimised: all units merged by the linker, or each alone."""

    WHOLE_PROGRAM = "whole-program"
    PER_UNIT = "per-unit"


@dataclass(frozen=True)
class Insert:
    """Run one more pass at a place."""

    node: Node
    side: Side
    place: Place
    unit: str | None = None

    def __str__(self) -> str:
        return f"insert{_scope(self.unit)} {self.node} {self.side.value} {self.place}"


@dataclass(frozen=True)
class Remove:
    """Leave a pass out, or an adaptor with all inside it."""

    place: Place
    unit: str | None = None

    def __str__(self) -> str:
        return f"remove{_scope(self.unit)} {self.place}"


@dataclass(frozen=True)
class Move:
    """Run a pass somewhere else."""

    place: Place
    side: Side
    target: Place
    unit: str | None = None

    def __str__(self) -> str:
        return f"move{_scope(self.unit)} {self.place} {self.side.value} {self.target}"


@dataclass(frozen=True)
class Repeat:
    """Run a pass several times in a row, `times` in all."""

    place: Place
    times: int
    unit: str | None = None

    def __post_init__(self) -> None:
        if not 2 <= self.times <= MAX_REPEAT:
            raise EditError(f"x{self.times} is out of range", hint=f"x2 to x{MAX_REPEAT}")

    def __str__(self) -> str:
        return f"repeat{_scope(self.unit)} {self.place} x{self.times}"


@dataclass(frozen=True)
class SetParam:
    """Give a pass a parameter."""

    place: Place
    param: Param
    unit: str | None = None

    def __str__(self) -> str:
        return f"set{_scope(self.unit)} {self.place} {self.param}"


@dataclass(frozen=True)
class SetOption:
    """Set an option of LLVM."""

    name: str
    value: str
    unit: str | None = None

    def __str__(self) -> str:
        return f"option{_scope(self.unit)} {self.name}={self.value}"


@dataclass(frozen=True)
class SetFlag:
    """Give clang a flag."""

    flag: str
    unit: str | None = None

    def __str__(self) -> str:
        return f"flag{_scope(self.unit)} {self.flag}"


@dataclass(frozen=True)
class Link:
    """Choose how the program is optimised as a whole."""

    mode: LinkMode

    @property
    def unit(self) -> None:
        """Linking is never for one unit."""
        return None

    def __str__(self) -> str:
        return f"link {self.mode.value}"


@dataclass(frozen=True)
class Replace:
    """Run another pipeline altogether, in the place of the one that places are meant in."""

    pipeline: Pipeline
    unit: str | None = None

    def __str__(self) -> str:
        return f"pipeline{_scope(self.unit)} {self.pipeline}"


PlacedEdit: TypeAlias = Insert | Remove | Move | Repeat | SetParam
PassEdit: TypeAlias = PlacedEdit | Replace
PipelineEdit: TypeAlias = PassEdit | SetOption | SetFlag | Link

VERBS = ("insert", "remove", "move", "repeat", "set", "option", "flag", "link", "pipeline")

_BARE_UNIT = re.compile(r'[^\s":]+')
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_VALUE = re.compile(r"[A-Za-z0-9_.+-]+")
_LINE = re.compile(
    r"(?P<verb>[a-z]+)"
    r'(?: in (?:(?P<bare>[^\s":]+)|(?P<quoted>"(?:[^"\\]|\\.)*")):)?'
    r" (?P<body>\S.*)"
)


def _scope(unit: str | None) -> str:
    if unit is None:
        return ""
    return f" in {unit if _BARE_UNIT.fullmatch(unit) else json.dumps(unit)}:"


def check_length(text: str) -> None:
    """Make sure that a text is short enough to be parsed.

    Raises:
        EditError: it is not.
    """
    if len(text) > MAX_LENGTH:
        raise EditError(
            f"{shortened(text)!r} has {len(text):,} characters",
            cause=f"an edit or a pipeline has at most {MAX_LENGTH:,}",
        )


def parse_edit(text: str) -> PipelineEdit:
    """The edit that a line of text stands for; the inverse of `str`.

    Raises:
        EditError: the text is no edit.  Nothing is mended here: see
            `perfwright.pipeline.repair_edit`.
    """
    check_length(text)
    match = _LINE.fullmatch(text)
    if match is None or match["verb"] not in VERBS:
        raise _malformed(text, f"starts with none of {', '.join(VERBS)}")
    words = match["body"].split(" ")
    try:
        return _parse_body(match["verb"], words, _parse_unit(match))
    except (PipelineSyntaxError, ValueError) as error:
        raise _malformed(text, str(error)) from error
    except EditError:
        raise
    except UserError as error:
        raise _malformed(text, error.fact) from error


def _parse_unit(match: re.Match[str]) -> str | None:
    if match["quoted"] is not None:
        unit: str = json.loads(match["quoted"])
        return unit
    bare: str | None = match["bare"]
    return bare


def _parse_body(verb: str, words: list[str], unit: str | None) -> PipelineEdit:  # noqa: PLR0911
    match verb, words:
        case "insert", [node, side, place]:
            return Insert(parse_node(node), Side(side), Place.parse(place), unit)
        case "remove", [place]:
            return Remove(Place.parse(place), unit)
        case "move", [place, side, target]:
            return Move(Place.parse(place), Side(side), Place.parse(target), unit)
        case "repeat", [place, times] if re.fullmatch(r"x[1-9]\d{0,8}", times):
            return Repeat(Place.parse(place), int(times[1:]), unit)
        case "set", [place, param] if not set(param) & set("<>,()"):
            return SetParam(Place.parse(place), Param.parse(param), unit)
        case "option", [setting] if _is_setting(setting):
            name, _, value = setting.partition("=")
            return SetOption(name, value, unit)
        case "flag", [flag] if flag.startswith("-"):
            return SetFlag(flag, unit)
        case "pipeline", [text]:
            return Replace(parse(text), unit)
        case "link", [mode] if unit is None and mode in list(LinkMode):
            return Link(LinkMode(mode))
    raise ValueError(f"these are not the words that follow {verb!r}")


def _is_setting(text: str) -> bool:
    name, equals, value = text.partition("=")
    return bool(equals and _NAME.fullmatch(name) and _VALUE.fullmatch(value))


def _malformed(text: str, cause: str) -> EditError:
    return EditError(
        f"{shortened(text)!r} is not an edit",
        cause=shortened(cause, 200),
        hint="write for example: insert licm after gvn#1, or: option inline-threshold=600",
    )
