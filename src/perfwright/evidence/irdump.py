"""IR that LLVM prints on its way through the passes, and IR text without what tells nothing.

clang and opt print the IR around a pass for `-print-before=PASS` and `-print-after=PASS`: one
dump each time it runs, under a heading.  A pass of loops prints the loop that it is run on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEADING = re.compile(
    r"; \*\*\* IR Dump (Before|After) (\S+) on (.*?)( \(invalidated\))?(?: \*\*\*.*)?$"
)
_DEFINED = re.compile(r'define [^@]*@(?:"((?:[^"\\]|\\.)*)"|([-\w$.]+))\(')
_LOOP_PARTS = ("; Preheader:", "; Loop:", "; Exit blocks")
_SAYS_NOTHING = re.compile(
    r"#dbg_|(?:tail )?call void @llvm\.(?:lifetime|dbg|experimental\.noalias\.scope)\b"
)
_ATTACHED = re.compile(
    r",? ![\w.]+(?: !\d+)?(?=,| *\{?$)|,? #\d+\b(?= *(?:[{!,]|$))| +; preds = .*"
)
_WORDS = re.compile(
    r"\b(?:noundef|dso_local|local_unnamed_addr|unnamed_addr) |, align \d+\b|\balign \d+ (?=[\w%@])"
)


@dataclass(frozen=True)
class Dump:
    """The IR on one side of a run of a pass.

    Attributes:
        where: what it ran on, in LLVM's words.
        text: that, or the whole function where it is `gone`.
        after: on which side.
        by: LLVM's class of the pass, `LICMPass`.
        gone: the pass deleted the loop that it ran on, or has it visited anew.
    """

    where: str
    text: str
    after: bool = False
    by: str = ""
    gone: bool = False


@dataclass(frozen=True)
class Run:
    """One run of a pass; `after` is `None` where nothing was printed behind it."""

    before: Dump
    after: Dump | None


def read_dumps(text: str) -> tuple[Dump, ...]:
    """Everything that a tool printed around passes, in the order of the runs."""
    found: list[tuple[re.Match[str], list[str]]] = []
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            found.append((heading, []))
        elif found:
            found[-1][1].append(line)
    return tuple(
        Dump(head[3], "\n".join(lines), head[1] == "After", head[2], head[4] is not None)
        for head, lines in found
    )


def runs(dumps: Sequence[Dump], marker: str = "") -> tuple[Run, ...]:
    """The runs of a pass that was printed on both sides.

    Args:
        dumps: in the order that they were printed.
        marker: class of a pass that does nothing, printed before it runs; then only the runs
            that come right behind one of it, on the same loop or function.
    """
    found = []
    for earlier, dump, later in zip((None, *dumps), dumps, (*dumps[1:], None), strict=False):
        if dump.after or dump.by == marker:
            continue
        if marker and (earlier is None or (earlier.by, earlier.where) != (marker, dump.where)):
            continue
        ended = later is not None and later.after and later.by == dump.by
        found.append(Run(dump, later if ended else None))
    return tuple(found)


def defined(text: str) -> str:
    """The symbol of the first function that a text defines; empty when it defines none."""
    match = _DEFINED.search(text)
    return (match[1] or match[2]) if match else ""


def lean(lines: Iterable[str]) -> str:
    """IR in fewer words: without attribute groups, metadata, debug records, life times.

    Nor does it keep alignments, predecessors (branches say them) and empty lines.  What says
    something to an optimiser stays: `nsw`, `inbounds`, fast-math flags, `noalias`, `captures`.
    """
    return "\n".join(line for line in map(_lean_line, lines) if line)


def _lean_line(line: str) -> str:
    bare = line.strip()
    if bare.startswith(";"):
        return bare if bare.startswith(_LOOP_PARTS) else ""
    if _SAYS_NOTHING.match(bare):
        return ""
    return _WORDS.sub("", _ATTACHED.sub("", bare)).rstrip()
