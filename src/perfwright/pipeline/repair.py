"""Mends pipeline texts: what a model writes, or what became of one in an editor.

After AutoPass (arXiv 2606.20373), section 4.3: brackets are completed, unknown names become the
most similar known one, values are put into range, wrong types are refused.  Every change is
reported as data, so that nothing is mended in silence.  What cannot be mended is refused with
the reason; nothing is raised.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from perfwright.core.protocols import Refusal
from perfwright.errors import UserError, shortened, unknown_name
from perfwright.pipeline.apply import tolerant
from perfwright.pipeline.edits import EditError, check_length
from perfwright.pipeline.forbidden import pass_reason
from perfwright.pipeline.loose import read_loosely
from perfwright.pipeline.nesting import Nester
from perfwright.pipeline.options import nearest
from perfwright.pipeline.params import mend_params
from perfwright.pipeline.tree import (
    Adaptor,
    Node,
    Param,
    Pass,
    Pipeline,
    parse_head,
    parse_params,
    without_verify,
)
from perfwright.pipeline.vocabulary import Vocabulary

T = TypeVar("T")

MAX_PASSES = 2000
"""Longest pipeline that is accepted: twenty times -O3; each pass costs compile time."""

PASSES_LISTED = "opt --print-passes lists them"

_ANALYSIS_PASSES = ("require", "invalidate")
_LONGEST_NAME = 200
"""Of two names that lost the comma between them; all their cuts are tried."""


@dataclass(frozen=True)
class Repaired(Generic[T]):
    """A valid value, and what had to be changed to make it one."""

    value: T
    repairs: tuple[str, ...] = ()


def repair_pipeline(
    text: str, vocabulary: Vocabulary, *, max_passes: int = MAX_PASSES
) -> Repaired[Pipeline] | Refusal:
    """A pipeline that opt should take, from any text.

    Only opt knows for sure: see `perfwright.pipeline.validate`.

    Args:
        text: a pipeline, perhaps broken, perhaps with `-passes=`, quotes or line breaks.
        vocabulary: what this opt knows.
        max_passes: refuse anything longer.
    """
    repairs: list[str] = []
    try:
        check_length(text)
        nodes = read_loosely(text, repairs)
        mended = mend_nodes(nodes, vocabulary, repairs)
        pipeline = without_verify(Pipeline(mended))
        nested = Nester(vocabulary, split_cgscc=True).nest(pipeline.nodes)
    except UserError as error:
        return Refusal(one_line(error))
    if nested != pipeline:
        repairs.append("passes were nested where they can run")
    if not nested.nodes:
        return Refusal("no pass is left in the pipeline")
    if len(nested) > max_passes:
        return Refusal(
            f"the pipeline has {len(nested)} passes; at most {max_passes} are accepted, because "
            "every pass costs compile time"
        )
    return Repaired(nested, tuple(dict.fromkeys(repairs)))


def mend_nodes(
    nodes: Iterable[Node], vocabulary: Vocabulary, repairs: list[str]
) -> tuple[Node, ...]:
    """The nodes with known names and parameters; nesting is not looked at.

    Raises:
        UserError: a name or parameter is unknown and like no other, or not for edits.
    """
    mended: list[Node] = []
    for node in nodes:
        if isinstance(node, Adaptor):
            mended.extend(_mend_adaptor(node, vocabulary, repairs))
        else:
            mended.extend(_mend_pass(node, vocabulary, repairs))
    return tuple(mended)


def _mend_adaptor(node: Adaptor, vocabulary: Vocabulary, repairs: list[str]) -> tuple[Node, ...]:
    children = mend_nodes(node.children, vocabulary, repairs)
    if node.name not in vocabulary.adaptors:
        leaf = Pass(node.name, node.params)
        near = _glued_adaptor(leaf, vocabulary) or nearest(node.name, vocabulary.adaptors)
        if vocabulary.knows(leaf) or near is None:
            repairs.append(
                f"nothing nests in {shortened(node.name)}: what was inside comes after it"
            )
            return (*_mend_pass(leaf, vocabulary, repairs), *children)
        repairs.append(f"unknown adaptor {shortened(node.name)}: {near}")
        node = replace(node, name=near)
    if not children:
        return ()
    if node.name == "devirt" and not node.params:
        node = replace(node, params=(Param("4"),))
        repairs.append("devirt without a count: devirt<4>")
    return (mend_params(replace(node, children=children), vocabulary, repairs),)


def _mend_pass(node: Pass, vocabulary: Vocabulary, repairs: list[str]) -> tuple[Node, ...]:
    if node.name in vocabulary.adaptors and not vocabulary.knows(node):
        repairs.append(f"{node.name} has nothing inside and was dropped")
        return ()
    if node.name in _ANALYSIS_PASSES:
        return (_mend_analysis(node, vocabulary, repairs),)
    if not vocabulary.knows(node):
        apart = _taken_apart(node, vocabulary, repairs)
        if apart is not None:
            return mend_nodes(apart, vocabulary, repairs)
        node = _renamed(node, vocabulary, repairs)
    _check_allowed(node, vocabulary)
    if vocabulary.is_listed_whole(node):
        return (node,)
    mended = tolerant(mend_params(node, vocabulary, repairs), vocabulary)
    if vocabulary.needs_level(mended) and not mended.params:
        raise EditError(f"{shortened(node.head)} names no level", hint=f"{node.name}<O3>")
    if mended.params != node.params and mended.param("verify-fixpoint") is not None:
        repairs.append(f"{mended.head}: elsewhere than in the standard pipeline it would abort")
    return (mended,)


def _renamed(node: Pass, vocabulary: Vocabulary, repairs: list[str]) -> Pass:
    # A pass of the standard pipelines is the likelier meaning.
    near = nearest(node.name, vocabulary.standard) or nearest(node.name, vocabulary.names)
    if near is None:
        raise unknown_name("pass", node.name, vocabulary.names, everything=PASSES_LISTED)
    repairs.append(f"unknown pass {shortened(node.name)}: {near}")
    return replace(node, name=near)


def _taken_apart(node: Pass, vocabulary: Vocabulary, repairs: list[str]) -> tuple[Pass, ...] | None:
    """What an unknown name is made of, where it lost a separator; `None` when nothing shows."""
    name = node.name
    if len(name) > _LONGEST_NAME:
        return None
    if "<" in name:
        repairs.append(f"{shortened(node.head)}: parameters given twice, the first were kept")
        return (Pass(*parse_head(name)),)
    for cut in range(len(name) - 1, 1, -1):
        first, rest = name[:cut], name[cut:]
        if first in vocabulary.standard and rest in vocabulary.standard:
            repairs.append(f"a ',' was supplied in {shortened(name)}")
            return Pass(first), replace(node, name=rest)
        if first in vocabulary.adaptors and rest in vocabulary.standard:
            repairs.append(f"a '(' was missing in {shortened(name)}: {rest}")
            return (replace(node, name=rest),)
        if first in vocabulary.standard and _are_params(first, rest, vocabulary):
            repairs.append(f"a '<' was supplied in {shortened(name)}")
            return (Pass(first, parse_params(rest)),)
    return None


def _are_params(name: str, text: str, vocabulary: Vocabulary) -> bool:
    forms = vocabulary.parameters(Pass(name)) or ()
    return all(
        not str(param) or str(param) in forms or f"{param.name}=N" in forms
        for param in parse_params(text)
    )


def _glued_adaptor(node: Pass, vocabulary: Vocabulary) -> str | None:
    """`devirt` for `cgsccdevirt`, which lost a bracket, and for `functioneager-inv` `function`."""
    for name in vocabulary.adaptors:
        rest = node.name.removeprefix(name)
        if rest in vocabulary.adaptors or rest in (vocabulary.adaptor_parameters(name) or ()):
            return rest if rest in vocabulary.adaptors else name
    return None


def _mend_analysis(node: Pass, vocabulary: Vocabulary, repairs: list[str]) -> Pass:
    if vocabulary.knows(node):
        return node
    asked = ";".join(map(str, node.params or ()))
    near = nearest(asked, vocabulary.analyses())
    if near is None:
        raise unknown_name("analysis", asked, vocabulary.analyses())
    repairs.append(f"unknown analysis {shortened(asked)}: {near}")
    return replace(node, params=(Param.parse(near),))


def _check_allowed(node: Pass, vocabulary: Vocabulary) -> None:
    if node.name in vocabulary.standard:
        return
    reason = pass_reason(node.name, node.head)
    if vocabulary.is_machine_pass(node.name):
        reason = "it runs on machine code, and opt has none"
    if reason is not None:
        raise EditError(f"{shortened(node.head)} is not for edits", cause=reason)


def one_line(error: UserError) -> str:
    """Fact, cause and hint of an error on one line, as refusals have them."""
    text = error.fact
    if error.cause:
        text += f": {error.cause}"
    if error.hint:
        text += f" (try: {error.hint})"
    return " ".join(text.split())
