from __future__ import annotations

from pathlib import Path

import pytest

from perfwright.errors import ToolchainError
from perfwright.measure.native import build_runner, options, parse_report, source_text
from perfwright.measure.runner import Run, RunLimits, Setting
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import run

LINE = (
    b'{"status": 0, "signal": 0, "exec_error": 0, "timed_out": false, "disk_full": false, '
    b'"replaced": false, "stopped": 0, "wall": 0.5, "user": 0.4, "sys": 0.1, "max_rss": 1000, '
    b'"voluntary": 1, "involuntary": 2, "instructions": -1, "cycles": -1, '
    b'"sizes": [5, 0, -1], "kept": [5, 0, 0]}\n'
)


def test_a_report_is_a_line_and_what_the_program_left() -> None:
    report, streams = parse_report(LINE + b"a\n\0bc")
    assert (report.status, report.wall, report.sizes) == (0, 0.5, (5, 0, -1))
    assert streams == [b"a\n\0bc", b"", b""]


@pytest.mark.parametrize(
    "data", [b"", b"Killed\n", LINE + b"too much output", LINE[:-20], b'{"error": "no"}\n', b"3\n"]
)
def test_anything_else_is_no_report(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_report(data)


def flags(run_: Run, memory: int | None = 1000, processes: int | None = 64) -> str:
    return " ".join(options(run_, cpus=2, memory=memory, processes=processes))


RUN = Run(argv=("prog",), root=Path("/p"))


def test_without_a_cpu_limit_all_cpus_may_be_busy_all_the_time() -> None:
    assert "--cpu 121" in flags(RUN)


def test_address_space_is_not_limited_for_sanitizers() -> None:
    assert "--memory 1000" in flags(RUN)
    sanitized = Run(argv=("prog",), root=Path("/p"), limits=RunLimits(address_space=False))
    assert "--memory" not in flags(sanitized)


def test_what_a_group_limits_is_not_limited_twice() -> None:
    text = flags(RUN, memory=None, processes=None)
    assert "--memory" not in text
    assert "--processes" not in text


def test_a_setting_is_passed_on() -> None:
    varied = Run(
        argv=("prog",),
        root=Path("/p"),
        setting=Setting(env_bytes=32, aslr=False, cpu=1),
        env={"A": "1"},
        outputs=("o",),
    )
    text = flags(varied)
    for words in ("--pin 1", "--pad 32", "--fixed-addresses 1", "--env A=1", "--output o"):
        assert words in text


@pytest.mark.llvm
def test_the_runner_is_compiled_once_for_a_compiler(toolchain: Toolchain, tmp_path: Path) -> None:
    clang = toolchain.tool("clang")
    first = build_runner(clang, tmp_path / "cache")
    before = first.stat().st_mtime_ns
    assert build_runner(clang, tmp_path / "cache") == first
    assert first.stat().st_mtime_ns == before


@pytest.mark.llvm
def test_the_runner_compiles_without_a_warning(each_toolchain: Toolchain, tmp_path: Path) -> None:
    warnings = ["-std=gnu11", "-Wall", "-Wextra", "-Wshadow", "-O2", "-x", "c", "-"]
    result = run(
        [each_toolchain.tool("clang"), *warnings, "-o", tmp_path / "out"],
        stdin=source_text().encode(),
    )
    assert result.ok
    assert not result.error_text


def test_a_compiler_that_cannot_is_the_toolchains_error(tmp_path: Path) -> None:
    broken = tmp_path / "clang"
    broken.write_text("#!/bin/sh\necho 'stdio.h: not found' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(ToolchainError, match="cannot compile") as caught:
        build_runner(broken, tmp_path / "cache")
    assert "stdio.h: not found" in caught.value.cause


@pytest.mark.llvm
def test_a_wrong_option_is_reported_as_an_error(perfwright_run: Path) -> None:
    result = run([perfwright_run, "--no-such-thing", "1", "--", "true"])
    assert result.status == 70
    assert result.text.startswith('{"error": "unknown option')
