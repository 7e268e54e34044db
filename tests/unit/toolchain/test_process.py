from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from perfwright.errors import InternalError, ToolchainError
from perfwright.toolchain.process import Limits, ProcessResult, run, run_attached
from perfwright.units import Bytes

# Whoever runs the suite in the background ignores signals, and what is started inherits that.
HEEDING = "import signal, sys; [signal.signal(n, signal.SIG_DFL) for n in (1, 2, 3, 15)]; "
ATTACHED = (
    f"{HEEDING}from perfwright.toolchain.process import run_attached; "
    "print('status', run_attached(['sh', '-c', sys.argv[1]], {stdin}))"
)
REPLACED = (
    "import sys; from perfwright.toolchain.process import replace_process; "
    "replace_process(['sh', '-c', sys.argv[1]])"
)


def attached(script: str, *, sent: str = "None", stdin: bytes = b"") -> ProcessResult:
    """What comes of a Python that runs a shell script attached; it reads what `sent` says."""
    words = [sys.executable, "-c", ATTACHED.format(stdin=sent), script]
    return run(words, stdin=stdin, limits=Limits(wall=60.0))


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


def test_a_program_may_be_given_and_print_more_than_a_pipe_holds() -> None:
    given = bytes(range(256)) * 2**12
    result = run(["cat"], stdin=given)
    assert (result.stdout == given, result.ok) == (True, True)


def test_a_program_need_not_read_what_it_is_given() -> None:
    assert run(["sh", "-c", "exit 3"], stdin=b"x" * 2**20).status == 3


def test_both_outputs_are_collected_whole() -> None:
    script = "head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2"
    result = run(["sh", "-c", script])
    assert (len(result.stdout), len(result.stderr)) == (300_000, 200_000)


def test_output_may_go_to_a_file(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        result = run(["sh", "-c", "echo kept; echo told >&2"], stdout_file=out)
    assert (result.text, result.error_text) == ("", "told\n")
    assert (tmp_path / "out").read_text() == "kept\n"


def test_a_slow_program_is_killed_with_its_children_and_what_it_said_is_kept(
    tmp_path: Path,
) -> None:
    child = tmp_path / "child"
    script = f"echo begun; sleep 60 & echo $! > {child}; wait"
    result = run(["sh", "-c", script], limits=Limits(wall=0.5))
    assert (result.timed_out, result.ok, result.crashed) == (True, False, False)
    assert result.text == "begun\n"
    assert _ended(int(child.read_text()))


def test_the_memory_of_a_program_and_of_what_it_starts_is_limited() -> None:
    size = Bytes(2**30)
    result = run(
        ["sh", "-c", "read go; ulimit -v; sh -c 'ulimit -v'"],
        stdin=b"go\n",
        limits=Limits(memory=size),
    )
    assert result.text == f"{size // 1024}\n" * 2


def test_a_program_that_has_closed_its_outputs_is_still_waited_for() -> None:
    assert run(["sh", "-c", "exec >&- 2>&-; sleep 0.1; exit 5"]).status == 5
    slow = run(["sh", "-c", "exec >&- 2>&- <&-; sleep 60"], limits=Limits(wall=0.2))
    assert slow.timed_out


@pytest.mark.parametrize("wall", [0.5, 60.0, None])
def test_a_program_that_left_somebody_with_its_outputs_has_ended(wall: float | None) -> None:
    begun = time.monotonic()
    result = run(["sh", "-c", "echo said; setsid sleep 20 & exit 0"], limits=Limits(wall=wall))
    assert time.monotonic() - begun < 15
    assert (result.ok, result.text) == (True, "said\n")


def test_whoever_a_program_leaves_behind_in_its_group_is_ended(tmp_path: Path) -> None:
    child = tmp_path / "child"

    assert run(["sh", "-c", f"sleep 60 & echo $! > {child}"]).ok

    assert _ended(int(child.read_text()))


def test_waiting_for_somebody_elses_silence_costs_no_time_of_ours() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    run(["sh", "-c", "setsid sleep 20 & exit 0"], limits=Limits(wall=60.0))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 0.5


def test_what_is_printed_behind_the_end_of_a_program_is_collected() -> None:
    script = "(sleep 0.3; echo late) & echo early"
    assert run(["sh", "-c", script]).text == "early\nlate\n"


@pytest.mark.parametrize("where", ["1", "2"])
def test_a_program_that_prints_too_much_is_killed(where: str) -> None:
    result = run(
        ["sh", "-c", f"exec yes >&{where}"], limits=Limits(wall=60.0, output=Bytes(100_000))
    )
    assert (result.ok, result.crashed, result.timed_out) == (False, False, False)
    assert max(len(result.stdout), len(result.stderr)) == 100_000
    assert result.outcome() == "printed more than its limit"


def test_a_program_may_print_up_to_its_limit() -> None:
    script = "head -c 100000 /dev/zero"
    assert run(["sh", "-c", script], limits=Limits(output=Bytes(100_000))).ok


def test_an_interrupt_ends_the_program_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    # What it reads comes when it is waited for.
    script = f"read _; sleep 60 & echo $! > {child}; kill -INT {os.getpid()}; wait"
    with pytest.raises(KeyboardInterrupt):
        run(["sh", "-c", script], stdin=b"go\n")
    assert _ended(int(child.read_text()))


def _ended(process: int) -> bool:
    """Whether a process that was killed is gone, or will be as soon as somebody asks."""
    stat = Path(f"/proc/{process}/stat")
    for _ in range(1000):
        try:
            if stat.read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.005)
    return False


def test_a_closed_pipe_ends_the_program_that_we_become() -> None:
    script = "kill -PIPE $$; echo still here"
    assert run([sys.executable, "-c", REPLACED, script]).status == -signal.SIGPIPE
