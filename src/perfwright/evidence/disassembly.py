"""Machine code as text: reading `llvm-objdump`, and what a function's instructions are like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfwright.errors import ProgramError
from perfwright.evidence.tools import Tools
from perfwright.toolchain.process import Runner

_HEADING = re.compile(r"([0-9a-f]+) <(.*)>:$")
_LINE = re.compile(r"\s*([0-9a-f]+):\s+(\S.*)")
_RELOCATION = re.compile(r"\s+[0-9a-f]+:\s+R_\w+\s+(\S+)")
_TARGET = re.compile(r"(?<![\w(])(?:0x)?([0-9a-f]+) <([^>]*(?:<[^>]*>[^>]*)*)>")
_COMMENT = re.compile(r"\s+(?:#|//|;)\s(.*)$")
_RIP = re.compile(r"(?:-?(?:0x)?[0-9a-f]+)?\(%rip\)")
_IN_COMMENT = re.compile(r"(?:0x)?[0-9a-f]+ <(.*)>")
_PADDING = re.compile(r"(?:data16 |cs )*nop|xchgw %ax, %ax|int3$")
_ADDEND = re.compile(r"[-+]0x[0-9a-f]+$")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One machine instruction.

    Attributes:
        mnemonic: without operands, prefixes left on: `movl`, `lock addl`.
        operands: as printed, comments removed.
        target: the address it may jump to or call, if it is in the text.
        symbol: the name of what it refers to: callee, or data.
    """

    address: int
    mnemonic: str
    operands: str
    target: int | None = None
    symbol: str = ""

    @property
    def text(self) -> str:
        """As an assembler would read it, apart from targets."""
        return f"{self.mnemonic} {self.operands}".rstrip()


@dataclass(frozen=True)
class FunctionCode:
    """The instructions of one function, in the order of their addresses."""

    name: str
    architecture: str
    instructions: tuple[Instruction, ...]

    @property
    def start(self) -> int:
        """The address of its first instruction."""
        return self.instructions[0].address if self.instructions else 0

    def normalised(self) -> tuple[str, ...]:
        """The instructions without addresses, so that two builds can be compared.

        Jumps inside the function go to labels numbered from the top, everything else is
        named by its symbol.  Padding between blocks is left out.
        """
        inside = {instruction.address for instruction in self.instructions}
        targets = sorted(
            {i.target for i in self.instructions if i.target is not None and i.target in inside}
        )
        labels = {target: f".L{number}" for number, target in enumerate(targets)}
        lines: list[str] = []
        for instruction in self.instructions:
            if instruction.address in labels:
                lines.append(f"{labels[instruction.address]}:")
            if not is_padding(instruction):
                lines.append(normalised(instruction, labels))
        return tuple(lines)


def disassemble(
    path: Path, symbols: Sequence[str], tools: Tools, runner: Runner, *, architecture: str = ""
) -> tuple[FunctionCode, ...]:
    """The code of these functions; of all when none are named.

    Functions of the same name are all there, in the order of the file.

    Raises:
        ProgramError: the file cannot be disassembled.
    """
    argv: list[str | Path] = [tools.tool("llvm-objdump"), "-d", "-r", "--no-show-raw-insn"]
    if symbols:
        argv.append("--disassemble-symbols=" + ",".join(symbols))
    result = runner([*argv, path])
    if not result.ok:
        raise ProgramError(f"cannot disassemble {path.name}", cause=result.explain())
    return parse_disassembly(result.text, architecture)


def parse_disassembly(text: str, architecture: str = "") -> tuple[FunctionCode, ...]:
    """Read what `llvm-objdump -d -r --no-show-raw-insn` prints."""
    functions: list[tuple[str, list[Instruction]]] = []
    for line in text.splitlines():
        if heading := _HEADING.match(line):
            functions.append((heading[2], []))
        elif not functions:
            architecture = _architecture(line) or architecture
        elif relocation := _RELOCATION.match(line):
            _attach(functions[-1][1], _ADDEND.sub("", relocation[1]))
        elif match := _LINE.match(line):
            functions[-1][1].append(_instruction(int(match[1], 16), match[2]))
    return tuple(FunctionCode(name, architecture, tuple(code)) for name, code in functions)


def _architecture(line: str) -> str:
    _, found, form = line.partition("file format ")
    if not found:
        return ""
    return "aarch64" if "aarch64" in form else form.partition("-")[2].replace("-", "_")


def _instruction(address: int, text: str) -> Instruction:
    comment = _COMMENT.search(text)
    bare = text[: comment.start()] if comment else text
    said = _IN_COMMENT.search(comment[1]) if comment else None
    jump = _TARGET.search(bare)
    mnemonic, operands = _split(bare)
    return Instruction(
        address=address,
        mnemonic=mnemonic,
        operands=operands,
        target=int(jump[1], 16) if jump else None,
        symbol=jump[2] if jump else said[1] if said else "",
    )


def _split(bare: str) -> tuple[str, str]:
    words = bare.replace("\t", " ").split(" ", 1)
    mnemonic, operands = words[0], words[1].strip() if len(words) > 1 else ""
    if mnemonic in ("lock", "rep", "repne", "repe", "notrack", "bnd"):
        second, _, operands = operands.partition(" ")
        mnemonic = f"{mnemonic} {second}".strip()
    return mnemonic, operands.strip()


def _attach(code: list[Instruction], symbol: str) -> None:
    """In an object file the relocation, not the operand, says what is meant."""
    if code:
        last = code[-1]
        code[-1] = Instruction(last.address, last.mnemonic, last.operands, None, symbol)


def is_padding(instruction: Instruction) -> bool:
    """Whether it is there only to align what follows."""
    return _PADDING.match(instruction.text) is not None


def normalised(instruction: Instruction, labels: Mapping[int, str]) -> str:
    """An instruction without addresses: targets by label, everything else by symbol."""
    operands = instruction.operands
    # Offsets from a symbol are those of strings and tables, which move with the layout.
    named = f"<{_ADDEND.sub('', instruction.symbol)}>"
    if instruction.target is not None:
        name = labels.get(instruction.target, named)
        operands = _TARGET.sub(lambda _: name, operands)
    elif instruction.symbol:
        operands = _RIP.sub(lambda _: f"{named}(%rip)", operands)
        operands = _TARGET.sub(lambda _: named, operands)
    return f"{instruction.mnemonic} {operands}".rstrip()


def is_call(mnemonic: str) -> bool:
    """Whether an instruction calls, on x86 or AArch64."""
    return mnemonic.rpartition(" ")[2].startswith("call") or mnemonic in ("bl", "blr")


@dataclass(frozen=True)
class InstructionMix:
    """What a piece of code consists of.

    Attributes:
        vector: instructions that work on whole vectors; `vector_bits` is the widest.
        scalar_float: floating-point instructions on single numbers.
        selects: conditional moves, selects and sets.
        branches: conditional jumps.
        indirect_jumps: jump tables and tail calls through pointers.
        stack_accesses: loads and stores of stack slots; in a loop mostly spills.
    """

    instructions: int = 0
    vector: int = 0
    vector_bits: int = 0
    scalar_float: int = 0
    selects: int = 0
    calls: int = 0
    branches: int = 0
    indirect_jumps: int = 0
    memory: int = 0
    stack_accesses: int = 0
    divisions: int = 0


_X86_REGISTER_BITS = (("%zmm", 512), ("%ymm", 256), ("%xmm", 128))
_X86_SCALAR = re.compile(
    r"v?\w*(?:ss|sd|si2s[sd]l?q?|2sil?q?)$|v?mov[dq]$|v?pextr|v?pinsr|v?u?comis"
)
_X86_DIVISION = re.compile(r"i?div[bwlq]?$|v?(?:div|sqrt)[ps][sd]$")
_X86_SELECT = re.compile(r"cmov|set[a-z]+$|fcmov")
_X86_NO_ACCESS = re.compile(r"(?:lea|nop|prefetch)")
_ARM_VECTOR = re.compile(r"\bv\d+\.(?:16b|8h|4s|2d)|\bz\d+\.")
_ARM_HALF_VECTOR = re.compile(r"\bv\d+\.(?:8b|4h|2s)")
_ARM_BRANCH = re.compile(r"b\.\w+$|cbn?z$|tbn?z$")
_ARM_SELECT = re.compile(r"cs(?:el|et|etm|inc|inv|neg)$|fcsel$|c(?:inc|inv|neg)$")
_ARM_MEMORY = re.compile(r"ld|st")


def instruction_mix(instructions: Sequence[Instruction], architecture: str) -> InstructionMix:
    """Count sorts of instructions, without padding.

    On architectures other than x86 and AArch64 only their number is known.
    """
    instructions = [i for i in instructions if not is_padding(i)]
    if architecture in ("x86_64", "i386"):
        sorts = _x86_sorts
    elif architecture == "aarch64":
        sorts = _aarch64_sorts
    else:
        return InstructionMix(instructions=len(instructions))
    counts: Counter[str] = Counter()
    bits = 0
    for instruction in instructions:
        for sort, width in sorts(instruction):
            counts[sort] += 1
            bits = max(bits, width)
    return InstructionMix(instructions=len(instructions), vector_bits=bits, **counts)


def _x86_sorts(instruction: Instruction) -> Iterator[tuple[str, int]]:
    mnemonic, operands = instruction.mnemonic.rpartition(" ")[2], instruction.operands
    width = next((bits for name, bits in _X86_REGISTER_BITS if name in operands), 0)
    if width and (width > 128 or not _X86_SCALAR.match(mnemonic)):
        yield "vector", width
    elif width and mnemonic.endswith(("ss", "sd")):
        yield "scalar_float", 0
    if _X86_SELECT.match(mnemonic):
        yield "selects", 0
    if mnemonic.startswith("call"):
        yield "calls", 0
    elif mnemonic.startswith("jmp"):
        if operands.startswith("*"):
            yield "indirect_jumps", 0
    elif mnemonic.startswith("j"):
        yield "branches", 0
    if _X86_DIVISION.match(mnemonic):
        yield "divisions", 0
    if "(" in operands and not _X86_NO_ACCESS.match(mnemonic):
        yield "memory", 0
        if (
            "(%rsp" in operands
            or "(%esp" in operands
            or re.search(r"-0x[0-9a-f]+\(%[re]bp", operands)
        ):
            yield "stack_accesses", 0


def _aarch64_sorts(instruction: Instruction) -> Iterator[tuple[str, int]]:
    mnemonic, operands = instruction.mnemonic, instruction.operands
    if _ARM_VECTOR.search(operands) or re.search(r"\bq\d+", operands):
        yield "vector", 128
    elif _ARM_HALF_VECTOR.search(operands):
        yield "vector", 64
    elif mnemonic.startswith("f") and re.match(r"[sd]\d+", operands):
        yield "scalar_float", 0
    if _ARM_SELECT.match(mnemonic):
        yield "selects", 0
    if is_call(mnemonic):
        yield "calls", 0
    elif _ARM_BRANCH.match(mnemonic):
        yield "branches", 0
    elif mnemonic == "br":
        yield "indirect_jumps", 0
    if mnemonic in ("sdiv", "udiv", "fdiv", "fsqrt"):
        yield "divisions", 0
    if _ARM_MEMORY.match(mnemonic) and "[" in operands:
        yield "memory", 0
        if "[sp" in operands:
            yield "stack_accesses", 0
