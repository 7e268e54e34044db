"""IR that LLVM prints on its way through the passes, and IR text without what tells nothing.

clang and opt print the IR around a pass for `-print-before=PASS` and `-print-after=PASS`: one
dump each time it runs, under a heading.  A pass of loops prints the loop that it is run on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_HEADING = re.compile(r"; \*\*\* IR Dump (?:Before|After) \S+ on (.*?)(?: \*\*\*.*)?$")
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
    """The IR around one run of a pass; `where` is what it ran on, in LLVM's words."""

    where: str
    text: str


def read_dumps(text: str) -> tuple[Dump, ...]:
    """Everything that a tool printed around passes, in the order of the runs."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            found.append((heading[1], []))
        elif found:
            found[-1][1].append(line)
    return tuple(Dump(where, "\n".join(lines)) for where, lines in found)


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
