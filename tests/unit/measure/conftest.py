"""Executors of this machine, and a program that misbehaves on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from perfwright.measure import cgroups, native, sandbox
from perfwright.measure.executor import NativeExecutor
from perfwright.measure.runner import Run, RunLimits, RunResult
from perfwright.measure.sandbox import Sandbox, SandboxUnavailable
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run
from perfwright.units import Bytes

Act = Callable[..., RunResult]
Opener = Callable[..., NativeExecutor]

_SOURCE = Path(__file__).parent / "programs" / "behave.c"
_QUICK = RunLimits(wall=10.0, disk=Bytes(16 << 20), file_size=Bytes(4 << 20), processes=64)


@pytest.fixture(scope="session")
def perfwright_run(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's executable."""
    return native.build_runner(toolchain.tool("clang"), tmp_path_factory.mktemp("runner"))


@pytest.fixture(scope="session")
def behave(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of `programs/behave.c`, readable by everyone."""
    folder = tmp_path_factory.mktemp("behave")
    target = folder / "behave"
    result = run([toolchain.tool("clang"), "-O1", "-pthread", _SOURCE, "-o", target])
    assert result.ok, result.explain()
    folder.chmod(0o755)
    return target


@pytest.fixture(scope="session")
def working_sandbox() -> Sandbox:
    """The sandbox of this machine; the test is skipped where there is none."""
    found = sandbox.probe()
    if isinstance(found, SandboxUnavailable):
        pytest.skip(found.reason)
    return found


@pytest.fixture
def opened(perfwright_run: Path) -> Iterator[Opener]:
    """Makes executors, in a sandbox or (`None`) in the open, and closes them after the test."""
    made: list[NativeExecutor] = []

    def make(place: Sandbox | None, *, groups: bool = False) -> NativeExecutor:
        group = cgroups.open_group() if groups else None
        where = place or SandboxUnavailable("the test wants none", "nothing")
        made.append(NativeExecutor(perfwright_run, where, group))
        return made[-1]

    yield make
    for executor in made:
        executor.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The program's folder: readable by everyone, as most are."""
    folder = tmp_path / "program"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def _acting(executor: NativeExecutor, program: Path, root: Path) -> Act:
    def act(*arguments: str, **more: Any) -> RunResult:
        values = {"root": root, "program": program, "limits": _QUICK, **more}
        return executor.execute(Run(argv=("behave", *arguments), **values))

    return act


@pytest.fixture
def shut_in(opened: Opener, working_sandbox: Sandbox, behave: Path, root: Path) -> Act:
    """Runs the program in the sandbox, limited by resource limits."""
    return _acting(opened(working_sandbox), behave, root)


@pytest.fixture
def grouped(opened: Opener, working_sandbox: Sandbox, behave: Path, root: Path) -> Act:
    """Runs the program in the sandbox and in a control group, as if a model had written it."""
    executor = opened(working_sandbox, groups=True)
    act = _acting(executor, behave, root)
    if not executor.grouped:
        pytest.skip("this user may make no control groups")
    return lambda *arguments, **more: act(*arguments, untrusted=True, **more)


@pytest.fixture
def in_the_open(opened: Opener, behave: Path, root: Path) -> Act:
    """Runs the program without a sandbox."""
    return _acting(opened(None), behave, root)


@pytest.fixture(params=["sandbox", "open"])
def anywhere(request: pytest.FixtureRequest) -> Act:
    """In the sandbox, and without one."""
    act: Act = request.getfixturevalue("shut_in" if request.param == "sandbox" else "in_the_open")
    return act


@pytest.fixture(params=["rlimits", "group"])
def limited(request: pytest.FixtureRequest) -> Act:
    """In the sandbox, with resource limits, and with a control group."""
    act: Act = request.getfixturevalue("shut_in" if request.param == "rlimits" else "grouped")
    return act
