"""Reads a broken pipeline text as the pipeline it was probably meant to be.

Brackets are completed, separators supplied, white space and quotes dropped.  Names are not
looked at, except to tell two passes apart that lost the comma between them: that, and all
else that needs a `Vocabulary`, is in `perfwright.pipeline.repair`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field

from perfwright.errors import shortened
from perfwright.pipeline.tree import MAX_DEPTH, Adaptor, Node, Pass, PipelineSyntaxError, parse_head

_FENCE = re.compile(r"^```\w*")
_OPTION = re.compile(r"^--?passes=")
_QUOTES = string.whitespace + "'\"`"
_STRANGE = re.compile(r"[^A-Za-z0-9_.:=;<>()\[\],/+-]+")


@dataclass
class _Open:
    """An adaptor that is not closed yet; without a name, just a bracket."""

    head: str
    children: list[Node] = field(default_factory=list)


def read_loosely(text: str, repairs: list[str]) -> tuple[Node, ...]:
    """The nodes of a text, whatever its brackets are like.

    Args:
        text: what was meant as a pipeline.
        repairs: what had to be changed is added here.

    Raises:
        PipelineSyntaxError: it is nested too deep.
    """
    reader = _Reader(repairs)
    for token in _tokens(_cleaned(text, repairs), repairs):
        if token == "(":
            reader.open()
        elif token == ")":
            reader.close()
        elif token == ",":
            reader.end_of_pass()
        else:
            reader.head_of_pass(token)
    return reader.finish()


@dataclass
class _Reader:
    """What is open while a text is read; the first of `stack` is the whole."""

    repairs: list[str]
    stack: list[_Open] = field(default_factory=lambda: [_Open("")])
    head: str = ""

    def head_of_pass(self, head: str) -> None:
        self.end_of_pass()
        self.head = head

    def end_of_pass(self) -> None:
        if self.head:
            self.stack[-1].children.append(Pass(*parse_head(self.head)))
        self.head = ""

    def open(self) -> None:
        if len(self.stack) > MAX_DEPTH:
            raise PipelineSyntaxError(f"nested more than {MAX_DEPTH} deep", "", 0)
        if not self.head:
            self.repairs.append("a bracket without a name was dropped")
        self.stack.append(_Open(self.head))
        self.head = ""

    def close(self) -> None:
        self.end_of_pass()
        if len(self.stack) == 1:
            self.repairs.append("a ')' too many was dropped")
            return
        closed = self.stack.pop()
        around = self.stack[-1].children
        if not closed.head:
            around.extend(closed.children)
        elif closed.children:
            around.append(Adaptor(*parse_head(closed.head), tuple(closed.children)))
        else:
            self.repairs.append(f"{shortened(closed.head)}() has nothing inside and was dropped")

    def finish(self) -> tuple[Node, ...]:
        self.end_of_pass()
        if len(self.stack) > 1:
            self.repairs.append(f"{len(self.stack) - 1} missing ')' supplied at the end")
        while len(self.stack) > 1:
            self.close()
        return tuple(self.stack[0].children)


def _cleaned(text: str, repairs: list[str]) -> str:
    bare = _unwrapped(text)
    clean = _STRANGE.sub("", bare)
    if "".join(bare.split()) != clean:
        repairs.append("characters that no pass name has were dropped")
    return clean


def _unwrapped(text: str) -> str:
    """The text without a code fence, quotes and `-passes=` around it."""
    bare = _FENCE.sub("", text.strip()).strip(_QUOTES)
    return _OPTION.sub("", bare).lstrip(_QUOTES)


def _tokens(text: str, repairs: list[str]) -> Iterator[str]:
    """Separators, and heads with balanced angle brackets."""
    for part in re.findall(r"[(),]|[^(),]+", text):
        if part in ("(", ")", ","):
            yield part
        else:
            yield from _heads(part, repairs)


def _heads(part: str, repairs: list[str]) -> Iterator[str]:
    """`sroa<a>gvn` is two heads, `sroa<a` and `sroa<a>>` are one."""
    head, depth = "", 0
    for char in part:
        if char == ">" and depth == 0:
            repairs.append(f"a '>' too many was dropped after {shortened(head) or 'nothing'}")
            continue
        if head.endswith(">") and depth == 0 and char != "<":
            repairs.append(f"a ',' was supplied after {shortened(head)}")
            yield head
            head = ""
        depth += {"<": 1, ">": -1}.get(char, 0)
        head += char
    if depth:
        repairs.append(f"a missing '>' was supplied after {shortened(head)}")
        head += ">" * depth
    if head.startswith("<"):
        repairs.append(f"parameters without a pass were dropped: {shortened(head)}")
        head = ""
    if head:
        yield head
