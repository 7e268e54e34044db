"""One root error; its subclasses are named by who has to act.

Every error says three things: the fact, the cause where it is known, and the next thing
to type.  The command line prints them without a traceback and leaves with `exit_status`
(DESIGN.md, section 5).  What a *tool* did (a compiler crash, a time-out) is not an error
but a value: see `perfwright.toolchain.process.ProcessResult`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

_NEAR = 0.6
"""How like a known name (`difflib`, 0 to 1) a typing error is, at least."""


class PerfwrightError(Exception):
    """Root of all errors that perfwright raises on purpose.

    Args:
        fact: what is wrong, in one sentence, naming the thing.
        cause: why, as far as it is known.
        hint: the next thing to type or to change.
    """

    exit_status: ClassVar[int] = 6

    def __init__(self, fact: str, *, cause: str = "", hint: str = "") -> None:
        super().__init__(fact)
        self.fact = fact
        self.cause = cause
        self.hint = hint

    @property
    def summary(self) -> str:
        """Fact and cause in one piece: what is stored, and what a document says."""
        return ": ".join(filter(None, (self.fact, self.cause)))

    def __str__(self) -> str:
        lines = [self.fact]
        if self.cause:
            lines.append(f"  cause: {self.cause}")
        if self.hint:
            lines.append(f"  try:   {self.hint}")
        return "\n".join(lines)


class UserError(PerfwrightError):
    """The command line or an input file is wrong; the user changes it."""

    exit_status = 2


class ToolchainError(PerfwrightError):
    """A tool is missing or unfit; the user installs or selects another."""

    exit_status = 3


class ProgramError(PerfwrightError):
    """The program cannot be built, run or judged; its author acts."""

    exit_status = 4


class MindError(PerfwrightError):
    """The model or the network failed; the user checks key, address or budget."""

    exit_status = 5


class InternalError(PerfwrightError):
    """Our fault, or the machine's (a full disk, a broken journal)."""

    exit_status = 6


def shortened(text: str, limit: int = 80) -> str:
    """A text for a message: what somebody typed or a model wrote, at most `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def unknown_name(
    kind: str, name: str, known: Iterable[str], *, limit: int = 5, everything: str = ""
) -> UserError:
    """The error for a name that nobody knows; lists the known ones, nearest first.

    Args:
        kind: what it should be a name of.
        name: as it was given.
        known: all that there are.
        limit: how many of them are listed.
        everything: what to type to see them all; said when there are more and none is near.

    >>> print(unknown_name("pass", "licmm", ["gvn", "licm"]))
    unknown pass 'licmm'
      cause: known: licm, gvn
      try:   licm
    """
    choices = sorted(set(known))
    name = shortened(name)
    near = difflib.get_close_matches(name, choices, n=limit, cutoff=_NEAR)
    ordered = [*near, *(c for c in choices if c not in near)]
    fact, more = f"unknown {kind} {name!r}", len(ordered) > limit
    if more and everything and not near:
        return UserError(fact, cause=f"none of {len(ordered)} is like it", hint=everything)
    rest = f", ... ({len(ordered)} in all)" if more else ""
    return UserError(
        fact,
        cause=f"known: {', '.join(ordered[:limit])}{rest}" if ordered else "none is known",
        hint=near[0] if near else "",
    )
