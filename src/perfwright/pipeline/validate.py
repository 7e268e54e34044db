"""Tries a pipeline on the program's own IR: opt has the last word.

opt runs under limits, with its verifier at the end.  `-verify-each` finds the pass at fault but
takes thirty times as long on a program of 80 units (50 s for 1.7 s), so it is for explaining a
refusal, not for every candidate.  A crash, a hang or an abort is a refusal with a line to paste.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perfwright.core.protocols import Refusal
from perfwright.pipeline.tree import Pipeline
from perfwright.toolchain.process import Limits, ProcessResult, Runner, run
from perfwright.units import Bytes, Seconds

LIMITS = Limits(wall=120.0, memory=Bytes(8 * 2**30))

# Where opt, the verifier or a failing assertion says what is wrong, the most telling first.
_TELLING = (
    re.compile(r"LLVM ERROR: .*"),
    re.compile(r"^.*Assertion .* failed.*", re.MULTILINE),
    re.compile(r"^.*opt[^\s:]*: .*", re.MULTILINE),
)
_RUNNING = re.compile(r'\d+\.\s+Running pass "?(?P<what>[^"\n]+)"?.*')


@dataclass(frozen=True)
class Accepted:
    """opt ran the pipeline to its end and its verifier was content.

    Attributes:
        seconds: how long opt took.
    """

    seconds: Seconds


def validate(
    pipeline: Pipeline | str,
    ir: Path | bytes,
    *,
    opt: Path,
    options: Sequence[str] = (),
    verify_each: bool = False,
    limits: Limits = LIMITS,
    runner: Runner = run,
) -> Accepted | Refusal:
    """Run a pipeline on IR and see whether opt survives.

    Args:
        pipeline: a pipeline or its text.
        ir: a file of bitcode or textual IR, or its content.
        opt: the tool.
        options: further options, such as `text_options("O3")` or `-unroll-threshold=600`.
        verify_each: verify after every pass, to find the one at fault.
        limits: time and memory.
        runner: runs opt.
    """
    tool = _Opt(opt, ir, limits, runner)
    checks = ["-verify-each"] if verify_each else []
    result = tool.run([f"-passes={pipeline}", *options, *checks, "-disable-output"])
    if result.ok:
        return Accepted(Seconds(result.seconds))
    ended = "timeout" if result.timed_out else "crash" if result.crashed else ""
    return Refusal(_reason(result), tool.reproducer(result), broken=ended)


def same_code(
    first: Pipeline | str,
    second: Pipeline | str,
    ir: Path | bytes,
    *,
    opt: Path,
    first_options: Sequence[str] = (),
    second_options: Sequence[str] = (),
    limits: Limits = LIMITS,
    runner: Runner = run,
) -> bool | Refusal:
    """Whether two pipelines make the same bitcode of the same IR.

    For asking whether a text stands for its alias (`perfwright.pipeline.fidelity`).
    """
    tool = _Opt(opt, ir, limits, runner)
    codes = []
    for pipeline, options in ((first, first_options), (second, second_options)):
        result = tool.run([f"-passes={pipeline}", *options, "-o", "-"])
        if not result.ok:
            return Refusal(_reason(result), tool.reproducer(result))
        codes.append(result.stdout)
    return codes[0] == codes[1]


@dataclass(frozen=True)
class _Opt:
    tool: Path
    ir: Path | bytes
    limits: Limits
    runner: Runner

    def run(self, arguments: Sequence[str]) -> ProcessResult:
        source, stdin = ("-", self.ir) if isinstance(self.ir, bytes) else (str(self.ir), b"")
        return self.runner([self.tool, *arguments, source], stdin=stdin, limits=self.limits)

    def reproducer(self, result: ProcessResult) -> str:
        """A line to paste; IR that came through standard input has to be saved first."""
        return result.reproducer + (" < module.bc" if isinstance(self.ir, bytes) else "")


def _reason(result: ProcessResult) -> str:
    """What opt said, in one line: its message, or how it ended and in which pass."""
    text = result.error_text
    said = next((m.group().strip() for p in _TELLING if (m := p.search(text))), "")
    running = [m["what"] for m in _RUNNING.finditer(text)]
    inside = f" in {running[-1].strip()}" if running else ""
    if said:
        return f"{said}{inside}" if not result.ok and result.crashed else said
    return f"opt: {result.outcome()}{inside}"
