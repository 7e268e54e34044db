"""What a level is: it mends its edits and turns them into a build plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from perfwright.core.candidate import Edit
from perfwright.core.protocols import Refusal
from perfwright.program.plan import BuildPlan


@dataclass(frozen=True)
class Mended:
    """Valid edits, what had to be mended, and which drafted edit became which."""

    edits: tuple[Edit, ...]
    repairs: tuple[str, ...] = ()
    origin: Mapping[Edit, tuple[Edit, ...]] = field(default_factory=dict)


class Level(Protocol):
    """One kind of place where edits act."""

    def repair(self, edits: tuple[Edit, ...]) -> Mended | Refusal:
        """Mend what can be mended, refuse the rest; all edits are of this level."""
        ...

    def plan(self, edits: tuple[Edit, ...], base: BuildPlan) -> BuildPlan | Refusal:
        """The base plan with these edits, which `repair` has accepted."""
        ...
