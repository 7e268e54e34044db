"""What all tests share: a home of their own, no network, and an LLVM where they ask for one."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from perfwright.errors import ToolchainError
from perfwright.toolchain import discovery
from perfwright.toolchain.discovery import Toolchain

ON_CI = bool(os.environ.get("CI"))

# How long one example takes says more about the machine than about the code; and what CI
# finds must be found again by the next run.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if ON_CI else "default")

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ABOUT_THE_MACHINE = {"PERFWRIGHT_LLVM"}


def pytest_configure() -> None:
    """Heed Ctrl-C also where the suite was started in the background: tests send it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `llvm` where there is none; on CI that is a failure."""
    if item.get_closest_marker("llvm"):
        _require_toolchain(None)


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """The LLVM that perfwright itself would choose."""
    return _require_toolchain(None)


@pytest.fixture(scope="session", params=["22", "19"])
def each_toolchain(request: pytest.FixtureRequest) -> Toolchain:
    """Every LLVM that perfwright is tested with, one after the other."""
    version: str = request.param
    return _require_toolchain(version)


@pytest.fixture(scope="session", autouse=True)
def _outside_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No settings or keys of whoever runs the tests, and no network but this machine's own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            ours = name.startswith("PERFWRIGHT_") and name not in _ABOUT_THE_MACHINE
            if ours or name.endswith("_API_KEY"):
                patch.delenv(name)
        patch.setenv("PERFWRIGHT_HOME", str(tmp_path_factory.mktemp("shared-home")))
        # What is learned of a toolchain is the same for all tests: learn it once.
        patch.setenv("PERFWRIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(socket.socket, "connect", _connect_on_this_machine)
        patch.setattr("pydantic_ai.models.ALLOW_MODEL_REQUESTS", False)
        yield


@pytest.fixture(autouse=True)
def perfwright_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """PERFWRIGHT_HOME for this test alone, empty at its start."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PERFWRIGHT_HOME", str(home))
    return home


_connect = socket.socket.connect


def _connect_on_this_machine(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOOPBACK:
        pytest.fail(f"a test wanted to reach {address[0]}: real requests are not for tests")
    _connect(self, address)


def _require_toolchain(version: str | None) -> Toolchain:
    found = _toolchain(version)
    if isinstance(found, Toolchain):
        return found
    if ON_CI:
        pytest.fail(found)
    pytest.skip(found)


@cache
def _toolchain(version: str | None) -> Toolchain | str:
    try:
        return discovery.select(version)
    except ToolchainError as error:
        return str(error)
