"""Puts every pass where it can run, by supplying, splitting and dropping adaptors.

`licm` in a function list becomes `loop-mssa(licm)`; a function pass between two loop passes
splits their adaptor, `loop(a,gvn,b)` to `loop(a),gvn,loop(b)`.  A pipeline that opt accepts and
that leaves nothing implicit comes back unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from perfwright.errors import UserError, shortened
from perfwright.pipeline.tree import Adaptor, Node, Pass, Pipeline
from perfwright.pipeline.vocabulary import ADAPTORS, DEPTH, LOOP_LEVELS, Level, Vocabulary


class UnplaceableError(UserError):
    """A pass cannot run where it was put."""


@dataclass(frozen=True)
class _Settled:
    """A node that fits where it is, or one that has to leave (`fits` false)."""

    node: Node
    fits: bool = True


@dataclass(frozen=True)
class Nester:
    """Nests passes by the rules of one opt.

    Attributes:
        vocabulary: the rules.
        split_cgscc: a module pass inside `cgscc(...)` splits it.  That runs the module pass
            between two walks over the call graph: right for mending a text, not for an edit
            that asked for something else.
    """

    vocabulary: Vocabulary
    split_cgscc: bool = False

    def nest(self, nodes: Iterable[Node]) -> Pipeline:
        """The nodes as a pipeline at module level.

        Raises:
            UnplaceableError: a pass is unknown, or fits nowhere around its place.
        """
        settled = self._settle_list(list(nodes), Level.MODULE)
        for each in settled:
            if not each.fits:
                raise UnplaceableError(
                    f"{shortened(each.node.head)} cannot run in a module pipeline"
                )
        return Pipeline(tuple(each.node for each in settled))

    def _settle_list(self, nodes: Sequence[Node], level: Level) -> list[_Settled]:
        settled: list[_Settled] = []
        group: list[Node] = []
        wrapper: Adaptor | None = None
        for node in nodes:
            for piece in self._pieces(node, level):
                needed = self._wrapper(piece.node, level) if piece.fits else None
                if group and (needed is None or wrapper is None or needed.name != wrapper.name):
                    settled.append(_Settled(self._wrapped(wrapper, group)))
                    group = []
                wrapper = needed
                if needed is not None:
                    group.append(piece.node)
                else:
                    settled.append(replace(piece, node=_trimmed(piece.node, level)))
        if group:
            settled.append(_Settled(self._wrapped(wrapper, group)))
        return settled

    def _wrapped(self, wrapper: Adaptor | None, group: Sequence[Node]) -> Node:
        assert wrapper is not None
        inner = ADAPTORS[wrapper.name].inner
        assert inner is not None
        return replace(
            wrapper, children=tuple(each.node for each in self._settle_list(group, inner))
        )

    def _pieces(self, node: Node, level: Level) -> list[_Settled]:
        """The node, or the parts it falls into, each fit for this list or about to leave it."""
        levels = self.vocabulary.levels(node)
        if not levels:
            raise UnplaceableError(f"opt knows no {_described(node)}", hint="opt --print-passes")
        reachable = any(_reaches(level, each) for each in levels)
        if isinstance(node, Pass):
            return [_Settled(node, reachable)]
        inner = ADAPTORS[node.name].inner or level
        inside = self._settle_list(node.children, inner)
        return [
            _Settled(piece.node, reachable) if piece.fits else self._escaped(piece.node, level)
            for piece in self._split(node, inside)
        ]

    def _escaped(self, node: Node, level: Level) -> _Settled:
        return _Settled(node, any(_reaches(level, each) for each in self.vocabulary.levels(node)))

    def _split(self, adaptor: Adaptor, inside: list[_Settled]) -> list[_Settled]:
        """The adaptor around each run of children that stay, and the leavers between."""
        pieces: list[_Settled] = []
        run: list[Node] = []
        for child in [*inside, None]:
            if child is not None and child.fits:
                run.append(child.node)
                continue
            if run:
                pieces.append(_Settled(replace(adaptor, children=tuple(run))))
                run = []
            if child is not None:
                self._check_leaving(adaptor, child.node)
                pieces.append(_Settled(child.node, fits=False))
        return pieces

    def _check_leaving(self, adaptor: Adaptor, node: Node) -> None:
        if adaptor.name in ("cgscc", "devirt") and not self.split_cgscc:
            raise UnplaceableError(
                f"{shortened(node.head)} is a module pass and cannot run inside cgscc(...)",
                cause="cgscc walks the call graph once, function by function",
                hint="name a place outside it, for example: after cgscc#1",
            )

    def _wrapper(self, node: Node, level: Level) -> Adaptor | None:
        """The adaptor that the node still needs in a list of this level, around the node."""
        levels = self.vocabulary.levels(node)
        if level in levels:
            return None
        target = min((each for each in levels if _reaches(level, each)), key=_by_depth)
        return Adaptor(_first_step(level, target), None, (node,))


def _by_depth(level: Level) -> tuple[int, bool]:
    # Where both loop levels will do, the one without MemorySSA: computing it costs.
    return DEPTH[level], level is Level.LOOP_MSSA


def _reaches(level: Level, target: Level) -> bool:
    """Whether adaptors can lead from a list of `level` down to `target`."""
    return level is target or (DEPTH[level] < DEPTH[target] and level not in LOOP_LEVELS)


def _first_step(level: Level, target: Level) -> str:
    if level is Level.FUNCTION or target is Level.CGSCC:
        return target.value
    return Level.FUNCTION.value


def _trimmed(node: Node, level: Level) -> Node:
    """Without what opt takes elsewhere only.

    `no-rerun` is for `cgscc(function<...>())`; a function list inside another takes nothing.
    """
    if node.name != "function" or node.params is None or level is Level.CGSCC:
        return node
    inside = level is Level.FUNCTION
    kept = tuple(p for p in node.params if not inside and str(p) != "no-rerun")
    return replace(node, params=kept or None) if kept != node.params else node


def _described(node: Node) -> str:
    return f"{'adaptor' if isinstance(node, Adaptor) else 'pass'} {shortened(node.head)!r}"
