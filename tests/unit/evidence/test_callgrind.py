from __future__ import annotations

from collections.abc import Callable

from perfwright.evidence.callgrind import parse_callgrind


def test_each_function_has_its_own_instructions_only(case: Callable[[str], str]) -> None:
    costs = parse_callgrind(case("callgrind.out").splitlines())
    assert costs.by_function == {
        ("encode", "encode.bare"): 150,
        ("advance", "encode.bare"): 700,
        ("walk", "encode.bare"): 100,
        ("strtoul", "libc.so.6"): 180,
    }
    assert costs.total == 1130
    assert not costs.cut_off


def test_a_run_that_died_leaves_a_cut_off_file() -> None:
    assert parse_callgrind(["version: 1", "events: Ir"]).cut_off
