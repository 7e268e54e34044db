"""What one installed LLVM says about itself: its passes, its pipelines, its options.

Parsing is pure (`parse_*`, text in, values out); asking the tools is in `about`.  All
values are plain frozen dataclasses, so that pydantic's `TypeAdapter` stores them per toolchain.

Sources: `opt --print-passes`, `opt -print-pipeline-passes`, and of each tool `--help-hidden`
and `--print-all-options`.  clang prints the options that `-mllvm` takes only when it has
something to compile; ld.lld prints them without any input.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property


class PassKind(StrEnum):
    """What a pass runs on; the headings of `opt --print-passes`."""

    MODULE = "module"
    CGSCC = "cgscc"
    FUNCTION = "function"
    LOOPNEST = "loopnest"
    LOOP = "loop"
    MACHINE_MODULE = "machine-module"
    MACHINE_FUNCTION = "machine-function"


@dataclass(frozen=True)
class PassInfo:
    """One pass as `opt --print-passes` lists it.

    Attributes:
        name: as written in a pipeline, before any parameters: `licm`, `print<loops>`.
        kind: what it runs on; `verify` and a few more are listed once for each kind.
        parameters: the forms it lists (`no-pre`, `max-iterations=N`); `None` where it takes
            none.  The list is not complete: LLVM 19 prints `licm<no-allowspeculation>`
            and lists `allowspeculation` only.
    """

    name: str
    kind: PassKind
    parameters: tuple[str, ...] | None = None


@dataclass(frozen=True)
class AnalysisInfo:
    """One analysis, as in `require<globals-aa>` and `invalidate<aa>`."""

    name: str
    kind: PassKind


@dataclass(frozen=True)
class PassRegistry:
    """The passes of one LLVM.

    Attributes:
        passes: in the order listed; a name stands once for each kind.
        analyses: in the order listed; alias analyses among them.
        pipelines: what `default<O3>`, `lto<O3>`... mean for the triple that was asked about,
            as text without the `verify` that opt appends.
        adaptors: the nesting words that this opt takes (`function`, `loop-mssa`, ...).
        needs_memory_ssa: loop passes that abort in `loop(...)` and run in `loop-mssa(...)`.
        refuses_memory_ssa: loop passes that abort in `loop-mssa(...)` and run in `loop(...)`.
    """

    passes: tuple[PassInfo, ...]
    analyses: tuple[AnalysisInfo, ...] = ()
    pipelines: Mapping[str, str] = field(default_factory=dict)
    adaptors: tuple[str, ...] = ()
    needs_memory_ssa: tuple[str, ...] = ()
    refuses_memory_ssa: tuple[str, ...] = ()

    @cached_property
    def _by_name(self) -> dict[str, list[PassInfo]]:
        table: dict[str, list[PassInfo]] = {}
        for info in self.passes:
            table.setdefault(info.name, []).append(info)
        return table

    def find(self, name: str) -> tuple[PassInfo, ...]:
        """All passes of this name, one for each kind; empty when there is none."""
        return tuple(self._by_name.get(name, ()))

    def kinds(self, name: str) -> frozenset[PassKind]:
        """What passes of this name run on; empty when there is none."""
        return frozenset(info.kind for info in self.find(name))

    def analysis_kinds(self, name: str) -> frozenset[PassKind]:
        """What analyses of this name are computed for; empty when there is none."""
        return frozenset(info.kind for info in self.analyses if info.name == name)

    def names(self) -> tuple[str, ...]:
        """All pass names, sorted, each once."""
        return tuple(sorted(self._by_name))


class OptionType(StrEnum):
    """What value an option takes, as `--help-hidden` shows it."""

    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    NUMBER = "number"
    STRING = "string"
    ENUM = "enum"


@dataclass(frozen=True)
class Option:
    """One command-line option of LLVM (`-mllvm NAME=VALUE`).

    Attributes:
        name: without dashes.
        type: what value it takes; file names, patterns and lists are strings.
        values: of an enum, the values in the order listed; else empty.
        initial: the default as printed (`true`/`false` for a bool); `None` where the tool
            prints none.  It is what the variable starts with, not what -O3 uses
            (`unroll-threshold`: 0 printed, 300 used).
        help: the one line of help, often empty.
        tools: which of `opt`, `clang`, `lld` take it.
    """

    name: str
    type: OptionType
    values: tuple[str, ...] = ()
    initial: str | None = None
    help: str = ""
    tools: tuple[str, ...] = ()


@dataclass(frozen=True)
class OptionTable:
    """The options of one LLVM, sorted by name, each once."""

    options: tuple[Option, ...]

    @cached_property
    def _by_name(self) -> dict[str, Option]:
        return {option.name: option for option in self.options}

    def find(self, name: str) -> Option | None:
        """The option of this name, or `None`."""
        return self._by_name.get(name)

    def names(self, tool: str | None = None) -> tuple[str, ...]:
        """The names of all options, or of those that `tool` takes."""
        return tuple(o.name for o in self.options if tool is None or tool in o.tools)


# -- passes ---------------------------------------------------------------------------------

_HEADING = re.compile(r"(?P<what>\S.*?)(?P<params> with params)?(?: \(WIP\))?:$")
_PASS_KINDS = {
    "Module passes": PassKind.MODULE,
    "CGSCC passes": PassKind.CGSCC,
    "Function passes": PassKind.FUNCTION,
    "LoopNest passes": PassKind.LOOPNEST,
    "Loop passes": PassKind.LOOP,
    "Machine module passes": PassKind.MACHINE_MODULE,
    "Machine function passes": PassKind.MACHINE_FUNCTION,
}
_ANALYSIS_KINDS = {
    "Module analyses": PassKind.MODULE,
    "Module alias analyses": PassKind.MODULE,
    "CGSCC analyses": PassKind.CGSCC,
    "Function analyses": PassKind.FUNCTION,
    "Function alias analyses": PassKind.FUNCTION,
    "Loop analyses": PassKind.LOOP,
    "Machine function analyses": PassKind.MACHINE_FUNCTION,
}


def parse_passes(text: str) -> PassRegistry:
    """A registry of passes and analyses from the output of `opt --print-passes`."""
    passes: dict[tuple[str, PassKind], PassInfo] = {}
    analyses: dict[tuple[str, PassKind], AnalysisInfo] = {}
    heading, with_parameters = "", False
    for line in text.splitlines():
        if not line.startswith(" "):
            match = _HEADING.match(line.rstrip())
            heading = match["what"] if match else ""
            with_parameters = bool(match and match["params"])
        elif heading in _PASS_KINDS:
            name, parameters = _split_spec(line.strip(), with_parameters)
            kind = _PASS_KINDS[heading]
            passes[name, kind] = PassInfo(name, kind, parameters)
        elif heading in _ANALYSIS_KINDS:
            kind = _ANALYSIS_KINDS[heading]
            analyses.setdefault((line.strip(), kind), AnalysisInfo(line.strip(), kind))
    return PassRegistry(tuple(passes.values()), tuple(analyses.values()))


def _split_spec(entry: str, with_parameters: bool) -> tuple[str, tuple[str, ...] | None]:
    """`("licm", ("a", "no-a"))` from `licm<a;no-a>`; `print<loops>` is a name of its own."""
    if not with_parameters:
        return entry, None
    start = _opening_bracket(entry)
    inner = entry[start + 1 : -1]
    return entry[:start], tuple(part for part in inner.split(";") if part)


def _opening_bracket(entry: str) -> int:
    """Where the bracket group opens that closes at the end of `entry`."""
    depth = 0
    for index in range(len(entry) - 1, -1, -1):
        depth += {">": 1, "<": -1}.get(entry[index], 0)
        if depth == 0:
            return index
    return len(entry)


# -- options --------------------------------------------------------------------------------

# `  --name=<type>   - help`; members of an unnamed group stand six columns in.
_OPTION = re.compile(
    r"(?: {2}| {6})--?(?P<name>[^\s=<\[]+)(?:\[?=<(?P<type>.+?)>\]?)?\s+-(?: (?P<help>.*))?$"
)
_VALUE = re.compile(r" {4}=(?P<value>\S*)\s+-")
# The legacy pass switches of opt stand under this heading and are no options.
_LEGACY_PASSES = "Optimizations available"
_INITIAL = re.compile(
    r"\s+--?(?P<name>\S+)\s+= (?P<value>.*?)\s*(?:\(default: (?P<default>.*)\))?$"
)
_TYPES = {
    None: OptionType.BOOL,
    "uint": OptionType.UINT,
    "ulong": OptionType.UINT,
    "int": OptionType.INT,
    "long": OptionType.INT,
    "number": OptionType.NUMBER,
}


def parse_options(text: str, tool: str) -> dict[str, Option]:
    """The options in the output of `--help-hidden` of one tool, by name.

    Aliases are left out: they have no type of their own.
    """
    options: dict[str, Option] = {}
    current = ""
    skipping_group = False
    for line in text.splitlines():
        if value := _VALUE.match(line):
            _add_value(options, current, value["value"])
        elif match := _OPTION.match(line):
            grouped = line.startswith("      ")
            skipping_group = skipping_group and grouped
            current = match["name"]
            if skipping_group or (match["help"] or "").lower().startswith("alias for"):
                current = ""
            elif current not in options:
                options[current] = Option(
                    current,
                    _TYPES.get(match["type"], OptionType.STRING),
                    help=(match["help"] or "").strip(),
                    tools=(tool,),
                )
        elif line.strip().startswith(_LEGACY_PASSES):
            skipping_group = True
    return options


def _add_value(options: dict[str, Option], name: str, value: str) -> None:
    if name in options and value:
        old = options[name]
        options[name] = replace(old, type=OptionType.ENUM, values=(*old.values, value))


def parse_initial_values(text: str) -> dict[str, str]:
    """The defaults in the output of `--print-all-options`, by option; those without are absent."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        match = _INITIAL.match(line)
        if match is None or match["value"].startswith("*"):
            continue
        default = match["default"] or ""
        if default == "*no default*":
            continue
        # An enum prints its present value and an empty default.
        values[match["name"]] = default or match["value"]
    return values


def merge_options(
    tables: Iterable[Mapping[str, Option]], initial: Mapping[str, str]
) -> OptionTable:
    """One table of several tools' options, with their initial values."""
    merged: dict[str, Option] = {}
    for table in tables:
        for name, option in table.items():
            known = merged.get(name)
            tools = (*known.tools, *option.tools) if known else option.tools
            merged[name] = replace(known or option, tools=tools)
    return OptionTable(
        tuple(
            replace(option, initial=_normal_initial(option, initial.get(name)))
            for name, option in sorted(merged.items())
        )
    )


def _normal_initial(option: Option, value: str | None) -> str | None:
    if option.type is OptionType.BOOL:
        return {"0": "false", "1": "true"}.get(value or "")
    return value
