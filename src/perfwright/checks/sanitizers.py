"""Undefined behaviour of the unmodified program, found by clang's sanitizers.

A program with undefined behaviour may do something else under every candidate, and no oracle
can say which is right.  So the program is built once with AddressSanitizer and
UndefinedBehaviorSanitizer and run on its train workloads.  What they find is data: a loud
warning, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Executor, Run
from perfwright.measure.workloads import ProgramRuns

FLAGS = (
    "-fsanitize=address,undefined",
    "-fsanitize-recover=address,undefined",
    "-fno-omit-frame-pointer",
    "-gline-tables-only",
)
"""For compiling and linking the build that `look` runs."""

_ENV = {
    # Leaks are no undefined behaviour; ptrace, which finding them needs, is not there.
    "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=0:color=never:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "halt_on_error=0:print_stacktrace=0:color=never",
}
_SLOWDOWN = 30.0
_LEAST_TIMEOUT = 20.0
_MOST_FINDINGS = 20

_UNDEFINED = re.compile(
    r"^(?P<where>[^\s:][^:\n]*:\d+(?::\d+)?): runtime error: (?P<text>.+)$", re.MULTILINE
)
_ADDRESS = re.compile(r"ERROR: AddressSanitizer: (?P<kind>[\w-]+)(?P<rest>[^\n]*)")
_FRAME = re.compile(r"^\s+#\d+ 0x[0-9a-f]+ in (?P<function>\S+) (?P<where>[^\s()]+:\d+(?::\d+)?)")
_POINTER = re.compile(r"\b0x[0-9a-f]+\b")


@dataclass(frozen=True)
class Finding:
    """One kind of undefined behaviour at one place.

    `kind` is AddressSanitizer's word (`heap-buffer-overflow`) or `undefined-behaviour`;
    `where` is `file:line:column`, or empty when it is not known.
    """

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where or 'somewhere'}: {self.kind}: {self.text}"


@dataclass(frozen=True)
class SanitizerReport:
    """What the sanitizers found, and on which workloads they could say nothing, and why."""

    findings: tuple[Finding, ...]
    silent: tuple[str, ...] = ()


@dataclass(frozen=True)
class SanitizerCheck:
    """Runs a sanitized build.

    Attributes:
        runs: makes its runs.
        executor: runs them.
        reference: what the program does without sanitizers.
        symbolizer: llvm-symbolizer; without it places are not known.
    """

    runs: ProgramRuns
    executor: Executor
    reference: Reference
    symbolizer: Path | None = None

    def look(self, binary: Path) -> SanitizerReport:
        """Run the train workloads.

        Args:
            binary: the program, built with `FLAGS`.
        """
        findings: dict[tuple[str, str], Finding] = {}
        silent = []
        for expected in self.reference.expected.values():
            workload = expected.workload
            if workload.role != "train" or workload.run is not None:
                continue
            result = self.executor.execute(self._run(binary, expected))
            text = result.stderr.decode("utf-8", "replace")
            for finding in parse(text, self.runs.tree):
                findings.setdefault((finding.kind, finding.where), finding)
            if not result.exited and not _ADDRESS.search(text):
                silent.append(f"workload {workload.id} under sanitizers: {result.ending()}")
        return SanitizerReport(tuple(findings.values())[:_MOST_FINDINGS], tuple(silent))

    def _run(self, binary: Path, expected: Expected) -> Run:
        limits = replace(
            expected.limits,
            wall=max(_LEAST_TIMEOUT, _SLOWDOWN * expected.wall_seconds),
            address_space=False,
        )
        run = self.runs.workload(expected.workload, binary, limits=limits)
        extra = {"ASAN_SYMBOLIZER_PATH": str(self.symbolizer)} if self.symbolizer else {}
        exposed = (self.symbolizer,) if self.symbolizer else ()
        env = {**run.env, **_ENV, **extra}
        return replace(run, env=env, exposed=(*run.exposed, *exposed))


def parse(text: str, root: Path) -> Iterator[Finding]:
    """The findings in what sanitizers wrote to standard error.

    Args:
        text: standard error of a run.
        root: places in this folder are named relative to it.
    """
    for match in _UNDEFINED.finditer(text):
        said = _POINTER.sub("0x...", match["text"])
        yield Finding("undefined-behaviour", _relative(match["where"], root), said)
    for match in _ADDRESS.finditer(text):
        lines = text[match.end() :].splitlines()
        frames = (frame for line in lines[:40] if (frame := _FRAME.match(line)))
        # The first frames may lie in the sanitizer's own runtime (memcpy, strlen, ...).
        frame = next((f for f in frames if "compiler-rt" not in f["where"]), None)
        where = _relative(frame["where"], root) if frame else ""
        function = f" in {frame['function']}" if frame else ""
        said = next((line.strip() for line in lines if re.match(r"(READ|WRITE) of", line)), "")
        said = said.partition(" at ")[0] or _POINTER.sub("0x...", match["rest"]).strip()
        yield Finding(match["kind"], where, f"{said}{function}")


def _relative(where: str, root: Path) -> str:
    return where.removeprefix(f"{root}/").removeprefix("./")
