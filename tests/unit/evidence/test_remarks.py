from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.errors import ToolchainError
from perfwright.evidence.location import Location, SourceRoot
from perfwright.evidence.remarks import Remark, open_remarks, parse_remark, read_remarks

Case = Callable[[str], str]


@pytest.fixture
def remarks(case: Case) -> list[Remark]:
    return list(read_remarks(io.StringIO(case("remarks.yaml"))))


def test_every_whole_document_but_instruction_mixes_is_a_remark(remarks: list[Remark]) -> None:
    assert [(r.kind, r.pass_name) for r in remarks] == [
        ("passed", "inline"),
        ("missed", "slp-vectorizer"),
        ("missed", "regalloc"),
        ("analysis", "loop-vectorize"),
        ("failure", "transform-warning"),
        ("missed", "licm"),
        ("missed", "licm"),
    ]


def test_a_place_that_is_broken_over_two_lines_is_read(remarks: list[Remark]) -> None:
    assert remarks[0].place == Location("src/a long name for a file, with a comma.c", 31, 19)


def test_the_message_is_what_the_compiler_would_print(remarks: list[Remark]) -> None:
    assert remarks[0].message == (
        "'encode_sample' inlined into 'encode' with (cost=-14865, threshold=375)"
    )


def test_named_arguments_are_values_and_numbers_are_numbers(remarks: list[Remark]) -> None:
    assert remarks[0].values == {
        "callee": "encode_sample",
        "caller": "encode",
        "cost": -14865,
        "threshold": 375,
    }
    assert remarks[2].values == {
        "num_reloads": 4,
        "total_reloads_cost": 42.5,
        "num_vr_copies": 29,
    }


def test_arguments_know_where_their_things_are(remarks: list[Remark]) -> None:
    assert remarks[0].places["callee"] == Location("src/encode.c", 6, 0)


def test_the_misspelt_threshold_is_a_threshold(remarks: list[Remark]) -> None:
    assert remarks[1].values == {"cost": 0, "threshold": 0}


def test_hotness_is_there_when_the_compiler_had_a_profile(remarks: list[Remark]) -> None:
    assert remarks[1].hotness == 5000000
    assert remarks[0].hotness is None


def test_quoted_and_literal_text_is_taken_as_meant(remarks: list[Remark]) -> None:
    assert remarks[3].function == "odd\tname"
    assert remarks[3].message == "first line\nsecond: 'line'\ntail \"quoted\" \\ \xe4"
    assert remarks[3].place is None


def test_a_remark_without_arguments_has_no_message(remarks: list[Remark]) -> None:
    assert remarks[4].message == ""
    assert remarks[4].values == {}


def test_files_are_named_relative_to_the_root(case: Case) -> None:
    root = SourceRoot("/src/program")
    stream = io.StringIO(case("remarks.yaml"))
    found = list(read_remarks(stream, root=root, directory="/src/program/build/.."))
    assert {r.place.file for r in found[1:] if r.place} == {"src/encode.c"}


def test_text_that_is_no_remark_is_none() -> None:
    assert parse_remark("--- !Passed\nPass: x\n") is None
    assert list(read_remarks(io.StringIO(""))) == []


@pytest.mark.parametrize("magic", [b"RMRK\x01", b"REMARKS\x00\x00"])
def test_binary_forms_are_refused_with_the_flag_to_use(tmp_path: Path, magic: bytes) -> None:
    path = tmp_path / "a.opt"
    path.write_bytes(magic + b"\0" * 20)
    with pytest.raises(ToolchainError) as caught:
        open_remarks(path)
    assert "yaml" in caught.value.hint


class Trickle(io.StringIO):
    """A stream that gives only a few characters at a time."""

    def read(self, size: int | None = -1, /) -> str:
        return super().read(min(7, size or 7) if size != -1 else 7)


def test_where_the_stream_is_cut_makes_no_difference(case: Case, remarks: list[Remark]) -> None:
    assert list(read_remarks(Trickle(case("remarks.yaml")))) == remarks


def _quoted(text: str) -> str:
    """A scalar as LLVM's YAML writer writes it when it quotes."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    out = "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped)
    return f'"{out}"'


_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30)


@given(function=_TEXTS, file=_TEXTS.filter(bool), values=st.lists(_TEXTS, max_size=5))
def test_any_text_survives_the_form_that_llvm_writes(
    function: str, file: str, values: list[str]
) -> None:
    arguments = "".join(f"  - String:          {_quoted(value)}\n" for value in values)
    document = (
        "--- !Missed\nPass:            gvn\nName:            LoadClobbered\n"
        f"DebugLoc:        {{ File: {_quoted(file)}, Line: 3, \n                   Column: 4 }}\n"
        f"Function:        {_quoted(function)}\nArgs:\n{arguments}...\n"
    )
    (remark,) = read_remarks(io.StringIO(document * 1))
    assert remark.function == function
    assert remark.message == "".join(values)
    assert remark.place is not None
    assert remark.place.line == 3


@given(st.integers(-(10**12), 10**12))
def test_any_whole_number_is_read_as_one(number: int) -> None:
    document = (
        "--- !Passed\nPass:            inline\nName:            Inlined\n"
        f"Function:        f\nArgs:\n  - Cost:            '{number}'"
    )
    remark = parse_remark(document)
    assert remark is not None
    assert remark.values["cost"] == number
