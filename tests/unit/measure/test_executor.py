"""Every way in which a program under test can go wrong is stopped and named."""

from __future__ import annotations

import math
import os
import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from perfwright.errors import UserError
from perfwright.measure.executor import NativeExecutor
from perfwright.measure.runner import Outcome, Run, RunLimits, RunResult, Setting
from perfwright.measure.sandbox import Sandbox
from perfwright.toolchain.process import run as run_tool
from perfwright.units import Bytes

pytestmark = pytest.mark.llvm

Act = Callable[..., RunResult]
Opener = Callable[..., NativeExecutor]

WORK = "250000000"
"""About 0.1 s."""
LITTLE = "50000000"
LIMITS = RunLimits(wall=10.0, disk=Bytes(16 << 20), file_size=Bytes(4 << 20), processes=64)


def test_exit_status_output_and_times_come_back(anywhere: Act) -> None:
    result = anywhere("work", "10000000")
    assert (result.outcome, result.status) == (Outcome.EXITED, 0)
    assert result.stdout == b"49999995000000\n"
    assert 0 < result.cpu_seconds < 5
    assert result.wall_seconds > 0
    assert result.max_rss_bytes > 100_000


def test_an_exit_status_is_not_a_failure_of_the_run(anywhere: Act) -> None:
    result = anywhere("exit", "3")
    assert result.exited
    assert result.status == 3
    assert result.ending() == "exit status 3"


def test_cpu_time_in_the_sandbox_agrees_with_the_open(shut_in: Act, in_the_open: Act) -> None:
    # Namespaces once hid 99 % of it.  The least of many runs: what others do on the machine adds
    # to a time, and never takes off.
    inside = outside = math.inf
    for _ in range(12):
        inside = min(inside, shut_in("work", WORK).cpu_seconds)
        outside = min(outside, in_the_open("work", WORK).cpu_seconds)
        if 0.5 < inside / outside < 2:
            return
    pytest.fail(f"{inside} s in the sandbox, {outside} s in the open")


def test_cpu_time_covers_children_that_nobody_waited_for(anywhere: Act) -> None:
    alone = anywhere("work", WORK).cpu_seconds
    assert anywhere("work-in-a-child", WORK).cpu_seconds > alone / 2


def test_cpu_time_covers_all_threads(anywhere: Act) -> None:
    # Eight threads: even where the machine is so busy that CPU times double, this shows.
    assert anywhere("threads", LITTLE).cpu_seconds > 2 * anywhere("work", LITTLE).cpu_seconds


def test_a_pinned_program_has_one_cpu(anywhere: Act) -> None:
    cpu = min(os.sched_getaffinity(0))
    result = anywhere("threads", LITTLE, setting=Setting(cpu=cpu))
    assert result.exited
    assert result.parallelism < 1.1


def test_standard_input_is_a_file(anywhere: Act, root: Path) -> None:
    (root / "input").write_bytes(b"a\0b")
    assert anywhere("copy-input", stdin=root / "input").stdout == b"a\0b"


def test_without_standard_input_there_is_nothing_to_read(anywhere: Act) -> None:
    assert anywhere("copy-input").stdout == b""


def test_relative_paths_work_as_in_the_users_folder(anywhere: Act, root: Path) -> None:
    (root / "data").mkdir()
    (root / "data/large.txt").touch()
    (root / "bench").mkdir()
    assert anywhere("read", "data/large.txt").stdout == b"read: done\n"
    assert anywhere("read", "../data/large.txt", cwd="bench").stdout == b"read: done\n"


def test_an_output_file_is_collected_and_the_users_folder_stays_as_it_was(
    anywhere: Act, root: Path
) -> None:
    (root / "out.bin").write_bytes(b"from an earlier run")
    result = anywhere("save", "out.bin", outputs=("out.bin",))
    assert result.output_files == {"out.bin": b"saved\n"}
    assert (root / "out.bin").read_bytes() == b"from an earlier run"


def test_an_output_file_may_be_in_a_folder_that_does_not_exist(anywhere: Act) -> None:
    result = anywhere("save", "results/out.bin", outputs=("results/out.bin",))
    assert result.output_files == {"results/out.bin": b"saved\n"}


def test_a_missing_output_file_is_none(anywhere: Act) -> None:
    assert anywhere("nothing", outputs=("out.bin",)).output_files == {"out.bin": None}


def test_a_copied_file_may_be_changed(anywhere: Act, root: Path) -> None:
    (root / "table").write_text("before")
    result = anywhere("save", "table", copied=("table",), outputs=("table",))
    assert result.output_files == {"table": b"saved\n"}
    assert (root / "table").read_text() == "before"


def test_the_environment_holds_nothing_of_the_users_session(
    anywhere: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    result = anywhere("environment", env={"MODE": "fast"})
    names = {line.split("=")[0] for line in result.stdout.decode().splitlines()}
    assert {"MODE", "PATH", "HOME"} <= names
    assert "SOME_API_KEY" not in names


def test_padding_moves_the_stack(anywhere: Act) -> None:
    fixed = Setting(aslr=False)
    moved = replace(fixed, env_bytes=256)
    first, second, third = (
        int(anywhere("stack-address", setting=setting).stdout, 16)
        for setting in (fixed, fixed, moved)
    )
    assert first == second
    assert 256 <= first - third <= 320


def test_addresses_are_random_unless_they_are_fixed(anywhere: Act) -> None:
    assert len({anywhere("stack-address").stdout for _ in range(4)}) > 1


def test_endless_sleep_ends_at_the_time_limit(anywhere: Act) -> None:
    result = anywhere("sleep", limits=replace(LIMITS, wall=0.1))
    assert result.outcome is Outcome.TIME_LIMIT
    assert result.wall_seconds < 5


def test_ignored_signals_do_not_help(anywhere: Act) -> None:
    result = anywhere("ignore-signals", limits=replace(LIMITS, wall=0.1))
    assert result.outcome is Outcome.TIME_LIMIT


def test_a_loop_ends_at_the_cpu_limit(anywhere: Act) -> None:
    result = anywhere("spin", limits=replace(LIMITS, cpu=1))
    assert result.outcome is Outcome.CPU_LIMIT
    assert result.cpu_seconds < 2.1


@pytest.mark.parametrize("how", ["endless-output", "endless-output-regardless"])
def test_endless_output_is_cut(anywhere: Act, how: str) -> None:
    result = anywhere(how, limits=replace(LIMITS, wall=0.5))
    assert result.outcome in {Outcome.OUTPUT_LIMIT, Outcome.TIME_LIMIT}
    assert len(result.stdout) <= LIMITS.file_size


def test_endless_output_is_named(anywhere: Act) -> None:
    result = anywhere("endless-output")
    assert result.outcome is Outcome.OUTPUT_LIMIT
    assert result.ending() == "output limit: a file of 4.0 MiB"


def test_a_crash_after_the_right_answer_is_a_crash(anywhere: Act) -> None:
    result = anywhere("crash")
    assert (result.outcome, result.stdout) == (Outcome.CRASHED, b"the right answer\n")
    assert result.ending() == "killed by SIGSEGV"


def test_a_process_left_behind_is_stopped_and_named(anywhere: Act) -> None:
    result = anywhere("daemon")
    assert result.outcome is Outcome.LEFT_PROCESSES
    assert "1, now stopped" in result.ending()
    found = run_tool(["ps", "-eo", "args"]).text.splitlines()
    assert "behave daemon" not in found


def test_forking_without_end_meets_a_limit(limited: Act) -> None:
    result = limited("fork", limits=replace(LIMITS, wall=0.5))
    assert result.outcome is Outcome.PROCESS_LIMIT


def test_eating_memory_meets_a_limit(limited: Act) -> None:
    result = limited("eat-memory", limits=replace(LIMITS, memory=Bytes(64 << 20)))
    assert result.outcome is Outcome.MEMORY_LIMIT


def test_filling_the_disk_meets_a_limit(limited: Act) -> None:
    assert limited("fill-disk").outcome is Outcome.DISK_LIMIT


def test_home_folders_are_empty(shut_in: Act, working_sandbox: Sandbox) -> None:
    home = working_sandbox.homes[-1]
    name = next((path.name for path in home.iterdir()), ".profile")
    assert shut_in("read", str(home / name)).stdout != b"read: done\n"


@pytest.mark.parametrize("where", ["/etc/perfwright-test", "/usr/perfwright-test"])
def test_nothing_is_writable_outside_the_scratch_folder(shut_in: Act, where: str) -> None:
    assert shut_in("write", where).stdout != b"write: done\n"
    assert not Path(where).exists()


def test_the_users_own_files_are_read_only(shut_in: Act, root: Path) -> None:
    (root / "data").touch()
    assert shut_in("write", "data").stdout != b"write: done\n"
    assert shut_in("write", str(root / "new")).stdout != b"write: done\n"


def test_kernel_settings_are_read_only(shut_in: Act) -> None:
    assert shut_in("write", "/proc/sys/kernel/core_pattern").stdout != b"write: done\n"


def test_the_temporary_folder_is_private(shut_in: Act, tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    assert shut_in("read", str(tmp_path / "secret")).stdout != b"read: done\n"
    assert shut_in("write", "/tmp/mine").stdout == b"write: done\n"
    assert not Path("/tmp/mine").exists()


def test_there_is_no_network(shut_in: Act, in_the_open: Act) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        assert in_the_open("connect", port).stdout == b"connect: done\n"
        assert shut_in("connect", port).stdout != b"connect: done\n"


def test_the_environment_of_the_sandbox_itself_holds_no_secret(
    shut_in: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    for process in ("1", "2", "3", "self"):
        assert b"secret" not in shut_in("copy-input", stdin=None).stdout
        result = shut_in("-c", f"cat /proc/{process}/environ", program=Path("/bin/sh"))
        assert b"secret" not in result.stdout


def test_who_kills_everyone_loses_only_its_own_run(shut_in: Act) -> None:
    assert shut_in("kill-everyone").outcome in {Outcome.LOST, Outcome.CRASHED}
    assert shut_in("nothing").exited


def test_files_for_root_only_can_still_be_run(shut_in: Act, root: Path) -> None:
    (root / "input").write_text("text")
    (root / "input").chmod(0o600)
    root.chmod(0o700)
    assert shut_in("copy-input", stdin=root / "input").stdout == b"text"
    assert shut_in("read", "input").stdout == b"read: done\n"


def test_a_missing_program_is_not_started(anywhere: Act, root: Path) -> None:
    result = anywhere(program=root / "absent")
    assert result.outcome is Outcome.NOT_STARTED
    assert result.detail


def test_a_file_that_is_no_program_is_not_started(anywhere: Act, root: Path) -> None:
    (root / "text").write_text("no program")
    assert anywhere(program=root / "text").outcome is Outcome.NOT_STARTED


def test_a_users_own_command_finds_the_program_in_its_place(
    opened: Opener, working_sandbox: Sandbox, behave: Path, root: Path
) -> None:
    (root / "build").mkdir()
    (root / "build/prog").write_text("the user's own build")
    (root / "Makefile").write_text("bench:\n\t./build/prog work 1000 > log\n\tcat log\n")
    for place in (working_sandbox, None):
        result = opened(place).execute(
            Run(
                argv=("sh", "-c", "make bench"),
                root=root,
                program=behave,
                place="build/prog",
                copy_tree=True,
            )
        )
        assert result.stdout.endswith(b"499500\n"), result
    assert not (root / "log").exists()


def test_a_command_that_rebuilds_the_program_is_named(
    opened: Opener, working_sandbox: Sandbox, behave: Path, root: Path
) -> None:
    run = Run(
        argv=("sh", "-c", "cp prog x && mv x prog && ./prog work 10"),
        root=root,
        program=behave,
        place="prog",
        copy_tree=True,
    )
    assert opened(working_sandbox).execute(run).outcome is Outcome.REPLACED


def test_model_written_code_does_not_run_in_the_open(in_the_open: Act) -> None:
    with pytest.raises(UserError, match="outside a sandbox"):
        in_the_open("nothing", untrusted=True)


def test_model_written_code_runs_in_the_sandbox(shut_in: Act) -> None:
    assert shut_in("nothing", untrusted=True).exited


def test_a_run_costs_little_besides_the_program(shut_in: Act) -> None:
    spans = []
    for _ in range(15):
        started = time.perf_counter()
        result = shut_in("nothing")
        spans.append(time.perf_counter() - started - result.wall_seconds)
    assert statistics.fmean(sorted(spans)[:3]) < 0.05
