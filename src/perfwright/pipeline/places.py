"""Places in a pipeline: `licm#2` is the second `licm` in pre-order, adaptors included.

Edits, outlines and messages name places in this way.  A place is always meant in the pipeline
before any edit, so that dropping one edit never changes what another means.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from perfwright.errors import UserError, shortened, unknown_name
from perfwright.pipeline.tree import Adaptor, Node, Pipeline

_PLACE = re.compile(r"(?P<name>[^\s#,()]+)(?:#(?P<ordinal>[1-9]\d{0,8}))?")
_LISTED = 8


@dataclass(frozen=True)
class Place:
    """The `ordinal`-th node (from 1) of this name; `None` means the only one."""

    name: str
    ordinal: int | None = None

    def __str__(self) -> str:
        return self.name if self.ordinal is None else f"{self.name}#{self.ordinal}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """The inverse of `str`.

        Raises:
            UserError: the text names no place.
        """
        match = _PLACE.fullmatch(text)
        if match is None:
            raise UserError(f"{shortened(text)!r} is not a place", hint="write for example licm#2")
        return cls(match["name"], int(match["ordinal"]) if match["ordinal"] else None)


@dataclass(frozen=True)
class Located:
    """A node with where it stands.

    Attributes:
        index: its number in pre-order, from 0.
        place: with its ordinal.
        depth: how many adaptors it stands in.
        parent: index of the adaptor it stands in; `None` at the top.
        node: itself.
    """

    index: int
    place: Place
    depth: int
    parent: int | None
    node: Node


def locate_all(pipeline: Pipeline) -> tuple[Located, ...]:
    """Every node with its place, in pre-order."""
    seen: Counter[str] = Counter()
    found: list[Located] = []
    stack: list[tuple[Node, int, int | None]] = [(n, 0, None) for n in reversed(pipeline.nodes)]
    while stack:
        node, depth, parent = stack.pop()
        seen[node.name] += 1
        index = len(found)
        found.append(Located(index, Place(node.name, seen[node.name]), depth, parent, node))
        if isinstance(node, Adaptor):
            stack.extend((child, depth + 1, index) for child in reversed(node.children))
    return tuple(found)


def find(located: tuple[Located, ...], place: Place) -> Located:
    """The node at a place.

    Raises:
        UserError: there is none, or the place has no ordinal and there are several.
    """
    same = [each for each in located if each.place.name == place.name]
    if not same:
        raise unknown_name("place", place.name, (each.place.name for each in located))
    if place.ordinal is None and len(same) > 1:
        raise UserError(
            f"{place} stands at {len(same)} places",
            cause=", ".join(_described(same, located)),
            hint=str(same[0].place),
        )
    ordinal = place.ordinal or 1
    if ordinal > len(same):
        raise UserError(
            f"there is no {place}",
            cause=f"known: {', '.join(_described(same, located))}",
            hint=str(same[-1].place),
        )
    return same[ordinal - 1]


def _described(same: list[Located], located: tuple[Located, ...]) -> Iterator[str]:
    for each in same[:_LISTED]:
        around = "the top" if each.parent is None else str(located[each.parent].place)
        yield f"{each.place} (in {around})"
    if len(same) > _LISTED:
        yield "..."


def outline(pipeline: Pipeline, *, params: bool = True) -> str:
    """The pipeline as a numbered, indented list of places, for people and for models.

    Args:
        pipeline: what to show.
        params: show the parameters behind each place as well.
    """
    lines = []
    for each in locate_all(pipeline):
        shown = "".join(f" {p}" for p in each.node.params or ()) if params else ""
        opening = ":" if isinstance(each.node, Adaptor) else ""
        lines.append(f"{each.index + 1:4}  {'  ' * each.depth}{each.place}{shown}{opening}")
    return "\n".join(lines)
