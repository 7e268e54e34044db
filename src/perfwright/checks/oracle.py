"""The oracle: whether two runs gave the same result, and if not, where they part.

Compared are exit status, standard output and the files that the oracle names; exactly, or
with a tolerance for floating-point numbers.  Standard error is not compared.  A run that did
not end by itself never passes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from perfwright.measure.runner import RunResult
from perfwright.program.spec import Oracle
from perfwright.program.tables import Tolerance

STDOUT = "standard output"

_NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:nan|inf(?:inity)?)(?![\w.])|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"[-+]?\d+")
_SPACES = re.compile(r"\s+")
_SHOWN = 70
_BEFORE = 25


@dataclass(frozen=True)
class Mismatch:
    """The first place where a run parts from what was expected.

    `where` is `exit status`, `standard output`, `out.bin`, or empty when the run did not end
    by itself; `line` counts from 1, 0 when lines mean nothing there.
    """

    where: str
    expected: str
    got: str
    line: int = 0

    def __str__(self) -> str:
        if not self.where:
            return self.got
        place = f"line {self.line} of {self.where}" if self.line else self.where
        return f"{place}: expected {self.expected}, got {self.got}"


def compare(
    expected: RunResult, got: RunResult, oracle: Oracle, *, output: bool = True
) -> Mismatch | None:
    """The first difference between two runs; `None` when they gave the same result.

    Args:
        expected: a run that is known to be right; it ended by itself.
        got: the run to be judged.
        oracle: what counts.
        output: whether standard output counts; not for a user's own benchmark whose output
            differs from run to run.
    """
    if not got.exited:
        return Mismatch("", "", got.ending())
    if got.status != expected.status:
        return Mismatch("exit status", str(expected.status), str(got.status))
    if output:
        found = compare_bytes(STDOUT, expected.stdout, got.stdout, oracle.stdout)
        if found is not None:
            return found
    for name in oracle.files:
        found = _compare_file(
            name, expected.output_files.get(name), got.output_files.get(name), oracle
        )
        if found is not None:
            return found
    return None


def _compare_file(
    name: str, expected: bytes | None, got: bytes | None, oracle: Oracle
) -> Mismatch | None:
    if expected is None or got is None:
        if expected is got:
            return None
        return Mismatch(name, _file_or_none(expected), _file_or_none(got))
    return compare_bytes(name, expected, got, oracle.stdout)


def compare_bytes(where: str, expected: bytes, got: bytes, how: Tolerance | str) -> Mismatch | None:
    """The first difference between two contents; `None` when there is none that counts."""
    if expected == got:
        return None
    if expected and not got:
        return Mismatch(where, f"{len(expected)} bytes", "nothing")
    wanted, found = _text(expected), _text(got)
    if wanted is None or found is None:
        return _binary_mismatch(where, expected, got)
    tolerance = how if isinstance(how, Tolerance) else None
    mismatch = _line_mismatch(where, wanted.splitlines(), found.splitlines(), tolerance)
    if mismatch is None and tolerance is None:
        # Only the kind of line ends differs, or the one at the end of the file.
        return _binary_mismatch(where, expected, got)
    return mismatch


def _line_mismatch(
    where: str, expected: list[str], got: list[str], tolerance: Tolerance | None
) -> Mismatch | None:
    for number, (wanted, found) in enumerate(zip_longest(expected, got), start=1):
        if wanted == found:
            continue
        if wanted is None or found is None:
            return Mismatch(where, _line_or_end(wanted), _line_or_end(found), number)
        if tolerance is None or not close(wanted, found, tolerance):
            start = _first_difference(wanted, found)
            return Mismatch(where, _shortened(wanted, start), _shortened(found, start), number)
    return None


def close(expected: str, got: str, tolerance: Tolerance) -> bool:
    """Whether two lines are equal but for numbers that are nearly so.

    Words between numbers must be equal, their spacing need not (columns move with the width
    of numbers).  Two whole numbers must be equal: a count that is off by one is wrong, however
    large it is.
    """
    return all(
        wanted is not None and found is not None and _same(wanted, found, tolerance)
        for wanted, found in zip_longest(_tokens(expected), _tokens(got))
    )


def _tokens(line: str) -> Iterator[str]:
    """Words and numbers in turn, beginning and ending with words."""
    position = 0
    for match in _NUMBER.finditer(line):
        yield _SPACES.sub(" ", line[position : match.start()]).strip()
        yield match[0]
        position = match.end()
    yield _SPACES.sub(" ", line[position:]).strip()


def _same(expected: str, got: str, tolerance: Tolerance) -> bool:
    if expected == got:
        return True
    if not (_NUMBER.fullmatch(expected) and _NUMBER.fullmatch(got)):
        return False
    if _WHOLE.fullmatch(expected) and _WHOLE.fullmatch(got):
        return int(expected) == int(got)
    wanted, found = float(expected), float(got)
    if math.isnan(wanted) or math.isnan(found):
        return math.isnan(wanted) and math.isnan(found)
    return math.isclose(wanted, found, rel_tol=tolerance.rel, abs_tol=tolerance.abs)


def _text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _binary_mismatch(where: str, expected: bytes, got: bytes) -> Mismatch:
    start = next(
        (i for i, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b),
        min(len(expected), len(got)),
    )
    return Mismatch(where, _bytes_at(expected, start), _bytes_at(got, start))


def _bytes_at(data: bytes, start: int) -> str:
    shown = data[start : start + 8].hex(" ") or "the end"
    return f"{shown} at byte {start} of {len(data)}"


def _file_or_none(data: bytes | None) -> str:
    return "no file" if data is None else "a file"


def _line_or_end(line: str | None) -> str:
    return "the end" if line is None else _shortened(line, 0)


def _first_difference(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _shortened(line: str, start: int) -> str:
    """The part of a line around its first difference, in quotes."""
    begin = max(0, start - _BEFORE) if len(line) > _SHOWN else 0
    part = line[begin : begin + _SHOWN]
    dots = ("..." if begin else "", "..." if begin + _SHOWN < len(line) else "")
    return f"{dots[0]}{part!r}{dots[1]}"
