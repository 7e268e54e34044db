"""The checker: is this build right?  Core's `Checker`, by way of the oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from perfwright.checks.oracle import compare
from perfwright.checks.selfcheck import tail
from perfwright.core.protocols import Build, Refusal
from perfwright.core.trial import Correctness
from perfwright.measure.reference import Expected, Reference
from perfwright.measure.runner import Executor, Outcome, Run, RunResult
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.spec import Oracle

_REPEATED = frozenset({Outcome.TIME_LIMIT, Outcome.LOST, Outcome.NOT_STARTED})
"""Ends that a busy machine can bring about; they count when they happen twice."""


def trusted(_: Build) -> bool:
    """No model had a hand in it: every build of the built-in mind."""
    return False


@dataclass(frozen=True)
class OracleChecker:
    """Runs every workload of a build once and compares with the unmodified program.

    Attributes:
        runs: makes the program's runs.
        executor: runs them.
        reference: what the unmodified program does.
        binary: where a build's delivered binary is, by its digest.
        untrusted: whether a model wrote part of a build's code.
    """

    runs: ProgramRuns
    executor: Executor
    reference: Reference
    binary: Callable[[str], Path]
    untrusted: Callable[[Build], bool] = trusted

    def check(self, build: Build) -> Correctness | Refusal:
        """See `perfwright.core.protocols.Checker`.

        Raises:
            UserError: a model wrote part of the code, and there is no sandbox.
        """
        runs = replace(self.runs, untrusted=self.untrusted(build))
        binary = self.binary(build.binaries[0])
        for expected in self.reference.expected.values():
            run = runs.workload(expected.workload, binary, limits=expected.limits)
            refusal = refuse(expected, run, self._result(run), self.runs.spec.oracle)
            if refusal is not None:
                return refusal
        if self.runs.spec.oracle.test is not None:
            run = runs.test(binary, limits=self.reference.test_limits)
            result = self._result(run)
            if not (result.exited and result.status == 0):
                said = f": {tail(result)}" if tail(result) else ""
                return Refusal(f"the program's own test: {result.ending()}{said}", run.reproducer)
        return _how_known(build)

    def _result(self, run: Run) -> RunResult:
        result = self.executor.execute(run)
        return self.executor.execute(run) if result.outcome in _REPEATED else result


def refuse(expected: Expected, run: Run, result: RunResult, oracle: Oracle) -> Refusal | None:
    """Why a run shows that its build is wrong; `None` when it is right."""
    found = compare(expected.result, result, oracle, output=expected.output_counts)
    if found is None:
        return None
    return Refusal(f"workload {expected.workload.id}: {found}", run.reproducer)


def _how_known(build: Build) -> Correctness:
    """Valid passes and options keep the meaning; all other edits are as good as the tests."""
    if all(edit.level == "pipeline" for edit in build.candidate.edits):
        return Correctness.BY_CONSTRUCTION
    return Correctness.TESTED
