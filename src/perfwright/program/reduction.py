"""Makes a reproducer small: llvm-reduce, as long as the tool fails in the same way.

Two failures are the same when they are of one kind and have the same signature: the assertion
or fatal error, or for a plain crash the pass and the innermost functions.
"""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from perfwright.program.build import OUT_OF_MEMORY, Kind
from perfwright.program.reproducer import SCRIPT, Reproducer, signature
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, Runner, run
from perfwright.units import Bytes, Seconds

CHECK = "check.sh"
REDUCED = "reduced.bc"
READABLE = "reduced.ll"

_BEST = "best.bc"
_NEXT = "next.bc"
_LAST = "check-last.bc"
_SAID = "check-said.txt"
_MEMORY = Bytes(8 << 30)
_LONGEST = 10
"""Seconds that a variant may take; one that hangs costs all of them."""


@dataclass(frozen=True)
class Reduction:
    """How small it got.

    Attributes:
        bitcode: the smallest input that still shows the failure.
        before, after: sizes of the input, in bytes of bitcode.
        finished: whether llvm-reduce came to its end; else the time was up.
        readable: the same as text, where llvm-dis is installed.
    """

    bitcode: Path
    before: Bytes
    after: Bytes
    finished: bool
    readable: Path | None = None


def check_script(kind: Kind, texts: tuple[str, ...], seconds: int) -> str:
    """The text of `check.sh FILE`: status 0 when FILE fails in the same way; pure.

    It runs under limits, and keeps a copy of the last file that did.
    """
    here = '"$here"'
    lines = [
        "#!/bin/sh",
        'here=$(cd "$(dirname "$0")" && pwd)',
        f"ulimit -v {_MEMORY >> 10}",
        f'timeout -k 1 {seconds} sh {here}/{SCRIPT} "$1" >{here}/{_SAID} 2>&1 </dev/null',
        "status=$?",
    ]
    hung = '[ "$status" -eq 124 ] || [ "$status" -eq 137 ]'
    if kind == "timeout":
        lines.append(f"{hung} || exit 1")
    else:
        lines.append(f'if [ "$status" -eq 0 ] || {hung}; then exit 1; fi')
        wanted = texts
        if kind == "memory":
            words = " ".join(f"-e {shlex.quote(text)}" for text in OUT_OF_MEMORY)
            lines.append(f"grep -qF {words} {here}/{_SAID} || exit 1")
            wanted = ()
        lines += [f"grep -qF -e {shlex.quote(t)} {here}/{_SAID} || exit 1" for t in wanted]
    # In one step: llvm-reduce may be stopped at any moment.
    lines += [f'cp "$1" {here}/{_NEXT} && mv {here}/{_NEXT} {here}/{_BEST}']
    return "\n".join(lines) + "\n"


def reduce(
    found: Reproducer, toolchain: Toolchain, seconds: Seconds, *, runner: Runner = run
) -> Reduction | None:
    """Shrink the input of a reproducer; `None` when it has none, or does not show the failure.

    Args:
        found: what was saved.
        toolchain: whose llvm-reduce works.
        seconds: wall time for all of it.
        runner: runs the tools.

    Raises:
        ToolchainError: llvm-reduce is not installed.
    """
    if found.reducible is None:
        return None
    folder = found.folder
    check = folder / CHECK
    limit = max(1, min(_LONGEST, int(seconds / 8)))
    check.write_text(check_script(found.kind, signature(found.said), limit), encoding="utf-8")
    check.chmod(0o755)
    words = [str(toolchain.tool("llvm-reduce")), f"--test={check}", "-o", str(folder / _LAST)]
    # Its own crashes are none of ours: what counts is the last variant that passed the check.
    ran = runner([*words, str(found.reducible)], cwd=folder, limits=Limits(wall=seconds))
    best = folder / _BEST
    if not best.is_file():
        return None
    before = Bytes(found.reducible.stat().st_size)
    shutil.move(best, folder / REDUCED)
    for scrap in (_SAID, _LAST, _NEXT, "output", "linked.o"):
        (folder / scrap).unlink(missing_ok=True)
    text = _as_text(folder, toolchain, runner)
    after = Bytes((folder / REDUCED).stat().st_size)
    return Reduction(folder / REDUCED, before, after, ran.ok, text)


def _as_text(folder: Path, toolchain: Toolchain, runner: Runner) -> Path | None:
    if not toolchain.has("llvm-dis"):
        return None
    text = folder / READABLE
    return text if runner([toolchain.tool("llvm-dis"), folder / REDUCED, "-o", text]).ok else None
