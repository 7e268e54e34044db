"""Mends edits: unknown verbs, passes, places, parameters and options, values out of range.

As in `perfwright.pipeline.repair`, every change is reported, and what cannot be mended is
refused with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from perfwright.core.protocols import Refusal
from perfwright.errors import UserError, shortened, unknown_name
from perfwright.pipeline.apply import apply_passes, pass_edits, settings, units
from perfwright.pipeline.edits import (
    EditError,
    Insert,
    Link,
    Move,
    PipelineEdit,
    PlacedEdit,
    Replace,
    SetFlag,
    SetOption,
    SetParam,
)
from perfwright.pipeline.forbidden import FLAGS, flag_allowed, nearest_flags, option_reason
from perfwright.pipeline.loose_edit import read_edit
from perfwright.pipeline.nesting import UnplaceableError
from perfwright.pipeline.options import fit_value, nearest
from perfwright.pipeline.params import mend_param
from perfwright.pipeline.places import Located, Place, find, locate_all
from perfwright.pipeline.repair import Repaired, mend_nodes, one_line, repair_pipeline
from perfwright.pipeline.tree import Node, Pass, Pipeline
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain.registry import OptionTable

_OPTIONS_LISTED = "opt --help-hidden lists them"
_PLACES_LISTED = "opt -passes='default<O3>' -print-pipeline-passes prints them"


@dataclass(frozen=True)
class EditRepairer:
    """What edits are mended against.

    Attributes:
        base: the pipeline that places are meant in.
        vocabulary: what opt knows.
        options: what clang, opt and lld take.
    """

    base: Pipeline
    vocabulary: Vocabulary
    options: OptionTable

    def repair(self, text: str) -> Repaired[PipelineEdit] | Refusal:
        """A valid edit from a line of text, or why there is none."""
        repairs: list[str] = []
        try:
            edit = self._mend(read_edit(text, repairs), repairs)
        except UserError as error:
            return Refusal(one_line(error))
        return Repaired(edit, tuple(dict.fromkeys(repairs)))

    def repair_all(self, texts: Iterable[str]) -> Repaired[tuple[PipelineEdit, ...]] | Refusal:
        """Valid edits that go together, or why they are refused: the first reason found."""
        edits: list[PipelineEdit] = []
        repairs: list[str] = []
        for text in texts:
            mended = self.repair(text)
            if isinstance(mended, Refusal):
                return Refusal(f"{shortened(text)}: {mended.reason}", mended.reproducer)
            edits.append(mended.value)
            repairs.extend(mended.repairs)
        unique = tuple(dict.fromkeys(edits))
        try:
            self.check_together(unique)
        except UserError as error:
            return Refusal(one_line(error))
        return Repaired(unique, tuple(dict.fromkeys(repairs)))

    def check_together(self, edits: Sequence[PipelineEdit]) -> None:
        """Make sure that edits can be applied together, for every unit they name.

        Raises:
            UserError: two of them contradict each other, or a pass cannot run where it is put.
        """
        for unit in (None, *units(edits)):
            settings(edits, unit)
            apply_passes(pass_edits(edits, unit), self.base, self.vocabulary)

    def check_mended(self, edits: Iterable[PipelineEdit]) -> None:
        """Make sure that each edit is one that `repair` gives: allowed, and in normal form.

        Raises:
            UserError: one is not allowed, or was never mended.
        """
        for edit in edits:
            mended = self._mend(edit, [])
            if mended != edit:
                raise EditError(
                    f"'{shortened(str(edit))}' has not been repaired",
                    cause=f"what is valid is '{shortened(str(mended))}'",
                )

    def _mend(self, edit: PipelineEdit, repairs: list[str]) -> PipelineEdit:
        if isinstance(edit, SetOption):
            return self._mend_option(edit, repairs)
        if isinstance(edit, SetFlag):
            if not flag_allowed(edit.flag):
                raise _unknown_flag(edit.flag)
            return edit
        if isinstance(edit, Link):
            return edit
        if isinstance(edit, Replace):
            return self._mend_whole(edit, repairs)
        return self._mend_pass_edit(edit, repairs)

    def _mend_option(self, edit: SetOption, repairs: list[str]) -> SetOption:
        option = self.options.find(edit.name)
        if option is None:
            names = [n for n in self.options.names("clang") if not self._refused(n)]
            near = nearest(edit.name, names)
            if near is None:
                raise unknown_name("option", edit.name, names, everything=_OPTIONS_LISTED)
            repairs.append(f"unknown option {shortened(edit.name)}: {near}")
            return self._mend_option(replace(edit, name=near), repairs)
        reason = option_reason(option)
        if reason is not None:
            raise EditError(f"{edit.name} is not for edits", cause=reason)
        return replace(edit, value=fit_value(option, edit.value, repairs))

    def _refused(self, name: str) -> bool:
        option = self.options.find(name)
        return option is None or option_reason(option) is not None

    def _mend_whole(self, edit: Replace, repairs: list[str]) -> Replace:
        mended = repair_pipeline(str(edit.pipeline), self.vocabulary)
        if isinstance(mended, Refusal):
            raise EditError(mended.reason)
        repairs.extend(mended.repairs)
        return replace(edit, pipeline=mended.value)

    def _mend_pass_edit(self, edit: PlacedEdit, repairs: list[str]) -> PlacedEdit:
        located = locate_all(self.base)
        edit = replace(edit, place=self._mend_place(edit.place, located, repairs))
        if isinstance(edit, Move):
            edit = replace(edit, target=self._mend_place(edit.target, located, repairs))
        if isinstance(edit, Insert):
            edit = replace(edit, node=self._mend_node(edit.node, repairs))
        if isinstance(edit, SetParam):
            edit = self._mend_set(edit, located, repairs)
        return self._placed(edit, located, repairs)

    def _mend_node(self, node: Node, repairs: list[str]) -> Node:
        nodes = mend_nodes([node], self.vocabulary, repairs)
        if len(nodes) != 1:
            raise EditError(
                f"{shortened(str(node))} is not one pass", hint="insert them one by one"
            )
        return nodes[0]

    def _mend_set(
        self, edit: SetParam, located: tuple[Located, ...], repairs: list[str]
    ) -> SetParam:
        node = find(located, edit.place).node
        forms = self.vocabulary.parameters(node)
        if forms is None:
            raise EditError(
                f"{node.name} takes no parameters", cause=f"'{shortened(str(edit))}' sets one"
            )
        param = mend_param(node, edit.param, forms, repairs)
        if param is None:
            raise EditError(f"{node.name} has no '{edit.param}'", hint=", ".join(forms))
        return replace(edit, param=param)

    def _placed(
        self, edit: PlacedEdit, located: tuple[Located, ...], repairs: list[str]
    ) -> PlacedEdit:
        """The edit, its anchor moved out of adaptors until the pass can run there."""
        anchor: int | None = None
        if isinstance(edit, Insert):
            anchor = find(located, edit.place).index
        elif isinstance(edit, Move):
            anchor = find(located, edit.target).index
        asked = edit
        while True:
            try:
                apply_passes([edit], self.base, self.vocabulary)
            except UnplaceableError:
                parent = None if anchor is None else located[anchor].parent
                if parent is None:
                    raise
                anchor = parent
                edit = _anchored(edit, located[anchor].place)
            else:
                break
        if edit != asked:
            shown = [f"'{shortened(str(each))}'" for each in (asked, edit)]
            repairs.append(f"it cannot run there: {' became '.join(shown)}")
        return edit

    def _mend_place(self, place: Place, located: tuple[Located, ...], repairs: list[str]) -> Place:
        """The place that was meant, where that is plain: a slip of the pen, or the only number.

        A pass that opt knows but this pipeline lacks is no slip for one that it has, and of
        several places nobody can tell which one was meant.
        """
        passes = {each.place.name for each in located if isinstance(each.node, Pass)}
        name = place.name
        if not any(each.place.name == name for each in located):
            if name in self.vocabulary.names:
                raise EditError(f"{name} does not run in this pipeline", hint=_PLACES_LISTED)
            near = nearest(name, passes)
            if near is None:
                raise unknown_name("place", str(place), passes, everything=_PLACES_LISTED)
            repairs.append(f"unknown place {shortened(str(place))}: {near}")
            name = near
        count = sum(1 for each in located if each.place.name == name)
        ordinal = place.ordinal
        if ordinal is not None and count == 1 and ordinal > count:
            repairs.append(f"there is no {name}#{ordinal}: {name}#1")
            ordinal = 1
        return find(located, Place(name, ordinal)).place


def _anchored(edit: PlacedEdit, place: Place) -> PlacedEdit:
    if isinstance(edit, Move):
        return replace(edit, target=place)
    return replace(edit, place=place)


def _unknown_flag(flag: str) -> EditError:
    near = ", ".join(rule.pattern for rule in nearest_flags(flag))
    return EditError(
        f"{shortened(flag)} is not among the flags for edits",
        cause=f"known: {near}, ... ({len(FLAGS)} in all)",
    )
