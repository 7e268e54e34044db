"""Edits applied: pass edits to a pipeline tree, the others to settings.

All places are looked up in the pipeline before any edit, then everything changes at once.  So a
set of edits means the same in any order (except that passes inserted at one place come in the
order of their edits), and dropping one leaves the others as they were.  Edits that contradict
each other are refused, never ranked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from perfwright.errors import shortened
from perfwright.pipeline.edits import (
    EditError,
    Insert,
    Link,
    LinkMode,
    Move,
    PassEdit,
    PipelineEdit,
    PlacedEdit,
    Remove,
    Repeat,
    Replace,
    SetFlag,
    SetOption,
    SetParam,
    Side,
)
from perfwright.pipeline.nesting import Nester
from perfwright.pipeline.places import Located, Place, find, locate_all
from perfwright.pipeline.tree import Adaptor, Node, Param, Pass, Pipeline
from perfwright.pipeline.vocabulary import Vocabulary

_NO_VERIFY = Param("verify-fixpoint", enabled=False)


@dataclass(frozen=True)
class Settings:
    """What the edits of one unit ask for besides passes.

    Attributes:
        options: LLVM options, `(name, value)`, sorted by name.
        flags: clang flags, sorted.
        link: how to optimise the whole, where an edit says so.
    """

    options: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    link: LinkMode | None = None

    def mllvm(self) -> tuple[str, ...]:
        """The options as opt takes them: `-inline-threshold=600`."""
        return tuple(f"-{name}={value}" for name, value in self.options)


def settings(edits: Iterable[PipelineEdit], unit: str | None = None) -> Settings:
    """What the edits set for a unit; an edit for the unit goes before one for all units.

    Args:
        edits: all edits of a candidate.
        unit: whose settings; `None` for those that hold for every unit.

    Raises:
        EditError: two edits of the same scope set one thing to two values.
    """
    chosen: dict[tuple[str, str], tuple[bool, PipelineEdit]] = {}
    for edit in edits:
        if not isinstance(edit, SetOption | SetFlag | Link) or edit.unit not in (None, unit):
            continue
        narrow = edit.unit is not None
        key = _subject(edit)
        present = chosen.get(key)
        if present is not None and present[0] == narrow and present[1] != edit:
            raise _contradiction(present[1], edit)
        if present is None or narrow >= present[0]:
            chosen[key] = narrow, edit
    kept = [edit for _, edit in chosen.values()]
    modes = [edit.mode for edit in kept if isinstance(edit, Link)]
    return Settings(
        tuple(sorted((e.name, e.value) for e in kept if isinstance(e, SetOption))),
        tuple(sorted(e.flag for e in kept if isinstance(e, SetFlag))),
        modes[0] if modes else None,
    )


def _subject(edit: SetOption | SetFlag | Link) -> tuple[str, str]:
    """What an edit decides: two edits with one subject contradict each other."""
    if isinstance(edit, SetOption):
        return "option", edit.name
    if isinstance(edit, Link):
        return "link", ""
    name = edit.flag.partition("=")[0]
    return "flag", name.replace("-fno-", "-f").replace("-mno-", "-m")


def pass_edits(edits: Iterable[PipelineEdit], unit: str | None = None) -> tuple[PassEdit, ...]:
    """The edits of passes that hold for a unit, each once, in order."""
    kinds = Insert | Remove | Move | Repeat | SetParam | Replace
    found = [e for e in edits if isinstance(e, kinds) and e.unit in (None, unit)]
    return tuple(dict.fromkeys(found))


def units(edits: Iterable[PipelineEdit]) -> tuple[str, ...]:
    """The units that some edit is for, sorted."""
    return tuple(sorted({edit.unit for edit in edits if edit.unit is not None}))


def apply_passes(edits: Iterable[PassEdit], base: Pipeline, vocabulary: Vocabulary) -> Pipeline:
    """The base pipeline with the edits applied, every pass nested where it can run.

    Raises:
        EditError: two edits contradict each other, or nothing would be left.
        UserError: a place is unknown, or a pass cannot run where it is put.
    """
    placed: list[PlacedEdit] = []
    others: list[Replace] = []
    for edit in edits:
        if isinstance(edit, Replace):
            others.append(edit)
        else:
            placed.append(edit)
    if others:
        return _other(others, placed)
    plan = _Plan(locate_all(base))
    for change in placed:
        plan.add(change)
    nodes = plan.rebuild(vocabulary)
    if not nodes:
        raise EditError("nothing is left of the pipeline", cause="the edits remove all passes")
    return Nester(vocabulary).nest(nodes)


def _other(others: Sequence[Replace], placed: Sequence[PlacedEdit]) -> Pipeline:
    """The pipeline that replaces the base; places of the base mean nothing in it."""
    rest = [edit for edit in (*others[1:], *placed) if edit != others[0]]
    if rest:
        raise _contradiction(others[0], rest[0])
    return others[0].pipeline


@dataclass
class _Plan:
    """All changes, by the number of the node they concern in the pipeline before any edit."""

    located: tuple[Located, ...]
    before: dict[int, list[int | Node]] = field(default_factory=lambda: defaultdict(list))
    after: dict[int, list[int | Node]] = field(default_factory=lambda: defaultdict(list))
    params: dict[int, list[SetParam]] = field(default_factory=lambda: defaultdict(list))
    fate: dict[int, Remove | Move | Repeat] = field(default_factory=dict)
    anchors: list[tuple[int, PlacedEdit]] = field(default_factory=list)

    def add(self, edit: PlacedEdit) -> None:
        if isinstance(edit, Insert):
            self._beside(edit.side, edit.place, edit.node, edit)
            return
        index = self._find(edit.place)
        if isinstance(edit, SetParam):
            self._add_param(index, edit)
            return
        if index in self.fate:
            raise _contradiction(self.fate[index], edit)
        self.fate[index] = edit
        if isinstance(edit, Move):
            if index == self._find(edit.target):
                raise EditError(f"'{edit}' moves {edit.place} nowhere")
            self._beside(edit.side, edit.target, index, edit)

    def _find(self, place: Place) -> int:
        return find(self.located, place).index

    def _beside(self, side: Side, place: Place, what: int | Node, edit: PlacedEdit) -> None:
        anchor = self._find(place)
        self.anchors.append((anchor, edit))
        (self.before if side is Side.BEFORE else self.after)[anchor].append(what)

    def _add_param(self, index: int, edit: SetParam) -> None:
        for other in self.params[index]:
            if exclusive_group(other.param) == exclusive_group(edit.param):
                raise _contradiction(other, edit)
        self.params[index].append(edit)

    def rebuild(self, vocabulary: Vocabulary) -> list[Node]:
        self._check()
        children: dict[int | None, list[int]] = defaultdict(list)
        for each in self.located:
            children[each.parent].append(each.index)
        builder = _Builder(self, children, vocabulary)
        nodes = [node for top in children[None] for node in builder.around(top)]
        for index, fate in self.fate.items():
            # A node moved into itself, or two into each other, come up nowhere.
            if isinstance(fate, Move) and index not in builder.placed:
                raise EditError(f"'{fate}' moves {fate.place} in a circle")
        return nodes

    def _check(self) -> None:
        """Refuse what would get lost inside something that is removed."""
        for index, sets in self.params.items():
            self._check_kept(index, sets[0])
        for index, fate in self.fate.items():
            self._check_kept(self.located[index].parent, fate)
        for anchor, edit in self.anchors:
            self._check_kept(self.located[anchor].parent, edit)

    def _check_kept(self, index: int | None, edit: PlacedEdit) -> None:
        while index is not None:
            fate = self.fate.get(index)
            if isinstance(fate, Remove):
                raise _contradiction(fate, edit)
            index = self.located[index].parent


@dataclass(frozen=True)
class _Builder:
    plan: _Plan
    children: dict[int | None, list[int]]
    vocabulary: Vocabulary
    placed: set[int] = field(default_factory=set)

    def around(self, index: int) -> list[Node]:
        """What stands where the node stood: what was put beside it, and the node if it stays."""
        stays = not isinstance(self.plan.fate.get(index), Remove | Move)
        return [
            *self._put(self.plan.before[index]),
            *(self._node(index) if stays else []),
            *self._put(self.plan.after[index]),
        ]

    def _put(self, things: Sequence[int | Node]) -> list[Node]:
        nodes: list[Node] = []
        for thing in things:
            found = self._node(thing) if isinstance(thing, int) else [thing]
            nodes.extend(_unfixed(node, self.vocabulary) for node in found)
        return nodes

    def _node(self, index: int) -> list[Node]:
        self.placed.add(index)
        node = self.plan.located[index].node
        for edit in self.plan.params.get(index, ()):
            node = replace(node, params=with_param(node.params, edit.param))
        if isinstance(node, Adaptor):
            inside = [n for child in self.children[index] for n in self.around(child)]
            if not inside:
                return []
            node = replace(node, children=tuple(inside))
        fate = self.plan.fate.get(index)
        return [node] * (fate.times if isinstance(fate, Repeat) else 1)


def with_param(params: tuple[Param, ...] | None, new: Param) -> tuple[Param, ...]:
    """The parameters with one set: in place of its like, else at the end.

    A trailing empty parameter (`loop-vectorize<a;b;>`) stays last: opt takes none before it.
    """
    old = list(params or ())
    for index, param in enumerate(old):
        if param.name and exclusive_group(param) == exclusive_group(new):
            old[index] = new
            return tuple(old)
    end = len(old) - 1 if old and not str(old[-1]) else len(old)
    old.insert(end, new)
    return tuple(old)


def exclusive_group(param: Param) -> str:
    """What a parameter decides: of those of one group, opt wants one."""
    if param.value is None and param.name.isdigit():
        return "<number>"  # devirt<4>
    if param.name in ("O0", "O1", "O2", "O3", "Os", "Oz"):
        return "<level>"  # loop-unroll<O3>
    if param.name in ("preserve-cfg", "modify-cfg"):
        return "<cfg>"  # sroa<modify-cfg>
    return param.name


def _unfixed(node: Node, vocabulary: Vocabulary) -> Node:
    """The node, told not to abort when it changes more than is usual at its old place.

    `instcombine` elsewhere than in the standard pipeline aborts without `no-verify-fixpoint`.
    """
    if isinstance(node, Adaptor):
        return replace(node, children=tuple(_unfixed(c, vocabulary) for c in node.children))
    return tolerant(node, vocabulary)


def tolerant(node: Pass, vocabulary: Vocabulary) -> Pass:
    """The pass with `no-verify-fixpoint`, where it takes that."""
    takes = str(_NO_VERIFY) in (vocabulary.parameters(node) or ())
    if not takes or node.param(_NO_VERIFY.name) == _NO_VERIFY:
        return node
    return replace(node, params=with_param(node.params, _NO_VERIFY))


def _contradiction(first: PipelineEdit, second: PipelineEdit) -> EditError:
    one, other = shortened(str(first)), shortened(str(second))
    if first == second:
        return EditError(f"'{one}' is given twice", hint="once is enough")
    return EditError(f"'{one}' and '{other}' contradict each other", hint="keep one of the two")
