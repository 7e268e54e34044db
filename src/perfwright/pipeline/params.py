"""Mends the parameters of one pass by what its opt takes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TypeVar

from perfwright.errors import shortened, unknown_name
from perfwright.pipeline.apply import exclusive_group
from perfwright.pipeline.edits import EditError
from perfwright.pipeline.options import format_value, nearest, tunable_options
from perfwright.pipeline.tree import Adaptor, Node, Param
from perfwright.pipeline.vocabulary import Vocabulary

N = TypeVar("N", bound=Node)

_TRUE = frozenset({"true", "1", "on", "yes"})
_FALSE = frozenset({"false", "0", "off", "no"})
# The widest that LLVM parses everywhere, and more than any pass has use for.
_LARGEST = 1_000_000
_INTEGER = re.compile(r"-?\d{1,18}(\.0+)?")


def mend_params(node: N, vocabulary: Vocabulary, repairs: list[str]) -> N:
    """The node with parameters that opt takes.

    Args:
        node: of a known name.
        vocabulary: what opt takes.
        repairs: what had to be changed is added here.

    Raises:
        EditError: a parameter is unknown and like no other, or its value is of another type.
    """
    if node.params is None:
        return node
    forms = vocabulary.parameters(node)
    if forms is None:
        repairs.append(
            f"{node.name} takes no parameters: {shortened(node.head)} became {node.name}"
        )
        return replace(node, params=None)
    mended: list[Param] = []
    for param in node.params:
        found = mend_param(node, param, forms, repairs) if str(param) else None
        if found is not None:
            mended.append(found)
    params = _without_rivals(node, mended, repairs)
    if node.params[-1:] == (Param(""),) and params:
        params = (*params, Param(""))  # opt prints `loop-vectorize<a;b;>`
    if isinstance(node, Adaptor) and not params:
        return replace(node, params=None)
    return replace(node, params=params)


def mend_param(
    node: Node, param: Param, forms: tuple[str, ...], repairs: list[str]
) -> Param | None:
    """One parameter as opt takes it; `None` to leave it out.

    Args:
        node: the pass it is for.
        param: what was asked for.
        forms: what the pass takes (`Vocabulary.parameters`).
        repairs: what had to be changed is added here.

    Raises:
        EditError: it is unknown and like no other, or its value is of another type.
    """
    if str(param) in forms:
        return param
    keys = {form.partition("=")[0]: form.partition("=")[2] for form in forms if "=" in form}
    flags = {form.removeprefix("no-") for form in forms if "=" not in form}
    if param.value is None and "N" in forms:
        return Param(_fit_number(node, param.name, str(param), repairs))
    if param.name in keys or _unindexed(param.name) in keys:
        return _mend_value(node, param, keys.get(param.name, "S"), repairs)
    if param.name in flags:
        return _mend_flag(node, param, forms, repairs)
    near = nearest(param.name, [*keys, *flags])
    if near is None:
        raise unknown_name(f"parameter of {node.name}", str(param), forms)
    repairs.append(f"{node.name} has no parameter {shortened(param.name)}: {near}")
    return mend_param(node, replace(param, name=near), forms, repairs)


def _unindexed(name: str) -> str:
    """`a[indices]` for `a[0,3]`, as the tool lists it."""
    start, end = name.find("["), name.rfind("]")
    return f"{name[:start]}[indices]{name[end + 1 :]}" if 0 <= start < end else name


def _mend_value(node: Node, param: Param, kind: str, repairs: list[str]) -> Param:
    if kind != "N":
        raise EditError(
            f"{node.name}: {shortened(param.name)} takes a name or a file, not from a search"
        )
    if param.value is None:
        raise EditError(
            f"{node.name}: {shortened(param.name)} takes a number: {shortened(param.name)}=1"
        )
    return replace(param, value=_fit_number(node, param.value, param.name, repairs))


def _fit_number(node: Node, text: str, name: str, repairs: list[str]) -> str:
    if not _INTEGER.fullmatch(text):
        raise EditError(f"{node.name}: {name} takes a whole number, not {shortened(text)!r}")
    number = int(text.partition(".")[0])
    tunable = tunable_options().get(name)
    low, high = (tunable.min, tunable.max) if tunable else (0, _LARGEST)
    assert low is not None
    assert high is not None
    fitted = format_value(min(max(number, low), high))
    if fitted != text:
        given = shortened(f"{name}={text}")
        repairs.append(f"{node.name}: {given} became {fitted} (range {low}..{high})")
    return fitted


def _mend_flag(
    node: Node, param: Param, forms: tuple[str, ...], repairs: list[str]
) -> Param | None:
    if param.value is not None:
        if param.value.lower() not in _TRUE | _FALSE:
            raise EditError(
                f"{node.name}: {param.name} is on or off, not {shortened(param.value)!r}"
            )
        flag = Param(param.name, enabled=param.value.lower() in _TRUE)
        repairs.append(f"{node.name}: {shortened(str(param))} is written {flag}")
        return mend_param(node, flag, forms, repairs)
    # Listings forget forms.  A pass that has some `no-...` takes them for all its flags.
    if any(form.startswith("no-") for form in forms):
        return param
    repairs.append(f"{node.name}: {shortened(str(param))} is left out, which means the same")
    return None


def _without_rivals(node: Node, params: list[Param], repairs: list[str]) -> tuple[Param, ...]:
    last = {exclusive_group(param): index for index, param in enumerate(params)}
    kept = tuple(p for i, p in enumerate(params) if last[exclusive_group(p)] == i)
    if len(kept) < len(params):
        repairs.append(f"{node.name}: of parameters that exclude each other the last was kept")
    return kept
