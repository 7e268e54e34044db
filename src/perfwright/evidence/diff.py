"""What changed between two builds, as facts: remarks, sizes of functions, machine code."""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from perfwright.core.evidence import Fact
from perfwright.evidence.disassembly import FunctionCode, disassemble, instruction_mix
from perfwright.evidence.elf import Binary, read_binary
from perfwright.evidence.factbook import FactBook, count_of, location_id
from perfwright.evidence.facts import mix_text
from perfwright.evidence.tally import RemarkGroup, RemarkSummary
from perfwright.evidence.tools import Tools
from perfwright.toolchain.process import Runner

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?")
_DIFF_LINES = 40
_TELLING = ("passed", "missed")
_SPILLS = "regalloc"
_ONLY_COSTS = frozenset({"cost", "threshold"})


@dataclass(frozen=True)
class Build:
    """One side of a comparison; without remarks only machine code is compared."""

    path: Path
    remarks: RemarkSummary | None = None


def diff_builds(
    before: Build, after: Build, hot: Sequence[str], tools: Tools, runner: Runner
) -> tuple[Fact, ...]:
    """What a build changed against another, most telling first.

    Args:
        hot: the symbols whose machine code is compared instruction by instruction.

    Raises:
        ProgramError: one of them is no ELF file or cannot be disassembled.
    """
    book = FactBook()
    binaries = read_binary(before.path), read_binary(after.path)
    if hot:
        add_code_diff(
            book,
            disassemble(before.path, hot, tools, runner),
            disassemble(after.path, hot, tools, runner),
        )
    if before.remarks is not None and after.remarks is not None:
        add_remark_diff(book, before.remarks, after.remarks)
    add_size_diff(book, *binaries)
    return tuple(book.facts.values())


def add_remark_diff(book: FactBook, before: RemarkSummary, after: RemarkSummary) -> None:
    """Which things passes now do, no longer do, or do in another measure.

    Remarks that differ in their numbers only are the same remark; when it is about
    something that was done, or about spills, the new numbers are worth a fact (unrolled by
    8, not by 4).  The costs that the inliner counted are not: it inlined all the same.
    """
    old, new = _by_key(before.groups), _by_key(after.groups)
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key.kind == "missed", key)):
        was, now = old.get(key, {}), new.get(key, {})
        gone = [was[measure] for measure in sorted(was.keys() - now.keys(), key=repr)]
        fresh = [now[measure] for measure in sorted(now.keys() - was.keys(), key=repr)]
        if not was:
            _add_remark_change(book, "appeared", fresh[0])
        elif not now:
            _add_remark_change(book, "vanished", gone[0])
        elif gone and fresh and (key.kind == "passed" or key.pass_name == _SPILLS):
            _add_remark_change(book, "changed", fresh[0], gone[0].remark.message)


class _RemarkKey(NamedTuple):
    """What makes two remarks the same in two builds."""

    unit: str
    function: str
    kind: str
    pass_name: str
    place: str
    text: str


_Measure = tuple[tuple[str, str | int | float], ...]


def _by_key(groups: Iterable[RemarkGroup]) -> Mapping[_RemarkKey, dict[_Measure, RemarkGroup]]:
    """Groups by what they say without numbers, and then by the numbers that count."""
    found: dict[_RemarkKey, dict[_Measure, RemarkGroup]] = defaultdict(dict)
    for group in groups:
        remark = group.remark
        if remark.kind not in _TELLING:
            continue
        # A spill remark leaves out what there is none of: its text is no identity.
        text = remark.name if remark.pass_name == _SPILLS else _NUMBER.sub("#", remark.message)
        place = str(remark.place or "")
        key = _RemarkKey(group.unit, remark.function, remark.kind, remark.pass_name, place, text)
        values = {k: v for k, v in remark.values.items() if k not in _ONLY_COSTS}
        found[key][tuple(sorted(values.items()))] = group
    return found


def _add_remark_change(book: FactBook, change: str, group: RemarkGroup, before: str = "") -> None:
    remark = group.remark
    was = f"; before: {before}" if before else ""
    book.add(
        location_id(
            f"drem-{change}",
            group.unit,
            remark.function,
            remark.pass_name,
            remark.name,
            remark.place,
        ),
        "diff",
        remark.pass_name,
        str(remark.place) if remark.place and remark.place.line else remark.function,
        f"{change} in {remark.function}: {remark.kind}: {remark.message}{was}",
        change=change,
        outcome=remark.kind,
        symbol=remark.function,
        unit=group.unit,
        name=remark.name,
    )


def add_size_diff(book: FactBook, before: Binary, after: Binary) -> None:
    """Functions that grew, shrank, appeared or vanished; largest change first."""
    old, new = _sizes(before), _sizes(after)
    total = after.code_bytes - before.code_bytes
    if total:
        text = f"code {before.code_bytes} -> {after.code_bytes} bytes ({total:+d})"
        book.add(
            "dsize-total", "diff", "symbol table", "", text,
            before=before.code_bytes, after=after.code_bytes, delta=total,
        )  # fmt: skip
    changed = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
    for key in sorted(changed, key=lambda k: (-abs(new[k] - old[k]), k)):
        name, unit = key
        was, now = old.get(key), new.get(key)
        if was is None:
            text = f"{name} appeared, {now} bytes"
        elif now is None:
            text = f"{name} is no longer there ({was} bytes before)"
        else:
            text = f"{name} {was} -> {now} bytes ({now - was:+d})"
        fact_id = f"dsize-{unit}:{name}" if unit else f"dsize-{name}"
        book.add(
            fact_id, "diff", "symbol table", name, text, symbol=name, before=was, after=now
        )  # fmt: skip


def _sizes(binary: Binary) -> Counter[tuple[str, str]]:
    sizes: Counter[tuple[str, str]] = Counter()
    for function in binary.functions:
        if function.size_bytes:
            sizes[function.name, function.unit] += function.size_bytes
    return sizes


def add_code_diff(
    book: FactBook, before: Sequence[FunctionCode], after: Sequence[FunctionCode]
) -> None:
    """How the machine code of functions differs, addresses aside."""
    old, new = _code_by_name(before), _code_by_name(after)
    for name in [*old, *(name for name in new if name not in old)]:
        was, now = old.get(name), new.get(name)
        if was is None or now is None:
            continue  # the sizes say that it appeared or vanished
        lines = [
            line
            for line in difflib.unified_diff(was.normalised(), now.normalised(), n=1, lineterm="")
            if not line.startswith(("---", "+++", "@@"))
        ]
        removed = sum(line.startswith("-") for line in lines)
        added = sum(line.startswith("+") for line in lines)
        if not removed + added:
            continue
        mixes = [mix_text(instruction_mix(c.instructions, c.architecture)) for c in (was, now)]
        book.add(
            f"dcode-{name}",
            "diff",
            "llvm-objdump",
            name,
            f"machine code of {name}: {mixes[0]} -> {mixes[1]}; "
            f"{count_of(added, 'line')} new, {removed} gone",
            symbol=name,
            added=added,
            removed=removed,
            diff="\n".join(lines[:_DIFF_LINES]),
        )


def _code_by_name(functions: Iterable[FunctionCode]) -> Mapping[str, FunctionCode]:
    """By name; the second local function of a name gets a number."""
    found: dict[str, FunctionCode] = {}
    for function in functions:
        name, number = function.name, 1
        while name in found:
            number += 1
            name = f"{function.name}#{number}"
        found[name] = function
    return found
