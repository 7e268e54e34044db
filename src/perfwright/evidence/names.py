"""Names of functions: demangled in one batch, and short enough to read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from perfwright.errors import ToolchainError
from perfwright.evidence.tools import Tools
from perfwright.toolchain.process import Runner

_MANGLED = re.compile(r"_{1,2}Z|_R")
_LAMBDA = re.compile(r"\{lambda\([^)]*\)#\d+\}")
_CLONE = re.compile(r"\.(?:llvm|constprop|isra|part|specialized|warm|\d+)\.?\d*$|\.cold$")


def demangle(names: Iterable[str], tools: Tools, runner: Runner) -> Mapping[str, str]:
    """The readable name of each mangled one; names that are not mangled are left out.

    One process for all (`llvm-cxxfilt`), and none when nothing is mangled.  Without the
    tool the result is empty: a mangled name is ugly, but right.
    """
    mangled = sorted({name for name in names if _MANGLED.match(name)})
    if not mangled:
        return {}
    try:
        result = runner([tools.tool("llvm-cxxfilt")], stdin="\n".join(mangled).encode() + b"\n")
    except ToolchainError:
        return {}
    lines = result.text.splitlines()
    if not result.ok or len(lines) != len(mangled):
        return {}
    return {name: line for name, line in zip(mangled, lines, strict=True) if line != name}


def original_name(symbol: str) -> str:
    """The name before LLVM cloned or renamed a function: `f` for `f.llvm.42` and `f.cold`.

    >>> original_name("encode.constprop.0"), original_name("sum.llvm.123"), original_name("f.4")
    ('encode', 'sum', 'f')
    """
    while True:
        shorter = _CLONE.sub("", symbol)
        if shorter in ("", symbol):
            return symbol
        symbol = shorter


def short_name(demangled: str) -> str:
    """A C++ name without template arguments, parameters and return type.

    >>> short_name("int geo::Acc<int>::sum(std::vector<int> const&)")
    'geo::Acc::sum'
    >>> short_name("ns::operator<<(S&, int)"), short_name("main")
    ('ns::operator<<', 'main')
    """
    text = _LAMBDA.sub("lambda", demangled).replace("(anonymous namespace)", "{anonymous}")
    head, operator = _cut_operator(text)
    kept: list[str] = []
    depth = 0
    for index, letter in enumerate(head):
        if letter == "(" and depth == 0 and not _is_scope(head, index):
            break
        depth += (letter in "<([") - (letter in ">)]")
        if depth == 0 and letter not in ">)]":
            kept.append(letter)
    return ("".join(kept).split(" ")[-1] or ("" if operator else text)) + operator


def _is_scope(text: str, opening: int) -> bool:
    """Whether these parentheses belong to an enclosing function, as in `f(int)::lambda`."""
    closing = text.find(")", opening)
    return text.startswith("::", closing + 1)


def _cut_operator(text: str) -> tuple[str, str]:
    """Split before an overloaded operator, whose own `<`, `(` and spaces are no brackets."""
    match = re.search(r"\boperator(?:\(\)| ?[^\w(\s]+| [\w:]+(?: ?\*)?)", text)
    return (text[: match.start()], match[0]) if match else (text, "")
