from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from perfwright.measure.counters import source
from perfwright.measure.machine import estimate_noise, look
from perfwright.testing.clock import ScriptedClock

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def one(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    one("proc/cpuinfo", "model name\t: Some CPU @ 3 GHz\nflags\t\t: fpu hypervisor\n")
    one("proc/meminfo", "MemTotal:       16000000 kB\n")
    one("proc/loadavg", "0.10 0.2 0.3 1/100 1234\n")
    return one


def test_what_the_system_does_not_tell_is_none(tmp_path: Path, write: Write) -> None:
    machine = look(system=tmp_path / "sys", proc=tmp_path / "proc", cpus=lambda: {0, 1})
    assert machine.model == "Some CPU @ 3 GHz"
    assert machine.virtual
    assert machine.memory_bytes == 16_000_000 * 1024
    assert (machine.governor, machine.turbo, machine.smt) == (None, None, None)
    assert not machine.counters
    assert machine.warnings == ()


def test_a_saving_governor_is_a_warning_with_a_command(tmp_path: Path, write: Write) -> None:
    for cpu in (0, 1):
        write(f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor", "powersave\n")
    machine = look(system=tmp_path / "sys", proc=tmp_path / "proc", cpus=lambda: {0, 1})
    assert machine.governor == "powersave"
    assert [w.hint for w in machine.warnings] == ["cpupower frequency-set -g performance"]


def test_heat_and_load_are_warnings(tmp_path: Path, write: Write) -> None:
    write("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "7\n")
    write("proc/loadavg", "3.00 0.2 0.3 1/100 1234\n")
    machine = look(system=tmp_path / "sys", proc=tmp_path / "proc", cpus=lambda: {0, 1})
    facts = " / ".join(w.fact for w in machine.warnings)
    assert "throttled 7 times" in facts
    assert "load 3.0 on 2 CPUs" in facts


@pytest.mark.parametrize(("paranoid", "usable"), [("2", True), ("3", False), ("-1", True)])
def test_counters_need_a_unit_and_a_kernel_that_allows_them(
    tmp_path: Path, write: Write, paranoid: str, usable: bool
) -> None:
    write("sys/bus/event_source/devices/cpu/type", "4")
    write("proc/sys/kernel/perf_event_paranoid", paranoid)
    machine = look(system=tmp_path / "sys", proc=tmp_path / "proc", cpus=lambda: {0, 1})
    assert machine.counters is usable
    assert source(machine, None) == ("hardware" if usable else "unavailable")
    assert source(machine, Path("/usr/bin/valgrind")) == ("hardware" if usable else "simulated")


def test_programs_go_to_the_last_cpu_if_there_is_a_choice(tmp_path: Path, write: Write) -> None:
    two = look(system=tmp_path / "sys", proc=tmp_path / "proc", cpus=lambda: {2, 5})
    assert two.quiet_cpu == 5
    one = look(system=tmp_path / "sys", proc=tmp_path / "proc", cpus=lambda: {0})
    assert one.quiet_cpu is None


def test_this_machine_tells_something() -> None:
    machine = look()
    assert machine.cpus
    assert machine.memory_bytes > 0


def test_noise_is_the_spread_of_equal_work() -> None:
    clock = ScriptedClock()
    times = cycle([1.0, 1.1, 0.9])
    noise = estimate_noise(lambda: clock.advance(next(times)), clock)
    assert noise.spread == pytest.approx(0.148, abs=0.01)
    assert noise.worst == pytest.approx(0.1)
    assert noise.noisy


def test_a_quiet_machine_is_not_noisy() -> None:
    clock = ScriptedClock()
    assert not estimate_noise(lambda: clock.advance(1.0), clock).noisy
