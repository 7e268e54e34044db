"""What is saved of a crash, and how it is made small."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfwright.program.build import BuildFailure, build
from perfwright.program.capture import from_sources
from perfwright.program.captured import CapturedBuild
from perfwright.program.linker import link_option
from perfwright.program.plan import BuildPlan
from perfwright.program.reduction import check_script, reduce
from perfwright.program.reproducer import Culprit, Reproducer, save, signature
from perfwright.program.spec import load
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run
from perfwright.units import Seconds

SHA256 = Path(__file__).parents[3] / "suites" / "core" / "sha256"
OPTION = "-tail-dup-placement-penalty=0"
PLANS = {
    "compile": BuildPlan(compile_flags=("-mllvm", OPTION)),
    "codegen": BuildPlan(
        unit_pipelines={"sha256.c": "default<O3>"}, unit_flags={"sha256.c": ("-mllvm", OPTION)}
    ),
    "link": BuildPlan(whole_program=True, link_flags=link_option(OPTION)),
}
TRACE = """\
Stack dump:
1.\tCode generation
2.\tRunning pass 'Branch Probability Basic Block Placement' on function '@f'
 #0 0x00007f llvm::sys::PrintStackTrace(llvm::raw_ostream&, int) (/usr/lib/libLLVM.so+0x4e)
 #1 0x00007f (/usr/lib/libLLVM.so+0x4de84b0)
 #2 0x00007f llvm::BranchProbability::scaleByInverse(unsigned long) const (/usr/lib/x+0x4)
 #3 0x00007f llvm::BlockFrequency::operator/(llvm::BranchProbability) const (/usr/lib/x+0x5)
 #4 0x00007f llvm::MachineFunctionPass::runOnFunction(llvm::Function&) (/usr/lib/x+0x6)
"""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            TRACE,
            (
                "Running pass 'Branch Probability Basic Block Placement' on",
                "llvm::BranchProbability::scaleByInverse",
                "llvm::BlockFrequency::operator/",
            ),
        ),
        (
            f'opt: a.cpp:3: int f(): Assertion `x && "no"\' failed.\n{TRACE}',
            ('Assertion `x && "no"\' failed',),
        ),
        (f"LLVM ERROR: Cannot select: t5: i32\n{TRACE}", ("LLVM ERROR: Cannot select",)),
        ("UNREACHABLE executed at /x/A.cpp:12!\n", ("UNREACHABLE executed at /x/A.cpp:12",)),
        ("<unknown>:0: error: ran out of registers %5\n", ("error: ran out of registers ",)),
        ("Killed\n", ()),
    ],
)
def test_a_signature_has_what_stays_while_the_input_shrinks(
    said: str, expected: tuple[str, ...]
) -> None:
    assert signature(said) == tuple(text.strip() for text in expected)


def verdict(tmp_path: Path, kind: str, script: str, texts: tuple[str, ...] = ()) -> int:
    """What `check.sh` says of a tool that does what `script` does."""
    (tmp_path / "run.sh").write_text(script)
    (tmp_path / "check.sh").write_text(check_script(kind, texts, 1))  # type: ignore[arg-type]
    (tmp_path / "variant").write_text("IR")
    return run(["sh", tmp_path / "check.sh", tmp_path / "variant"]).status


@pytest.mark.parametrize(
    ("kind", "script", "status"),
    [
        ("crash", "echo 'it went wrong in f'; exit 136", 0),
        ("crash", "echo 'it went wrong in g'; exit 136", 1),
        ("crash", "echo 'it went wrong in f'", 1),
        ("memory", "echo 'LLVM ERROR: out of memory'; exit 1", 0),
        ("memory", "echo 'error: no such pass'; exit 1", 1),
        ("timeout", "exit 1", 1),
    ],
)
def test_only_the_same_failure_is_interesting(
    tmp_path: Path, kind: str, script: str, status: int
) -> None:
    assert verdict(tmp_path, kind, script, ("wrong in f",)) == status
    assert (tmp_path / "best.bc").exists() == (status == 0)


def test_a_hang_is_interesting_when_it_hangs(tmp_path: Path) -> None:
    assert verdict(tmp_path, "timeout", "exec sleep 30") == 0
    assert verdict(tmp_path, "crash", "exec sleep 30") == 1


@pytest.fixture(scope="module")
def program() -> CapturedBuild:
    return from_sources(load(SHA256))


def saved(
    program: CapturedBuild, plan: BuildPlan, toolchain: Toolchain, tmp_path: Path
) -> Reproducer:
    """What is saved of a crash, after everything else of the build is gone."""
    failure = build(program, plan, toolchain, tmp_path / "build")
    if not isinstance(failure, BuildFailure) or failure.kind != "crash":
        pytest.skip(f"LLVM {toolchain.version} does not crash of {OPTION}")
    culprit = Culprit(program, plan, toolchain)
    found = save(failure, culprit, tmp_path / "saved")
    (tmp_path / "saved").rename(tmp_path / "elsewhere")
    return found


@pytest.mark.llvm
@pytest.mark.parametrize("stage", PLANS)
def test_a_saved_crash_shows_itself_anywhere(
    program: CapturedBuild, toolchain: Toolchain, tmp_path: Path, stage: str
) -> None:
    found = saved(program, PLANS[stage], toolchain, tmp_path)
    again = run(["sh", tmp_path / "elsewhere" / "run.sh"], cwd=tmp_path)
    assert found.shown
    assert not again.ok
    assert signature(again.error_text) == signature(found.said) != ()
    assert str(tmp_path) not in (tmp_path / "elsewhere" / "run.sh").read_text()


@pytest.mark.llvm
def test_reducing_keeps_the_failure(
    program: CapturedBuild, toolchain: Toolchain, tmp_path: Path
) -> None:
    found = saved(program, PLANS["compile"], toolchain, tmp_path)
    (tmp_path / "elsewhere").rename(tmp_path / "saved")
    small = reduce(found, toolchain, Seconds(4.0))
    assert small is not None
    assert small.after < small.before
    again = run(["sh", found.script, small.bitcode])
    assert signature(again.error_text) == signature(found.said)


@pytest.mark.llvm
def test_what_does_not_come_from_ir_is_not_reduced(toolchain: Toolchain, tmp_path: Path) -> None:
    found = Reproducer(tmp_path, "crash", "", None, shown=True)
    assert reduce(found, toolchain, Seconds(1.0)) is None
