"""A program with one workload or more, and what it needs to be judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from perfwright.measure import native, sandbox
from perfwright.measure.executor import NativeExecutor
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.spec import ProgramSpec, Workload
from perfwright.toolchain.discovery import Toolchain

MakeRuns = Callable[..., ProgramRuns]


@pytest.fixture
def make_runs(tmp_path: Path) -> MakeRuns:
    """Makes the runs of a program in a folder of its own."""
    root = tmp_path / "program"
    root.mkdir(exist_ok=True)

    def make(*workloads: dict[str, Any], **values: Any) -> ProgramRuns:
        found = tuple(
            Workload(**{"id": f"train-{n}", "role": "train", "cwd": root, **table})
            for n, table in enumerate(workloads or ({},), start=1)
        )
        spec = ProgramSpec(
            path=root, root=root, name="prog", build_dir=root, workloads=found, **values
        )
        return ProgramRuns(spec, root)

    return make


@pytest.fixture(scope="session")
def executor(
    toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NativeExecutor]:
    """The executor of this machine."""
    tool = native.build_runner(toolchain.tool("clang"), tmp_path_factory.mktemp("runner"))
    with NativeExecutor(tool, sandbox.probe()) as found:
        yield found
