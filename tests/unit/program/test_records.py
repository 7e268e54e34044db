from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.program.records import (
    archive_members,
    key_line,
    keys_in,
    keys_in_file,
    make_key,
    read_records,
    write_record,
)
from perfwright.toolchain.discovery import select
from perfwright.toolchain.process import run

A, B = make_key("a"), make_key("b")

NOISE = st.binary(max_size=30).filter(lambda data: b"PWKEY" not in data)


def test_keys_have_one_size_and_depend_on_every_part() -> None:
    keys = {make_key("a", {"x": 1}), make_key("a", {"x": 2}), make_key("b", {"x": 1})}
    assert len(keys) == 3
    assert {len(key_line(key)) for key in keys} == {40}


@given(st.lists(st.tuples(NOISE, st.text()), max_size=6), NOISE)
def test_keys_are_found_in_order_between_any_bytes(
    parts: list[tuple[bytes, str]], end: bytes
) -> None:
    keys = [make_key(text) for _, text in parts]
    data = b"".join(noise + key_line(key) for (noise, _), key in zip(parts, keys, strict=True))
    assert list(keys_in(data + end)) == list(dict.fromkeys(keys))


def test_a_broken_key_is_no_key() -> None:
    assert keys_in(key_line(A)[:-2] + b"\n" + key_line(B).replace(b"PW", b"pw")) == ()


def test_a_file_that_is_empty_or_absent_has_no_keys(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert keys_in_file(tmp_path / "empty") == keys_in_file(tmp_path / "absent") == ()


def test_records_are_read_in_the_order_in_which_steps_ended(tmp_path: Path) -> None:
    for name, time_ns in (("x", 3), ("y", 1), ("z", 2)):
        write_record(tmp_path, "link", name, {"time_ns": time_ns, "name": name})
    write_record(tmp_path, "compile", "w", {"time_ns": 0})
    assert [record["name"] for record in read_records(tmp_path, "link")] == ["y", "z", "x"]


def test_records_of_another_schema_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "link-x.json").write_text(json.dumps({"schema": 99, "time_ns": 1}))
    assert read_records(tmp_path, "link") == []


def test_a_file_that_is_no_archive_has_no_members(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for content in (b"", b"\x7fELF", b"!<arch>\n" + b"?" * 60):
        path.write_bytes(content)
        assert archive_members(path) is None
    assert archive_members(tmp_path / "absent") is None


@pytest.mark.llvm
@pytest.mark.parametrize("kind", ["rcs", "rcsT"], ids=["common", "thin"])
def test_members_of_an_archive_are_read_with_short_and_long_names(
    tmp_path: Path, kind: str
) -> None:
    contents = {"a.o": b"odd", "a name longer than sixteen.o": b"even", "sub/b.o": b"x" * 7}
    (tmp_path / "sub").mkdir()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    archiver = select().tool("llvm-ar")
    assert run([archiver, kind, "lib.a", *contents], cwd=tmp_path).ok
    members = archive_members(tmp_path / "lib.a")
    assert members is not None
    assert [bytes(member) for member in members] == list(contents.values())
