"""Text of the program and the compiler as data: visible, short, and shut in between fences.

Nothing between `<data>` and `</data>` can close the fence, hide in characters that nobody sees,
or make a request longer than it is meant to be.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from perfwright.core.evidence import Fact

FENCES = "<data>", "</data>"
_OPEN, _CLOSE = FENCES
_FENCE = re.compile(r"<(?=\s*/?\s*data)", re.IGNORECASE)
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Printable to Python and blank to the eye: Unicode's Default_Ignorable_Code_Point, and the
empty braille pattern; variation selectors are the ranges below."""

_LONGEST_FACT = 300
_LONGEST_REFUSAL = 300
_ALIKE = 3
_NEAREST = 5
_LIST = re.compile(r"(?:[^\s,;:()]+, ){7,}(?:or |and )?[^\s,;:()]+")
_QUOTED = re.compile(r"'([^']+)'")


def plain(text: str, longest: int = _LONGEST_FACT) -> str:
    """Text of the program in one line that cannot end its fence and hides nothing.

    What the eye would not see (zero-width, bidirectional controls, control characters) is
    shown as an escape.
    """
    shown = "".join(_visible(c) for c in text)
    shown = _FENCE.sub("(", " ".join(shown.split()))
    return shown if len(shown) <= longest else shown[: longest - 3] + "..."


def _visible(character: str) -> str:
    code = ord(character)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    if character.isspace():
        return " "
    if character.isprintable() and character not in _UNSEEN and not selector:
        return character
    return f"\\u{{{code:x}}}"


def fenced(lines: Iterable[str], budget: int) -> str:
    """Lines as data, as many as fit into so many characters."""
    kept: list[str] = []
    rest = 0
    for line in lines:
        if rest or len(line) + 1 > budget:
            rest += 1
            continue
        budget -= len(line) + 1
        kept.append(line)
    if rest:
        kept.append(f"({rest} more left out)")
    return closed(kept)


def closed(lines: Iterable[str]) -> str:
    """Lines between fences."""
    return "\n".join([_OPEN, *lines, _CLOSE])


def refusal(reason: str, longest: int = _LONGEST_REFUSAL) -> str:
    """Why something was refused, in a line; of a long list the names nearest to the wrong one."""
    found = _QUOTED.search(reason)
    wrong = found[1] if found else ""

    def nearest(match: re.Match[str]) -> str:
        names = [name.removeprefix("or ").removeprefix("and ") for name in match[0].split(", ")]
        near = difflib.get_close_matches(wrong, names, n=_NEAREST, cutoff=0.0)
        return f"{', '.join(near)} and {len(names) - len(near)} more"

    return plain(_LIST.sub(nearest, reason), longest)


def fact_line(fact: Fact, longest: int = _LONGEST_FACT) -> str:
    """A fact in a line: id, place, text; the text is cut at so many characters."""
    where = plain(fact.where, 80)
    return f"[{plain(fact.id, 120)}] {where + ': ' if where else ''}{plain(fact.text, longest)}"


def group_line(facts: Sequence[Fact]) -> str:
    """Facts that say the same in a line: the first, and where the others are."""
    line = fact_line(facts[0])
    places = list(dict.fromkeys(plain(f.where, 80) for f in facts[1:] if f.where != facts[0].where))
    if not places:
        return line
    more = f" and {len(places) - _ALIKE} more" if len(places) > _ALIKE else ""
    return f"{line}; also {', '.join(places[:_ALIKE])}{more}"
