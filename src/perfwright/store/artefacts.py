"""The artefact store: files named by the SHA-256 of what is in them.

A file appears under its name only when it is complete and on the disk, is never written
again, and is compared with its name whenever it is read.  Equal contents are kept once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from perfwright.errors import InternalError
from perfwright.store.disk import unwritable
from perfwright.units import Bytes

_CHUNK = 1 << 20
_UNFINISHED = ".unfinished-"
_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_READABLE = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


class ArtefactDamagedError(InternalError):
    """An artefact is not what its name says, or is gone.  It has been removed: build it again."""


@dataclass(frozen=True)
class SizeReport:
    """What the artefacts take on the disk, in bytes.

    `campaigns` counts for each campaign all that it uses, `shared` what several use (and so
    is counted several times there), `orphaned` what none uses.
    """

    total: Bytes
    campaigns: Mapping[str, Bytes]
    shared: Bytes
    orphaned: Bytes


@dataclass(frozen=True)
class Collected:
    """What `collect` has removed."""

    files: int
    size_bytes: Bytes


class ArtefactStore:
    """Files by digest in one folder: `ab/cdef...`.

    Raises (from every method that writes):
        InternalError: the disk is full.
        UserError: the folder cannot be written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, file: Path) -> str:
        """Keep a copy of a file and its executable bit; returns its digest."""
        with file.open("rb") as source:
            mode = os.fstat(source.fileno()).st_mode
            return self._keep(_chunks(source), executable=bool(mode & stat.S_IXUSR))

    def add_bytes(self, content: bytes, *, executable: bool = False) -> str:
        """Keep some bytes as a file; returns their digest."""
        return self._keep([content], executable=executable)

    def __contains__(self, digest: str) -> bool:
        return self._path(digest).is_file()

    def path(self, digest: str) -> Path:
        """Where the artefact is, after comparing it with its name.  Only for reading.

        Raises:
            ArtefactDamagedError: it is not what it was, or is gone.
        """
        path = self._path(digest)
        try:
            found = digest_of(path)
        except FileNotFoundError as error:
            raise ArtefactDamagedError(
                f"artefact {digest[:12]} is gone", hint="it can be built again"
            ) from error
        if found != digest:
            path.unlink(missing_ok=True)
            raise ArtefactDamagedError(
                f"artefact {digest[:12]} was damaged, and has been removed",
                cause=f"its content is now {found[:12]}",
                hint="it can be built again",
            )
        return path

    def read(self, digest: str) -> bytes:
        """The content of an artefact.

        Raises:
            ArtefactDamagedError: it is not what it was, or is gone.
        """
        return self.path(digest).read_bytes()

    def copy_out(self, digest: str, target: Path) -> None:
        """Write a copy that its owner may change; the executable bit is kept.

        Raises:
            ArtefactDamagedError: it is not what it was, or is gone.
        """
        source = self.path(digest)
        mode = stat.S_IMODE(source.stat().st_mode) | stat.S_IWUSR
        with source.open("rb") as content:
            copy, _ = _written(target.parent, _chunks(content), mode)
        copy.replace(target)

    def link_out(self, digest: str, target: Path) -> None:
        """Make the artefact appear at `target`, read-only; a hard link where one can be had.

        Raises:
            ArtefactDamagedError: it is not what it was, or is gone.
        """
        source = self.path(digest)
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:
            # Another file system, or links are forbidden: a copy does as well.
            self.copy_out(digest, target)

    def sizes(self, used: Mapping[str, Set[str]]) -> SizeReport:
        """What the campaigns take; `used` names the artefacts of each (see `JournalStore`)."""
        present = {digest: path.stat().st_size for digest, path in self._files()}
        users: dict[str, int] = {}
        for digests in used.values():
            for digest in digests & present.keys():
                users[digest] = users.get(digest, 0) + 1

        def total(digests: Iterator[str] | Set[str]) -> Bytes:
            return Bytes(sum(present[digest] for digest in digests))

        return SizeReport(
            total=total(present.keys()),
            campaigns={name: total(d & present.keys()) for name, d in sorted(used.items())},
            shared=total(digest for digest, count in users.items() if count > 1),
            orphaned=total(present.keys() - users.keys()),
        )

    def collect(self, keep: Set[str], *, before: float) -> Collected:
        """Remove what is not in `keep` and was made before a time (seconds, as `time.time`).

        The age protects running campaigns: they keep an artefact before the step that names
        it is committed.  Unfinished files of killed processes go by the same rule.
        """
        doomed = [path for digest, path in self._files() if digest not in keep]
        doomed += self.root.glob(f"{_UNFINISHED}*")
        files, size = 0, 0
        for path in doomed:
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                if status.st_mtime < before:
                    path.unlink()
                    files, size = files + 1, size + status.st_size
        return Collected(files, Bytes(size))

    def _path(self, digest: str) -> Path:
        if len(digest) != hashlib.sha256().digest_size * 2 or set(digest) - set("0123456789abcdef"):
            raise ValueError(f"{digest!r} is not a SHA-256 digest")
        return self.root / digest[:2] / digest[2:]

    def _files(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self.root.glob("??/*")):
            yield path.parent.name + path.name, path

    def _keep(self, chunks: Iterable[bytes], *, executable: bool) -> str:
        """Write to a passing name, then give the file the name of its content.

        What is already there is replaced: that mends damage and renews the age.
        """
        unfinished, digest = _written(self.root, chunks, _READABLE)
        path = self._path(digest)
        path.parent.mkdir(exist_ok=True)
        if executable or (path.exists() and path.stat().st_mode & stat.S_IXUSR):
            unfinished.chmod(_READABLE | _EXECUTABLE)
        unfinished.replace(path)
        _sync_folder(path.parent)
        return digest


def digest_of(file: Path) -> str:
    """The SHA-256 of a file's content, as 64 hex digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _written(folder: Path, chunks: Iterable[bytes], mode: int) -> tuple[Path, str]:
    """A complete file under a passing name, on the disk, and the digest of its content."""
    digest = hashlib.sha256()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        with open(number, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fchmod(number, mode)
            os.fsync(number)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise unwritable(folder, error) from error
    return Path(name), digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk too; `fsync` of the file does not."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
