from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from perfwright.errors import InternalError, ToolchainError
from perfwright.toolchain.process import ProcessResult, run, run_attached

ATTACHED = (
    "import sys; from perfwright.toolchain.process import run_attached; "
    "print('status', run_attached(['sh', '-c', sys.argv[1]], {stdin}))"
)
REPLACED = (
    "import sys; from perfwright.toolchain.process import replace_process; "
    "replace_process(['sh', '-c', sys.argv[1]])"
)


def attached(script: str, *, sent: str = "None", stdin: bytes = b"") -> ProcessResult:
    """What comes of a Python that runs a shell script attached; it reads what `sent` says."""
    return run([sys.executable, "-c", ATTACHED.format(stdin=sent), script], stdin=stdin)


def test_an_attached_program_has_our_standard_streams() -> None:
    result = attached("cat; echo told >&2", stdin=b"given\n")
    assert (result.text, result.error_text) == ("given\nstatus 0\n", "told\n")


def test_an_attached_program_may_read_something_else() -> None:
    assert attached("cat", sent="b'other\\n'", stdin=b"given\n").text == "other\nstatus 0\n"


def test_an_attached_program_need_not_read_what_it_is_given() -> None:
    assert attached("exit 3", sent="b'x' * 2**20").text == "status 3\n"


def test_the_signal_that_ended_an_attached_program_is_its_status() -> None:
    assert attached("kill -KILL $$").text == "status -9\n"


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT"])
def test_a_signal_to_us_reaches_the_attached_program_and_we_wait_for_its_end(name: str) -> None:
    # What it reads comes after the handlers are there.
    waiting = "while :; do sleep 0.01; done"
    script = f"trap 'echo {name}; exit 7' {name}; read _; kill -{name} $PPID; {waiting}"
    assert attached(script, sent="b'go\\n'").text == f"{name}\nstatus 7\n"


def test_our_own_handlers_are_back_when_the_attached_program_has_ended() -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run_attached(["true"]) == 0
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("start", [run, run_attached])
def test_a_program_that_is_not_there_is_the_toolchains_fault(
    start: Callable[[list[Path]], object], tmp_path: Path
) -> None:
    with pytest.raises(ToolchainError, match="cannot run"):
        start([tmp_path / "absent"])


def test_a_folder_that_is_not_there_is_ours(tmp_path: Path) -> None:
    with pytest.raises(InternalError, match="does not exist"):
        run(["true"], cwd=tmp_path / "absent")


def test_a_closed_pipe_ends_the_program_that_we_become() -> None:
    script = "kill -PIPE $$; echo still here"
    assert run([sys.executable, "-c", REPLACED, script]).status == -signal.SIGPIPE
