"""The checks behind `perfwright doctor`, one function an area; each yields its findings.

A finding is `missing` only when tuning cannot work without it; what is merely a pity is a
`warn`.  Everything that touches the machine comes in through `Surroundings`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from perfwright.app.machine.rehearsal import Rehearsal
from perfwright.app.machine.surroundings import ASK, Finding, Surroundings, in_short
from perfwright.app.machine.toolcheck import builds, packages, toolchains
from perfwright.errors import PerfwrightError, ToolchainError
from perfwright.measure.counters import source
from perfwright.measure.machine import Machine
from perfwright.measure.sandbox import Sandbox
from perfwright.settings import Settings
from perfwright.toolchain.discovery import Toolchain
from perfwright.units import format_bytes

_LITTLE_DISK = 2 << 30
"""Artefacts of one campaign seldom take more than some hundred MiB."""


def checkup(here: Surroundings) -> Iterator[Finding]:
    """All checks, in the order in which a reader wants to know them.

    Raises:
        UserError: a PERFWRIGHT_ variable has a value that means nothing.
    """
    settings = here.settings()
    machine = here.machine()
    yield from toolchains(here)
    try:
        chosen = here.select()
    except ToolchainError:
        chosen = None  # reported above
    if chosen is not None:
        yield from builds(here, chosen)
    yield from packages(here)
    yield from running(here)
    yield from measuring(here, chosen, machine, settings.cache)
    yield from hardware(machine)
    yield from storage(here, settings)


def running(here: Surroundings) -> Iterator[Finding]:
    """The sandbox and the control groups."""
    area = "running programs"
    place = here.sandbox()
    if isinstance(place, Sandbox):
        text = f"{place.bwrap}: no network, nothing of yours can be written"
        yield Finding(area=area, name="sandbox", state="ok", text=text)
    else:
        text = f"{place.reason}; programs run unprotected, code that a model wrote does not run"
        yield Finding(area=area, name="sandbox", state="warn", text=text, hint=place.hint)
    if here.groups():
        text = "limit memory and processes of programs"
    else:
        text = "none may be made here; limits are set for each process instead"
    yield Finding(area=area, name="control groups", state="ok", text=text)


def measuring(
    here: Surroundings, toolchain: Toolchain | None, machine: Machine, cache: Path
) -> Iterator[Finding]:
    """What can be measured, and how well: rehearsed with a small loop."""
    area = "measuring"
    valgrind = here.which("valgrind")
    if toolchain is not None and toolchain.has("clang"):
        try:
            seen = here.rehearse(toolchain, cache, machine)
        except PerfwrightError as error:
            yield Finding(
                area=area,
                name="timing",
                state="missing",
                text=f"no program can be timed: {in_short(error)}",
                hint=error.hint,
            )
        else:
            yield from _rehearsed(seen, valgrind is not None)
    if valgrind is not None:
        version = here.runner([valgrind, "--version"], limits=ASK).text.strip()
        text = f"{version or valgrind}; counts instructions where the hardware does not"
        yield Finding(area=area, name="valgrind", state="ok", text=text)
    else:
        yield Finding(
            area=area,
            name="valgrind",
            state="warn",
            text="is not installed: no simulated counts, no profiles without perf",
            hint="apt-get install valgrind",
        )
    yield _counters(machine, valgrind)


def _rehearsed(seen: Rehearsal, valgrind: bool) -> Iterator[Finding]:
    area = "measuring"
    if seen.busy:
        text = f"not tried: {seen.busy} is measuring here"
        yield Finding(area=area, name="noise", state="ok", text=text)
    else:
        yield Finding(
            area=area,
            name="noise",
            state="warn" if seen.warnings else "ok",
            text="; ".join((seen.text, *(warning.fact for warning in seen.warnings))),
            hint="; ".join(dict.fromkeys(warning.hint for warning in seen.warnings)),
        )
    if not seen.perf_problem:
        yield Finding(area=area, name="perf", state="ok", text="samples programs for profiles")
    else:
        instead = "valgrind makes the profiles instead" if valgrind else "no profiles"
        yield Finding(
            area=area,
            name="perf",
            state="warn",
            text=f"does not sample programs ({seen.perf_problem}); {instead}",
            hint=seen.perf_hint,
        )


def _counters(machine: Machine, valgrind: str | None) -> Finding:
    match source(machine, Path(valgrind) if valgrind else None):
        case "hardware":
            text = "hardware counts instructions and cycles"
        case "simulated":
            text = "none in hardware; --metric instructions counts by simulation, no cycles"
        case _:
            text = "none; --metric cpu and wall only"
    hint = ""
    if not machine.counters and machine.paranoid is not None and machine.paranoid > 2:
        hint = "sysctl kernel.perf_event_paranoid=2"
    return Finding(
        area="measuring", name="counters", state="warn" if hint else "ok", text=text, hint=hint
    )


def hardware(machine: Machine) -> Iterator[Finding]:
    """What the machine is, and what about it disturbs measuring."""
    area = "machine"
    facts = [
        machine.model,
        f"{len(machine.cpus)} CPUs" if len(machine.cpus) != 1 else "1 CPU",
        f"{format_bytes(machine.memory_bytes)} of memory",
    ]
    facts += ["virtual"] if machine.virtual else []
    facts += [f"governor {machine.governor}"] if machine.governor else []
    facts += ["turbo on" if machine.turbo else "turbo off"] if machine.turbo is not None else []
    facts += ["two threads a core"] if machine.smt else []
    facts.append(f"load {machine.load:.1f}")
    yield Finding(area=area, name="CPU", state="ok", text=", ".join(facts))
    for warning in machine.warnings:
        yield Finding(
            area=area, name="disturbance", state="warn", text=warning.fact, hint=warning.hint
        )


def storage(here: Surroundings, settings: Settings) -> Iterator[Finding]:
    """Where the journal and the artefacts are, what they take, and what room is left."""
    for name, variable, folder in (
        ("journal", "PERFWRIGHT_HOME", settings.home),
        ("cache", "PERFWRIGHT_CACHE", settings.cache),
    ):
        yield _folder(here, name, variable, folder)


def _folder(here: Surroundings, name: str, variable: str, folder: Path) -> Finding:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = here.free_bytes(place)
    taken = format_bytes(folder_size(folder)) if folder.exists() else "nothing yet"
    text = f"{folder} ({taken}; {format_bytes(free)} free)"
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        hint = f"export {variable}=FOLDER"
        text = f"{text}; {place} cannot be written"
        return Finding(area="storage", name=name, state="missing", text=text, hint=hint)
    if free < _LITTLE_DISK:
        return Finding(
            area="storage", name=name, state="warn", text=text, hint="perfwright clean --unused"
        )
    return Finding(area="storage", name=name, state="ok", text=text)


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder; what vanishes or cannot be read counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:
                continue
    return total
