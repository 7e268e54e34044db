from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from perfwright.checks.mutation import Mutant, MutationCheck, OracleStrength, disassemble
from perfwright.checks.selfcheck import SelfCheck
from perfwright.errors import ProgramError
from perfwright.evidence.elf import code_hash
from perfwright.measure.executor import NativeExecutor
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Outcome, Run, RunResult
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.spec import Oracle
from perfwright.testing.clock import ScriptedClock
from perfwright.testing.executor import ScriptedExecutor, answer
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run as run_tool
from perfwright.units import Seconds

MakeRuns = Callable[..., ProgramRuns]
Compiled = Callable[..., Path]

UNIT = "define i32 @main() {\n" + "".join(f"  store i32 {n}, ptr %p\n" for n in range(40)) + "}\n"
BASE = Path("/m/base")


def make(folder: str = "/m") -> Callable[[str, str], Path]:
    """A maker whose binaries are named by the number of lines and a digest of the text."""
    return lambda _, text: BASE if text == UNIT else Path(folder) / f"{abs(hash(text))}"


def checking(
    runs: ProgramRuns,
    script: Callable[[Run, int], RunResult],
    makers: Sequence[Callable[[str, str], Path | None]] = (),
    code: Callable[[Path], str] = str,
) -> tuple[MutationCheck, ScriptedExecutor]:
    workloads = runs.spec.workloads
    times = [0.5, 0.1, 0.9]
    expected = {
        w.id: Expected(w, answer(), Seconds(t), Seconds(t))
        for w, t in zip(workloads, times, strict=False)
    }
    executor = ScriptedExecutor(script)
    makers = makers or [make()]
    return MutationCheck(runs, executor, Reference(expected), makers, code), executor


def wrong_from(first: int, result: RunResult) -> Callable[[Run, int], RunResult]:
    """The base is right; mutants from this number on give `result`."""

    def script(run: Run, number: int) -> RunResult:
        return answer() if run.program == BASE or number < first else result

    return script


def test_every_mutant_that_changes_the_result_is_caught(make_runs: MakeRuns) -> None:
    check, _ = checking(make_runs(), wrong_from(0, answer(b"41\n")))
    strength = check.strength({"u": UNIT}, {})
    assert (strength.caught, strength.total) == (10, 10)
    assert "standard output" in strength.mutants[0].how
    strength.require()


@pytest.mark.parametrize("outcome", [Outcome.TIME_LIMIT, Outcome.CRASHED, Outcome.LEFT_PROCESSES])
def test_a_hang_or_a_crash_counts_as_caught(make_runs: MakeRuns, outcome: Outcome) -> None:
    check, _ = checking(make_runs(), wrong_from(0, RunResult(outcome, signal=11)))
    assert check.strength({"u": UNIT}, {}).enough


def test_an_oracle_that_notices_nothing_is_refused_with_the_survivors(
    make_runs: MakeRuns,
) -> None:
    check, _ = checking(make_runs(), wrong_from(0, answer()))
    strength = check.strength({"u": UNIT}, {})
    assert strength.caught == 0
    with pytest.raises(ProgramError, match="notices 0 of 10 mutants") as caught:
        strength.require()
    assert "store dropped in main" in caught.value.cause
    assert "--weak-oracle" in caught.value.hint


def test_half_of_the_mutants_are_enough() -> None:
    caught, missed = Mutant("a", "exit status"), Mutant("b", "")
    assert OracleStrength((caught, missed)).enough
    assert not OracleStrength((caught, missed, missed)).enough


def test_without_any_mutant_nothing_is_known(make_runs: MakeRuns) -> None:
    check, _ = checking(make_runs(), wrong_from(0, answer(b"41")), makers=[lambda _u, _t: None])
    strength = check.strength({"u": UNIT}, {})
    assert (strength.total, strength.enough) == (0, False)
    with pytest.raises(ProgramError):
        strength.require()


def test_mutants_with_known_code_are_left_out(make_runs: MakeRuns) -> None:
    codes = iter(["base", "a", "a", "base", "b", "c"])
    check, executor = checking(
        make_runs(), wrong_from(0, answer(b"41")), code=lambda _: next(codes)
    )
    assert check.strength({"u": UNIT}, {}, aim=3).total == 3
    assert len(executor.runs) == 1 + 3


def test_mutants_run_on_the_cheapest_workload_with_a_short_limit(make_runs: MakeRuns) -> None:
    check, executor = checking(make_runs({}, {}, {}), wrong_from(0, answer(b"41")))
    check.strength({"u": UNIT}, {})
    assert len(executor.runs) == 11
    mutants = executor.runs[1:]
    assert all(run.limits.wall == 1.0 for run in mutants)
    assert check.reference.cheapest.workload.id == "train-2"


def test_survivors_meet_the_other_workloads_only_when_the_oracle_looks_weak(
    make_runs: MakeRuns,
) -> None:
    def script(run: Run, _: int) -> RunResult:
        return answer() if run.program == BASE or run.argv[1] == "b" else answer(b"41\n")

    runs = make_runs({"args": ("a",)}, {"args": ("b",)})
    check, executor = checking(runs, script)
    assert check.strength({"u": UNIT}, {}).caught == 10
    assert len(executor.runs) == 1 + 10 + 10


def test_survivors_meet_the_users_own_test_last(make_runs: MakeRuns) -> None:
    def script(run: Run, _: int) -> RunResult:
        return answer(status=1) if run.copy_tree else answer()

    check, _ = checking(make_runs(oracle=Oracle(test="make check")), script)
    strength = check.strength({"u": UNIT}, {})
    assert strength.caught == 10
    assert strength.mutants[0].how == "test: exit status 1"


def test_a_unit_that_differs_at_a_lower_level_is_built_as_usual(make_runs: MakeRuns) -> None:
    def script(run: Run, _: int) -> RunResult:
        assert run.program is not None
        return answer(b"41\n") if run.program.parent == Path("/quick") else answer()

    makers = [lambda _unit, _text: Path("/quick/x"), make()]
    check, executor = checking(make_runs(), script, makers)
    check.strength({"u": UNIT}, {})
    programs = [run.program for run in executor.runs]
    assert programs[:2] == [Path("/quick/x"), BASE]
    assert Path("/quick/x") not in programs[2:]


SOURCE = """
#include <stdio.h>
#include <string.h>
static unsigned step(unsigned s, unsigned n) {
    for (unsigned i = 0; i < n; i++) s = s * 1664525u + (i ^ 1013904223u) - (s >> 3);
    return s;
}
int main(int argc, char **argv) {
    unsigned s = 1;
    for (int i = 0; i < 50; i++) s = step(s, 1000) + 1;
    if (argc > 1) printf("%u\\n", s); else puts("done");
    return 0;
}
"""


@pytest.fixture
def text(toolchain: Toolchain, tmp_path: Path) -> str:
    """The unoptimised IR of `SOURCE`."""
    clang = [str(toolchain.tool("clang")), "-O3", "-Xclang", "-disable-llvm-passes", "-emit-llvm"]
    bitcode = tmp_path / "unit.bc"
    assert run_tool([*clang, "-c", "-x", "c", "-", "-o", str(bitcode)], stdin=SOURCE.encode()).ok
    return disassemble(bitcode, toolchain.tool("llvm-dis"))


@pytest.fixture
def maker(toolchain: Toolchain, tmp_path: Path) -> Callable[[str, str], Path | None]:
    """Builds the program from another text of its only unit."""

    def make_one(_: str, mutant: str) -> Path | None:
        binary = tmp_path / f"mutant-{len(list(tmp_path.iterdir()))}"
        words = [str(toolchain.tool("clang")), "-w", "-O1", "-x", "ir", "-", "-o", str(binary)]
        return binary if run_tool(words, stdin=mutant.encode()).ok else None

    return make_one


@pytest.mark.llvm
def test_a_real_oracle_is_strong_if_and_only_if_the_result_is_printed(
    make_runs: MakeRuns,
    executor: NativeExecutor,
    compiled: Compiled,
    text: str,
    maker: Callable[[str, str], Path | None],
) -> None:
    binary, clock = compiled(SOURCE, "-O1"), ScriptedClock()
    for args, strong in ((("x",), True), ((), False)):
        runs = make_runs({"args": args})
        reference = SelfCheck(runs, executor, clock, clock.advance).reference(binary)
        check = MutationCheck(runs, executor, reference, [maker], code_hash)
        assert check.strength({"u": text}, {}).enough is strong
