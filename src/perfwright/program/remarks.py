"""What LLVM's passes remark while the code of a candidate is made, by the road it is built on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfwright.program.build import DEFAULT_LIMITS, BuildFailure, failure_of
from perfwright.program.captured import CapturedBuild, Unit
from perfwright.program.linker import linker_words
from perfwright.program.plan import BuildPlan, Paths, Step, link_argv, overlay_file, unit_steps
from perfwright.program.records import write_atomically
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, ProcessResult, Runner, run
from perfwright.toolchain.workers import worker_threads

LINES = ("-gline-tables-only",)
"""Source lines for remarks; they leave the code as it is."""

_BITCODE = b"BC\xc0\xde"


@dataclass(frozen=True)
class RemarkFiles:
    """YAML files with what the passes remarked.

    Attributes:
        units: of each unit by itself, by name.
        program: of link-time optimisation; several where that is in parts (ThinLTO).
        merged: the units that link-time optimisation took in.
    """

    units: Mapping[str, tuple[Path, ...]]
    program: tuple[Path, ...] = ()
    merged: frozenset[str] = frozenset()


def recording(file: Path) -> tuple[str, ...]:
    """clang's flags for remarks with source lines, as YAML."""
    return (*LINES, "-fsave-optimization-record=yaml", f"-foptimization-record-file={file}")


def record_remarks(
    captured: CapturedBuild,
    plan: BuildPlan,
    toolchain: Toolchain,
    out_dir: Path,
    runner: Runner = run,
    *,
    units: Sequence[str],
    objects: Mapping[str, Path],
    limits: Limits = DEFAULT_LIMITS,
) -> RemarkFiles | BuildFailure:
    """Compile some units of a candidate once more, with remarks, and link where that optimises.

    It does when the plan is whole-program, and when the program's own build says `-flto`.

    Args:
        captured: the program's units and link step.
        plan: the candidate's; layout plays no part.
        out_dir: where the files go.
        units: names of the units to compile.
        objects: the candidate's object files by unit name, for a link-time optimisation of
            the others with them.

    Raises:
        ToolchainError: a tool that the plan needs is not installed.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    recorder = _Recorder(
        captured, plan.model_copy(update={"layout_seed": None}), toolchain, out_dir, runner, limits
    )
    if plan.overlay:
        write_atomically(recorder.overlay, overlay_file(plan).encode())
    chosen = [unit for unit in captured.units if unit.name in units]
    with worker_threads(os.cpu_count() or 1) as pool:
        outcomes = list(pool.map(recorder.compile, range(len(chosen)), chosen))
    files: dict[str, tuple[Path, ...]] = {}
    compiled = dict(objects)
    for unit, outcome in zip(chosen, outcomes, strict=True):
        if isinstance(outcome, BuildFailure):
            return outcome
        files[unit.name] = outcome.remarks
        compiled[unit.name] = outcome.object
    merged = frozenset(
        name for name, file in compiled.items() if plan.whole_program or _is_bitcode(file)
    )
    if not merged:
        return RemarkFiles(files)
    linked = recorder.link(compiled)
    if isinstance(linked, BuildFailure):
        return linked
    return RemarkFiles(files, linked, merged)


def _is_bitcode(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(_BITCODE)) == _BITCODE


@dataclass(frozen=True)
class _Compiled:
    object: Path
    remarks: tuple[Path, ...]


@dataclass(frozen=True)
class _Recorder:
    captured: CapturedBuild
    plan: BuildPlan
    toolchain: Toolchain
    out_dir: Path
    runner: Runner
    limits: Limits

    @property
    def overlay(self) -> Path:
        return self.out_dir / "overlay.yaml"

    def compile(self, number: int, unit: Unit) -> _Compiled | BuildFailure:
        """The object file with source lines, and what was remarked on the way."""
        stem = self.out_dir / f"{number:03}-{Path(unit.name).name.replace('#', '-')}"
        paths = Paths(
            stem.with_suffix(".o"),
            stem.with_suffix(".bc"),
            stem.with_suffix(".opt.bc"),
            overlay=self.overlay,
        )
        remarks = stem.with_suffix(".yaml"), stem.with_suffix(".opt.yaml")
        for step in self._steps(unit, paths, *remarks):
            result = self.runner(step.argv, cwd=unit.cwd, env=unit.env, limits=self.limits)
            if not result.ok:
                return failure_of(result, step.stage, unit.name)
        return _Compiled(paths.output, tuple(file for file in remarks if file.is_file()))

    def _steps(self, unit: Unit, paths: Paths, clangs: Path, opts: Path) -> Iterator[Step]:
        """clang of the staged road records twice in one file: last, as it generates code."""
        flags = (*self.plan.unit_flags.get(unit.name, ()), *recording(clangs))
        asking = self.plan.model_copy(
            update={"unit_flags": {**self.plan.unit_flags, unit.name: flags}}
        )
        for step in unit_steps(unit, asking, self.toolchain, paths):
            more = (f"-pass-remarks-output={opts}",) if step.stage == "optimise" else ()
            yield Step(step.stage, (*step.argv, *more))

    def link(self, objects: Mapping[str, Path]) -> tuple[Path, ...] | BuildFailure:
        """What the linker's passes remark on the merged program."""
        remarks = self.out_dir / "program.yaml"
        # In this form lld takes them, and LLVM's plugin in any other linker.
        words = (
            f"-plugin-opt=opt-remarks-filename={remarks}",
            "-plugin-opt=opt-remarks-format=yaml",
        )
        plan = self.plan.model_copy(
            update={"link_flags": (*self.plan.link_flags, *linker_words(*words))}
        )
        binary = self.out_dir / "program"
        argv = link_argv(self.captured, plan, self.toolchain, objects, binary)
        link = self.captured.link
        result: ProcessResult = self.runner(argv, cwd=link.cwd, env=link.env, limits=self.limits)
        # ThinLTO leaves it empty, and writes one for each module beside it.
        files = tuple(sorted(self.out_dir.glob("program.yaml*")))
        if not result.ok or not files:
            return failure_of(result, "link", None)
        return files
