"""What a build does differently from the user's own, and the commands that this comes to.

There are three roads (DESIGN.md, sections 4 and 7):

- plain: the user's command with flags added; the default, and the baseline when empty;
- whole-program: units as unoptimised or pre-optimised bitcode, one pipeline over the merged
  program in lld;
- staged: a unit goes through clang, `opt -passes=...` and clang again.

Everything here is pure: values to command lines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from perfwright.program.captured import CapturedBuild, Unit
from perfwright.program.linker import linker_words
from perfwright.toolchain.discovery import Toolchain

Road = Literal["plain", "whole-program", "staged", "assembly"]

RAW = ("-Xclang", "-disable-llvm-passes")
"""Front end only: no LLVM pass runs, and functions are not marked `optnone` as by -O0."""

NO_LTO = ("-fno-lto", "-fno-whole-program-vtables", "-fno-virtual-function-elimination")
"""Takes link-time optimisation back, and with it what clang refuses without."""

_QUIET = ("-w", "-fno-crash-diagnostics")
"""`-w` keeps `-Werror` from turning a remark on a replaced pipeline into a failure; clang's
reports of its own crashes would go to /tmp.  Neither changes code."""

_TARGET_PREFIXES = ("-m", "--target=", "-B", "--gcc-toolchain=", "--sysroot=")
_LLD_SEEDS = 1 << 31
_LTO = re.compile(r"-flto(?:=.*)?|-fno-lto")


class BuildPlan(BaseModel):
    """The build of one candidate; the empty plan is the user's own build.

    Raises:
        ValueError: a combination that no road can build.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    compile_flags: tuple[str, ...] = ()
    """Added behind the user's flags of every unit."""
    unit_flags: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Added behind those, by unit name."""
    link_flags: tuple[str, ...] = ()
    """Added at the end of the link command; see `link_option` and `linker_words`."""
    whole_program: bool = False
    """Link-time optimisation over all units by lld."""
    pipeline: str | None = None
    """With `whole_program`: the passes that lld runs over the merged, unoptimised program;
    clang's usual two-step pipeline when `None`."""
    unit_pipelines: dict[str, str] = Field(default_factory=dict)
    """The staged road: the passes that opt runs over a unit, by unit name; an empty text
    generates code from the unoptimised unit as it is."""
    inputs: dict[str, Path] = Field(default_factory=dict)
    """Files to be built in place of a unit's source, by unit name: LLVM IR (`.ll`, `.bc`),
    which is optimised like the source would be, or assembly (`.s`)."""
    overlay: dict[Path, Path] = Field(default_factory=dict)
    """Source files and headers (absolute paths) and the files that the compiler reads in
    their place; names in messages and `__FILE__` stay the original ones."""
    layout_seed: int | None = Field(default=None, ge=0, lt=_LLD_SEEDS - 1)
    """Lays functions out in an order that depends on the seed, by lld; for a baseline to be
    compared with, too."""

    @model_validator(mode="after")
    def _one_road(self) -> Self:
        if self.pipeline is not None and not self.whole_program:
            raise ValueError("a pipeline over the program needs whole_program")
        if self.unit_pipelines and self.whole_program:
            raise ValueError("lld runs one pipeline: unit_pipelines exclude whole_program")
        for name, path in self.inputs.items():
            if path.suffix not in (".ll", ".bc", ".s"):
                raise ValueError(f"{name}: {path.name} is neither IR (.ll, .bc) nor assembly (.s)")
        return self

    @property
    def needs_lld(self) -> bool:
        """Whether the link goes through lld whatever the user's linker is."""
        return self.whole_program or self.layout_seed is not None

    def compile_words(self) -> tuple[str, ...]:
        """What any build adds to the flags of every compile step to follow this plan."""
        layout = ("-ffunction-sections",) if self.layout_seed is not None else ()
        if not self.whole_program:
            return (*self.compile_flags, *layout)
        # Full LTO also where the build says -flto=thin: only then there is one program.
        return (*self.compile_flags, *layout, "-flto", *(RAW if self.pipeline is not None else ()))

    def link_words(self) -> tuple[str, ...]:
        """What any build adds to its link step to follow this plan."""
        words = [*self.link_flags]
        if self.needs_lld:
            words.append("-fuse-ld=lld")
        if self.whole_program:
            # Otherwise lld optimises, and generates code, at -O2 or what else the driver says;
            # -O3 for the driver would be one for the sources of such a command as well.
            words += ["-flto", *linker_words("--lto-O3")]
        if self.pipeline is not None:
            words += linker_words(f"--lto-newpm-passes={self.pipeline}")
        if self.layout_seed is not None:
            # `.text*` only: shuffling everything reorders C++ constructors.  lld takes seed 0
            # for "choose one by chance".
            words += linker_words(f"--shuffle-sections=.text*={self.layout_seed + 1}")
        return tuple(words)

    def road(self, unit: Unit) -> Road:
        """How a unit becomes an object file."""
        if self._source(unit).suffix == ".s" and unit.name in self.inputs:
            return "assembly"
        if unit.name in self.unit_pipelines:
            return "staged"
        return "whole-program" if self.whole_program else "plain"

    def _source(self, unit: Unit) -> Path:
        return self.inputs.get(unit.name, unit.source)


PLAIN = BuildPlan()
"""The user's own build."""


@dataclass(frozen=True)
class Step:
    """One command of a unit's way to its object file."""

    stage: Literal["compile", "optimise", "codegen"]
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Paths:
    """The files of one unit's steps."""

    output: Path
    """The object file."""
    bitcode: Path
    """Between the front end and opt."""
    optimised: Path
    """Between opt and code generation."""
    dependencies: Path | None = None
    """Where the first step lists the files that it read, as a make rule."""
    overlay: Path | None = None
    """The overlay file of the build (see `overlay_file`)."""


def unit_steps(unit: Unit, plan: BuildPlan, toolchain: Toolchain, paths: Paths) -> tuple[Step, ...]:
    """The commands that make a unit's object file, in order.

    Raises:
        ToolchainError: a tool is not installed.
    """
    road = plan.road(unit)
    if unit.language is None and unit.name not in plan.inputs:
        return (_fixed_step(unit, toolchain, paths),)
    if road == "assembly":
        return (_assembly_step(unit, plan, toolchain, paths),)
    if road == "staged":
        return _staged_steps(unit, plan, toolchain, paths)
    flags = unit_flags(unit, plan)
    return (_compile(unit, plan, toolchain, paths, flags=flags, output=paths.output),)


def unit_flags(unit: Unit, plan: BuildPlan) -> tuple[str, ...]:
    """What a unit is compiled with on the plain road: the user's flags, then the plan's."""
    return (*unit.argv, *plan.compile_words(), *plan.unit_flags.get(unit.name, ()))


def optimised_by_linker(unit: Unit, plan: BuildPlan) -> bool:
    """Whether the passes that decide a unit's code run at link time, over the merged program."""
    if plan.road(unit) in ("staged", "assembly"):
        return False
    flags = unit_flags(unit, plan)
    lto = [flag for flag in flags if _LTO.fullmatch(flag)]
    if "-ffat-lto-objects" in flags:  # clang 19 and 22 heed it also in front of its opposite
        return False  # machine code is made as well, and is what linkers take
    return bool(lto) and lto[-1] != "-fno-lto"


def optimisation_level(unit: Unit, plan: BuildPlan) -> str:
    """The level of LLVM's pipeline on the plain road: `O0` to `O3`, `Os` or `Oz`."""
    levels = [flag[1:] for flag in unit_flags(unit, plan) if flag.startswith("-O")]
    last = levels[-1] if levels else "O0"
    if last in ("O", "Og"):
        return "O1"
    return last if last in ("O0", "O1", "O2", "Os", "Oz") else "O3"  # -Ofast, -O4


def bitcode_argv(
    unit: Unit,
    plan: BuildPlan,
    toolchain: Toolchain,
    output: Path,
    *,
    extra: Sequence[str] = (),
    overlay: Path | None = None,
) -> tuple[str, ...]:
    """The command that makes a unit's unoptimised bitcode, with the user's flags and the plan's.

    It says `-O3` behind them (but for `-Ofast`), without which functions are marked `optnone`
    and stay as they are.
    """
    paths = Paths(output, output, output, overlay=overlay)
    user = [*unit.argv, *_added(unit, plan)]
    flags = [*user, *_full_level(user), *NO_LTO, *RAW, "-emit-llvm", *extra]
    return _compile(unit, plan, toolchain, paths, flags=flags, output=output).argv


def link_argv(
    captured: CapturedBuild,
    plan: BuildPlan,
    toolchain: Toolchain,
    objects: Mapping[str, Path],
    output: Path,
) -> tuple[str, ...]:
    """The command that links the program.

    Args:
        captured: the build.
        plan: what differs.
        toolchain: whose clang and lld link.
        objects: the object file of each unit, by name.
        output: the binary.

    Raises:
        ToolchainError: clang, or lld where it is needed, is not installed.
    """
    if plan.needs_lld:
        toolchain.tool("ld.lld")  # the driver would only say "invalid linker name"
    words = (*captured.link.argv(objects), *_QUIET, *plan.link_words())
    clang = toolchain.tool("clang++" if captured.link.driver == "c++" else "clang")
    return (str(clang), *words, "-o", str(output))


def overlay_file(plan: BuildPlan) -> str:
    """The plan's overlay in the form of clang's `-ivfsoverlay` (YAML, of which JSON is a part)."""
    roots = [
        {"name": str(original), "type": "file", "external-contents": str(replacement)}
        for original, replacement in sorted(plan.overlay.items())
    ]
    # Reported names stay those of the originals, as in the build that is handed over.
    body = {"version": 0, "case-sensitive": "true", "use-external-names": False, "roots": roots}
    return _Overlay.model_validate(body).model_dump_json(by_alias=True)


class _Overlay(BaseModel):
    version: int
    case_sensitive: str = Field(alias="case-sensitive")
    use_external_names: bool = Field(alias="use-external-names")
    roots: list[dict[str, str]]


def _added(unit: Unit, plan: BuildPlan) -> tuple[str, ...]:
    return (*plan.compile_flags, *plan.unit_flags.get(unit.name, ()))


def _full_level(flags: Sequence[str]) -> tuple[str, ...]:
    """`-O3`; nothing behind `-Ofast`, which is as high and whose mathematics is the user's.

    A level behind it would take its fast math away, and another `-Ofast` what `-fno-...` behind
    the first one took back.
    """
    levels = [flag for flag in flags if flag.startswith("-O")]
    return () if levels[-1:] == ["-Ofast"] else ("-O3",)


def _clang(unit: Unit, toolchain: Toolchain) -> str:
    return str(toolchain.tool("clang++" if unit.language == "c++" else "clang"))


def _compile(
    unit: Unit,
    plan: BuildPlan,
    toolchain: Toolchain,
    paths: Paths,
    *,
    flags: Sequence[str],
    output: Path,
) -> Step:
    """The first step from the source, or from IR that stands in its place."""
    replacement = plan.inputs.get(unit.name)
    input_type = "ir" if replacement is not None else unit.input_type
    extra: list[str] = []
    if paths.dependencies is not None and replacement is None:
        extra += ["-MD", "-MF", str(paths.dependencies)]
    if paths.overlay is not None and plan.overlay:
        extra += ["-ivfsoverlay", str(paths.overlay)]
    argv = (_clang(unit, toolchain), *flags, *extra, *_QUIET, "-x", input_type, "-c")
    return Step("compile", (*argv, str(replacement or unit.source), "-o", str(output)))


def _fixed_step(unit: Unit, toolchain: Toolchain, paths: Paths) -> Step:
    head = (str(toolchain.tool("clang")), *unit.argv, *_QUIET, "-x", unit.input_type)
    return Step("compile", (*head, "-c", str(unit.source), "-o", str(paths.output)))


def _assembly_step(unit: Unit, plan: BuildPlan, toolchain: Toolchain, paths: Paths) -> Step:
    flags = [*_target_flags([*unit.argv, *_added(unit, plan)]), *_QUIET]
    head = (str(toolchain.tool("clang")), *flags, "-x", "assembler", "-c")
    return Step("compile", (*head, str(plan.inputs[unit.name]), "-o", str(paths.output)))


def _target_flags(flags: Sequence[str]) -> Iterator[str]:
    """The flags that say for which machine; all that assembling takes."""
    skip = False
    for position, flag in enumerate(flags):
        if skip:
            skip = False
        elif flag == "-mllvm":
            skip = True
        elif flag == "-target" and position + 1 < len(flags):
            yield from (flag, flags[position + 1])
            skip = True
        elif flag.startswith(_TARGET_PREFIXES):
            yield flag


def _staged_steps(
    unit: Unit, plan: BuildPlan, toolchain: Toolchain, paths: Paths
) -> tuple[Step, ...]:
    """clang to bitcode, opt, clang from bitcode.

    Code generation says `-O3` (without it, it is that of -O0) and switches all passes off.
    """
    added = _added(unit, plan)
    user = [*unit.argv, *added]
    plain = [*user, *_full_level(user), *NO_LTO, *RAW]
    front = _compile(
        unit, plan, toolchain, paths, flags=[*plain, "-emit-llvm"], output=paths.bitcode
    )
    opt = (
        str(toolchain.tool("opt")),
        f"-passes={plan.unit_pipelines[unit.name]}",
        *machine_options(user),
        *_llvm_options(user),
        str(paths.bitcode),
        "-o",
        str(paths.optimised),
    )
    sections = ("-ffunction-sections",) if plan.layout_seed is not None else ()
    back = (_clang(unit, toolchain), *plain, *sections, *_QUIET, "-x", "ir", "-c")
    return (
        front,
        Step("optimise", opt),
        Step("codegen", (*back, str(paths.optimised), "-o", str(paths.output))),
    )


def machine_options(flags: Sequence[str]) -> tuple[str, ...]:
    """What opt and llc must be told of the machine code to come, as clang's flags have it.

    clang makes position-independent code unless told otherwise, opt assumes the opposite, and
    that changes what addresses cost: on LLVM 19 and 22 `opt -passes='default<O3>'` without
    this unrolled loops over global arrays that clang -O3 did not unroll; with it, the code of
    every program tried was the same.

    Args:
        flags: clang's, in their order.
    """
    independent, code_model = True, ""
    for flag in flags:
        if flag.lower() in ("-fpic", "-fpie"):
            independent = True
        elif flag.lower() in ("-fno-pic", "-fno-pie"):
            independent = False
        elif flag.startswith("-mcmodel="):
            code_model = flag.partition("=")[2]
    model = (f"-code-model={code_model}",) if code_model else ()
    return (f"-relocation-model={'pic' if independent else 'static'}", *model)


def _llvm_options(flags: Sequence[str]) -> Iterator[str]:
    """What stands behind `-mllvm`: clang passes it to LLVM, opt takes it directly."""
    yield from (value for flag, value in itertools.pairwise(flags) if flag == "-mllvm")
