"""The command as its users run it: another process, exit status, two streams."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from perfwright.toolchain.process import Limits, replace_process, run

COMMAND = (sys.executable, "-m", "perfwright")
_LIMITS = Limits(wall=600.0)


@dataclass(frozen=True)
class Said:
    """What a command has answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Its one JSON object."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def document(self) -> dict[str, Any]:
        """Its one JSON object, which keeps to the published schema of campaigns."""
        schema = resources.files("perfwright.report.schema") / "campaign-1.json"
        jsonschema.validate(self.json, json.loads(schema.read_text("utf-8")))
        return self.json


@dataclass
class User:
    """Somebody who types commands, with a home of their own.

    Attributes:
        home: PERFWRIGHT_HOME.
        cwd: where commands are typed.
        env: further variables.
    """

    home: Path
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def types(self, *words: str | Path, cwd: Path | None = None, **env: str) -> Said:
        """Run `perfwright WORDS` to its end."""
        result = run(
            [*COMMAND, *words],
            cwd=cwd or self.cwd,
            env=self._env(env),
            limits=_LIMITS,
        )
        assert not result.timed_out, result.explain()
        assert "Traceback" not in result.error_text, result.error_text
        return Said(result.status, result.text, result.error_text)

    def interrupts(self, sign: str, *words: str | Path) -> Said:
        """Type a command, and Ctrl-C as soon as `sign` is among what it says."""
        err = self.home.parent / "err"
        return self.ends(signal.SIGINT, lambda: sign in err.read_text(), *words)

    def ends(self, by: signal.Signals, when: Callable[[], bool], *words: str | Path) -> Said:
        """Type a command, and end it by a signal as soon as something is the case."""
        out, err = self.home.parent / "out", self.home.parent / "err"
        err.write_text("")
        pid = os.fork()
        if pid == 0:
            self._become(out, err, words)
        deadline = time.monotonic() + 300.0
        looking = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while time.monotonic() < deadline and not os.waitid(os.P_PID, pid, looking):
            if os.getpgid(pid) == pid and when():
                break
            time.sleep(0.02)
        os.killpg(pid, by)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return Said(status, out.read_text(), err.read_text())

    def _become(self, out: Path, err: Path, words: tuple[str | Path, ...]) -> None:
        try:
            os.setsid()
            # Whoever runs the tests in the background may have had it ignored for all of them.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            for number, path in ((1, out), (2, err)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            os.chdir(self.cwd)
            os.environ.update(self._env({}))
            replace_process([*COMMAND, *words])
        finally:
            os._exit(127)

    def _env(self, env: Mapping[str, str]) -> dict[str, str]:
        return {"PERFWRIGHT_HOME": str(self.home), **self.env, **env}


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user without any campaign, in an empty folder."""
    (tmp_path / "here").mkdir()
    return User(tmp_path / "home", tmp_path / "here")


@pytest.fixture(scope="module")
def module_user(tmp_path_factory: pytest.TempPathFactory) -> User:
    """A user whose campaigns all tests of a module see."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "here").mkdir()
    return User(folder / "home", folder / "here")


Write = Callable[[Path, Mapping[str, str]], Path]


@pytest.fixture(scope="session")
def written() -> Write:
    """Writes files into a folder, and gives the folder back."""
    return write
