"""The machine: what it is, what can be measured on it, and what disturbs measuring."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perfwright.measure.statistics import as_values

_PARANOID_USER_ONLY = 2
"""Up to here users may count events of their own programs (man 2 perf_event_open)."""

_COUNTERS = ("cpu", "cpu_core", "armv8_pmuv3_0")

_BUSY_LOAD = 0.5
"""Runnable processes per CPU beside ours."""

_NOISE_REPEATS = 40
_MAD_TO_SIGMA = 1.4826
_NOISY = 0.03


@dataclass(frozen=True)
class MachineWarning:
    """Something that will widen intervals, and what helps."""

    fact: str
    hint: str


@dataclass(frozen=True)
class Machine:
    """Facts that matter for measuring; `None` where the system does not tell.

    Attributes:
        model: the CPU's name.
        cpus: the CPUs that this process may use, by number.
        governor: the frequency governor, if all of `cpus` have the same; else `mixed`.
        turbo: whether the clock may rise above its nominal frequency.
        smt: whether two hardware threads share a core.
        virtual: whether this is a virtual machine.
        throttled: how often CPUs were slowed down for heat since the start.
        load: processes that wanted a CPU, mean over the last minute.
        counters: whether programs' instructions and cycles can be counted in hardware.
        paranoid: the kernel's `perf_event_paranoid`.
        memory_bytes: of the machine.
    """

    model: str
    cpus: tuple[int, ...]
    governor: str | None
    turbo: bool | None
    smt: bool | None
    virtual: bool
    throttled: int
    load: float
    counters: bool
    paranoid: int | None
    memory_bytes: int

    @property
    def quiet_cpu(self) -> int | None:
        """The CPU to pin programs to: the last, since interrupts gather on the first.

        None on a machine with one CPU, where there is nothing to choose.
        """
        return self.cpus[-1] if len(self.cpus) > 1 else None

    @property
    def warnings(self) -> tuple[MachineWarning, ...]:
        """What a user can do something about."""
        found = []
        if self.governor not in (None, "performance"):
            found.append(
                MachineWarning(
                    f"the frequency governor is {self.governor}",
                    "cpupower frequency-set -g performance",
                )
            )
        if self.throttled:
            found.append(
                MachineWarning(
                    f"the CPU was throttled {self.throttled} times since the start",
                    "cool the machine, or limit its clock",
                )
            )
        if self.load > _BUSY_LOAD * len(self.cpus):
            found.append(
                MachineWarning(
                    f"the machine is busy: load {self.load:.1f} on {len(self.cpus)} CPUs",
                    "stop other work while measuring",
                )
            )
        return tuple(found)


def look(
    *,
    system: Path = Path("/sys"),
    proc: Path = Path("/proc"),
    cpus: Callable[[], set[int]] = lambda: os.sched_getaffinity(0),
) -> Machine:
    """What the system says about itself; nothing is run.

    Args:
        system: where sysfs is mounted.
        proc: where procfs is mounted.
        cpus: the CPUs that may be used.
    """
    usable = tuple(sorted(cpus()))
    folder = system / "devices/system/cpu"
    information = _read(proc / "cpuinfo")
    name = re.search(r"^(?:model name|Hardware|cpu model)\s*: (.*)$", information, re.MULTILINE)
    governors = {_read(folder / f"cpu{cpu}/cpufreq/scaling_governor") for cpu in usable} - {""}
    total = re.search(r"^MemTotal:\s+(\d+) kB", _read(proc / "meminfo"), re.MULTILINE)
    events = system / "bus/event_source/devices"
    paranoid = _number(_read(proc / "sys/kernel/perf_event_paranoid"))
    return Machine(
        model=name[1].strip() if name else "unknown",
        cpus=usable,
        governor=None if not governors else governors.pop() if len(governors) == 1 else "mixed",
        turbo=_turbo(folder),
        smt=_flag(_read(folder / "smt/active")),
        virtual=bool(re.search(r"^flags\s*:.*\bhypervisor\b", information, re.MULTILINE)),
        throttled=sum(
            int(_read(folder / f"cpu{cpu}/thermal_throttle/core_throttle_count") or 0)
            for cpu in usable
        ),
        load=float((_read(proc / "loadavg") or "0").split()[0]),
        counters=any((events / name).exists() for name in _COUNTERS)
        and (paranoid is None or paranoid <= _PARANOID_USER_ONLY),
        paranoid=paranoid,
        memory_bytes=int(total[1]) * 1024 if total else 0,
    )


@dataclass(frozen=True)
class Noise:
    """How much times of one piece of code vary, relative to their median."""

    spread: float
    worst: float

    @property
    def noisy(self) -> bool:
        """Whether small gains will be hard to see."""
        return self.spread > _NOISY


def estimate_noise(work: Callable[[], object], clock: Callable[[], float]) -> Noise:
    """Time the same work again and again.

    Args:
        work: some milliseconds of computing that is the same every time.
        clock: CPU seconds.
    """
    times = []
    for _ in range(_NOISE_REPEATS):
        started = clock()
        work()
        times.append(clock() - started)
    series = as_values(times)
    middle = float(np.median(series)) or 1.0
    deviation = float(np.median(np.abs(series - middle)))
    return Noise(_MAD_TO_SIGMA * deviation / middle, float(series.max()) / middle - 1)


def _turbo(folder: Path) -> bool | None:
    intel = _flag(_read(folder / "intel_pstate/no_turbo"))
    if intel is not None:
        return not intel
    return _flag(_read(folder / "cpufreq/boost"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _flag(text: str) -> bool | None:
    return {"0": False, "1": True}.get(text)


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d+", text) else None
