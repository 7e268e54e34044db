"""What is in an ELF file: symbols with their sizes, segments, and the identity of its code."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection

from perfwright.errors import ProgramError
from perfwright.units import Bytes

_SHF_ALLOC = 0x2
_SHF_EXECINSTR = 0x4
_STT_FUNC, _STT_FILE, _STT_GNU_IFUNC = 2, 4, 10
_STB_LOCAL = 0
_SHN_LORESERVE = 0xFF00
_NOT_CODE = frozenset({".note.gnu.build-id", ".comment", ".gnu_debuglink"})
_ARCHITECTURES = {"EM_X86_64": "x86_64", "EM_386": "i386", "EM_AARCH64": "aarch64"}


@dataclass(frozen=True, slots=True)
class FunctionSymbol:
    """A function in a binary or object file.

    Attributes:
        unit: for a local function, the base name of its source file as the symbol table
            has it; empty for a global one.
        address: virtual address in a linked file, offset in its section in an object file.
        section: index of its section.
    """

    name: str
    unit: str
    address: int
    size_bytes: Bytes
    section: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A loaded segment: file offsets to virtual addresses."""

    offset: int
    address: int
    size: int


@dataclass(frozen=True)
class Binary:
    """What evidence needs to know of an ELF file.

    Attributes:
        code_bytes: the size of its executable sections, start-up code and padding included:
            the same that size limits and drafts count.
    """

    architecture: str
    functions: tuple[FunctionSymbol, ...]
    segments: tuple[Segment, ...]
    has_lines: bool
    code_bytes: int = 0

    def virtual_address(self, file_offset: int) -> int | None:
        """The virtual address of a byte of the file; `None` if it is not loaded."""
        for segment in self.segments:
            if segment.offset <= file_offset < segment.offset + segment.size:
                return file_offset - segment.offset + segment.address
        return None


def read_binary(path: Path) -> Binary:
    """Read an ELF file's functions and segments.

    Raises:
        ProgramError: it is no ELF file, or a broken one.
    """
    with path.open("rb") as stream:
        elf = _open(stream, path)
        return Binary(
            architecture=_ARCHITECTURES.get(elf["e_machine"], str(elf["e_machine"])),
            functions=tuple(_functions(elf)),
            segments=tuple(
                Segment(s["p_offset"], s["p_vaddr"], s["p_filesz"])
                for s in elf.iter_segments("PT_LOAD")
            ),
            has_lines=elf.get_section_by_name(".debug_line") is not None,
            code_bytes=sum(
                s["sh_size"] for s in elf.iter_sections() if s["sh_flags"] & _SHF_EXECINSTR
            ),
        )


def code_hash(path: Path) -> str:
    """An identity of machine code and data: equal hashes, the same program.

    Covers every loaded section (SHF_ALLOC) with its contents, and in object files the
    relocations that apply to them.  Left out is what differs between builds of the same
    code: the build id, the compiler's version and debug information.

    Raises:
        ProgramError: it is no ELF file, or a broken one.
    """
    found = hashlib.sha256()
    with path.open("rb") as stream:
        elf = _open(stream, path)
        hashed = set()
        for index, section in enumerate(elf.iter_sections()):
            if section["sh_flags"] & _SHF_ALLOC and section.name not in _NOT_CODE:
                hashed.add(index)
                empty = section["sh_type"] == "SHT_NOBITS"
                found.update(f"{section.name} {section['sh_size']}\n".encode())
                found.update(b"" if empty else section.data())
        if elf["e_type"] == "ET_REL":
            for line in _relocations(elf, hashed):
                found.update(line.encode())
    return found.hexdigest()


def _open(stream: Any, path: Path) -> ELFFile:
    try:
        return ELFFile(stream)
    except ELFError as error:
        raise ProgramError(
            f"{path} is not an ELF file", cause=str(error), hint="build for an ELF target"
        ) from error


def _functions(elf: ELFFile) -> Iterator[FunctionSymbol]:
    """The functions of the symbol table, decoded here: pyelftools is slow at many symbols."""
    table = elf.get_section_by_name(".symtab")
    if table is None:
        return
    strings = elf.get_section(table["sh_link"]).data()
    order = "<" if elf.little_endian else ">"
    wide = elf.elfclass == 64
    unit = ""
    for entry in struct.iter_unpack(order + ("IBBHQQ" if wide else "IIIBBH"), table.data()):
        name_at, info, _other, section, address, size = entry if wide else _reordered(entry)
        kind, binding = info & 0xF, info >> 4
        if kind == _STT_FILE:
            unit = _string(strings, name_at)
        elif kind in (_STT_FUNC, _STT_GNU_IFUNC) and 0 < section < _SHN_LORESERVE:
            local = unit if binding == _STB_LOCAL else ""
            name = _string(strings, name_at)
            yield FunctionSymbol(name, local, address, Bytes(size), section)


def _reordered(entry: tuple[int, ...]) -> tuple[int, ...]:
    """An entry of a 32-bit table in the order of the 64-bit one."""
    name_at, address, size, info, other, section = entry
    return name_at, info, other, section, address, size


def _string(strings: bytes, start: int) -> str:
    return strings[start : strings.index(b"\0", start)].decode("utf-8", "replace")


def _relocations(elf: ELFFile, hashed: set[int]) -> Iterator[str]:
    """The relocations of the hashed sections, by the names of what they refer to."""
    for section in elf.iter_sections():
        if not isinstance(section, RelocationSection) or section["sh_info"] not in hashed:
            continue
        symbols: Any = elf.get_section(section["sh_link"])
        for entry in section.iter_relocations():
            symbol = symbols.get_symbol(entry["r_info_sym"])
            name = symbol.name or f"section {symbol['st_shndx']}"
            addend = entry["r_addend"] if entry.is_RELA() else 0
            yield f"{entry['r_offset']} {entry['r_info_type']} {name} {addend}\n"
