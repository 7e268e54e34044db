"""What changed between two builds, as facts: remarks, sizes of functions, machine code."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from perfwright.core.evidence import Fact
from perfwright.evidence.disassembly import FunctionCode, disassemble, instruction_mix
from perfwright.evidence.elf import Binary, read_binary
from perfwright.evidence.factbook import FactBook, count_of
from perfwright.evidence.facts import mix_text
from perfwright.evidence.names import original_name
from perfwright.evidence.remarkdiff import add_remark_diff
from perfwright.evidence.tally import RemarkSummary
from perfwright.evidence.tools import Tools
from perfwright.toolchain.process import Runner

_DIFF_LINES = 40


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
    same: Set[str] = frozenset()
    if hot:
        codes = [disassemble(build.path, hot, tools, runner) for build in (before, after)]
        add_code_diff(book, *codes)
        same = _same_code(*codes)
    if before.remarks is not None and after.remarks is not None:
        add_remark_diff(book, before.remarks, after.remarks, hot, same)
    add_size_diff(book, *binaries)
    return tuple(book.facts.values())


def is_total_size(fact: Fact) -> bool:
    """Whether it is about the size of all code; a function may be called `total` too."""
    return fact.id == "dsize-total" and "symbol" not in fact.data


def add_size_diff(book: FactBook, before: Binary, after: Binary) -> None:
    """Functions that grew, shrank, appeared or vanished; largest change first."""
    old = _sizes(before)
    new = _renamed(_sizes(after), old)
    total = after.code_bytes - before.code_bytes
    if total:
        sizes = f"{before.code_bytes} -> {after.code_bytes} bytes ({total:+d})"
        book.add(
            "dsize-total", "diff", "section headers", "", f"code of the whole program {sizes}",
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


def _renamed(
    sizes: Counter[tuple[str, str]], known: Counter[tuple[str, str]]
) -> Counter[tuple[str, str]]:
    """Local functions under the units that they had: link-time optimisation names its own."""
    units, known_units = _units(sizes), _units(known)
    renamed: Counter[tuple[str, str]] = Counter()
    for (name, unit), size in sizes.items():
        alone = len(units[name]) == len(known_units.get(name, ())) == 1
        renamed[name, known_units[name][0] if alone else unit] += size
    return renamed


def _units(sizes: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    units: dict[str, list[str]] = defaultdict(list)
    for name, unit in sizes:
        units[name].append(unit)
    return units


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


def _same_code(before: Sequence[FunctionCode], after: Sequence[FunctionCode]) -> Set[str]:
    """The functions, by their original names, whose code is the same with that of all clones."""
    old, new = _texts(before), _texts(after)
    return {name for name, texts in old.items() if new.get(name) == texts}


def _texts(functions: Iterable[FunctionCode]) -> Mapping[str, list[tuple[str, ...]]]:
    texts: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for function in functions:
        texts[original_name(function.name)].append(function.normalised())
    return {name: sorted(found) for name, found in texts.items()}


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
