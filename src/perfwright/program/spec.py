"""`perfwright.toml`: what the program is, how it runs, and how its results are judged.

The file as written is `tables.File`; `load` makes a `ProgramSpec` of it, in which every path
is absolute.  A source file alone, or a folder with a `compile_commands.json`, is a program as
well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from perfwright.errors import UserError
from perfwright.program import driver, tomlfile
from perfwright.program.driver import Language
from perfwright.program.tables import EXAMPLES, File, ProgramTable, Role, Tolerance, WorkloadTable
from perfwright.units import Seconds, parse_duration

FILE_NAME = "perfwright.toml"
COMMANDS_NAME = "compile_commands.json"
DEFAULT_CFLAGS = ("-O3",)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Workload(_Value):
    """One way of running the program."""

    id: str
    """`train-1`, `train-2`, ..., `confirm-1`, ...: by role, in the order of the file."""
    role: Role
    args: tuple[str, ...] = ()
    stdin: Path | None = None
    env: dict[str, str] = Field(default_factory=dict)
    files: tuple[Path, ...] = ()
    """Input files that it reads."""
    cwd: Path
    timeout: Seconds | None = None
    """Seconds of wall time after which a run counts as hanging; chosen from the baseline's
    own time when `None`."""
    run: str | None = None
    """The user's own benchmark, a shell command, in place of the binary with `args`."""
    metric: str | None = None
    """A regular expression that finds one number in what `run` prints; its wall or CPU time
    counts when `None`."""


class Oracle(_Value):
    """What makes two runs of the program equal."""

    test: str | None = None
    """The user's own test, a shell command that exits with 0."""
    stdout: Literal["exact"] | Tolerance = "exact"
    files: tuple[str, ...] = ()
    """Files that a run writes, relative to the workload's `cwd`."""
    exit: int = 0


class ProgramSpec(_Value):
    """The program to be made faster."""

    path: Path
    """Where this was read: the TOML file, the folder or the source file."""
    root: Path
    """The program's folder; all relative paths in the file start here."""
    name: str
    language: Language | None = None
    """As the file says or the sources tell; `None` until a build has been captured."""
    sources: tuple[Path, ...] = ()
    build: str | None = None
    """A shell command, run in `build_dir` of a copy of `root`."""
    build_dir: Path
    binary: str | None = None
    """What the build makes, relative to `root` or to `build_dir`."""
    compile_commands: Path | None = None
    """The compilation database to take units from, when neither sources nor a build is given."""
    cflags: tuple[str, ...] = DEFAULT_CFLAGS
    ldflags: tuple[str, ...] = ()
    workloads: tuple[Workload, ...]
    oracle: Oracle = Field(default_factory=Oracle)

    @property
    def train(self) -> tuple[Workload, ...]:
        """The workloads that are run while searching."""
        return tuple(w for w in self.workloads if w.role == "train")

    @property
    def confirm(self) -> tuple[Workload, ...]:
        """The workloads of the final figure: those held back, else the train ones."""
        return tuple(w for w in self.workloads if w.role == "confirm") or self.train

    @property
    def confirms_on_train(self) -> bool:
        """Whether no workload is held back; to be said next to the final figure."""
        return all(w.role == "train" for w in self.workloads)


def load(path: Path, args: Sequence[str] = (), cwd: Path | None = None) -> ProgramSpec:
    """The program that a user names.

    Args:
        path: a `perfwright.toml`, a folder with one or with a `compile_commands.json`, or one
            C or C++ source file.
        args: the arguments of the one workload; not with a `perfwright.toml`, which says how
            to run.
        cwd: where that workload runs; here when `None`.

    Raises:
        UserError: there is no such program, or its file is wrong; names file, line and key.
    """
    cwd = cwd or Path.cwd()
    path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would leave a linked folder
    if path.is_dir() and (path / FILE_NAME).exists():
        path = path / FILE_NAME
    if path.suffix == ".toml" and path.is_file():
        if args:
            raise UserError(
                f"{path} already says how to run the program",
                cause="arguments after -- go with a source file only",
                hint='write them into the file: [[workload]] args = ["..."]',
            )
        return _from_toml(path)
    if path.is_dir():
        return _from_folder(path, args, cwd)
    if not path.exists():
        raise UserError(f"there is no {path}", hint="name a source file or a perfwright.toml")
    if not driver.is_source(path):
        known = ", ".join(s for s in driver.SUFFIXES if driver.is_source(f"x{s}"))
        raise UserError(
            f"{path} is no program",
            cause=f"neither a perfwright.toml, nor a folder, nor a source file ({known})",
            hint=f"write a {FILE_NAME} beside it",
        )
    return _from_source(path, args, cwd)


def _from_source(path: Path, args: Sequence[str], cwd: Path) -> ProgramSpec:
    return ProgramSpec(
        path=path,
        root=path.parent,
        name=path.stem,
        language=driver.language_of(path),
        sources=(path,),
        build_dir=path.parent,
        # Free when unused, and no flag can be given for a source file alone.
        ldflags=("-lm",),
        workloads=(_only_workload(cwd, args),),
    )


def _from_folder(folder: Path, args: Sequence[str], cwd: Path) -> ProgramSpec:
    commands = _commands_file(folder)
    if commands is None:
        raise UserError(
            f"{folder} holds no program",
            cause=f"neither {FILE_NAME} nor {COMMANDS_NAME} is in it",
            hint=f"write a {FILE_NAME} there: {EXAMPLES['program']}",
        )
    return ProgramSpec(
        path=folder,
        root=folder,
        name=folder.name,
        build_dir=folder,
        compile_commands=commands,
        ldflags=("-lm",),
        workloads=(_only_workload(cwd, args),),
    )


def _only_workload(cwd: Path, args: Sequence[str]) -> Workload:
    return Workload(id="train-1", role="train", args=tuple(args), cwd=cwd)


def _commands_file(root: Path, build_dir: Path | None = None) -> Path | None:
    places = [build_dir or root, root, root / "build"]
    return next((p / COMMANDS_NAME for p in places if (p / COMMANDS_NAME).is_file()), None)


def _from_toml(path: Path) -> ProgramSpec:
    file = tomlfile.read(path, File, EXAMPLES)
    root, program = path.parent, file.program
    _check_program(path, program)
    build_dir = Path(os.path.normpath(root / (program.build_dir or ".")))
    commands = None
    if not program.sources and program.build is None:
        commands = _commands_file(root, build_dir)
        if commands is None:
            raise tomlfile.mistake(
                path,
                ("program",),
                "the program has neither sources nor a build",
                cause=f"and no {COMMANDS_NAME} is beside it",
                hint=f"{EXAMPLES['sources']} or {EXAMPLES['build']}",
            )
    return ProgramSpec(
        path=path,
        root=root,
        name=program.name or root.name,
        language=program.language or _language(program.sources),
        sources=_sources(path, program),
        build=program.build,
        build_dir=build_dir,
        binary=program.binary,
        compile_commands=commands,
        cflags=DEFAULT_CFLAGS if program.cflags is None else tuple(program.cflags),
        ldflags=tuple(program.ldflags),
        workloads=_workloads(path, file),
        oracle=Oracle(
            test=file.oracle.test,
            stdout=file.oracle.stdout,
            files=tuple(file.oracle.files),
            exit=file.oracle.exit,
        ),
    )


def _check_program(path: Path, program: ProgramTable) -> None:
    build_dir = Path(os.path.normpath(path.parent / (program.build_dir or ".")))
    if not build_dir.is_relative_to(path.parent):
        raise tomlfile.mistake(
            path,
            ("program", "build_dir"),
            "program.build_dir leads out of the program's folder",
            cause="a build is captured in a copy of that folder",
            hint=f"put {FILE_NAME} at the top of the sources",
        )
    if program.build is None:
        return
    if program.sources:
        raise tomlfile.mistake(
            path,
            ("program", "build"),
            "both sources and a build are given",
            cause="units come either from the listed sources or from the build",
            hint="remove one of them",
        )
    if program.binary is None:
        raise tomlfile.mistake(
            path,
            ("program", "build"),
            "program.binary is missing",
            cause="a build may make several programs",
            hint=EXAMPLES["binary"],
        )
    for key, flags in (("cflags", program.cflags), ("ldflags", program.ldflags)):
        if flags:
            raise tomlfile.mistake(
                path,
                ("program", key),
                f"program.{key} has no effect on a build",
                cause="the build's own flags are kept",
                hint=f'put them into the command: build = "make {key.upper()}=..."',
            )


def _language(sources: Sequence[str]) -> Language | None:
    languages = {driver.language_of(source) for source in sources}
    if "c++" in languages:
        return "c++"
    return "c" if "c" in languages else None


def _sources(path: Path, program: ProgramTable) -> tuple[Path, ...]:
    for index, source in enumerate(program.sources):
        key = ("program", "sources", index)
        if not (path.parent / source).is_file():
            raise tomlfile.mistake(
                path,
                key,
                f"the source {source} does not exist",
                cause=f"looked for {path.parent / source}",
                hint="paths start in the folder of the file",
            )
        if Path(source).suffix not in driver.SUFFIXES:
            raise tomlfile.mistake(
                path,
                key,
                f"{source} is no source file that clang knows",
                cause=f"known suffixes: {', '.join(driver.SUFFIXES)}",
                hint="object files and libraries go into ldflags",
            )
    return tuple(path.parent / source for source in program.sources)


def _workloads(path: Path, file: File) -> tuple[Workload, ...]:
    counts: dict[str, int] = {"train": 0, "confirm": 0}
    workloads = []
    for index, table in enumerate(file.workload):
        counts[table.role] += 1
        name = f"{table.role}-{counts[table.role]}"
        # A build may make the files itself; without one they have to be there already.
        workloads.append(_workload(path, index, table, name, check=file.program.build is None))
    if not workloads:
        return (_only_workload(path.parent, ()),)
    if not counts["train"]:
        raise tomlfile.mistake(
            path,
            ("workload", 0, "role"),
            "no workload has the role train",
            cause="the search needs one to measure; confirm is held back for the final figure",
            hint=EXAMPLES["role"],
        )
    return tuple(workloads)


def _workload(path: Path, index: int, table: WorkloadTable, name: str, check: bool) -> Workload:
    root = path.parent
    _check_run(path, index, table)
    for key, value in (("stdin", table.stdin), ("cwd", table.cwd), *_numbered(table.files)):
        if check and value is not None and not (root / value).exists():
            raise tomlfile.mistake(
                path,
                ("workload", index, key),
                f"{value} does not exist",
                cause=f"workload[{index}].{key} leads to {root / value}",
                hint="paths start in the folder of the file",
            )
    return Workload(
        id=name,
        role=table.role,
        args=tuple(table.args),
        stdin=root / table.stdin if table.stdin is not None else None,
        env=table.env,
        files=tuple(root / name for name in table.files),
        cwd=root / (table.cwd or "."),
        timeout=_timeout(path, index, table.timeout),
        run=table.run,
        metric=table.metric,
    )


def _numbered(files: Sequence[str]) -> list[tuple[str, str]]:
    return [("files", name) for name in files]


def _check_run(path: Path, index: int, table: WorkloadTable) -> None:
    if table.run is None and table.metric is None:
        return
    key = ("workload", index, "metric" if table.metric is not None else "run")
    if table.run is None:
        raise tomlfile.mistake(
            path,
            key,
            "a metric is given without a command to run",
            cause="the metric is looked for in what the command prints",
            hint=EXAMPLES["run"],
        )
    if table.args or table.stdin is not None:
        raise tomlfile.mistake(
            path,
            ("workload", index, "run"),
            "a workload has both run and args or stdin",
            cause="run is the whole command",
            hint="write the arguments and the input into run",
        )
    if table.metric is not None:
        _check_metric(path, key, table.metric)


def _check_metric(path: Path, key: tuple[str | int, ...], metric: str) -> None:
    try:
        groups = re.compile(metric).groups
    except re.error as error:
        raise tomlfile.mistake(
            path, key, "metric is no regular expression", cause=str(error), hint=EXAMPLES["metric"]
        ) from error
    if groups != 1:
        raise tomlfile.mistake(
            path,
            key,
            "metric must mark one number",
            cause=f"it has {groups} groups in parentheses",
            hint=EXAMPLES["metric"] + "  ((?:...) does not count)",
        )


def _timeout(path: Path, index: int, value: float | str | None) -> Seconds | None:
    if value is None:
        return None
    key = ("workload", index, "timeout")
    try:
        seconds = parse_duration(value) if isinstance(value, str) else Seconds(value)
    except UserError as error:
        raise tomlfile.mistake(path, key, error.fact, hint=EXAMPLES["timeout"]) from error
    if not 0 < seconds < float("inf"):
        raise tomlfile.mistake(
            path, key, "timeout must be more than nothing", hint=EXAMPLES["timeout"]
        )
    return seconds
