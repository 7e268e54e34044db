"""Builds candidates: compiles the units of a captured build by a plan, and links them.

What the compiler does to a candidate (an error, a crash, a hang, running out of memory) is a
value, `BuildFailure`, and no exception.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from perfwright.errors import InternalError, ProgramError
from perfwright.program import objects as object_files
from perfwright.program.captured import CapturedBuild, Unit
from perfwright.program.objects import KeptObject, ObjectStore, read_dependencies
from perfwright.program.plan import PLAIN, BuildPlan, Paths, link_argv, overlay_file, unit_steps
from perfwright.program.records import write_atomically
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, ProcessResult, Runner, run
from perfwright.toolchain.workers import worker_threads
from perfwright.units import Bytes, Seconds

Kind = Literal["invalid", "error", "crash", "timeout", "memory"]
"""`invalid`: opt refuses the pipeline's text; `error`: a tool says no; the rest is how a tool
ended that should have answered."""

Stage = Literal["pipeline", "compile", "optimise", "codegen", "link"]

_HALF_OF_MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
DEFAULT_LIMITS = Limits(wall=300.0, memory=Bytes(max(8 * 2**30, _HALF_OF_MEMORY)))
"""Of one tool.  A single option can make LLVM eat all memory; 8 GiB of address space are enough
for lld with sixteen threads."""
_ENOUGH_FOR_A_UNIT = Bytes(4 * 2**30)

OUT_OF_MEMORY = ("out of memory", "Cannot allocate memory", "bad_alloc", "command: Killed")
_CRASHED = (
    "PLEASE submit a bug report",
    "Stack dump:",
    "failed due to signal",
    "unable to execute command",
    "LLVM ERROR:",
    "UNREACHABLE executed",
)
# The driver's own last line about the linker adds nothing to what the linker said.
_TELLING = re.compile(r"error:(?! linker command failed)|ERROR|undefined|cannot find")
_NO_MAIN = ("undefined reference to `main'", "undefined symbol: main")


@dataclass(frozen=True)
class Built:
    """A binary and what it took to make it."""

    binary: Path
    objects: dict[str, Path]
    """The object file of each unit, by name; they are shared with other builds."""
    digests: dict[str, str]
    """SHA-256 of each object file, by unit name."""
    size: Bytes
    """Of the whole file."""
    code_size: Bytes
    """Of its executable sections."""
    compile_seconds: Seconds
    """Of all units' commands one after another, also of those whose objects were reused."""
    link_seconds: Seconds
    reused: int
    """How many units were not compiled anew."""
    link_command: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class BuildFailure:
    """Why there is no binary."""

    kind: Kind
    stage: Stage
    unit: str | None
    """The unit that failed; `None` for the pipeline and the link."""
    reason: str
    """What the tool said, shortened."""
    reproducer: str
    """A line for a shell that shows the same."""
    result: ProcessResult | None = field(default=None, repr=False, compare=False)
    """The run of the tool."""
    objects: Mapping[str, Path] = field(default_factory=dict, repr=False, compare=False)
    """What was to be linked, by unit name; of a failed link only."""

    def __str__(self) -> str:
        where = f"{self.stage} of {self.unit}" if self.unit else self.stage
        return f"{where}: {self.kind}: {self.reason}"


def build(
    captured: CapturedBuild,
    plan: BuildPlan,
    toolchain: Toolchain,
    out_dir: Path,
    runner: Runner = run,
    *,
    store: Path | None = None,
    workers: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Built | BuildFailure:
    """Build one candidate.

    Args:
        captured: the program's units and link step.
        plan: what differs from the user's build.
        toolchain: whose tools build.
        out_dir: where the binary goes, under the program's name.
        runner: runs the tools.
        store: the folder of reusable object files; `out_dir/objects` when `None`.
        workers: how many units are compiled at a time; as many as CPUs when `None`.
        limits: of each command.

    Raises:
        ToolchainError: a tool that the plan needs is not installed.
        InternalError: the machine cannot start processes.
    """
    job = _Job(captured, plan, toolchain, out_dir, runner, limits, store or out_dir / "objects")
    for folder in (out_dir, job.store):
        folder.mkdir(parents=True, exist_ok=True)
    refused = _check_pipelines(job)
    if refused is not None:
        return refused
    if plan.overlay:
        write_atomically(job.overlay, overlay_file(plan).encode())
    made = _compile_all(job, workers or os.cpu_count() or 1)
    return made if isinstance(made, BuildFailure) else _link(job, made)


def build_baseline(
    captured: CapturedBuild,
    toolchain: Toolchain,
    out_dir: Path,
    runner: Runner = run,
    *,
    plan: BuildPlan = PLAIN,
    store: Path | None = None,
) -> Built:
    """Build the program as the user does; it has to succeed.

    Raises:
        ProgramError: it does not, or it has no `main`.
        ToolchainError: a tool is not installed.
    """
    result = build(captured, plan, toolchain, out_dir, runner, store=store)
    if isinstance(result, Built):
        return result
    if any(text in result.reason for text in _NO_MAIN):
        raise ProgramError(
            f"{captured.binary_name} has no main function",
            cause=f"none of its {len(captured.units)} units defines main: a library cannot be run",
            hint="add the source with main to sources, or a benchmark program that uses it",
        )
    if captured.origin == "build":
        hint = "the captured units do not link as the build does; reproduce it: "
    else:
        hint = "correct sources, cflags or ldflags in perfwright.toml; reproduce it: "
    raise ProgramError(
        f"{captured.binary_name} does not build with LLVM {toolchain.version}: {result.stage}"
        + (f" of {result.unit}" if result.unit else ""),
        cause=result.reason,
        hint=hint + result.reproducer,
    )


def classify(result: ProcessResult) -> Kind:
    """How a tool failed, from its exit status and what it printed.

    The driver outlives the compiler and the linker that it starts, so that their end by a
    signal only shows in its words.
    """
    if result.timed_out:
        return "timeout"
    text = result.error_text
    if any(sign in text for sign in OUT_OF_MEMORY) or result.status == -9:
        return "memory"
    if result.crashed or any(sign in text for sign in _CRASHED):
        return "crash"
    return "error"


@dataclass(frozen=True)
class _Job:
    captured: CapturedBuild
    plan: BuildPlan
    toolchain: Toolchain
    out_dir: Path
    runner: Runner
    limits: Limits
    store: Path

    @property
    def overlay(self) -> Path:
        return self.out_dir / "overlay.yaml"


def failure_of(result: ProcessResult, stage: Stage, unit: str | None) -> BuildFailure:
    """The failure that a tool's run stands for.

    Raises:
        InternalError: the disk is full, which no candidate can help.
    """
    if os.strerror(errno.ENOSPC) in result.error_text:
        raise InternalError(
            "cannot build: the disk is full",
            cause=_reason(result),
            hint="perfwright clean --unused",
        )
    return BuildFailure(
        kind=classify(result),
        stage=stage,
        unit=unit,
        reason=_reason(result),
        reproducer=result.reproducer,
        result=result,
    )


def _reason(result: ProcessResult) -> str:
    """The lines that say what is wrong: errors first, else the end."""
    if result.timed_out:
        return result.outcome()
    lines = result.error_text.strip().splitlines()
    telling = [line for line in lines if _TELLING.search(line)]
    return "\n".join((telling or lines[-3:])[:5]) or result.outcome()


def _check_pipelines(job: _Job) -> BuildFailure | None:
    """Let opt parse every pipeline first: lld aborts on one that is wrong."""
    texts = {*job.plan.unit_pipelines.values(), job.plan.pipeline or ""} - {""}
    for text in sorted(texts):
        argv = [str(job.toolchain.tool("opt")), f"-passes={text}", "-disable-output", "-"]
        result = job.runner(argv, limits=job.limits)
        if not result.ok:
            failure = failure_of(result, "pipeline", None)
            return _as_invalid(failure) if failure.kind == "error" else failure
    return None


def _as_invalid(failure: BuildFailure) -> BuildFailure:
    return replace(failure, kind="invalid")


def _compile_all(job: _Job, workers: int) -> dict[str, KeptObject] | BuildFailure:
    units = [*job.captured.units, *job.captured.fixed_units]
    at_a_time = max(1, min(workers, len(units)))
    job = replace(job, limits=_shared(job.limits, at_a_time))
    with worker_threads(at_a_time) as pool:
        futures = [pool.submit(_compile_unit, job, unit) for unit in units]
        return _collect(units, futures)


def _shared(limits: Limits, tools: int) -> Limits:
    """The limits of each of several tools that run at a time: they share the memory."""
    if limits.memory is None:
        return limits
    share = max(limits.memory // tools, min(limits.memory, _ENOUGH_FOR_A_UNIT))
    return replace(limits, memory=Bytes(share))


def _collect(
    units: Sequence[Unit], futures: Sequence[Future[KeptObject | BuildFailure]]
) -> dict[str, KeptObject] | BuildFailure:
    """The objects by unit name, or the first failure in the order of the units."""
    made: dict[str, KeptObject] = {}
    for unit, future in zip(units, futures, strict=True):
        outcome = future.result()
        if isinstance(outcome, BuildFailure):
            for other in futures:
                other.cancel()
            return outcome
        made[unit.name] = outcome
    return made


def _compile_unit(job: _Job, unit: Unit) -> KeptObject | BuildFailure:
    store = ObjectStore(job.store, job.plan.overlay)
    name = _recipe(job, unit)
    kept = store.find(name)
    if kept is not None:
        return kept
    scratch = Path(tempfile.mkdtemp(dir=job.out_dir, prefix="unit-"))
    paths = _paths(scratch, job)
    seconds = 0.0
    for step in unit_steps(unit, job.plan, job.toolchain, paths):
        result = job.runner(step.argv, cwd=unit.cwd, env=unit.env, limits=job.limits)
        seconds += result.seconds
        if not result.ok or not _made(step.argv):
            return failure_of(result, step.stage, unit.name)  # the folder stays: it reproduces
    kept = store.keep(name, paths.output, _inputs(job, unit, paths), Seconds(seconds))
    shutil.rmtree(scratch)
    return kept


def _made(argv: Sequence[str]) -> bool:
    return Path(argv[-1]).is_file()  # every step ends in its output


def _recipe(job: _Job, unit: Unit) -> str:
    # Stand-ins for the names of outputs; the overlay counts through the files that are read.
    paths = Paths(Path("o"), Path("bc"), Path("opt"), dependencies=Path("d"))
    steps = unit_steps(unit, job.plan, job.toolchain, paths)
    return object_files.recipe(
        [step.argv for step in steps], unit.cwd, unit.env, job.toolchain.fingerprint
    )


def _paths(scratch: Path, job: _Job) -> Paths:
    return Paths(
        output=scratch / "unit.o",
        bitcode=scratch / "unit.bc",
        optimised=scratch / "unit.opt.bc",
        dependencies=scratch / "unit.d",
        overlay=job.overlay,
    )


def _inputs(job: _Job, unit: Unit, paths: Paths) -> list[Path]:
    """The files that were read, the source or what stands for it first."""
    source = job.plan.inputs.get(unit.name, unit.source)
    if paths.dependencies is None or not paths.dependencies.is_file():
        return [source]
    text = paths.dependencies.read_text(encoding="utf-8", errors="surrogateescape")
    return [source, *read_dependencies(text, unit.cwd)]


def _link(job: _Job, made: dict[str, KeptObject]) -> Built | BuildFailure:
    binary = job.out_dir / job.captured.binary_name
    objects = {name: kept.path for name, kept in made.items()}
    argv = link_argv(job.captured, job.plan, job.toolchain, objects, binary)
    link = job.captured.link
    result = job.runner(argv, cwd=link.cwd, env=link.env, limits=job.limits)
    if not result.ok or not binary.is_file():
        return replace(failure_of(result, "link", None), objects=objects)
    return Built(
        binary=binary,
        objects=objects,
        digests={name: kept.digest for name, kept in made.items()},
        size=Bytes(binary.stat().st_size),
        code_size=code_size(binary),
        compile_seconds=Seconds(sum(kept.seconds for kept in made.values())),
        link_seconds=Seconds(result.seconds),
        reused=sum(kept.reused for kept in made.values()),
        link_command=argv,
    )


def code_size(binary: Path) -> Bytes:
    """The size of a file's executable sections; 0 when it is no ELF file."""
    with binary.open("rb") as stream:
        try:
            sections = list(ELFFile(stream).iter_sections())
        except ELFError:
            return Bytes(0)
        executable = (s for s in sections if s["sh_flags"] & SH_FLAGS.SHF_EXECINSTR)
        return Bytes(sum(section["sh_size"] for section in executable))
