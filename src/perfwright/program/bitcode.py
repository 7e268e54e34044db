"""Looking inside: units as bitcode, and what the optimiser remarks on them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from perfwright.program.build import DEFAULT_LIMITS, BuildFailure, failure_of
from perfwright.program.captured import CapturedBuild, Unit
from perfwright.program.plan import (
    NO_LTO,
    PLAIN,
    BuildPlan,
    Paths,
    bitcode_argv,
    overlay_file,
    unit_steps,
)
from perfwright.program.records import write_atomically
from perfwright.program.remarks import LINES, recording
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, ProcessResult, Runner, run
from perfwright.toolchain.workers import worker_threads


@dataclass(frozen=True)
class UnitBitcode:
    """What is kept of one unit for looking inside."""

    plain: Path
    """Unoptimised bitcode, as the staged road starts from it."""
    lines: Path
    """The same with source lines, for remarks and profiles."""
    remarks: Path
    """What LLVM's passes said while optimising the unit at the plan's flags (YAML)."""
    result: ProcessResult
    """The run that made the remarks."""


def capture_bitcode(
    captured: CapturedBuild,
    toolchain: Toolchain,
    out_dir: Path,
    runner: Runner = run,
    *,
    plan: BuildPlan = PLAIN,
    workers: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> dict[str, UnitBitcode] | BuildFailure:
    """Bitcode and remarks of every C and C++ unit, by unit name.

    Args:
        captured: the program's units.
        toolchain: whose clang compiles.
        out_dir: where the files go.
        runner: runs the tools.
        plan: flags, replaced inputs and overlay that the units are compiled with; pipelines
            and layout play no part.
        workers: how many units are compiled at a time; as many as CPUs when `None`.
        limits: of each command.

    Raises:
        ToolchainError: clang is not installed.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    plain = BuildPlan(
        compile_flags=plan.compile_flags,
        unit_flags=plan.unit_flags,
        inputs={name: path for name, path in plan.inputs.items() if path.suffix != ".s"},
        overlay=plan.overlay,
    )
    look = _Look(plain, toolchain, out_dir, runner, limits)
    if plain.overlay:
        write_atomically(look.overlay, overlay_file(plain).encode())
    with worker_threads(workers or os.cpu_count() or 1) as pool:
        outcomes = list(pool.map(look.unit, range(len(captured.units)), captured.units))
    failed = next((one for one in outcomes if isinstance(one, BuildFailure)), None)
    if failed is not None:
        return failed
    found = zip(captured.units, outcomes, strict=True)
    return {unit.name: one for unit, one in found if isinstance(one, UnitBitcode)}


@dataclass(frozen=True)
class _Look:
    plan: BuildPlan
    toolchain: Toolchain
    out_dir: Path
    runner: Runner
    limits: Limits

    @property
    def overlay(self) -> Path:
        return self.out_dir / "overlay.yaml"

    def unit(self, number: int, unit: Unit) -> UnitBitcode | BuildFailure:
        stem = f"{number:03}-{Path(unit.name).name.replace('#', '-')}"
        plain, lines = self.out_dir / f"{stem}.bc", self.out_dir / f"{stem}.g.bc"
        remarks = self.out_dir / f"{stem}.opt.yaml"
        result: ProcessResult | None = None
        for argv in (
            self._bitcode(unit, plain, ()),
            self._bitcode(unit, lines, LINES),
            self._remarks(unit, remarks, self.out_dir / f"{stem}.o"),
        ):
            result = self.runner(argv, cwd=unit.cwd, env=unit.env, limits=self.limits)
            if not result.ok:
                return failure_of(result, "compile", unit.name)
        assert result is not None
        return UnitBitcode(plain, lines, remarks, result)

    def _bitcode(self, unit: Unit, output: Path, extra: tuple[str, ...]) -> tuple[str, ...]:
        return bitcode_argv(
            unit, self.plan, self.toolchain, output, extra=extra, overlay=self.overlay
        )

    def _remarks(self, unit: Unit, remarks: Path, output: Path) -> tuple[str, ...]:
        asking = (*NO_LTO, *recording(remarks))
        wanted = BuildPlan(
            compile_flags=(*self.plan.compile_flags, *self.plan.unit_flags.get(unit.name, ())),
            unit_flags={unit.name: asking},
            inputs=self.plan.inputs,
            overlay=self.plan.overlay,
        )
        paths = Paths(output, output, output, overlay=self.overlay)
        return unit_steps(unit, wanted, self.toolchain, paths)[0].argv
