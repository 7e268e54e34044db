from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from perfwright.core.protocols import Refusal
from perfwright.pipeline.tree import parse
from perfwright.pipeline.validate import Accepted, same_code, validate
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, ProcessResult

OPT = Path("opt")
NO_LIMITS = Limits()


class Scripted:
    """An opt that answers as told, and remembers what it was asked."""

    def __init__(self, status: int = 0, stderr: str = "", *, timed_out: bool = False) -> None:
        self.status, self.stderr, self.timed_out = status, stderr, timed_out
        self.argv: tuple[str, ...] = ()

    def __call__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        limits: Limits = NO_LIMITS,
    ) -> ProcessResult:
        del stdin, limits
        self.argv = tuple(os.fspath(word) for word in argv)
        return ProcessResult(
            self.argv,
            cwd,
            self.status,
            self.argv[1].encode(),
            self.stderr.encode(),
            2.0,
            self.timed_out,
            env or {},
        )


def test_a_pipeline_that_runs_is_accepted_with_its_time() -> None:
    opt = Scripted()
    outcome = validate(parse("function(gvn)"), Path("a.bc"), opt=OPT, options=["-x=1"], runner=opt)
    assert outcome == Accepted(2.0)  # type: ignore[arg-type]
    assert opt.argv == ("opt", "-passes=function(gvn)", "-x=1", "-disable-output", "a.bc")


def test_verifying_after_each_pass_is_asked_for() -> None:
    opt = Scripted()
    validate("gvn", Path("a.bc"), opt=OPT, verify_each=True, runner=opt)
    assert "-verify-each" in opt.argv


@pytest.mark.parametrize(
    ("stderr", "status", "timed_out", "reason"),
    [
        ("opt-22: unknown pass name 'x'\n", 1, False, "opt-22: unknown pass name 'x'"),
        (
            "LLVM ERROR: LICM requires MemorySSA (loop-mssa)\nPLEASE submit\n",
            *(1, False, "LLVM ERROR: LICM requires MemorySSA (loop-mssa)"),
        ),
        (
            'Stack dump:\n0.\tProgram arguments: opt\n1.\tRunning pass "gvn" on function "f"\n',
            *(-11, False, "killed by SIGSEGV in gvn"),
        ),
        ("", -9, True, "timed out after 2 s"),
    ],
    ids=["message", "abort", "crash", "hang"],
)
def test_a_failure_is_refused_with_the_reason_and_a_line_to_paste(
    stderr: str, status: int, timed_out: bool, reason: str
) -> None:
    opt = Scripted(status, stderr, timed_out=timed_out)
    outcome = validate("gvn(licm)", Path("my module.bc"), opt=OPT, runner=opt)
    assert isinstance(outcome, Refusal)
    assert reason in outcome.reason
    assert outcome.reproducer == "opt '-passes=gvn(licm)' -disable-output 'my module.bc'"


def test_ir_from_memory_is_named_in_the_line_to_paste() -> None:
    outcome = validate("gvn", b"ir", opt=OPT, runner=Scripted(1, "opt: no"))
    assert isinstance(outcome, Refusal)
    assert outcome.reproducer.endswith("- < module.bc")


def test_the_same_output_is_the_same_code() -> None:
    opt = Scripted()
    assert same_code("gvn", "gvn", b"", opt=OPT, runner=opt) is True
    assert same_code("gvn", "dse", b"", opt=OPT, runner=opt) is False


@pytest.mark.llvm
def test_a_real_crash_is_refused(each_toolchain: Toolchain, loops_ir: bytes) -> None:
    opt = each_toolchain.tool("opt")
    outcome = validate("trigger-crash-module", loops_ir, opt=opt)
    assert isinstance(outcome, Refusal)
    assert "killed by" in outcome.reason


@pytest.mark.llvm
def test_a_real_abort_is_refused_with_what_llvm_says(
    each_toolchain: Toolchain, loops_ir: bytes
) -> None:
    outcome = validate("function(loop(licm))", loops_ir, opt=each_toolchain.tool("opt"))
    assert isinstance(outcome, Refusal)
    assert "LICM requires MemorySSA" in outcome.reason


@pytest.mark.llvm
def test_a_real_hang_is_refused(each_toolchain: Toolchain, loops_ir: bytes) -> None:
    limits = Limits(wall=0.001)
    outcome = validate("default<O3>", loops_ir, opt=each_toolchain.tool("opt"), limits=limits)
    assert isinstance(outcome, Refusal)
    assert "timed out" in outcome.reason
