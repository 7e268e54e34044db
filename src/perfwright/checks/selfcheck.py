"""Before anything is judged: does the unmodified program run, and always give the same result?

Each workload of the unmodified program runs two or three times, with other addresses, another
environment size and another folder name each time, since candidates will be run so too.  What
varies is found and named, because "not deterministic" helps nobody.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from perfwright.checks.oracle import STDOUT, Mismatch, compare
from perfwright.errors import ProgramError
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Executor, Outcome, Run, RunLimits, RunResult, Setting
from perfwright.measure.workloads import ProgramRuns, first_limits
from perfwright.program.spec import Oracle, Workload
from perfwright.units import Seconds, format_duration

_SETTINGS = (
    Setting(scratch="first-run"),
    Setting(scratch="another-folder-for-the-second-run", env_bytes=1744),
    Setting(scratch="third", env_bytes=3072),
)
_SHORT = 2.0
"""Seconds up to which a third run costs nothing to speak of."""

_TAIL_LINES = 4

_TEST_LIMITS = RunLimits(wall=1800.0)
"""For the user's own test command, which may compile and run many things."""


class Variation(StrEnum):
    """What makes runs of one program differ."""

    ORDER = "the order of lines"
    ADDRESSES = "addresses"
    TIMES = "time stamps or durations"
    PROCESS_IDS = "process numbers"
    PATHS = "the folder in which it runs"
    RANDOM = "random numbers, or memory that was never written"


_HINTS = {
    Variation.ORDER: "sort what is printed, or let one thread print",
    Variation.ADDRESSES: "do not print pointers, and do not sort or hash by them",
    Variation.TIMES: "print times to standard error, which is not compared",
    Variation.PROCESS_IDS: "do not print process numbers",
    Variation.PATHS: "print paths as they were given, not as absolute paths",
    Variation.RANDOM: "fix the seed of random numbers; look for uninitialised memory "
    "(clang -fsanitize=memory, valgrind)",
}
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{5,16}\b|\b[0-9a-f]{12}\b")
_CLOCK = re.compile(r"\b\d{1,2}:\d\d(?::\d\d)?\b|\b\d{4}-\d\d-\d\d\b|\b1[6-9]\d{8}(?:\.\d+)?\b")
_TIME_WORD = re.compile(
    r"\b(?:time|elapsed|took|seconds?|secs?|ms|us|ns|duration|clock|date|fps|[km]b/s|mib/s)\b",
    re.IGNORECASE,
)
_UNIT = re.compile(r"\d(?:s|ms|us|ns)\b")
_PID_WORD = re.compile(r"\b(?:pid|process)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_FOLDER = re.compile(r"/tmp/perfwright-")


@dataclass(frozen=True)
class SelfCheck:
    """Checks one program.

    Attributes:
        runs: makes its runs.
        executor: runs them.
        now: seconds since 1970; only to see whether the program prints the time.
        sleep: waits until the clock shows another second, when it does.
    """

    runs: ProgramRuns
    executor: Executor
    now: Callable[[], float]
    sleep: Callable[[float], None]

    def reference(self, binary: Path) -> Reference:
        """Run every workload of the unmodified program, and the user's own test.

        Raises:
            ProgramError: it does not run, ends with another status than expected, or its
                results differ from run to run.
        """
        found = {w.id: self._expected(w, binary) for w in self.runs.spec.workloads}
        warnings = tuple(_warnings(self.runs.spec.oracle, tuple(found.values())))
        return Reference(found, warnings, Seconds(self._own_test(binary)))

    def _expected(self, workload: Workload, binary: Path) -> Expected:
        first = self._once(workload, binary, 0)
        results = [first, self._once(workload, binary, 1)]
        if prints_the_time(first.stdout, self.now()):
            self.sleep(1.0)
            results.append(self._once(workload, binary, 2))
        elif first.wall_seconds < _SHORT or first.parallelism > 1:
            results.append(self._once(workload, binary, 2))
        own = workload.run is not None
        counts = not own or not any(r.stdout != first.stdout for r in results)
        for later in results[1:]:
            mismatch = compare(first, later, self.runs.spec.oracle, output=counts)
            if mismatch is not None:
                raise _unsteady(workload, mismatch, first, later)
        quickest = min(results, key=lambda result: result.wall_seconds)
        return Expected(
            workload=workload,
            result=first,
            wall_seconds=Seconds(quickest.wall_seconds),
            cpu_seconds=Seconds(quickest.cpu_seconds),
            output_counts=counts,
        )

    def _once(self, workload: Workload, binary: Path, number: int) -> RunResult:
        """One run, which has to end by itself and with the right exit status."""
        limits = first_limits(workload)
        run = self.runs.workload(workload, binary, limits=limits, setting=_SETTINGS[number])
        result = self.executor.execute(run)
        oracle = self.runs.spec.oracle
        if not result.exited:
            raise _not_ended(workload, run, result)
        if result.status != oracle.exit:
            raise _wrong_status(workload, run, result, oracle)
        for name in oracle.files:
            if result.output_files.get(name) is None:
                raise ProgramError(
                    f"the program writes no file {name} on workload {workload.id}",
                    cause="oracle.files in perfwright.toml names it as a result",
                    hint="paths in oracle.files start in the workload's cwd",
                )
        return result

    def _own_test(self, binary: Path) -> float:
        """How long the user's own test takes, in seconds; 0 without one."""
        if self.runs.spec.oracle.test is None:
            return 0.0
        run = self.runs.test(binary, limits=_TEST_LIMITS)
        result = self.executor.execute(run)
        if result.exited and result.status == 0:
            return result.wall_seconds
        raise ProgramError(
            f"the unmodified program fails its own test: {result.ending()}",
            cause=tail(result) or "the test prints nothing",
            hint=f"make it pass first: {run.reproducer}",
        )


def tail(result: RunResult) -> str:
    """The last lines that a run wrote to standard error, else to standard output."""
    text = (result.stderr or result.stdout).decode("utf-8", "replace").strip()
    return "\n".join(text.splitlines()[-_TAIL_LINES:])


def prints_the_time(output: bytes, now: float) -> bool:
    """Whether an output may show the present second, so that a run in another one must differ.

    Args:
        output: what a program printed a moment ago.
        now: seconds since 1970.
    """
    text = output[:65536].decode("utf-8", "replace")
    seconds = {str(int(now) + offset) for offset in range(-120, 2)}
    return bool(re.search(r"\b\d{1,2}:\d\d:\d\d\b", text)) or any(s in text for s in seconds)


def diagnose(first: str, second: str) -> Variation:
    """What makes two outputs of one program differ.

    The kinds are tried from the surest sign to the vaguest; lines that are equal say nothing.
    """
    one, other = first.splitlines(), second.splitlines()
    if Counter(one) == Counter(other):
        return Variation.ORDER
    pairs = list(_differing(one, other))
    checks: tuple[tuple[Variation, Callable[[str, str], bool]], ...] = (
        (Variation.PATHS, lambda a, b: bool(_FOLDER.search(a) and _FOLDER.search(b))),
        (Variation.ADDRESSES, lambda a, b: _differ_only_in(_ADDRESS, a, b)),
        (Variation.TIMES, _looks_like_time),
        (
            Variation.PROCESS_IDS,
            lambda a, b: bool(_PID_WORD.search(a)) and _differ_only_in(_NUMBER, a, b),
        ),
    )
    for kind, matches in checks:
        if any(matches(a, b) for a, b in pairs):
            return kind
    return Variation.RANDOM


def _looks_like_time(one: str, other: str) -> bool:
    if _differ_only_in(_CLOCK, one, other):
        return True
    named = _TIME_WORD.search(one) or _UNIT.search(one)
    return bool(named) and _differ_only_in(_NUMBER, one, other)


def _differing(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((a, b) for a, b in zip(one, other, strict=False) if a != b)


def _differ_only_in(pattern: re.Pattern[str], one: str, other: str) -> bool:
    return one != other and pattern.sub("#", one) == pattern.sub("#", other)


def _unsteady(
    workload: Workload, mismatch: Mismatch, first: RunResult, later: RunResult
) -> ProgramError:
    """The error for a program whose runs differ, with what varies and what to do."""
    fact = f"the program does not give the same result twice on workload {workload.id}"
    cause = str(mismatch).replace("expected", "at first", 1).replace(", got", ", then", 1)
    if mismatch.where in {"", "exit status"}:
        return ProgramError(fact, cause=cause, hint="look for uninitialised memory or data races")
    texts = (
        (r.stdout if mismatch.where == STDOUT else r.output_files[mismatch.where] or b"").decode(
            "utf-8", "replace"
        )
        for r in (first, later)
    )
    kind = diagnose(*texts)
    return ProgramError(f"{fact}: {kind}", cause=cause, hint=_HINTS[kind])


def _not_ended(workload: Workload, run: Run, result: RunResult) -> ProgramError:
    """The error for an unmodified program that crashed, hung or met a limit."""
    said = tail(result)
    if result.outcome is Outcome.TIME_LIMIT:
        return ProgramError(
            f"the program does not end within {format_duration(run.limits.wall)} "
            f"on workload {workload.id}",
            cause=said or "it was stopped then",
            hint="take a smaller input, or give the workload a longer timeout in perfwright.toml",
        )
    verb = "crashes" if result.outcome is Outcome.CRASHED else "cannot be run to its end"
    return ProgramError(
        f"the program {verb} on workload {workload.id}: {result.ending()}",
        cause=said or "it prints nothing to standard error",
        hint=f"see for yourself: {run.reproducer}",
    )


def _wrong_status(workload: Workload, run: Run, result: RunResult, oracle: Oracle) -> ProgramError:
    said = tail(result)
    missing = [word for word in run.argv[1:] if _names_no_file(run, word)]
    if missing and workload.run is None:
        cause = f"there is no {missing[0]} in {run.root / run.cwd}"
    elif "Read-only file system" in said:
        cause = f"{said}\nit changes a file of its own folder, which it may only read"
    else:
        cause = said or "it prints nothing"
    hint = f"see for yourself: {run.reproducer}"
    if "Read-only file system" in said:
        hint = "name the file in the workload's files and in oracle.files of perfwright.toml"
    elif not missing and result.stdout:
        hint += f"; if that status is right, write [oracle] exit = {result.status}"
    return ProgramError(
        f"the program ends with exit status {result.status} on workload {workload.id}, "
        f"where {oracle.exit} is expected",
        cause=cause,
        hint=hint,
    )


def _names_no_file(run: Run, word: str) -> bool:
    """Whether an argument looks like the path of an input file that is not there."""
    looks = not word.startswith("-") and ("/" in word or re.search(r"\w\.[A-Za-z]\w*$", word))
    return bool(looks) and word not in run.outputs and not (run.root / run.cwd / word).exists()


def _warnings(oracle: Oracle, found: Sequence[Expected]) -> Iterator[str]:
    for one in found:
        name = one.workload.id
        if not one.output_counts:
            yield f"the output of workload {name} varies: only its exit status is compared"
        elif not (one.result.stdout or oracle.files or oracle.test):
            yield f"workload {name} prints nothing: only its exit status can be compared"
