"""From a program's description to its captured build.

Units come from one of three places: the sources that the user lists, a build that runs under
the compiler launcher in a copy of the program's folder, or a `compile_commands.json`.

A build is first captured by PATH and `$CC`, which keeps flags that a Makefile writes into
`CC`; only when no unit of the binary was seen that way, it is run again with make's variables
overridden.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perfwright.errors import ProgramError, UserError
from perfwright.program import driver
from perfwright.program.assemble import LinkRecord, assemble
from perfwright.program.captured import CapturedBuild, LinkItem, LinkStep, Unit
from perfwright.program.driver import Language
from perfwright.program.launcher import TROUBLE_LOG
from perfwright.program.records import file_digest, keys_in_file, make_key, read_records
from perfwright.program.scratch import build_environment, copy_tree, make_shims
from perfwright.program.spec import ProgramSpec
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, Runner, run

BUILD_LIMITS = Limits(wall=3600.0)
_TAIL_LINES = 15
_CACHES = frozenset({"ccache", "sccache", "distcc", "icecc"})


def capture(
    spec: ProgramSpec,
    toolchain: Toolchain,
    scratch: Path,
    *,
    runner: Runner = run,
    environ: Mapping[str, str] | None = None,
    limits: Limits = BUILD_LIMITS,
) -> CapturedBuild:
    """The units and the link step of a program.

    Args:
        spec: the program.
        toolchain: whose clang compiles a captured build.
        scratch: a folder of ours; a build's copy stays there as long as units are compiled.
        runner: runs the build.
        environ: the environment of the build; the process's own when `None`.
        limits: of the build.

    Raises:
        ProgramError: the build fails, makes no such binary, or no unit of it was seen.
        UserError: the compilation database is broken.
    """
    if spec.sources:
        return from_sources(spec)
    if spec.compile_commands is not None:
        return from_commands(spec, spec.compile_commands)
    variables = os.environ if environ is None else environ
    return _from_build(spec, toolchain, scratch, runner=runner, environ=variables, limits=limits)


def from_sources(spec: ProgramSpec) -> CapturedBuild:
    """Each listed source compiled with `cflags`, all linked with `ldflags`."""
    known = [driver.language_of(source) for source in spec.sources]
    # `language = "c++"` over .c files only means what `clang++ *.c` means.
    as_cxx = spec.language == "c++" and "c++" not in known
    units = [
        _unit(
            name=_relative(source, spec.root),
            source=source,
            cwd=spec.root,
            argv=spec.cflags,
            input_type=_input_type(source, as_cxx),
        )
        for source in dict.fromkeys(spec.sources)
    ]
    return _synthesised(spec, "sources", units, as_cxx or spec.language == "c++")


def from_commands(spec: ProgramSpec, database: Path) -> CapturedBuild:
    """Each entry of a compilation database, all linked with `ldflags`.

    Raises:
        UserError: the file is no compilation database, or holds no C or C++.
    """
    units: dict[tuple[Path, tuple[str, ...]], Unit] = {}
    for entry in _entries(database):
        for unit in _units_of(entry, spec.root):
            units.setdefault((unit.source, unit.argv), unit)
    if not units:
        raise UserError(
            f"{database} holds no C or C++",
            cause="no entry compiles such a source",
            hint="list the sources in a perfwright.toml",
        )
    distinct = _distinct(list(units.values()))
    return _synthesised(spec, "compile_commands", distinct, spec.language == "c++")


def _synthesised(spec: ProgramSpec, origin: Any, units: Sequence[Unit], cxx: bool) -> CapturedBuild:
    language: Language = "c++" if cxx or any(u.language == "c++" for u in units) else "c"
    items = [*(LinkItem(unit=unit.name) for unit in units), LinkItem(words=spec.ldflags)]
    return CapturedBuild(
        origin=origin,
        root=spec.root,
        binary_name=Path(spec.binary or spec.name).name,
        units=tuple(unit for unit in units if unit.language),
        fixed_units=tuple(unit for unit in units if not unit.language),
        link=LinkStep(driver=language, cwd=spec.root, items=tuple(items)),
    )


def _unit(name: str, source: Path, cwd: Path, argv: Sequence[str], input_type: str) -> Unit:
    key = make_key(name, argv, input_type)
    return Unit(name=name, source=source, cwd=cwd, argv=tuple(argv), input_type=input_type, key=key)


def _input_type(source: Path, as_cxx: bool) -> str:
    found = driver.SUFFIXES[source.suffix]
    return {"c": "c++", "cpp-output": "c++-cpp-output"}.get(found, found) if as_cxx else found


def _relative(path: Path, root: Path) -> str:
    normal = Path(os.path.normpath(path))
    return normal.relative_to(root).as_posix() if normal.is_relative_to(root) else str(normal)


def _distinct(units: Sequence[Unit]) -> list[Unit]:
    """The units with `#2`, `#3` behind the names that are taken."""
    seen: dict[str, int] = {}
    renamed = []
    for unit in units:
        seen[unit.name] = count = seen.get(unit.name, 0) + 1
        renamed.append(
            unit if count == 1 else unit.model_copy(update={"name": f"{unit.name}#{count}"})
        )
    return renamed


# --- compilation databases


def _entries(database: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(database.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{database} is no compilation database",
            cause=str(error),
            hint="make it anew, for example cmake -DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
        ) from error
    if isinstance(entries, list) and all(_is_entry(entry) for entry in entries):
        return entries
    raise UserError(
        f"{database} is no compilation database",
        cause="it must be a list of objects with directory, file, and command or arguments",
        hint="make it anew, for example cmake -DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
    )


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and {"directory", "file"} <= entry.keys()
        and ("command" in entry or "arguments" in entry)
    )


def _units_of(entry: dict[str, Any], root: Path) -> list[Unit]:
    words = entry.get("arguments") or shlex.split(entry["command"])
    if Path(words[0]).name in _CACHES:
        words = words[1:]
    cwd = Path(entry["directory"])
    language: Language = "c++" if "++" in Path(words[0]).name else "c"

    def read(name: str) -> str | None:
        path = cwd / name
        return path.read_text() if path.is_file() else None

    invocation = driver.parse(driver.expand_response_files(words[1:], read), language)
    return [
        _unit(
            name=_relative(cwd / word.name, root),
            source=cwd / word.name,
            cwd=cwd,
            argv=invocation.compile_flags(),
            input_type=str(word.input_type),
        )
        for word in (*invocation.sources, *invocation.fixed)
    ]


# --- builds


def _from_build(
    spec: ProgramSpec,
    toolchain: Toolchain,
    scratch: Path,
    *,
    runner: Runner,
    environ: Mapping[str, str],
    limits: Limits,
) -> CapturedBuild:
    shims, place, records = scratch / "shims", scratch / "tree", scratch / "records"
    make_shims(shims, environ)
    unseen: ProgramError | None = None
    for override_make in (False, True):
        for folder in (place, records):
            shutil.rmtree(folder, ignore_errors=True)
        records.mkdir(parents=True)
        copy_tree(spec.root, place, without=scratch)
        _remove_binary(spec, place)
        variables = build_environment(
            shims, records, toolchain, environ, override_make=override_make
        )
        failure = _run_build(spec, place, variables, runner, limits)
        if failure is not None:
            raise unseen or failure
        captured = _read_build(spec, place, records)
        if isinstance(captured, CapturedBuild):
            return captured
        unseen = captured
    raise unseen or AssertionError("unreachable")


def _remove_binary(spec: ProgramSpec, place: Path) -> None:
    for path in _binary_places(spec, place):
        if path.is_file():
            path.unlink()


def _binary_places(spec: ProgramSpec, place: Path) -> list[Path]:
    build_dir = place / spec.build_dir.relative_to(spec.root)
    return [place / (spec.binary or spec.name), build_dir / (spec.binary or spec.name)]


def _run_build(
    spec: ProgramSpec,
    place: Path,
    variables: Mapping[str, str],
    runner: Runner,
    limits: Limits,
) -> ProgramError | None:
    build_dir = place / spec.build_dir.relative_to(spec.root)
    build_dir.mkdir(parents=True, exist_ok=True)
    command = spec.build or ""
    result = runner(["/bin/sh", "-c", command], cwd=build_dir, env=variables, limits=limits)
    if result.ok:
        return None
    lines = f"{result.text}\n{result.error_text}".strip().splitlines()[-_TAIL_LINES:]
    return ProgramError(
        f"the build fails: {command}: {result.outcome()}",
        cause="\n         ".join(lines),
        hint=f"try it with clang in a fresh copy of {spec.root}: files outside of that folder, "
        "and build folders that CMake or Meson set up earlier, are not copied",
    )


def _read_build(spec: ProgramSpec, place: Path, records: Path) -> CapturedBuild | ProgramError:
    """The captured build, or why there is none; another attempt may see more."""
    binary = _find_binary(spec, place)
    links = [LinkRecord.model_validate(record) for record in read_records(records, "link")]
    compiles = {record["key"]: record for record in read_records(records, "compile")}
    if binary is None:
        raise _no_binary(spec, place, links)
    link = _link_of(binary, links)
    if link is not None:
        captured = assemble(link, compiles, root=place, binary=binary)
        if captured.units:
            return _with_trouble(captured, records / TROUBLE_LOG)
    elif compiles:
        return ProgramError(
            f"the link of {binary.name} was not seen",
            cause="it was linked by ld itself, or by a compiler given by its path",
            hint="let the build link by $CC or $CXX",
        )
    return ProgramError(
        f"no unit of {binary.name} was captured",
        cause="the build used another compiler than $CC, or than cc, gcc or clang on PATH",
        hint="let the build take its compilers from $CC and $CXX, and compile anew",
    )


def _with_trouble(captured: CapturedBuild, log: Path) -> CapturedBuild:
    if not log.exists():
        return captured
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    note = f"{len(lines)} steps of the build could not be recorded, the first: {lines[0]}"
    return captured.model_copy(update={"notes": (*captured.notes, note)})


def _find_binary(spec: ProgramSpec, place: Path) -> Path | None:
    for path in _binary_places(spec, place):
        if path.is_file():
            # libtool leaves a script there, and the program beside it.
            hidden = path.parent / ".libs" / path.name
            with path.open("rb") as stream:
                is_script = stream.read(2) == b"#!"
            return hidden if is_script and hidden.is_file() else path
    return None


def _no_binary(spec: ProgramSpec, place: Path, links: Sequence[LinkRecord]) -> ProgramError:
    made = sorted({_relative(link.output, place) for link in links if link.output.is_file()})
    return ProgramError(
        f"the build made no {spec.binary}",
        cause=f"it linked: {', '.join(made)}" if made else "it linked nothing that was seen",
        hint="correct program.binary; it is relative to the folder of perfwright.toml",
    )


def _link_of(binary: Path, links: Sequence[LinkRecord]) -> LinkRecord | None:
    """The link step that made a binary, wherever it was moved, copied or stripped since."""
    real, digest, keys = binary.resolve(), file_digest(binary), keys_in_file(binary)
    for link in reversed(links):
        if link.output.resolve() == real:
            return link
    for link in reversed(links):
        if link.output_digest == digest:
            return link
    for link in reversed(links):
        if keys and set(keys) <= set(link.keys) and link.output.name == binary.name:
            return link
    for link in reversed(links):
        if keys and set(keys) == set(link.keys):
            return link
    named = [link for link in links if link.output.name == binary.name]
    if named:
        return named[-1]
    # Stripped of everything and renamed: nothing tells it any more, unless it is the only one.
    programs = {link.output: link for link in links if link.makes_program}
    return next(iter(programs.values())) if len(programs) == 1 else None
