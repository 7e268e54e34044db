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
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run

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


SCATTER = """void tell(int);
void scatter(int *a, const int *b, int n) {
    for (int i = 0; i < n; i++)
        a[b[i]] = a[i] + i;
}
void told(int *a, int n) {
    for (int i = 0; i < n; i++) {
        a[i] += 1;
        tell(a[i]);
    }
}
"""


def analysis(line: int, message: str, pass_name: str = "loop-vectorize") -> str:
    return (
        f"--- !Analysis\nPass:            {pass_name}\nName:            Why\n"
        f"DebugLoc:        {{ File: a.c, Line: {line}, Column: 5 }}\nFunction:        f\n"
        "Args:\n  - String:          'loop not vectorized: '\n"
        f"  - String:          {message}\n...\n"
    )


def outcome(
    line: int, name: str = "MissedDetails", kind: str = "Missed", function: str = "f"
) -> str:
    return (
        f"--- !{kind}\nPass:            loop-vectorize\nName:            {name}\n"
        f"DebugLoc:        {{ File: a.c, Line: {line}, Column: 5 }}\nFunction:        {function}\n"
        "Args:\n  - String:          outcome\n...\n"
    )


def causes(*documents: str) -> list[str]:
    found = read_remarks(io.StringIO("".join(documents)))
    return [remark.cause for remark in found if remark.kind != "analysis"]


def test_a_loop_was_not_vectorised_because_of_what_was_said_right_before() -> None:
    assert causes(analysis(9, "contains a switch"), outcome(9)) == ["contains a switch"]


def test_causes_elsewhere_in_the_loop_have_their_place() -> None:
    bounds = analysis(12, "cannot identify array bounds")
    unknown = analysis(9, "could not determine number of loop iterations")
    assert causes(bounds, unknown, unknown, outcome(9)) == [
        "cannot identify array bounds at a.c:12:5; could not determine number of loop iterations"
    ]


def test_of_many_causes_the_first_three_are_kept() -> None:
    assert causes(*(analysis(9, f"cause {n}") for n in range(5)), outcome(9)) == [
        "cause 0; cause 1; cause 2; 2 more"
    ]


def test_two_copies_of_one_loop_have_causes_of_their_own() -> None:
    assert causes(analysis(9, "call"), outcome(9), analysis(9, "switch"), outcome(9)) == [
        "call",
        "switch",
    ]


def test_what_was_said_of_a_vectorised_loop_is_no_cause_of_the_next() -> None:
    passed = outcome(9, "Vectorized", "Passed")
    assert causes(analysis(9, "call"), passed, outcome(20)) == ["", ""]


def test_what_was_said_of_another_function_is_no_cause() -> None:
    assert causes(analysis(9, "call"), outcome(9, function="g")) == [""]


def test_an_outcome_that_has_its_own_reason_is_left_as_it_is() -> None:
    assert causes(analysis(9, "call"), outcome(9, "VectorizationNotBeneficial")) == [""]


def test_loops_with_a_pragma_have_causes_though_their_analysis_has_no_pass() -> None:
    assert causes(analysis(9, "call", pass_name="''"), outcome(9)) == ["call"]


@pytest.mark.llvm
def test_real_loops_that_are_not_vectorised_have_causes(
    each_toolchain: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "a.c").write_text(SCATTER)
    options = ("-O3", "-gline-tables-only", "-fsave-optimization-record=yaml")
    assert run([each_toolchain.tool("clang"), *options, "-c", "a.c"], cwd=tmp_path).ok

    with open_remarks(tmp_path / "a.opt.yaml") as stream:
        bare = [remark for remark in read_remarks(stream) if remark.is_bare]

    assert [(remark.function, remark.cause) for remark in bare] == [
        ("scatter", "cannot identify array bounds at a.c:4:9"),
        (
            "told",
            "call instruction cannot be vectorized at a.c:9:9; instruction cannot be vectorized",
        ),
    ]
