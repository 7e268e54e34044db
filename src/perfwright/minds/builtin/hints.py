"""What the program is, as far as names and counts say: semantic hints and groups of remarks.

A hint is a guess from a name, and says so.  No lever listens to hints or groups: they are for
models that reason after the built-in analyst, and for whoever reads the story.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from perfwright.core.evidence import Fact
from perfwright.minds.builtin.scorer import number
from perfwright.minds.roles import HINT, Diagnosis, remark_group

_NAMES: Sequence[tuple[str, str]] = (
    ("sorting", r"sort|partition|pivot|heapify"),
    ("a checksum or a hash", r"crc|checksum|adler|sha\d|md5|hash"),
    ("a cipher", r"cipher|crypt|aes|chacha|salsa"),
    ("an interpreter", r"interp|dispatch|opcode|execute|bytecode"),
    ("parsing, a state machine", r"parse|lex|token|scan|state|automat|regex|match"),
    ("encoding or compression", r"encode|decode|compress|inflate|deflate|quanti[sz]|huff"),
    ("a transform", r"fft|dct|butterfly"),
    ("a stencil or a filter", r"stencil|smooth|blur|convol|filter|jacobi"),
    ("linear algebra", r"mat_?mul|gemm|gemv|axpy|dot_?prod"),
    ("searching", r"search|find|lookup|probe"),
    ("trees or lists", r"tree|trie|node|list|insert"),
    ("random numbers", r"rand|xorshift"),
)
"""What code is, by what its name has in it; the first that fits."""

_CITED = 6


def hints(functions: Sequence[Fact], weights: Mapping[str, float]) -> Iterator[Diagnosis]:
    """One for each function that matters and has a telling name, the heaviest first."""
    for fact in sorted(functions, key=lambda f: -weights.get(_symbol(f), 0.0)):
        symbol = _symbol(fact)
        what = _by_name(symbol) if weights.get(symbol) else None
        if what:
            yield Diagnosis(HINT, fact.where, 0.0, f"{what}, by its name", (fact.id,), symbol)


def remark_groups(remarks: Sequence[Fact], weights: Mapping[str, float]) -> Iterator[Diagnosis]:
    """The remarks about functions that matter, by pass, outcome and name; the commonest first."""
    groups: dict[tuple[str, ...], list[Fact]] = {}
    for fact in remarks:
        if weights.get(_symbol(fact)):
            key = (fact.source, *(str(fact.data.get(part, "")) for part in ("outcome", "name")))
            groups.setdefault(key, []).append(fact)
    counts = {key: round(sum(number(f.data, "count", 1.0) for f in groups[key])) for key in groups}
    for key in sorted(groups, key=lambda key: (-counts[key], key)):
        found = sorted(groups[key], key=lambda f: -weights.get(_symbol(f), 0.0))
        cited = tuple(fact.id for fact in found[:_CITED])
        yield remark_group(" ".join(filter(None, key)), counts[key], cited)


def _symbol(fact: Fact) -> str:
    return str(fact.data.get("symbol", ""))


def _by_name(symbol: str) -> str | None:
    return next((what for what, names in _NAMES if re.search(names, symbol.lower())), None)
