"""What may stand where in the pipelines of one opt: names, levels of nesting, parameters.

A `Vocabulary` reads a `PassRegistry` once and answers the questions of the editor and of the
repairer.  Names of passes come from the tool; only the nesting words are part of the grammar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from perfwright.pipeline.tree import Adaptor, Node, Param, parse, walk
from perfwright.toolchain.registry import PassKind, PassRegistry


class Level(StrEnum):
    """What a list of passes runs on.  Loops are two: with and without MemorySSA."""

    MODULE = "module"
    CGSCC = "cgscc"
    FUNCTION = "function"
    LOOP = "loop"
    LOOP_MSSA = "loop-mssa"
    MACHINE = "machine-function"


DEPTH = {
    Level.MODULE: 0,
    Level.CGSCC: 1,
    Level.FUNCTION: 2,
    Level.LOOP: 3,
    Level.LOOP_MSSA: 3,
    Level.MACHINE: 3,
}
LOOP_LEVELS = frozenset({Level.LOOP, Level.LOOP_MSSA})

_KIND_LEVELS = {
    PassKind.MODULE: frozenset({Level.MODULE}),
    PassKind.CGSCC: frozenset({Level.CGSCC}),
    PassKind.FUNCTION: frozenset({Level.FUNCTION}),
    PassKind.LOOP: LOOP_LEVELS,
    PassKind.LOOPNEST: LOOP_LEVELS,
    PassKind.MACHINE_MODULE: frozenset({Level.MODULE}),
    PassKind.MACHINE_FUNCTION: frozenset({Level.MACHINE}),
}


@dataclass(frozen=True)
class AdaptorRule:
    """Where an adaptor may stand, and what runs inside it (`None`: what runs around it)."""

    outer: frozenset[Level]
    inner: Level | None


# What LLVM 19 and 22 accept (tried with opt): the same level may nest in itself, except for
# `loop-mssa`.
ADAPTORS = {
    "module": AdaptorRule(frozenset({Level.MODULE}), Level.MODULE),
    "coro-cond": AdaptorRule(frozenset({Level.MODULE}), Level.MODULE),
    "cgscc": AdaptorRule(frozenset({Level.MODULE, Level.CGSCC}), Level.CGSCC),
    "devirt": AdaptorRule(frozenset({Level.CGSCC}), Level.CGSCC),
    "function": AdaptorRule(frozenset({Level.MODULE, Level.CGSCC, Level.FUNCTION}), Level.FUNCTION),
    "loop": AdaptorRule(frozenset({Level.FUNCTION, Level.LOOP}), Level.LOOP),
    "loop-mssa": AdaptorRule(frozenset({Level.FUNCTION}), Level.LOOP_MSSA),
    "machine-function": AdaptorRule(frozenset({Level.FUNCTION}), Level.MACHINE),
    "repeat": AdaptorRule(frozenset(Level), None),
}
_ADAPTOR_PARAMS = {"function": ("eager-inv", "no-rerun"), "devirt": ("N",), "repeat": ("N",)}
_ANALYSIS_PASSES = frozenset({"require", "invalidate"})


@dataclass(frozen=True)
class Vocabulary:
    """Names, levels and parameters that one opt knows."""

    registry: PassRegistry

    @cached_property
    def adaptors(self) -> frozenset[str]:
        """The nesting words of this opt."""
        return frozenset(self.registry.adaptors) & ADAPTORS.keys()

    @cached_property
    def aliases(self) -> frozenset[str]:
        """Names of whole pipelines: `default`, `lto`, ..."""
        return frozenset(alias.partition("<")[0] for alias in self.registry.pipelines)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All that may stand as a pass, sorted: passes and aliases, without parameters."""
        return tuple(sorted({*self.registry.names(), *self.aliases, *_ANALYSIS_PASSES}))

    @cached_property
    def _observed(self) -> dict[str, tuple[Param, ...]]:
        """Parameters in the tool's own pipelines: LLVM does not list all that it prints."""
        seen: dict[str, dict[Param, None]] = {}
        for text in self.registry.pipelines.values():
            for node in walk_text(text):
                if not isinstance(node, Adaptor) and node.params is not None:
                    seen.setdefault(node.name, {}).update(dict.fromkeys(node.params))
        return {name: tuple(params) for name, params in seen.items()}

    @cached_property
    def standard(self) -> frozenset[str]:
        """The names of the passes in the tool's own pipelines."""
        return frozenset(
            node.name
            for text in self.registry.pipelines.values()
            for node in walk_text(text)
            if not isinstance(node, Adaptor)
        )

    def needs_level(self, node: Node) -> bool:
        """Whether the node is a whole pipeline such as `default<O3>`, which opt wants a level of.

        `loop-unroll<O3>` is none: single passes know no size levels.
        """
        return node.name in self.aliases or "Oz" in (self.parameters(node) or ())

    def is_machine_pass(self, name: str) -> bool:
        """Whether all passes of this name run on machine code, which opt has none of."""
        kinds = self.registry.kinds(name)
        return bool(kinds) and kinds <= {PassKind.MACHINE_FUNCTION, PassKind.MACHINE_MODULE}

    def is_listed_whole(self, node: Node) -> bool:
        """Whether the node is listed with its brackets, as `print<loops>` is."""
        return node.params is not None and bool(self.registry.kinds(node.head))

    def knows(self, node: Node) -> bool:
        """Whether opt has a pass or adaptor of this name (parameters aside)."""
        if isinstance(node, Adaptor):
            return node.name in self.adaptors
        return bool(self.levels(node))

    def levels(self, node: Node) -> frozenset[Level]:
        """In lists of which levels the node may stand; empty when opt does not know it."""
        if isinstance(node, Adaptor):
            return ADAPTORS[node.name].outer if node.name in self.adaptors else frozenset()
        if node.name in self.aliases:
            return frozenset({Level.MODULE})
        if node.name in _ANALYSIS_PASSES:
            kinds = self._analysis_kinds(node.params or ())
        else:
            # `print<loops>` and `invalidate<all>` are listed with their brackets.
            kinds = self.registry.kinds(node.head) or self.registry.kinds(node.name)
        return frozenset(level for kind in kinds for level in self._levels_of(kind, node.name))

    def _levels_of(self, kind: PassKind, name: str) -> frozenset[Level]:
        levels = _KIND_LEVELS[kind]
        if name in self.registry.needs_memory_ssa:
            levels -= {Level.LOOP}
        if name in self.registry.refuses_memory_ssa:
            levels -= {Level.LOOP_MSSA}
        return levels

    def _analysis_kinds(self, params: tuple[Param, ...]) -> frozenset[PassKind]:
        analysis = ";".join(map(str, params))
        if analysis == "all":
            return frozenset({PassKind.MODULE, PassKind.CGSCC, PassKind.FUNCTION, PassKind.LOOP})
        return self.registry.analysis_kinds(analysis)

    def analyses(self) -> tuple[str, ...]:
        """What may stand in `require<...>`, sorted."""
        return tuple(sorted({info.name for info in self.registry.analyses}))

    def parameters(self, node: Node) -> tuple[str, ...] | None:
        """The forms of parameters the node takes (`no-pre`, `max-iterations=N`), sorted.

        What the tool lists, the negations of listed and printed flags, and what its own
        pipelines contain.  `None` where the node takes no parameters at all.
        """
        if isinstance(node, Adaptor):
            return self.adaptor_parameters(node.name)
        listed = {p for info in self.registry.find(node.name) for p in info.parameters or ()}
        if node.name in self.aliases:
            listed |= {a.partition("<")[2][:-1] for a in self._alias_texts(node.name)}
        takes_some = any(info.parameters is not None for info in self.registry.find(node.name))
        observed = self._observed.get(node.name)
        if observed is None and not takes_some and not listed:
            return None
        return tuple(sorted(listed | set(_forms(observed or ()))))

    def adaptor_parameters(self, name: str) -> tuple[str, ...] | None:
        """The forms of parameters that an adaptor takes; `None` where it takes none."""
        return _ADAPTOR_PARAMS.get(name)

    def _alias_texts(self, name: str) -> Iterator[str]:
        return (a for a in self.registry.pipelines if a.partition("<")[0] == name)


def walk_text(text: str) -> Iterator[Node]:
    """The nodes of a pipeline text in pre-order."""
    return walk(parse(text))


def _forms(params: Iterable[Param]) -> Iterator[str]:
    for param in params:
        if param.value is not None:
            yield f"{param.name}={'N' if param.value.lstrip('-').isdigit() else 'S'}"
        elif param.name:
            yield str(param)
