"""Mutants: small changes of a unit's LLVM IR that a good oracle notices.

Works on the text of unoptimised IR, line by line, so that it needs no LLVM of its own and
follows any version of it.  Kinds of mutants after DeMillo, Lipton and Sayward 1978, Hints on
Test Data Selection, IEEE Computer 11(4), and the usual operators since.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a mutant changes."""

    EMPTY = "function emptied"
    CONSTANT = "constant changed"
    COMPARISON = "comparison turned round"
    ARITHMETIC = "addition and subtraction swapped"
    STORE = "store dropped"


@dataclass(frozen=True)
class Site:
    """One place where one mutant can be made.

    `first` and `last` are the lines that `replacement` takes the place of, counted from 0.
    """

    unit: str
    function: str
    kind: Kind
    first: int
    last: int
    replacement: tuple[str, ...]
    detail: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.function}: {self.detail}"

    def apply(self, text: str) -> str:
        """The unit's text with this one change."""
        lines = text.split("\n")
        lines[self.first : self.last + 1] = self.replacement
        return "\n".join(lines)


_NAME = r'"(?:[^"\\]|\\.)*"|[-\w.$]+'
_DEFINE = re.compile(rf"^define\b.*?@(?P<name>{_NAME})\(")
_REFERENCE = re.compile(rf"@({_NAME})")
_GLOBAL = re.compile(rf"^@(?P<name>{_NAME}) = ")
_CONSTANT = re.compile(
    r"(?P<head>^\s+%\S+ = (?:add|sub|mul|shl|and|or|xor|[us]div|[us]rem|icmp) .*, |^\s+store i\d+ )"
    r"(?P<number>-?\d+)(?P<tail>(?:, .*)?$)"
)
_RETURNED = re.compile(r"(?P<head>^\s+ret i\d+ )(?P<number>-?\d+)(?P<tail>(?:, .*)?$)")
_COMPARE = re.compile(
    r"(?P<head>^\s+%\S+ = [if]cmp (?:\w+ )*?)(?P<word>[a-z]{2,3})(?P<tail> \S+ .*)"
)
_ADD_SUB = re.compile(r"(?P<head>^\s+%\S+ = )(?P<word>f?add|f?sub)(?P<tail> .*)")
_STORE = re.compile(r"^\s+store (?:volatile )?.* (?P<value>\S+), ptr ")
_ARGUMENT = re.compile(r"%([-\w.$]+)(?=[,)])")

_TURNED = {
    "eq": "ne", "ne": "eq",
    "slt": "sge", "sge": "slt", "sgt": "sle", "sle": "sgt",
    "ult": "uge", "uge": "ult", "ugt": "ule", "ule": "ugt",
    "oeq": "une", "une": "oeq", "one": "ueq", "ueq": "one",
    "olt": "uge", "oge": "ult", "ogt": "ule", "ole": "ugt",
}  # fmt: skip
_ROOTS = {"main", "llvm.global_ctors"}
_SWAPPED = {"add": "sub", "sub": "add", "fadd": "fsub", "fsub": "fadd"}


def sites(unit: str, text: str) -> list[Site]:
    """Every mutant that can be made of one unit.

    Args:
        unit: its name.
        text: its unoptimised LLVM IR.
    """
    found: list[Site] = []
    lines = text.split("\n")
    begin: int | None = None
    for number, line in enumerate(lines):
        if line.startswith("define ") and line.rstrip().endswith("{"):
            begin = number
        elif line == "}" and begin is not None:
            found += _function_sites(unit, lines, begin, number)
            begin = None
    return found


def _function_sites(unit: str, lines: Sequence[str], begin: int, end: int) -> Iterator[Site]:
    """The sites of one function, whose `define` is in line `begin` and `}` in line `end`."""
    match = _DEFINE.match(lines[begin])
    if match is None:
        return
    name = match["name"].strip('"')
    returned = _return_type(lines[begin][: match.start("name") - 1])
    if returned is not None and name != "main":
        body = "  ret void" if returned == "void" else f"  ret {returned} zeroinitializer"
        yield Site(unit, name, Kind.EMPTY, begin + 1, end - 1, (body,), body.strip())
    arguments = {f"%{word}" for word in _ARGUMENT.findall(lines[begin])}
    for number in range(begin + 1, end):
        for kind, replacement in _line_mutants(lines[number], arguments):
            now = "".join(replacement).strip() or "nothing"
            detail = f"{_shown(lines[number])} -> {_shown(now)}"
            yield Site(unit, name, kind, number, number, replacement, detail)


def _line_mutants(line: str, arguments: set[str]) -> Iterator[tuple[Kind, tuple[str, ...]]]:
    constant = _CONSTANT.match(line) or _RETURNED.match(line)
    if constant:
        number = int(constant["number"]) + 1
        changed = f"{constant['head']}{number or 1}{constant['tail']}"
        yield Kind.CONSTANT, (changed,)
    comparison = _COMPARE.match(line)
    if comparison and comparison["word"] in _TURNED:
        turned = _TURNED[comparison["word"]]
        yield Kind.COMPARISON, (f"{comparison['head']}{turned}{comparison['tail']}",)
    sum_ = _ADD_SUB.match(line)
    if sum_:
        yield Kind.ARITHMETIC, (f"{sum_['head']}{_SWAPPED[sum_['word']]}{sum_['tail']}",)
    store = _STORE.match(line)
    # Unoptimised code begins by storing its arguments; without that it means nothing at all.
    if store and store["value"] not in arguments:
        yield Kind.STORE, ()


def _return_type(head: str) -> str | None:
    """The type in front of `@name`; `None` for one that is not understood."""
    head = head.rstrip()
    closing = head[-1:]
    if closing in "}]>":
        opening = {"}": "{", "]": "[", ">": "<"}[closing]
        depth = 0
        for position in range(len(head) - 1, -1, -1):
            depth += (head[position] == closing) - (head[position] == opening)
            if depth == 0:
                return head[position:]
        return None
    word = head.rpartition(" ")[2]
    return word if re.fullmatch(r"[\w.%\"]+", word) else None


def _shown(line: str) -> str:
    return line.split(", !", 1)[0].strip()[:80]


def weights(texts: Mapping[str, str], shares: Mapping[str, float]) -> dict[str, float]:
    """How much each function matters, by name; functions that nothing calls are left out.

    Args:
        texts: the units' IR by unit name.
        shares: the profile's shares by function; may be empty.  A function that was inlined
            has none, so half of its callers' weight is passed on to it.
    """
    graph = _references(texts)
    found = {name: share for name, share in shares.items() if name in graph and share > 0}
    roots = sorted(graph.keys() & _ROOTS) or list(graph)
    for name in roots:
        found.setdefault(name, min(found.values(), default=1.0))
    pending = sorted(found, key=lambda name: -found[name])
    while pending:
        caller = pending.pop(0)
        for name in graph.get(caller, ()):
            passed = found[caller] / 2
            if name in graph and passed > found.get(name, 0.0) and passed > 1e-6:
                found[name] = passed
                pending.append(name)
    return found


def _references(texts: Mapping[str, str]) -> dict[str, set[str]]:
    """Which functions and globals each function and global mentions, by name."""
    graph: dict[str, set[str]] = {}
    for text in texts.values():
        current: set[str] | None = None
        for line in text.split("\n"):
            define, variable = _DEFINE.match(line), _GLOBAL.match(line)
            if define:
                current = graph.setdefault(define["name"].strip('"'), set())
            elif variable:
                mentioned = _REFERENCE.findall(line)[1:]
                graph.setdefault(variable["name"].strip('"'), set()).update(
                    name.strip('"') for name in mentioned
                )
            elif line == "}":
                current = None
            elif current is not None and "@" in line:
                current.update(name.strip('"') for name in _REFERENCE.findall(line))
    return graph


def draw(found: Sequence[Site], weight: Mapping[str, float], seed: int) -> Iterator[Site]:
    """The sites in the order in which to try them: kinds take turns, hot functions come first.

    Weighted sampling without replacement (Efraimidis and Spirakis 2006, Information
    Processing Letters 97:181); a function's weight is shared out over its sites of a kind.
    """
    counts: dict[tuple[str, Kind], int] = {}
    for site in found:
        counts[site.function, site.kind] = counts.get((site.function, site.kind), 0) + 1
    dice = random.Random(f"mutants {seed}")
    queues: dict[Kind, list[tuple[float, Site]]] = {kind: [] for kind in Kind}
    for site in found:
        mass = weight.get(site.function, 0.0) / counts[site.function, site.kind]
        chance = 1.0 - dice.random()  # above 0
        if mass > 0:
            queues[site.kind].append((math.log(chance) / mass, site))
    for queue in queues.values():
        queue.sort(key=lambda entry: -entry[0])
    while any(queues.values()):
        for queue in queues.values():
            if queue:
                yield queue.pop(0)[1]
