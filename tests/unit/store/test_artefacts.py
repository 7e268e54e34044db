"""Files by the digest of what is in them."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.errors import InternalError, UserError
from perfwright.store.artefacts import ArtefactDamagedError, ArtefactStore, Collected, digest_of

ABSENT = "0" * 64


@pytest.fixture
def store(tmp_path: Path) -> ArtefactStore:
    return ArtefactStore(tmp_path / "artefacts")


def files(store: ArtefactStore) -> list[Path]:
    return [path for path in sorted(store.root.rglob("*")) if path.is_file()]


def damage(store: ArtefactStore, digest: str) -> None:
    path = store.root / digest[:2] / digest[2:]
    path.chmod(0o644)
    path.write_bytes(b"rotten")


def test_an_artefact_is_named_by_its_content(store: ArtefactStore) -> None:
    digest = store.add_bytes(b"code")
    assert digest == hashlib.sha256(b"code").hexdigest()
    assert store.path(digest) == store.root / digest[:2] / digest[2:]
    assert store.read(digest) == b"code"


@given(content=st.binary(max_size=4096))
def test_any_content_comes_back(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    store = ArtefactStore(tmp_path_factory.getbasetemp() / "any")
    assert store.read(store.add_bytes(content)) == content


def test_a_file_is_copied_not_moved(store: ArtefactStore, tmp_path: Path) -> None:
    file = tmp_path / "a.out"
    file.write_bytes(b"\0" * 3_000_000)
    digest = store.add(file)
    file.write_bytes(b"changed")
    assert store.read(digest) == b"\0" * 3_000_000
    assert digest == digest_of(store.path(digest))


def test_equal_contents_are_kept_once(store: ArtefactStore) -> None:
    assert store.add_bytes(b"code") == store.add_bytes(b"code")
    assert len(files(store)) == 1


@pytest.mark.parametrize("executable", [True, False])
def test_the_executable_bit_is_kept(store: ArtefactStore, tmp_path: Path, executable: bool) -> None:
    file = tmp_path / "a.out"
    file.write_bytes(b"code")
    file.chmod(0o755 if executable else 0o644)
    digest = store.add(file)
    store.copy_out(digest, tmp_path / "copy")
    assert os.access(store.path(digest), os.X_OK) is executable
    assert os.access(tmp_path / "copy", os.X_OK) is executable


def test_what_was_executable_once_stays_so(store: ArtefactStore) -> None:
    digest = store.add_bytes(b"code", executable=True)
    store.add_bytes(b"code")
    assert os.access(store.path(digest), os.X_OK)


def test_artefacts_are_read_only(store: ArtefactStore) -> None:
    mode = store.path(store.add_bytes(b"code")).stat().st_mode
    assert not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)


def test_it_knows_what_it_has(store: ArtefactStore) -> None:
    assert ABSENT not in store
    assert store.add_bytes(b"code") in store


@pytest.mark.parametrize("name", ["", "abc", "../" * 22, "A" * 64])
def test_what_is_no_digest_reaches_no_file(store: ArtefactStore, name: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256 digest"):
        store.path(name)


# --- damage ---------------------------------------------------------------------------------


def test_damage_is_seen_when_reading_and_removed(store: ArtefactStore) -> None:
    digest = store.add_bytes(b"code")
    damage(store, digest)
    with pytest.raises(ArtefactDamagedError, match="was damaged, and has been removed"):
        store.read(digest)
    assert digest not in store


def test_what_is_gone_is_told_as_such(store: ArtefactStore) -> None:
    with pytest.raises(ArtefactDamagedError, match="is gone"):
        store.path(ABSENT)


def test_adding_again_mends_damage(store: ArtefactStore) -> None:
    digest = store.add_bytes(b"code")
    damage(store, digest)
    store.add_bytes(b"code")
    assert store.read(digest) == b"code"


def test_a_damaged_artefact_is_never_handed_out(store: ArtefactStore, tmp_path: Path) -> None:
    digest = store.add_bytes(b"code")
    damage(store, digest)
    with pytest.raises(ArtefactDamagedError):
        store.link_out(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- disks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error"), [(errno.ENOSPC, InternalError), (errno.EACCES, UserError)]
)
def test_a_failed_write_leaves_nothing_and_names_who_must_act(
    store: ArtefactStore, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    def fail(number: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(error, match="cannot write to"):
        store.add_bytes(b"code")
    assert files(store) == []


def test_a_folder_that_is_a_file_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "artefacts").write_text("")
    with pytest.raises(UserError):
        ArtefactStore(tmp_path / "artefacts").add_bytes(b"code")


# --- handing out ----------------------------------------------------------------------------


def test_a_copy_belongs_to_its_owner(store: ArtefactStore, tmp_path: Path) -> None:
    digest = store.add_bytes(b"code")
    store.copy_out(digest, tmp_path / "copy")
    (tmp_path / "copy").write_bytes(b"mine")
    assert store.read(digest) == b"code"


def test_a_copy_replaces_what_was_there(store: ArtefactStore, tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(b"old")
    store.copy_out(store.add_bytes(b"new"), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"new"


def test_a_link_takes_no_space(store: ArtefactStore, tmp_path: Path) -> None:
    digest = store.add_bytes(b"code")
    for _ in range(2):
        store.link_out(digest, tmp_path / "link")
    assert (tmp_path / "link").samefile(store.path(digest))


def test_where_links_are_impossible_a_copy_is_made(
    store: ArtefactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    digest = store.add_bytes(b"code", executable=True)
    store.link_out(digest, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"code"
    assert not (tmp_path / "copy").samefile(store.path(digest))
    assert os.access(tmp_path / "copy", os.X_OK)


# --- sizes and cleaning ---------------------------------------------------------------------


def test_sizes_are_told_by_campaign(store: ArtefactStore) -> None:
    own, shared, orphan = (store.add_bytes(b"x" * size) for size in (1, 10, 100))
    report = store.sizes({"b": {shared}, "a": {own, shared, ABSENT}})
    assert report.total == 111
    assert report.campaigns == {"a": 11, "b": 10}
    assert report.shared == 10
    assert report.orphaned == 100
    assert orphan in store


def test_an_empty_store_has_no_size(store: ArtefactStore) -> None:
    assert store.sizes({}).total == 0
    assert store.collect(frozenset(), before=1e12) == Collected(0, 0)  # type: ignore[arg-type]


def test_cleaning_removes_what_nobody_uses(store: ArtefactStore) -> None:
    kept, orphan = store.add_bytes(b"kept"), store.add_bytes(b"orphan")
    assert store.collect({kept}, before=1e12) == Collected(1, 6)  # type: ignore[arg-type]
    assert kept in store
    assert orphan not in store


def test_cleaning_spares_what_is_young(store: ArtefactStore) -> None:
    young = store.add_bytes(b"young")
    os.utime(store.path(young), (1000.0, 1000.0))
    assert store.collect(frozenset(), before=1000.0).files == 0
    assert store.collect(frozenset(), before=1000.1).files == 1


def test_cleaning_removes_what_a_killed_process_left(store: ArtefactStore) -> None:
    store.add_bytes(b"code")
    (store.root / ".unfinished-x").write_bytes(b"half")
    assert store.collect({*map(digest_of, files(store))}, before=1e12).files == 1
    assert len(files(store)) == 1
