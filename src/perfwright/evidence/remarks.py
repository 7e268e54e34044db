"""Optimisation remarks: what each pass did, did not do, and why.

Reads the YAML that LLVM writes with `clang -fsave-optimization-record=yaml` and `opt
-pass-remarks-output=FILE`: exactly the subset that its serializer emits (one document a
remark, flow maps for places, plain, quoted and literal scalars).  A general YAML reader
takes minutes for the files of a large program; this one streams, and takes seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import IO, Literal

from perfwright.errors import ToolchainError
from perfwright.evidence.location import AS_WRITTEN, Location, SourceRoot

RemarkKind = Literal["passed", "missed", "analysis", "failure"]

_KINDS: Mapping[str, RemarkKind] = {
    "Passed": "passed",
    "Missed": "missed",
    "Analysis": "analysis",
    "AnalysisFPCommute": "analysis",
    "AnalysisAliasing": "analysis",
    "Failure": "failure",
}
_MAGIC = {b"RMRK": "bitstream", b"REMARKS\x00": "yaml-strtab"}
_VECTORISER = ("loop-vectorize", "")  # analyses of loops with a pragma come under no name
_MOST_REASONS = 3
_CHUNK_CHARACTERS = 1 << 20
_CACHED_DOCUMENTS = 4096

_SCALAR = r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|"""
_PLACE = rf"DebugLoc: +\{{ File: ({_SCALAR}[^,\n]+),\s+Line: (\d+),\s+Column: (\d+) \}}"
_DOCUMENT = re.compile(
    rf"--- !(\w+)\nPass: +({_SCALAR}[^\n]*)\nName: +({_SCALAR}[^\n]*)\n(?:{_PLACE}\n)?"
    rf"Function: +({_SCALAR}[^\n]*)\n?(?:Hotness: +(\d+)\n?)?(?:Args:(?: \[\])?\n?)?"
)
_ARGUMENT = re.compile(
    rf"  - ({_SCALAR}[^\s:]+): *({_SCALAR}\|\n(?:      [^\n]*\n|\n)*|[^\n]*)\n?(?:    {_PLACE}\n?)?"
)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_ESCAPED = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r",
    "e": "\x1b", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_INTEGER = re.compile(r"-?\d{1,18}")
_EXPONENT = re.compile(r"-?\d+\.\d+e[+-]\d+")  # how regalloc writes its costs
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MISSPELT = {"treshold": "threshold"}


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark of one pass.

    Attributes:
        kind: whether the pass did something, did not, or explains.
        pass_name: as `opt` names it, for example `loop-vectorize`.
        name: the remark's own name, for example `CantIdentifyArrayBounds`.
        function: the symbol of the function that was being optimised.
        place: where in the source; `None` without debug locations.
        message: what LLVM would print.
        values: the named arguments, snake case (`cost`, `threshold`, `callee`,
            `vectorization_factor`, `unroll_count`, ...); numbers as numbers.
        places: where the things are that the named arguments speak of.
        hotness: profile count, when the compiler had a profile.
        cause: why the loop was not vectorised, where the remark itself does not say.
    """

    kind: RemarkKind
    pass_name: str
    name: str
    function: str
    place: Location | None
    message: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)
    places: Mapping[str, Location] = field(default_factory=dict)
    hotness: int | None = None
    cause: str = ""

    @property
    def is_bare(self) -> bool:
        """Whether it says that a loop was not vectorised, and leaves the reason to others."""
        return self.kind == "missed" and self.name == "MissedDetails"

    @property
    def explained(self) -> str:
        """The message, with the cause if that was told apart from it."""
        return f"{self.message} ({self.cause})" if self.cause else self.message


def read_remarks(
    stream: IO[str], *, root: SourceRoot = AS_WRITTEN, directory: str = ""
) -> Iterator[Remark]:
    """The remarks of an open YAML file, one by one, in the order of the file.

    Memory stays small whatever the size of the file.  Documents that repeat, of which there
    are many, are parsed once.  A document that a crash of the compiler cut off is left out,
    and so are InstructionMix remarks, which say again what the disassembly says better.

    Args:
        stream: the text; `open_remarks` opens a file.
        root: what file names are made relative to.
        directory: where the compiler ran, for relative file names.
    """
    return _explained(_read(stream, _placer(root, directory)))


def _read(stream: IO[str], place: Callable[[str, str, str], Location]) -> Iterator[Remark]:
    seen: dict[str, Remark | None] = {}
    for document in _documents(stream):
        if document not in seen:
            if len(seen) >= _CACHED_DOCUMENTS:
                seen.clear()
            seen[document] = _parse(document, place)
        remark = seen[document]
        if remark is not None:
            yield remark


def _explained(remarks: Iterable[Remark]) -> Iterator[Remark]:
    """The same, those that leave the reason to others with it.

    The vectoriser says why not in analysis remarks, often about another line, and right after
    them the outcome for the loop: the order tells which belong together, the places do not.
    """
    reasons: list[Remark] = []
    for remark in remarks:
        told = remark
        if remark.pass_name in _VECTORISER:
            if reasons and reasons[0].function != remark.function:
                reasons.clear()
            if remark.kind == "analysis":
                reasons.append(remark)
            else:
                told = replace(remark, cause=_cause(remark, reasons)) if remark.is_bare else remark
                reasons.clear()
        yield told


def _cause(remark: Remark, reasons: Iterable[Remark]) -> str:
    """The reasons in the order in which they were found, those elsewhere with their place."""
    said = []
    for reason in reasons:
        text = reason.message.removeprefix("loop not vectorized: ")
        elsewhere = reason.place if reason.place and reason.place.line else remark.place
        said.append(text if elsewhere == remark.place else f"{text} at {elsewhere}")
    distinct = list(dict.fromkeys(said))
    rest = len(distinct) - _MOST_REASONS
    return "; ".join([*distinct[:_MOST_REASONS], *([f"{rest} more"] if rest > 0 else [])])


def parse_remark(document: str) -> Remark | None:
    """The remark in one YAML document, from its `--- !Kind` on; `None` if there is none."""
    return _parse(document, _placer(AS_WRITTEN, ""))


def open_remarks(path: Path) -> IO[str]:
    """Open a remark file for `read_remarks`.

    Raises:
        ToolchainError: the file is in one of LLVM's binary forms.
    """
    with path.open("rb") as stream:
        start = stream.read(8)
    for magic, form in _MAGIC.items():
        if start.startswith(magic):
            raise ToolchainError(
                f"the remarks in {path.name} are in the form {form}",
                hint="compile with -fsave-optimization-record=yaml",
            )
    return path.open(encoding="utf-8", errors="replace")


def _documents(stream: IO[str]) -> Iterator[str]:
    rest = ""
    while chunk := stream.read(_CHUNK_CHARACTERS):
        *whole, rest = (rest + chunk).split("\n...\n")
        yield from whole
    if rest.endswith("\n..."):
        yield rest[:-4]


def _parse(document: str, place: Callable[[str, str, str], Location]) -> Remark | None:
    if "\nName:            InstructionMix\n" in document:
        return None
    head = _DOCUMENT.match(document)
    if head is None:
        return None
    tag, pass_name, name, file, line, column, function, hotness = head.groups()
    message: list[str] = []
    values: dict[str, str | int | float] = {}
    places: dict[str, Location] = {}
    for key, raw, *where in _ARGUMENT.findall(document, head.end()):
        value = _scalar(raw) if raw[:1] in ("'", '"', "|") else raw
        message.append(value)
        if key != "String":
            word = _snake(key)
            values.setdefault(word, _value(value))
            if where[0]:
                places.setdefault(word, place(*where))
    return Remark(
        kind=_KINDS.get(tag, "analysis"),
        pass_name=_scalar(pass_name),
        name=_scalar(name),
        function=_scalar(function),
        place=place(file, line, column) if file else None,
        message="".join(message),
        values=values,
        places=places,
        hotness=int(hotness) if hotness else None,
    )


def _placer(root: SourceRoot, directory: str) -> Callable[[str, str, str], Location]:
    """Makes places from the text of a DebugLoc; each file name is worked out only once."""
    files: dict[str, str] = {}

    def place(file: str, line: str, column: str) -> Location:
        if file not in files:
            files[file] = root.name(_scalar(file), directory)
        return Location(files[file], int(line), int(column))

    return place


def _scalar(text: str) -> str:
    """The value of a plain, quoted or literal YAML scalar."""
    mark = text[:1]
    if mark == "'":
        return text[1:-1].replace("''", "'")
    if mark == '"':
        return _ESCAPE.sub(_unescape, text[1:-1]) if "\\" in text else text[1:-1]
    if mark == "|":
        return "".join(f"{line[6:]}\n" for line in text.splitlines()[1:])
    return text


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    return chr(int(code, 16)) if code else _ESCAPED.get(match[4], match[4])


def _value(text: str) -> str | int | float:
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _EXPONENT.fullmatch(text) else text


@cache
def _snake(key: str) -> str:
    """LLVM's `NumVRCopies` as `num_vr_copies`; its misspellings put right."""
    word = _WORD_START.sub("_", _scalar(key)).lower().replace(" ", "_")
    return _MISSPELT.get(word, word)
