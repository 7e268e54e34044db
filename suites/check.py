#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Build and run every program of the bundled suites, and check that they are fit for measuring.

    python suites/check.py [--cc CC] [--runs N] [--no-sanitizers] [PROGRAM...]

For each program: it compiles without warnings with its own flags; every workload gives the same
output in all runs (with differing environments) and in an -O0 build with the address and
undefined-behaviour sanitizers; there are `train` and `confirm` workloads; time and memory stay
within the limits. Exit status 1 when something fails. Stdlib only, so that it runs before setup.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess  # noqa: TID251 - runs before perfwright is installed
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import generate

SUITES = Path(__file__).resolve().parent
WARNINGS = ("-Wall", "-Wextra", "-Werror")
SANITIZERS = ("-O0", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
MEMORY_LIMIT_BYTES = 200 * 1024 * 1024
SECONDS_LIMITS = {"core": (0.2, 1.0), "smoke": (0.02, 0.2)}
TIMEOUT_SECONDS = 300
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


class CheckError(Exception):
    """A program of the suites is not as it should be."""


@dataclass(frozen=True)
class Workload:
    """One way of running a program."""

    args: tuple[str, ...]
    role: str


@dataclass(frozen=True)
class Program:
    """What `perfwright.toml` says about a program, as far as it is needed here."""

    suite: str
    folder: Path
    name: str
    build: str | None
    binary: str
    sources: tuple[str, ...]
    cflags: tuple[str, ...]
    ldflags: tuple[str, ...]
    workloads: tuple[Workload, ...]
    tolerance: Mapping[str, float] | None
    exit_status: int


@dataclass(frozen=True)
class Run:
    """The outcome of one run."""

    status: int
    stdout: str
    stderr: str
    user_seconds: float
    peak_bytes: int


@dataclass
class Report:
    """What was found out about all programs."""

    rows: list[str] = field(default_factory=lambda: [])
    problems: list[str] = field(default_factory=lambda: [])


def load(folder: Path) -> Program:
    """Read the description of the program in `folder`."""
    table: dict[str, Any] = tomllib.loads((folder / "perfwright.toml").read_text(encoding="utf-8"))
    program, oracle = table["program"], table["oracle"]
    stdout = oracle["stdout"]
    return Program(
        suite=folder.parent.name,
        folder=folder,
        name=program["name"],
        build=program.get("build"),
        binary=program.get("binary", program["name"]),
        sources=tuple(program.get("sources", ())),
        cflags=tuple(program.get("cflags", ())),
        ldflags=tuple(program.get("ldflags", ())),
        workloads=tuple(Workload(tuple(w["args"]), w["role"]) for w in table["workload"]),
        tolerance=None if stdout == "exact" else stdout,
        exit_status=oracle["exit"],
    )


def check_description(program: Program) -> None:
    """Raise `CheckError` unless the description is complete."""
    if program.name != program.folder.name:
        raise CheckError(f"the folder {program.folder.name} holds a program called {program.name}")
    for role in ("train", "confirm"):
        if not any(w.role == role for w in program.workloads):
            raise CheckError(f"there is no {role} workload")
    if len({w.args for w in program.workloads}) != len(program.workloads):
        raise CheckError("two workloads are the same")
    for path in program.folder.rglob("*.[ch]"):
        if "SPDX-License-Identifier: Apache-2.0" not in path.read_text(encoding="utf-8")[:200]:
            raise CheckError(f"{path.name} does not name its licence")


def run_tool(argv: Sequence[str], folder: Path) -> None:
    """Run a compiler or make; raise `CheckError` with its messages if it fails."""
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CheckError(f"{' '.join(argv)} failed:\n{(done.stderr or done.stdout)[-2000:]}")


def build(
    program: Program, cc: str, flags: Sequence[str], link_flags: Sequence[str], out: Path
) -> Path:
    """Build the program below `out` with `flags` after its own, and return the binary.

    A program with a Makefile gets -O3 and `flags` through CFLAGS, as a user would pass them.
    """
    work = out / program.name
    shutil.copytree(program.folder, work, ignore=shutil.ignore_patterns("data"))
    if program.build:
        cflags = " ".join(["-O3", *flags])
        run_tool([*program.build.split(), "-s", "clean"], work)
        variables = [f"CC={cc}", f"CFLAGS={cflags}", f"LDFLAGS={' '.join(link_flags)}"]
        run_tool([*program.build.split(), "-s", *variables], work)
        return work / program.binary
    binary = work / program.binary
    own = [
        *program.cflags,
        *flags,
        "-o",
        str(binary),
        *program.sources,
        *link_flags,
        *program.ldflags,
    ]
    run_tool([cc, *own], work)
    return binary


def execute(binary: Path, args: Sequence[str], folder: Path, padding: int = 0) -> Run:
    """Run a binary in `folder` with `padding` more bytes of environment."""
    environment = {"PATH": os.environ.get("PATH", ""), "PADDING": "x" * padding}
    environment["ASAN_OPTIONS"] = "detect_leaks=0"
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(
            [str(binary), *args],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise CheckError(f"{' '.join(args)} did not end within {TIMEOUT_SECONDS} s")
            time.sleep(0.005)
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        return Run(
            status=process.returncode,
            stdout=stdout.read().decode(),
            stderr=stderr.read().decode(errors="replace"),
            user_seconds=usage.ru_utime,
            peak_bytes=usage.ru_maxrss * 1024,
        )


def same_output(a: str, b: str, tolerance: Mapping[str, float] | None) -> bool:
    """Tell whether two outputs agree, exactly or in their numbers up to a tolerance."""
    if tolerance is None or a == b:
        return a == b
    if NUMBER.sub("#", a) != NUMBER.sub("#", b):
        return False
    pairs = zip(map(float, NUMBER.findall(a)), map(float, NUMBER.findall(b)), strict=True)
    return all(
        abs(x - y) <= max(tolerance["abs"], tolerance["rel"] * max(abs(x), abs(y)))
        for x, y in pairs
    )


def check_run(program: Program, run: Run, what: str) -> None:
    """Raise `CheckError` unless a run ended as it should."""
    if run.status != program.exit_status:
        raise CheckError(f"{what}: exit status {run.status}: {run.stderr[-2000:]}")
    if run.stderr:
        raise CheckError(f"{what}: unexpected messages: {run.stderr[-2000:]}")
    if len(run.stdout.split()) < 4:
        raise CheckError(f"{what}: prints too little to be checked")


def check_program(program: Program, cc: str, runs: int, sanitizers: bool, report: Report) -> None:
    """Build and run one program, adding its rows and problems to the report."""
    check_description(program)
    with tempfile.TemporaryDirectory() as scratch:
        fast = build(program, cc, WARNINGS, (), Path(scratch) / "fast")
        slow = None
        if sanitizers:
            slow = build(program, cc, SANITIZERS, SANITIZERS[2:3], Path(scratch) / "slow")
        outputs: list[str] = []
        for workload in program.workloads:
            what = f"with {' '.join(workload.args)}"
            timed = [execute(fast, workload.args, program.folder, 517 * i) for i in range(runs)]
            for run in timed:
                check_run(program, run, what)
                if run.stdout != timed[0].stdout:
                    raise CheckError(f"{what}: two runs gave different output")
            if slow is not None:
                careful = execute(slow, workload.args, program.folder)
                check_run(program, careful, what + " (-O0, sanitizers)")
                if not same_output(timed[0].stdout, careful.stdout, program.tolerance):
                    raise CheckError(f"{what}: -O0 and -O3 gave different output")
            outputs.append(timed[0].stdout)
            note_times(program, workload, timed, report)
        if len(set(outputs)) != len(outputs):
            raise CheckError("two workloads gave the same output")


def note_times(program: Program, workload: Workload, timed: Sequence[Run], report: Report) -> None:
    """Add the row of one workload, and problems if it is out of the limits."""
    seconds = statistics.median(r.user_seconds for r in timed)
    peak = max(r.peak_bytes for r in timed)
    low, high = SECONDS_LIMITS[program.suite]
    label = f"{program.suite}/{program.name}"
    row = f"{label:<15} {workload.role:<8} {seconds:6.3f} s {peak / 1048576:7.1f} MB"
    report.rows.append(row)
    print(row, flush=True)
    if not low <= seconds <= high:
        report.problems.append(
            f"{program.name} {workload.role}: {seconds:.3f} s is not in {low}..{high} s"
        )
    if peak > MEMORY_LIMIT_BYTES:
        report.problems.append(f"{program.name} {workload.role}: uses {peak / 1048576:.0f} MB")


def find_programs(names: Sequence[str]) -> list[Program]:
    """Return the programs named, or all."""
    found = [load(p.parent) for p in sorted(SUITES.glob("*/*/perfwright.toml"))]
    unknown = set(names) - {p.name for p in found}
    if unknown:
        known = ", ".join(p.name for p in found)
        raise CheckError(f"unknown program {sorted(unknown)[0]}; there are: {known}")
    return [p for p in found if not names or p.name in names]


def ensure_data(programs: Sequence[Program]) -> None:
    """Generate the input files that are missing."""
    for program in programs:
        if program.name in generate.GENERATORS and not (program.folder / "data").is_dir():
            generate.generate(program.name)


def main(argv: Sequence[str] | None = None) -> int:
    """Check what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(
        description="Build, run and check the programs of the bundled suites."
    )
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help="default: all")
    parser.add_argument("--cc", default="clang-22", help="compiler (default: %(default)s)")
    parser.add_argument(
        "--runs", type=int, default=3, help="timed runs of a workload, at least 2 (default: 3)"
    )
    parser.add_argument("--no-sanitizers", action="store_true", help="skip the slow -O0 build")
    options = parser.parse_args(argv)
    report = Report()
    try:
        programs = find_programs(options.programs)
        ensure_data(programs)
    except CheckError as error:
        parser.error(str(error))
    for program in programs:
        try:
            check_program(
                program, options.cc, max(2, options.runs), not options.no_sanitizers, report
            )
        except CheckError as error:
            report.problems.append(f"{program.name}: {error}")
            print(f"{program.suite}/{program.name}: FAILED", flush=True)
    for problem in report.problems:
        print(f"problem: {problem}", file=sys.stderr)
    print(
        f"{len(programs)} programs, {len(report.rows)} workloads, {len(report.problems)} problems"
    )
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
