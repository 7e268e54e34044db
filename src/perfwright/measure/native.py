"""The small C program that runs programs under test, `perfwright-run`: made, asked, read.

It exists because only a parent inside the sandbox can see the CPU time of what runs there,
and because limits, affinity and address randomisation must be set between fork and exec.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from perfwright.errors import ToolchainError
from perfwright.measure.runner import Report, Run
from perfwright.toolchain.process import Limits, Runner, run

_SOURCE = "perfwright-run.c"
_FLAGS = ("-std=gnu11", "-O2")
_KEEP_AFTER_FAILURE = 1 << 20
_REPORT = TypeAdapter(Report)
_COMPILE_LIMITS = Limits(wall=120.0)


def source_text() -> str:
    """The C source of the runner, as shipped."""
    folder = resources.files("perfwright.measure") / "runner_src"
    return (folder / _SOURCE).read_text(encoding="utf-8")


def build_runner(compiler: Path, cache: Path, *, runner: Runner = run) -> Path:
    """The runner's executable, compiled at most once for each source and compiler.

    Args:
        compiler: a C compiler for this machine, usually the chosen clang.
        cache: folder for the executable; made when missing.
        runner: how the compiler is started.

    Raises:
        ToolchainError: the compiler cannot compile it.
    """
    text = source_text()
    key = hashlib.sha256(f"{compiler}\0{' '.join(_FLAGS)}\0{text}".encode()).hexdigest()[:16]
    target = cache / f"perfwright-run-{key}"
    if target.is_file():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    part = cache / f"{target.name}.{os.getpid()}"
    result = runner(
        [compiler, *_FLAGS, "-x", "c", "-", "-o", part],
        stdin=text.encode(),
        limits=_COMPILE_LIMITS,
    )
    if not result.ok:
        raise ToolchainError(
            f"{compiler} cannot compile the program that runs and times other programs",
            cause=result.explain(),
            hint="install the C library's headers (libc6-dev), then perfwright doctor",
        )
    part.chmod(0o755)
    part.replace(target)
    return target


def options(
    run: Run,
    *,
    cpus: int,
    memory: int | None,
    processes: int | None,
) -> list[str]:
    """The runner's words for limits, environment and measurement of one run.

    Args:
        run: what is to be run; its environment is taken as it is.
        cpus: how many CPUs its threads may keep busy; sets the CPU limit when it has none.
        memory: bytes of address space; `None` when something else limits memory.
        processes: how many there may be; `None` when something else limits them.
    """
    limits, setting = run.limits, run.setting
    cpu_limit = limits.cpu if limits.cpu is not None else int(limits.wall * cpus) + 1
    words = ["--wall", f"{limits.wall:.6f}", "--cpu", str(cpu_limit)]
    words += ["--file-size", str(limits.file_size), "--keep", str(_KEEP_AFTER_FAILURE)]
    for name, value in (
        ("--memory", memory if limits.address_space else None),
        ("--processes", processes),
        ("--stack", limits.stack),
        ("--pin", setting.cpu),
        ("--pad", setting.env_bytes or None),
        ("--fixed-addresses", None if setting.aslr else 1),
        ("--counters", 1 if run.counters else None),
    ):
        if value is not None:
            words += [name, str(value)]
    for name, text in run.env.items():
        words += ["--env", f"{name}={text}"]
    for path in run.outputs:
        words += ["--output", path]
    return words


def parse_report(data: bytes) -> tuple[Report, list[bytes]]:
    """The report and the streams behind it: standard output, standard error, output files.

    Raises:
        ValueError: this is not a whole report; the text says what there is instead.
    """
    line, _, rest = data.partition(b"\n")
    try:
        report = _REPORT.validate_json(line)
    except ValidationError as error:
        raise ValueError(line.decode("utf-8", "replace")[:200] or "no report") from error
    return report, _split(rest, report.kept)


def _split(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    streams, start = [], 0
    for size in sizes:
        streams.append(data[start : start + size])
        start += size
    if start != len(data):
        raise ValueError(f"the report announces {start} bytes, but {len(data)} follow")
    return streams
