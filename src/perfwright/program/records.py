"""What the compiler launcher leaves behind: keys in object files, and one JSON file a step.

A key is a fixed-size line in the section `.perfwright`, which no loader maps.  Linkers
concatenate sections of one name, so the final binary lists the units that were linked, in
link order, whatever `ar`, `mv` or libtool did to the object files on the way.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SCHEMA = 1
SECTION = ".perfwright"

_MAGIC = b"PWKEY1:"
_DIGITS = 32
_KEY = re.compile(re.escape(_MAGIC) + rb"([0-9a-f]{%d})\n" % _DIGITS)


def make_key(*parts: object) -> str:
    """The key of a compile step: a hash over everything that tells it from others."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def key_line(key: str) -> bytes:
    """A key as it stands in the section."""
    return _MAGIC + key.encode("ascii") + b"\n"


def keys_in(data: bytes | mmap.mmap) -> tuple[str, ...]:
    """All keys in a file's bytes, in order, each once.

    The bytes are searched, not parsed: a linker may pad between sections, and an object may
    lie in an archive or have lost its section table.
    """
    found = (match[1].decode("ascii") for match in _KEY.finditer(data))
    return tuple(dict.fromkeys(found))


def keys_in_file(path: Path) -> tuple[str, ...]:
    """All keys in a file; none when there is no such file."""
    try:
        with path.open("rb") as stream:
            if not os.fstat(stream.fileno()).st_size:
                return ()
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return keys_in(data)
    except OSError:
        return ()


def write_record(folder: Path, kind: str, name: str, record: Mapping[str, Any]) -> Path:
    """Write one step as `KIND-NAME.json`, in one move: readers and `make -j` see all or nothing."""
    path = folder / f"{kind}-{name}.json"
    content = json.dumps({"schema": SCHEMA, "kind": kind, **record}, indent=1)
    write_atomically(path, content.encode())
    return path


def read_records(folder: Path, kind: str) -> list[dict[str, Any]]:
    """All steps of one kind, in the order in which they ended."""
    records = [json.loads(path.read_bytes()) for path in sorted(folder.glob(f"{kind}-*.json"))]
    known = [record for record in records if record["schema"] == SCHEMA]
    return sorted(known, key=lambda record: int(record["time_ns"]))


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file by renaming a complete one into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    Path(temporary).replace(path)


def digest(data: bytes) -> str:
    """The SHA-256 of bytes, as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str | None:
    """The SHA-256 of a file; `None` when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def archive_members(path: Path) -> Sequence[bytes] | None:
    """The contents of an archive's members, without the symbol and name tables.

    Common and thin archives of GNU and LLVM `ar` are understood (ar(5); a thin archive names
    its members instead of holding them).  `None`: the file is no archive, or a broken one.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return None
    thin = data.startswith(b"!<thin>\n")
    if not thin and not data.startswith(b"!<arch>\n"):
        return None
    members: list[bytes] = []
    names, position = b"", 8
    while position + 60 <= len(data):
        name = data[position : position + 16].rstrip()
        size = data[position + 48 : position + 58].strip()
        if not size.isdigit():
            return None
        position += 60
        body = data[position : position + int(size)]
        is_table = name in (b"/", b"//", b"/SYM64/") or name.startswith(b"__.SYMDEF")
        if name == b"//":
            names = body
        if not is_table:
            members.append(_thin_member(path, name, names) if thin else body)
        if is_table or not thin:  # the members of a thin archive take no room in it
            position += int(size) + int(size) % 2
    return members


def _thin_member(archive: Path, name: bytes, names: bytes) -> bytes:
    text = name.rstrip(b"/")
    if name.startswith(b"/") and name[1:].isdigit():
        text = names[int(name[1:]) :].split(b"/\n", 1)[0]
    member = archive.parent / os.fsdecode(text)
    return member.read_bytes() if member.is_file() else b""
