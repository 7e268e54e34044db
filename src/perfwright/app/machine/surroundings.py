"""Where the doctor looks, and what it says of each thing that it finds there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from perfwright.app.machine import rehearsal
from perfwright.app.machine.rehearsal import Rehearsal
from perfwright.errors import PerfwrightError
from perfwright.measure import cgroups, sandbox
from perfwright.measure import machine as machines
from perfwright.measure.machine import Machine
from perfwright.measure.sandbox import Sandbox, SandboxUnavailable
from perfwright.settings import Settings
from perfwright.toolchain import discovery
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, Runner, run

State = Literal["ok", "warn", "missing"]

ASK = Limits(wall=30.0)
"""For tools that are only asked something."""

_REQUIREMENT = re.compile(r"^[A-Za-z0-9._-]+")


class Finding(BaseModel):
    """One thing that was looked at.

    Attributes:
        area: the heading under which it belongs.
        name: what was looked at.
        state: `ok`; `warn`: tuning works, but worse; `missing`: tuning cannot work.
        text: what was found, and what follows from it.
        hint: the next thing to type; empty when there is nothing to do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    area: str
    name: str
    state: State
    text: str
    hint: str = ""


def may_group() -> bool:
    """Whether this user may make control groups."""
    group = cgroups.open_group()
    if group is not None:
        group.remove()
    return group is not None


def installed_packages() -> dict[str, str | None]:
    """The packages that perfwright asks for, with their versions; `None`: not installed."""
    try:
        wanted = metadata.requires("perfwright") or []
    except metadata.PackageNotFoundError:  # run from its sources
        return {}
    found: dict[str, str | None] = {}
    for text in wanted:
        name = _REQUIREMENT.match(text)
        if name is None or "extra ==" in text:
            continue
        try:
            found[name[0]] = metadata.version(name[0])
        except metadata.PackageNotFoundError:
            found[name[0]] = None
    return found


@dataclass(frozen=True)
class Surroundings:
    """Where the doctor looks; this machine by default, doubles in tests."""

    settings: Callable[[], Settings] = Settings.load
    toolchains: Callable[[], list[Toolchain]] = discovery.discover
    select: Callable[[], Toolchain] = discovery.select
    machine: Callable[[], Machine] = machines.look
    sandbox: Callable[[], Sandbox | SandboxUnavailable] = sandbox.probe
    groups: Callable[[], bool] = may_group
    which: Callable[[str], str | None] = shutil.which
    requirements: Callable[[], Mapping[str, str | None]] = installed_packages
    rehearse: Callable[[Toolchain, Path, Machine], Rehearsal] = rehearsal.rehearse
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
    runner: Runner = run


def in_short(error: PerfwrightError) -> str:
    """Fact and cause of an error, in one line."""
    return ": ".join(part for part in (error.fact, *error.cause.splitlines()[:1]) if part)
