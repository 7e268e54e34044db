"""Facts: located, with an id and a source.  Claims cite them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Fact:
    """One located fact about the program.

    Attributes:
        id: stable within a program, for example `rem-3f2a`; what claims cite.
        kind: `function`, `remark`, `profile`, `branch`, `loop`, `size`, `diff`, ...
        source: the tool that said so, for example `opt -passes=print<loops>`.
        where: function, or file:line:column; empty for the whole program.
        text: one line for people and models.
        data: the numbers and names behind the text.
    """

    id: str
    kind: str
    source: str
    where: str
    text: str
    data: Mapping[str, Scalar] = field(default_factory=dict)
