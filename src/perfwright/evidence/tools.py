"""What the evidence needs from outside: where the tools are, and a way to run the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from perfwright.toolchain.process import ProcessResult


class Tools(Protocol):
    """Where the tools of one toolchain are."""

    def tool(self, name: str) -> Path:
        """The path of `opt`, `llvm-objdump`, `llvm-symbolizer`, ...

        Raises:
            ToolchainError: this toolchain has no such tool.
        """
        ...


class ProgramRun(Protocol):
    """Runs the train workloads of a program once, in the sandbox of the caller's choice."""

    def __call__(
        self,
        binary: Path,
        *,
        prefix: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        writable: Path | None = None,
    ) -> ProcessResult:
        """Run `[*prefix, binary, *workload arguments]` and return how it ended.

        Args:
            binary: the program to run.
            prefix: a profiler and its options, put in front of the program.
            env: variables to add.
            writable: a folder that profiler and program must be able to write to.

        The status of the program does not matter here: a workload that ends with status 1
        by design is profiled like any other.
        """
        ...
