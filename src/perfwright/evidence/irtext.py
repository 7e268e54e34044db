"""The text of an IR module: linkage, calls, opcodes and source places of its functions.

Reads what `opt -S` prints.  Only what no printed analysis of LLVM says is taken from here:
which functions are local, which have their address taken, where calls and loops are in
the source, and how many instructions of each sort there are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from perfwright.evidence.location import AS_WRITTEN, Location, SourceRoot

_NAME = r'(?:"((?:[^"\\]|\\.)*)"|([-\w$.]+))'
_DEFINE = re.compile(rf"define (?P<words>[^@]*)@{_NAME}\(")
_LABEL = re.compile(rf"{_NAME}:")
_OPCODE = re.compile(r'  (?:%(?:"[^"]*"|\S+) = )?(?:(?:tail|musttail|notail) )?(\w+)')
_CALLEE = re.compile(rf'(?:@{_NAME}|%"[^"]*"|%[-\w$.]+)\(')
_GLOBAL = re.compile(rf"@{_NAME}")
_TEXT_CONSTANT = re.compile(r'c"[^"]*"')
_ATTACHED = re.compile(r"!(dbg|llvm\.loop) !(\d+)")
_METADATA = re.compile(
    r"!(\d+) = (?:distinct )?!(DILocation|DISubprogram|DILexicalBlock\w*|DIFile)?"
)
_FIELD = re.compile(r"(\w+): (?:\"((?:[^\"\\]|\\.)*)\"|([^,()]+))")
_REFERENCE = re.compile(r"!(\d+)")
_LOCAL_LINKAGE = frozenset({"internal", "private"})
_LINKAGES = _LOCAL_LINKAGE | {
    "available_externally", "linkonce", "linkonce_odr", "weak", "weak_odr", "appending",
    "extern_weak", "common",
}  # fmt: skip
_INVOKE_TAIL = "          to label "
_CALLS = frozenset({"call", "invoke", "callbr"})


@dataclass(frozen=True, slots=True)
class CallSite:
    """One call: `callee` is empty for a call through a pointer."""

    callee: str
    block: str
    place: Location | None


@dataclass(frozen=True, slots=True)
class LoopExtent:
    """From where to where a loop goes in the source, as the front end says; else unknown."""

    start: Location | None
    end: Location | None


@dataclass(frozen=True)
class FunctionText:
    """What the text says of one defined function.

    Attributes:
        linkage: LLVM's word; `external` where it writes none.
        opcodes: instructions by opcode; `br` counts conditional branches only and `jump`
            the others.
        latches: extents of loops by the name of their latch block.
        first_places: the first known source place of each block.
    """

    name: str
    linkage: str
    place: Location | None
    opcodes: Mapping[str, int] = field(default_factory=dict)
    calls: tuple[CallSite, ...] = ()
    latches: Mapping[str, LoopExtent] = field(default_factory=dict)
    first_places: Mapping[str, Location] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        """Whether no other unit can see it."""
        return self.linkage in _LOCAL_LINKAGE


@dataclass(frozen=True)
class ModuleText:
    """What the text says of a module: its functions, and which names are used as values."""

    source: str
    functions: tuple[FunctionText, ...]
    address_taken: frozenset[str]


def parse_module(text: str, root: SourceRoot = AS_WRITTEN) -> ModuleText:
    """Read the text of a module.

    Args:
        text: what `opt -S` or `llvm-dis` prints.
        root: what source names are made relative to.
    """
    lines = text.splitlines()
    places = _Places(lines, root)
    source = ""
    functions: list[FunctionText] = []
    taken: set[str] = set()
    body: list[str] | None = None
    for line in lines:
        if body is not None:
            if line == "}":
                functions.append(_function(body, places, taken))
                body = None
            elif line.startswith(_INVOKE_TAIL):
                body[-1] += line
            else:
                body.append(line)
        elif line.startswith("define "):
            body = [line]
        elif line.startswith("@"):
            # What a global's initialiser names has its address taken.
            taken.update(_names(_TEXT_CONSTANT.sub("", line).split(" = ", 1)[-1]))
        elif line.startswith("source_filename = "):
            source = line.split('"')[1]
    return ModuleText(root.name(source, places.directory), tuple(functions), frozenset(taken))


def _function(body: list[str], places: _Places, taken: set[str]) -> FunctionText:
    define = _DEFINE.match(body[0])
    assert define is not None, body[0]
    words = define["words"].split()
    attached = dict(_ATTACHED.findall(body[0]))
    reader = _Body(places, taken)
    for line in body[1:]:
        reader.read(line)
    return FunctionText(
        name=_unquote(define[2], define[3]),
        linkage=next((word for word in words if word in _LINKAGES), "external"),
        place=places.subprogram(attached.get("dbg", "")),
        opcodes=dict(reader.opcodes),
        calls=tuple(reader.calls),
        latches=reader.latches,
        first_places=reader.first_places,
    )


class _Body:
    """Reads the lines of one function body."""

    def __init__(self, places: _Places, taken: set[str]) -> None:
        self.places = places
        self.taken = taken
        self.block = ""
        self.opcodes: Counter[str] = Counter()
        self.calls: list[CallSite] = []
        self.latches: dict[str, LoopExtent] = {}
        self.first_places: dict[str, Location] = {}

    def read(self, line: str) -> None:
        if not line.startswith(" "):
            if label := _LABEL.match(line):
                self.block = _unquote(label[1], label[2])
            return
        match = _OPCODE.match(line)
        if match is None:
            return  # the continuation of a switch or of a landing pad, or a debug record
        attached = dict(_ATTACHED.findall(line))
        place = self.places.location(attached.get("dbg", ""))
        if place is not None:
            self.first_places.setdefault(self.block, place)
        if "llvm.loop" in attached:
            self.latches[self.block] = self.places.loop(attached["llvm.loop"])
        self._instruction(match[1], line, place)

    def _instruction(self, opcode: str, line: str, place: Location | None) -> None:
        callee = None
        if opcode in _CALLS:
            callee = None if " asm " in line else _CALLEE.search(line)
            name = _unquote(callee[1], callee[2]) if callee else ""
            if " asm " in line:
                opcode = "asm"
            elif name.startswith("llvm."):
                opcode = "intrinsic"
            else:
                self.calls.append(CallSite(name, self.block, place))
        elif opcode == "br" and ", label" not in line:
            opcode = "jump"
        self.opcodes[opcode] += 1
        if "@" in line:
            rest = line if callee is None else line[: callee.start()] + line[callee.end() :]
            self.taken.update(_names(_TEXT_CONSTANT.sub("", rest)))


class _Places:
    """The debug locations of a module, worked out when asked for."""

    def __init__(self, lines: Iterable[str], root: SourceRoot) -> None:
        self._root = root
        self._nodes: dict[str, tuple[str, str]] = {}
        self._memo: dict[str, Location | None] = {}
        self.directory = ""
        for line in lines:
            if line.startswith("!") and (match := _METADATA.match(line)):
                self._nodes[match[1]] = (match[2] or "", line[match.end() :])
                if match[2] == "DIFile" and not self.directory:
                    self.directory = self._fields(line).get("directory", "")

    @staticmethod
    def _fields(text: str) -> dict[str, str]:
        return {key: quoted or plain.strip() for key, quoted, plain in _FIELD.findall(text)}

    def location(self, node: str) -> Location | None:
        """The place of a DILocation; `None` when there is none, or it is line 0."""
        if node not in self._memo:
            self._memo[node] = self._location(node)
        return self._memo[node]

    def _location(self, node: str) -> Location | None:
        kind, text = self._nodes.get(node, ("", ""))
        if kind != "DILocation":
            return None
        fields = self._fields(text)
        line = int(fields.get("line", "0"))
        if not line:
            return None
        return Location(self._file(fields.get("scope", "")), line, int(fields.get("column", "0")))

    def subprogram(self, node: str) -> Location | None:
        """Where a function is defined."""
        kind, text = self._nodes.get(node, ("", ""))
        if kind != "DISubprogram":
            return None
        return Location(self._file(f"!{node}"), int(self._fields(text).get("line", "0")))

    def loop(self, node: str) -> LoopExtent:
        """The extent in the operands of `!llvm.loop` metadata: start, then end."""
        _, text = self._nodes.get(node, ("", ""))
        found = [self.location(reference) for reference in _REFERENCE.findall(text)]
        known = [place for place in found if place is not None]
        return LoopExtent(known[0] if known else None, known[1] if len(known) > 1 else None)

    def _file(self, reference: str) -> str:
        """The file of a scope: of itself or of the nearest scope around it that says."""
        for _ in range(64):  # a broken module may have a cycle
            kind, text = self._nodes.get(reference.lstrip("!"), ("", ""))
            fields = self._fields(text)
            if kind == "DIFile":
                return self._root.name(fields.get("filename", ""), fields.get("directory", ""))
            reference = fields.get("file") or fields.get("scope", "")
            if not reference:
                break
        return ""


def _unquote(quoted: str | None, plain: str | None) -> str:
    return quoted if quoted is not None else plain or ""


def _names(text: str) -> Iterable[str]:
    return (quoted or plain for quoted, plain in _GLOBAL.findall(text))
