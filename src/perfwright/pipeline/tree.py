"""Textual pass pipelines of LLVM as trees that print back exactly.

The grammar is that of `opt -passes=` and of what `-print-pipeline-passes` prints:

    pipeline = element *("," element)
    element  = name ["<" parameters ">"] ["(" pipeline ")"]
    parameters = [parameter *(";" parameter)]
    parameter  = flag | "no-" flag | key "=" value

As in LLVM, commas and parentheses always separate, even inside angle brackets; angle brackets
nest (`print<stack-lifetime><may>` is the pass `print<stack-lifetime>` with a parameter).
`gvn` and `gvn<>` are different texts and so different trees.  `parse(str(tree)) == tree`, and
`str(parse(text)) == text`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn, TypeAlias

from perfwright.core.candidate import digest
from perfwright.errors import UserError

MAX_DEPTH = 100
"""Deepest nesting that is parsed; LLVM's own pipelines are four deep."""

_SEPARATORS = frozenset(",()")


class PipelineSyntaxError(UserError):
    """A text is no pipeline; `position` counts characters from 0."""

    def __init__(self, fact: str, text: str, position: int) -> None:
        start = max(0, position - 30)
        super().__init__(
            f"{fact} at character {position}",
            cause=f"...{text[start:position]}[here]{text[position : position + 30]}...",
            hint="check brackets and commas",
        )
        self.position = position


@dataclass(frozen=True)
class Param:
    """One parameter of a pass: `nontrivial`, `no-pre` or `max-iterations=1`.

    Attributes:
        name: without `no-`, except before `=`.
        value: what stands behind `=`; `None` for a flag.
        enabled: false for a flag written with `no-`.
    """

    name: str
    value: str | None = None
    enabled: bool = True

    def __post_init__(self) -> None:
        if "=" in self.name or (self.value is not None and not self.enabled):
            raise ValueError(f"{self!r} has no text form")
        if self.value is None and self.enabled and self.name.startswith("no-"):
            raise ValueError(f"{self!r}: write the flag without 'no-' and enabled=False")

    def __str__(self) -> str:
        if self.value is not None:
            return f"{self.name}={self.value}"
        return self.name if self.enabled else f"no-{self.name}"

    @classmethod
    def parse(cls, text: str) -> Param:
        """The inverse of `str`; any text is some parameter."""
        name, equals, value = text.partition("=")
        if equals:
            return cls(name, value)
        if text.startswith("no-"):
            return cls(text[3:], enabled=False)
        return cls(text)


@dataclass(frozen=True)
class _Element:
    name: str
    params: tuple[Param, ...] | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a pass has a name")
        if self.params == (Param(""),):
            raise ValueError("empty brackets are params=()")

    @property
    def head(self) -> str:
        """Name and parameters, without what is nested inside."""
        if self.params is None:
            return self.name
        return f"{self.name}<{';'.join(map(str, self.params))}>"

    def param(self, name: str) -> Param | None:
        """The last parameter of this name, which is the one that counts."""
        found = [p for p in self.params or () if p.name == name]
        return found[-1] if found else None


@dataclass(frozen=True)
class Pass(_Element):
    """One pass, or an alias such as `default<O3>`: nothing nests inside it.

    Attributes:
        name: `licm`.
        params: in the order written; `()` for empty brackets, `None` for no brackets.
    """

    def __str__(self) -> str:
        return self.head


@dataclass(frozen=True)
class Adaptor(_Element):
    """A nesting word with what runs inside it: `function<eager-inv>(sroa,gvn)`.

    Attributes:
        name: `function`.
        params: as in `Pass`.
        children: at least one.
    """

    children: tuple[Node, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.children:
            raise ValueError(f"{self.name}() without anything inside is no pipeline")

    def __str__(self) -> str:
        return f"{self.head}({','.join(map(str, self.children))})"


Node: TypeAlias = Pass | Adaptor


@dataclass(frozen=True)
class Pipeline:
    """A whole pipeline; prints as the text that opt takes."""

    nodes: tuple[Node, ...] = ()

    def __str__(self) -> str:
        return ",".join(map(str, self.nodes))

    @property
    def digest(self) -> str:
        """Twelve hex digits of the text: equal pipelines, equal digest, in every process."""
        return digest([str(self)])

    def __len__(self) -> int:
        """How many passes there are, adaptors not counted."""
        return sum(1 for node in walk(self) if isinstance(node, Pass))


def walk(tree: Pipeline | Node) -> Iterator[Node]:
    """All nodes below (and including, for a node) `tree`, in pre-order."""
    stack = list(reversed(tree.nodes)) if isinstance(tree, Pipeline) else [tree]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Adaptor):
            stack.extend(reversed(node.children))


def without_verify(pipeline: Pipeline) -> Pipeline:
    """The pipeline less the `verify` passes at its end, which opt appends at each reprint."""
    nodes = pipeline.nodes
    while nodes and nodes[-1] == Pass("verify"):
        nodes = nodes[:-1]
    return Pipeline(nodes)


def expand(pipeline: Pipeline, pipelines: Mapping[str, str]) -> Pipeline:
    """The pipeline with its aliases (`default<O3>`) replaced by what they stand for.

    Args:
        pipeline: what to expand; aliases stand at its top level only, as opt demands.
        pipelines: alias to text, as in `PassRegistry.pipelines`.
    """
    nodes: list[Node] = []
    for node in pipeline.nodes:
        text = pipelines.get(str(node))
        nodes.extend([node] if text is None else without_verify(parse(text)).nodes)
    return replace(pipeline, nodes=tuple(nodes))


def parse(text: str) -> Pipeline:
    """The tree of a pipeline text.

    Raises:
        PipelineSyntaxError: brackets do not match, a name is empty, or there is white space.
    """
    if not text:
        return Pipeline()
    levels: list[list[Node]] = [[]]
    opened: list[tuple[str, tuple[Param, ...] | None]] = []
    position = 0
    while True:
        end = _next_separator(text, position)
        name, params = parse_head(text[position:end], text, position)
        if text[end : end + 1] == "(":
            if len(opened) >= MAX_DEPTH:
                _fail(f"nested more than {MAX_DEPTH} deep", text, end)
            opened.append((name, params))
            levels.append([])
            position = end + 1
            continue
        levels[-1].append(Pass(name, params))
        while text[end : end + 1] == ")":
            if not opened:
                _fail("a ')' too many", text, end)
            children = tuple(levels.pop())
            levels[-1].append(Adaptor(*opened.pop(), children))
            end += 1
        if end == len(text):
            break
        if text[end] != ",":
            _fail("expected ',' or ')'", text, end)
        position = end + 1
    if opened:
        _fail(f"'{opened[-1][0]}(' is never closed", text, len(text))
    return Pipeline(tuple(levels[0]))


def parse_node(text: str) -> Node:
    """One element, with what is nested inside it.

    Raises:
        PipelineSyntaxError: it is none, or more than one.
    """
    nodes = parse(text).nodes
    if len(nodes) != 1:
        _fail("expected one pass", text, 0)
    return nodes[0]


def parse_head(
    head: str, text: str = "", position: int = 0
) -> tuple[str, tuple[Param, ...] | None]:
    """Name and parameters of `licm<allowspeculation>`; the place is for the message only.

    Raises:
        PipelineSyntaxError: the name is empty, angle brackets do not match, or there is white
            space.
    """
    if not head:
        _fail("a pass without a name", text, position)
    if any(c.isspace() for c in head):
        _fail("white space", text, position)
    depth, groups = 0, []
    for index, char in enumerate(head):
        if char == "<":
            if depth == 0:
                groups.append(index)
            depth += 1
        elif char == ">":
            depth -= 1
        if depth < 0 or (depth == 0 and char != ">" and groups):
            _fail("'<' and '>' do not match", text, position + index)
    if depth or groups[:1] == [0]:
        _fail("'<' and '>' do not match", text, position)
    if not groups:
        return head, None
    inner = head[groups[-1] + 1 : -1]
    return head[: groups[-1]], parse_params(inner)


def parse_params(inner: str) -> tuple[Param, ...]:
    """The parameters between one pair of angle brackets."""
    return tuple(Param.parse(part) for part in _split(inner)) if inner else ()


def _split(inner: str) -> Iterator[str]:
    """Split at semicolons that stand in no further bracket (`cutoffs[0;1]=5`)."""
    start = depth = 0
    for index, char in enumerate(inner):
        depth += {"<": 1, "[": 1, ">": -1, "]": -1}.get(char, 0)
        if char == ";" and depth <= 0:
            yield inner[start:index]
            start = index + 1
    yield inner[start:]


def _next_separator(text: str, position: int) -> int:
    for index in range(position, len(text)):
        if text[index] in _SEPARATORS:
            return index
    return len(text)


def _fail(fact: str, text: str, position: int) -> NoReturn:
    raise PipelineSyntaxError(fact, text, position)
