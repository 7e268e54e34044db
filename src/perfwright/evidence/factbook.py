"""Collecting facts: ids that stay, and numbers in words.

Ids are made from where a thing is and what sort it is, never from its numbers, so that the
same place has the same id in the next build.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from perfwright.core.evidence import Fact, Scalar


class FactBook:
    """Collects facts and keeps their ids apart."""

    def __init__(self) -> None:
        self._facts: dict[str, Fact] = {}

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts by id, in the order in which they were added."""
        return self._facts

    def add(
        self, fact_id: str, kind: str, source: str, where: str, text: str, **data: Scalar | None
    ) -> None:
        """Add a fact; a second one with the same id gets a number.  `None` is left out."""
        unique, number = fact_id, 1
        while unique in self._facts:
            number += 1
            unique = f"{fact_id}#{number}"
        known = {key: value for key, value in data.items() if value is not None}
        self._facts[unique] = Fact(unique, kind, source, where, text, known)


def location_id(prefix: str, *where: object) -> str:
    """An id from a place: `rem-3f2a9c`.  Six digits keep thousands of facts apart."""
    text = "\0".join(str(part) for part in where)
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def function_id(prefix: str, unit: str, name: str, readable: str) -> str:
    """An id with the function's name in it: `fun-encode.c:encode`, with a hash for C++."""
    file = PurePosixPath(unit).name
    if readable == name:
        return f"{prefix}-{file}:{name}"
    return location_id(f"{prefix}-{file}:{readable.replace(' ', '_')}", name)


def count_of(count: int, noun: str) -> str:
    """A number of things: `1 loop`, `3 branches`."""
    return f"{count} {noun if count == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """More than one of a thing."""
    return f"{noun}{'es' if noun.endswith(('s', 'ch')) else 's'}"


def percent(share: float) -> str:
    """A share as people read it: `12.3 %`, and `<0.1 %` for what is hardly there."""
    return "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
