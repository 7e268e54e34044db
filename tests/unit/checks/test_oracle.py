from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.checks.oracle import Mismatch, close, compare, compare_bytes
from perfwright.measure.runner import Outcome, RunResult
from perfwright.program.spec import Oracle
from perfwright.program.tables import Tolerance
from perfwright.testing.executor import answer

EXACT = Oracle()
NEARLY = Oracle(stdout=Tolerance(rel=1e-6, abs=1e-12))


def explained(expected: bytes, got: bytes, oracle: Oracle = EXACT) -> str:
    return str(compare(answer(expected), answer(got), oracle))


def same(expected: str, got: str, rel: float = 1e-6, abs_: float = 0.0) -> bool:
    return close(expected, got, Tolerance(rel=rel, abs=abs_))


def test_equal_runs_have_no_mismatch() -> None:
    assert compare(answer(b"42\n"), answer(b"42\n"), EXACT) is None


def test_standard_error_and_times_are_not_compared() -> None:
    noisy = RunResult(Outcome.EXITED, stdout=b"42\n", stderr=b"took 3 s", user_seconds=9.0)
    assert compare(answer(b"42\n"), noisy, EXACT) is None


def test_the_first_line_that_differs_is_shown() -> None:
    assert explained(b"a\nb\nc\n", b"a\nx\ny\n") == (
        "line 2 of standard output: expected 'b', got 'x'"
    )


def test_a_missing_and_a_further_line_are_shown() -> None:
    assert explained(b"a\nb\n", b"a\n") == "line 2 of standard output: expected 'b', got the end"
    assert explained(b"a\n", b"a\nb\n") == "line 2 of standard output: expected the end, got 'b'"


def test_a_long_line_is_shown_around_its_first_difference() -> None:
    line = b"x" * 500
    text = explained(line + b"1" + line, line + b"2" + line)
    assert "xx1xx" in text
    assert "xx2xx" in text
    assert len(text) < 300


def test_no_output_of_a_program_that_printed_before_is_wrong() -> None:
    assert explained(b"42\n", b"") == "standard output: expected 3 bytes, got nothing"


def test_only_the_last_line_end_counts_too() -> None:
    assert "the end at byte 2 of 2" in explained(b"42\n", b"42")
    assert compare(answer(b"42\n"), answer(b"42"), NEARLY) is None


def test_binary_output_is_shown_as_bytes() -> None:
    assert explained(b"\x00\x01\x02", b"\x00\x09\x02") == (
        "standard output: expected 01 02 at byte 1 of 3, got 09 02 at byte 1 of 3"
    )


def test_another_exit_status_is_wrong_although_the_output_is_right() -> None:
    found = compare(answer(b"42"), answer(b"42", status=3), EXACT)
    assert str(found) == "exit status: expected 0, got 3"


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.EXITED])
def test_a_run_that_did_not_end_by_itself_never_passes(outcome: Outcome) -> None:
    got = RunResult(outcome, stdout=b"42\n", signal=11 if outcome is Outcome.CRASHED else 0)
    assert compare(answer(b"42\n"), got, EXACT) is not None


def test_a_crash_after_the_right_answer_says_which_signal() -> None:
    got = RunResult(Outcome.CRASHED, status=-1, signal=11, stdout=b"42\n")
    assert str(compare(answer(b"42\n"), got, EXACT)) == "killed by SIGSEGV"


def with_file(data: bytes | None) -> RunResult:
    return RunResult(Outcome.EXITED, output_files={"out": data})


def test_files_that_the_oracle_names_are_compared() -> None:
    oracle = Oracle(files=("out",))
    assert compare(with_file(b"a\n"), with_file(b"a\n"), oracle) is None
    assert str(compare(with_file(b"a\n"), with_file(b"b\n"), oracle)) == (
        "line 1 of out: expected 'a', got 'b'"
    )
    assert str(compare(with_file(b"a\n"), with_file(None), oracle)) == (
        "out: expected a file, got no file"
    )


def test_output_that_does_not_count_is_left_out() -> None:
    assert compare(answer(b"1.3 s\n"), answer(b"1.4 s\n"), EXACT, output=False) is None


def test_a_tolerance_is_for_numbers_only() -> None:
    assert same("sum = 1.0000000", "sum = 1.0000001")
    assert not same("sum = 1.0000000", "Sum = 1.0000000")
    assert not same("sum = 1.0", "sum = nothing")
    assert not same("1.0 2.0", "1.0 2.0 3.0")


def test_a_tolerance_is_relative_or_absolute() -> None:
    assert not same("1.0", "1.001")
    assert same("1.0", "1.001", abs_=0.01)
    assert same("1e300", "1.0000001e300")
    assert not same("0.0", "1e-9")
    assert same("0.0", "1e-9", abs_=1e-8)


def test_whole_numbers_must_be_equal_whatever_the_tolerance() -> None:
    assert not same("count 1000000", "count 1000001", rel=0.1)
    assert same("007", "7")
    assert same("1000", "1000.0")


def test_columns_may_move_with_the_width_of_numbers() -> None:
    assert same("x =  9.9999999 m", "x = 10.0000000 m")


def test_infinities_and_nan_are_numbers() -> None:
    assert same("-nan", "nan")
    assert same("inf", "INF")
    assert not same("inf", "-inf")
    assert not same("nan", "1.0")
    assert not same("info 1.0", "inf 1.0")


def test_versions_and_hexadecimal_numbers_are_compared_exactly() -> None:
    assert not same("0x10", "0x11")
    assert not same("v2", "v3")


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 3))
def test_what_is_printed_with_enough_digits_is_close_to_itself(number: float, spaces: int) -> None:
    assert same(f"x{' ' * spaces}= {number!r}", f"x{' ' * spaces}= {number:.17e}", rel=1e-12)


@given(st.floats(min_value=1e-3, max_value=1e12), st.floats(min_value=0.01, max_value=0.5))
def test_what_is_farther_off_than_the_tolerance_is_not_close(number: float, off: float) -> None:
    assert not same(f"{number:.17e}", f"{number * (1 + off):.17e}", rel=off / 10)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_contents_match_exactly_when_they_are_equal(one: bytes, other: bytes) -> None:
    found = compare_bytes("file", one, other, "exact")
    assert (found is None) == (one == other)
    assert found is None or isinstance(found, Mismatch)


def test_close_is_not_confused_by_very_large_exponents() -> None:
    assert math.isinf(float("1e999"))
    assert same("1e999", "2e999")
