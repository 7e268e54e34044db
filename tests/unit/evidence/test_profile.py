from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from perfwright.evidence.callgrind import CallgrindCosts
from perfwright.evidence.counts import FunctionCounts
from perfwright.evidence.elf import Binary, FunctionSymbol, Segment, read_binary
from perfwright.evidence.location import Location
from perfwright.evidence.perf import KERNEL, Samples
from perfwright.evidence.profile import (
    LineShare,
    Profile,
    Profiler,
    Share,
    SymbolFinder,
    from_callgrind,
    from_counts,
    from_samples,
    sampling_frequency,
)
from perfwright.evidence.symbolize import Frame
from perfwright.toolchain.process import run
from perfwright.units import Bytes, Seconds

FUNCTIONS = (
    FunctionSymbol("step", "main.c", 0x2000, Bytes(16), 1),
    FunctionSymbol("step", "work.c", 0x2010, Bytes(16), 1),
    FunctionSymbol("work.constprop.0", "", 0x2020, Bytes(16), 1),
    FunctionSymbol("_start", "", 0x2100, Bytes(0), 1),
)
BINARY = Binary("x86_64", FUNCTIONS, (Segment(0x1000, 0x2000, 0x1000),), True)


def test_local_functions_of_one_name_have_shares_of_their_own() -> None:
    samples = Samples(Counter({0x1004: 1, 0x1014: 2, 0x1024: 1}))
    assert from_samples(samples, BINARY, {}).shares == (
        Share("step", "work.c", "", 0.5),
        Share("step", "main.c", "", 0.25),
        Share("work", "", "", 0.25),
    )


def test_time_outside_the_program_is_told() -> None:
    samples = Samples(Counter({0x1004: 1}), Counter({("memcpy", "libc.so.6"): 2, (KERNEL, ""): 1}))
    profile = from_samples(samples, BINARY, {})
    assert profile.outside == pytest.approx(0.75)
    assert profile.shares[0] == Share("memcpy", "", "libc.so.6", 0.5)


def test_lines_belong_to_the_function_they_were_written_in() -> None:
    samples = Samples(Counter({0x1014: 3, 0x1018: 1}))
    inlined = Frame("clamp", Location("clamp.h", 7, 12))
    profile = from_samples(samples, BINARY, {0x1014: inlined, 0x1018: inlined})
    assert profile.lines == (LineShare(Location("clamp.h", 7), "clamp", 1.0),)
    assert profile.places == {0x2014: Location("clamp.h", 7), 0x2018: Location("clamp.h", 7)}


def test_the_share_of_instructions_is_that_of_their_samples() -> None:
    profile = from_samples(Samples(Counter({0x1014: 3, 0x1024: 1})), BINARY, {})
    assert profile.share_of([0x2010, 0x2014]) == 0.75
    assert Profile().share_of([0x2014]) == 0.0


def test_an_address_in_no_function_has_no_symbol() -> None:
    finder = SymbolFinder(FUNCTIONS)
    assert finder.at(0x2008) == FUNCTIONS[0]
    assert finder.at(0x2050) is None
    assert finder.at(0x1000) is None
    assert finder.at(0x2180) == FUNCTIONS[3]


def test_callgrind_counts_libraries_as_outside() -> None:
    costs = CallgrindCosts({("work", "p.bare"): 30, ("memset", "libc.so.6"): 10})
    profile = from_callgrind(costs, BINARY, "p.bare")
    assert profile.shares[0] == Share("work", "", "", 0.75)
    assert profile.outside == 0.25


def test_counts_are_the_last_resort() -> None:
    profile = from_counts([FunctionCounts("f", "", 1, 29), FunctionCounts("g", "", 10)])
    assert profile.method == "counts"
    assert profile.shares[0] == Share("f", "", "", 0.75)
    assert not from_counts([]).available


@pytest.mark.parametrize(
    ("seconds", "hertz"), [(None, 4999), (0.1, 4999), (4.0, 1001), (3600.0, 199)]
)
def test_long_runs_are_sampled_less_often(seconds: float | None, hertz: int) -> None:
    assert sampling_frequency(None if seconds is None else Seconds(seconds)) == hertz


def test_when_nothing_works_the_profile_says_why(
    tmp_path: Path, scripted: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    tools = scripted({"llvm-strip": answer()})

    def refused(*_: Any, prefix: Sequence[str] = (), **__: Any) -> Any:
        if prefix[0] == "perf":
            return answer(stderr="no permission to sample", status=255)
        return answer(stderr="vex: unhandled instruction", status=-4)

    profile = Profiler(tools, tools.run, refused, tmp_path).profile(tmp_path / "p", BINARY)
    assert not profile.available
    assert profile.reason == (
        "perf: exit status 255: no permission to sample; "
        "callgrind: it does not know an instruction of the program (SIGILL); "
        "counts: there was no instrumented run"
    )


def test_a_missing_profiler_is_a_reason_not_an_error(
    tmp_path: Path, scripted: Callable[..., Any]
) -> None:
    tools = scripted({})
    profiler = Profiler(tools, tools.run, tools.run, tmp_path)
    counts = [FunctionCounts("f", "", 3)]
    profile = Profiler(
        tools, tools.run, lambda binary, prefix=(), **_: tools.run([*prefix, binary]), tmp_path
    ).profile(tmp_path / "p", BINARY, counts=counts)
    assert profiler.expected is None
    assert profile.method == "counts"
    assert profile.reason == "perf: cannot run 'perf'; callgrind: there is no llvm-strip"


@pytest.mark.llvm
def test_a_real_run_finds_the_hot_local_function(
    tiny: Any, tmp_path: Path, program: Callable[..., Any]
) -> None:
    profiler = Profiler(tiny.toolchain, run, program(("10000000",)), tmp_path, tiny.root)
    profile = profiler.profile(tiny.binary, read_binary(tiny.binary), methods=["perf"])
    if not profile.available:
        pytest.skip(profile.reason)
    assert (profile.shares[0].name, profile.shares[0].unit) == ("step", "work.c")
    assert profile.shares[0].share > 0.5
    assert profile.lines[0].place.file == "work.c"


@pytest.mark.llvm
def test_callgrind_finds_it_too(tiny: Any, tmp_path: Path, program: Callable[..., Any]) -> None:
    profiler = Profiler(tiny.toolchain, run, program(("20000",)), tmp_path, tiny.root)
    profile = profiler.profile(tiny.binary, read_binary(tiny.binary), methods=["callgrind"])
    if not profile.available:
        pytest.skip(profile.reason)
    assert profile.shares[0].name == "step"
