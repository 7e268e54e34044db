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
from perfwright.toolchain.process import run

MakeRuns = Callable[..., ProgramRuns]
Compiled = Callable[..., Path]


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


@pytest.fixture
def compiled(toolchain: Toolchain, tmp_path: Path) -> Compiled:
    """Compiles one C source with flags, gives the binary."""

    def compile_(source: str, *flags: str) -> Path:
        place = tmp_path / f"binary-{len(list(tmp_path.iterdir()))}"
        text = place.with_suffix(".c")
        text.write_text(source)
        result = run([toolchain.tool("clang"), "-w", *flags, text, "-o", place])
        assert result.ok, result.explain()
        return place

    return compile_
