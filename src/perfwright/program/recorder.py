"""Records a compile or link step that has just succeeded (see `records` for the form)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfwright.program.driver import Invocation, Language, Word
from perfwright.program.records import (
    SECTION,
    archive_members,
    digest,
    file_digest,
    key_line,
    keys_in,
    keys_in_file,
    make_key,
    write_atomically,
    write_record,
)
from perfwright.toolchain.process import Limits, run

_VARIABLES = (
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "LIBRARY_PATH",
    "COMPILER_PATH",
    "CCC_OVERRIDE_OPTIONS",
    "SOURCE_DATE_EPOCH",
)
"""The variables that change what clang makes of a command line (clang's and gcc's manuals)."""

_ELF = b"\x7fELF"
_ELF_RELOCATABLE, _ELF_SHARED = 1, 3
_BITCODE = b"BC\xc0\xde"
_LIMITS = Limits(wall=60.0)


@dataclass(frozen=True)
class Step:
    """A step of the driver that has succeeded."""

    folder: Path
    """Where records go."""
    invocation: Invocation
    """The command line; its stage is `object` or `link`."""
    language: Language
    """The driver that ran: `c` for clang, `c++` for clang++."""
    tools: Path
    """The folder of the toolchain's executables."""
    cwd: Path
    environ: Mapping[str, str]
    stdin: bytes | None
    """What it read on standard input, if that was an input."""
    time_ns: int
    """When it ended."""

    def common(self) -> dict[str, Any]:
        """What is recorded of every step."""
        return {
            "time_ns": self.time_ns,
            "driver": self.language,
            "cwd": str(self.cwd),
            "env": {name: self.environ[name] for name in _VARIABLES if name in self.environ},
        }


def record_step(step: Step) -> None:
    """Write the records of one step, and put keys into the object files that it made.

    Raises:
        OSError: a record or a key cannot be written.
        ToolchainError: llvm-objcopy or llvm-link is not there.
    """
    invocation = step.invocation
    inputs = [*invocation.sources, *invocation.fixed]
    keys: dict[Word, str] = {}
    for word in inputs:
        compiles = invocation.stage == "object"
        output = step.cwd / invocation.object_of(word) if compiles else None
        keys[word] = _record_compile(step, word, output)
        if output is not None:
            _leave_key(step, output, keys[word])
    if invocation.stage == "link":
        _record_link(step, keys)


def _record_compile(step: Step, word: Word, output: Path | None) -> str:
    """The key of one compile step; a copy of the source is kept, for builds that delete it."""
    content = step.stdin if word.name == "-" else (step.cwd / word.name).read_bytes()
    assert content is not None
    suffix = Path(word.name).suffix
    saved = step.folder / "sources" / f"{digest(content)}{suffix}"
    if not saved.exists():
        write_atomically(saved, content)
    what = {
        **step.common(),
        "flags": step.invocation.compile_flags(),
        "input_type": word.input_type,
        "source": word.name,
        "saved": str(saved),
        "source_digest": digest(content),
        "output": str(output) if output else None,
    }
    key = make_key({name: value for name, value in what.items() if name != "time_ns"})
    write_record(step.folder, "compile", key, {"key": key, **what})
    return key


def _leave_key(step: Step, output: Path, key: str) -> None:
    """Put the key into an ELF object by llvm-objcopy, into bitcode (-flto) by llvm-link."""
    start = _first_bytes(output)  # none for /dev/null and standard output
    if start.startswith(_ELF) and start[16] == _ELF_RELOCATABLE:
        _add_section(step, output, key)
    elif start.startswith(_BITCODE):
        _add_module_assembly(step, output, key)


def _first_bytes(path: Path) -> bytes:
    """Enough of a file to tell an ELF file's type; nothing of what is no regular file."""
    if not path.is_file():
        return b""
    with path.open("rb") as stream:
        return stream.read(18)


def _add_section(step: Step, output: Path, key: str) -> None:
    with tempfile.NamedTemporaryFile(dir=step.folder, prefix=".key-") as line:
        line.write(key_line(key))
        line.flush()
        objcopy = step.tools / "llvm-objcopy"
        run([objcopy, f"--add-section={SECTION}={line.name}", output], limits=_LIMITS)


def _add_module_assembly(step: Step, output: Path, key: str) -> None:
    text = key_line(key).decode().replace("\n", "\\5Cn")
    lines = (f".pushsection {SECTION},\\22\\22,@progbits", f".ascii \\22{text}\\22", ".popsection")
    module = "".join(f'module asm "{line}"\n' for line in lines)
    with tempfile.TemporaryDirectory(dir=step.folder, prefix=".key-") as scratch:
        source, merged = Path(scratch) / "key.ll", Path(scratch) / "merged.bc"
        source.write_text(module)
        linked = run([step.tools / "llvm-link", output, source, "-o", merged], limits=_LIMITS)
        if linked.ok:
            content = merged.read_bytes()
            output.write_bytes(content)
            # Strings in bitcode are packed, so that a search for bytes does not find the key.
            write_atomically(_marker(step, content), key.encode())


def _marker(step: Step, content: bytes) -> Path:
    return step.folder / "bitcode" / digest(content)


def _keys_of(step: Step, content: bytes) -> tuple[str, ...]:
    """The keys in an object file."""
    if content.startswith(_BITCODE):
        marker = _marker(step, content)
        return (marker.read_text(),) if marker.is_file() else ()
    return keys_in(content)


def _record_link(step: Step, keys: Mapping[Word, str]) -> None:
    output = step.cwd / (step.invocation.output or "a.out")
    items = [item for word in step.invocation.link_words() for item in _items(step, word, keys)]
    record = {
        **step.common(),
        "items": items,
        "output": str(output),
        "output_digest": file_digest(output),
        "keys": [*keys_in_file(output), *keys.values()],
    }
    name = make_key(record)
    write_record(step.folder, "link", name, record)


def _items(step: Step, word: Word, keys: Mapping[Word, str]) -> Iterator[dict[str, Any]]:
    """What a word of a link command stands for: a unit, a file with or without keys, an option."""
    if word in keys:
        yield {"kind": "unit", "keys": [keys[word]]}
    elif word.is_input:
        yield _file_item(step, word.name)
    elif word.name.startswith("-Wl,"):
        yield from _linker_words(step, word.name)
    elif word.name.startswith("-l"):
        library = _library(step, word.name[2:] or word.texts[-1])
        found = _file_item(step, str(library)) if library else None
        if found and found["form"] == "shared":  # a path in place of -l would go into the binary
            found["texts"] = list(word.texts)
        keyed = found if found and found["keys"] else None
        yield keyed or {"kind": "option", "texts": list(word.texts)}
    else:
        yield {"kind": "option", "texts": list(word.texts)}


def _linker_words(step: Step, text: str) -> Iterator[dict[str, Any]]:
    """`-Wl,--whole-archive,libx.a,...`: an archive in it is an input like any other."""
    parts = text.split(",")[1:]
    files = {part: _file_item(step, part) for part in parts if not part.startswith("-")}
    if not any(item["keys"] for item in files.values()):
        yield {"kind": "option", "texts": [text]}
        return
    for part in parts:
        keyed = part in files and files[part]["keys"]
        yield files[part] if keyed else {"kind": "option", "texts": ["-Xlinker", part]}


def _file_item(step: Step, name: str) -> dict[str, Any]:
    """A file of the link, with the keys in it *now*: builds reuse names of object files.

    `whole` says that nothing but keyed units is in it, so that the units can stand for it.
    """
    path = step.cwd / name
    members = archive_members(path)
    if members is not None:
        form = "archive"
        found = [_keys_of(step, member) for member in members]
        keys = list(dict.fromkeys(key for member in found for key in member))
        whole = all(found)
    else:
        form = _form(path)
        keys = list(_keys_of(step, path.read_bytes())) if form != "other" else []
        whole = form == "object" and bool(keys)
    return {
        "kind": "file",
        "texts": [name],
        "path": str(path),
        "keys": keys,
        "whole": whole,
        "form": form,
    }


def _form(path: Path) -> str:
    start = _first_bytes(path)
    if start.startswith(_ELF):
        return {_ELF_RELOCATABLE: "object", _ELF_SHARED: "shared"}.get(start[16], "other")
    return "object" if start.startswith(_BITCODE) else "other"


def _library(step: Step, name: str) -> Path | None:
    """Where `-lNAME` is found among the `-L` folders; only there can a build's own library be."""
    words = [word for word in step.invocation.words if not word.is_input]
    static = any(word.name in ("-static", "-static-pie", "-Wl,-Bstatic") for word in words)
    patterns = [f"lib{name}.a"] if static else [f"lib{name}.so", f"lib{name}.a"]
    if name.startswith(":"):
        patterns = [name[1:]]
    for word in words:
        if word.name.startswith("-L"):
            folder = step.cwd / (word.name[2:] or word.texts[-1])
            for pattern in patterns:
                if (folder / pattern).is_file():
                    return folder / pattern
    return None
