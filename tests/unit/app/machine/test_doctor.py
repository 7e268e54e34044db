"""What the doctor says of machines that lack this or that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfwright.app.machine.doctor import DoctorReport, examine
from perfwright.app.machine.rehearsal import Rehearsal
from perfwright.app.machine.surroundings import Finding, Surroundings
from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import ToolchainError
from perfwright.measure.machine import Machine
from perfwright.measure.noise import NoiseKind, NoiseWarning
from perfwright.measure.sandbox import Sandbox, SandboxUnavailable
from perfwright.settings import Settings
from perfwright.toolchain.discovery import TOOLS, Toolchain
from perfwright.toolchain.process import ProcessResult

_SAME = Comparison(Verdict.SAME, 1.0, 0.997, 1.003, 20)

MACHINE = Machine(
    model="Made-up CPU",
    cpus=(0, 1, 2, 3),
    governor="performance",
    turbo=False,
    smt=True,
    virtual=False,
    throttled=0,
    load=0.2,
    counters=True,
    paranoid=2,
    memory_bytes=8 << 30,
)


def toolchain(version: str = "22.1.8", *, lacks: Sequence[str] = ()) -> Toolchain:
    major = int(version.split(".", maxsplit=1)[0])
    folder = Path(f"/usr/lib/llvm-{major}/bin")
    tools = {name: folder / name for name in TOOLS if name not in lacks}
    return Toolchain(version, major, folder, tools, "fingerprint")


def answering(*, fails: str = "", says: bytes = b"") -> Callable[..., ProcessResult]:
    """A runner under which everything works but what has a word in its command."""

    def runner(argv: Sequence[object], **_: Any) -> ProcessResult:
        words = tuple(str(word) for word in argv)
        if words[-1] == "--version":
            return ProcessResult(words, None, 0, stdout=b"valgrind-3.25.1\n")
        failed = bool(fails) and fails in words
        return ProcessResult(words, None, int(failed), stderr=says if failed else b"")

    return runner


def no_llvm() -> Toolchain:
    raise ToolchainError(
        "no LLVM from version 17 on is installed",
        cause="looked on PATH",
        hint="apt-get install clang-22 llvm-22 lld-22",
    )


@pytest.fixture
def healthy(tmp_path: Path) -> Surroundings:
    """A machine that has everything."""
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    (home / "journal.sqlite3").write_bytes(bytes(2048))
    return Surroundings(
        settings=lambda: Settings(home=home, cache=cache),
        toolchains=lambda: [toolchain()],
        select=toolchain,
        machine=lambda: MACHINE,
        sandbox=lambda: Sandbox(Path("/usr/bin/bwrap"), (), False),
        groups=lambda: True,
        which=lambda name: f"/usr/bin/{name}",
        requirements=lambda: {"numpy": "2.4.6", "rich": "15.0.0"},
        rehearse=lambda *_: Rehearsal(_SAME),
        free_bytes=lambda _: 50 << 30,
        runner=answering(),
    )


def finding(report: DoctorReport, name: str, state: str) -> Finding:
    found = [f for f in report.findings if (f.name, f.state) == (name, state)]
    assert len(found) == 1, [f"{f.state} {f.name}" for f in report.findings]
    return found[0]


def without_paths(report: DoctorReport, settings: Settings) -> DoctorReport:
    """The same report wherever the tests are run."""
    findings = []
    for one in report.findings:
        text = one.text.replace(str(settings.home), "HOME")
        findings.append(one.model_copy(update={"text": text.replace(str(settings.cache), "CACHE")}))
    return report.model_copy(update={"findings": findings})


HEALTHY = """\
toolchain
  ok       LLVM 22.1.8        /usr/lib/llvm-22/bin; used unless --toolchain says otherwise
  ok       C builds           work
  ok       C++ builds         work
  ok       lld links          work
  ok       counted builds     work
  ok       sanitizers         work

Python
  ok       packages           numpy 2.4.6, rich 15.0.0

running programs
  ok       sandbox            /usr/bin/bwrap: no network, nothing of yours can be written
  ok       control groups     limit memory and processes of programs

measuring
  ok       noise              a loop against itself, 20 pairs: 1.000x [0.997, 1.003]; that is +-0.3%
  ok       perf               samples programs for profiles
  ok       valgrind           valgrind-3.25.1; counts instructions where the hardware does not
  ok       counters           hardware counts instructions and cycles

machine
  ok       CPU                Made-up CPU, 4 CPUs, 8.0 GiB of memory, governor performance, turbo
                              off, two threads a core, load 0.2

storage
  ok       journal            HOME (2.0 KiB; 50.0 GiB free)
  ok       cache              CACHE (nothing yet; 50.0 GiB free)

fit: everything is here
"""


def test_a_machine_that_has_everything_is_fit(healthy: Surroundings) -> None:
    report = examine(healthy)
    text = "\n".join(without_paths(report, healthy.settings()).lines()) + "\n"
    assert report.fit
    assert text.partition("\n\n")[2] == HEALTHY


def test_as_json_it_is_one_object_with_a_version(healthy: Surroundings) -> None:
    printed = examine(healthy).model_dump(mode="json", by_alias=True)
    assert printed["schema"] == 1
    assert printed["fit"] is True
    assert {"area", "name", "state", "text", "hint"} == set(printed["findings"][0])


def test_without_an_llvm_a_machine_is_not_fit(healthy: Surroundings) -> None:
    report = examine(replace(healthy, toolchains=list, select=no_llvm))
    assert not report.fit
    assert finding(report, "LLVM", "missing").hint == "apt-get install clang-22 llvm-22 lld-22"
    assert [*report.lines()][-1] == "not fit: tuning cannot work without LLVM"


def test_missing_tools_come_with_the_packages_that_bring_them(healthy: Surroundings) -> None:
    lacking = toolchain(lacks=["lld", "ld.lld", "llvm-mca", "llvm-bolt"])
    report = examine(replace(healthy, toolchains=lambda: [lacking], select=lambda: lacking))
    missed = finding(report, "LLVM 22.1.8", "warn")
    assert report.fit
    assert missed.hint == "apt-get install llvm-22 lld-22"
    assert "without llvm-mca, lld, ld.lld, for evidence on hot loops" in missed.text


def test_a_tool_that_tuning_does_not_use_is_not_a_warning(healthy: Surroundings) -> None:
    lacking = toolchain(lacks=["llvm-bolt"])
    report = examine(replace(healthy, toolchains=lambda: [lacking], select=lambda: lacking))
    texts = [f.text for f in report.findings if f.name == "LLVM 22.1.8"]
    assert texts[1] == "without llvm-bolt; tuning does not need it"
    assert not [f for f in report.findings if f.state == "warn"]


def test_the_chosen_llvm_needs_clang_and_opt(healthy: Surroundings) -> None:
    lacking = toolchain(lacks=["opt"])
    report = examine(replace(healthy, toolchains=lambda: [lacking], select=lambda: lacking))
    assert not report.fit
    assert finding(report, "LLVM 22.1.8", "missing").hint == "apt-get install llvm-22"


def test_what_another_llvm_lacks_is_only_a_pity(healthy: Surroundings) -> None:
    other = toolchain("19.1.7", lacks=["clang", "clang++"])
    report = examine(replace(healthy, toolchains=lambda: [toolchain(), other]))
    assert report.fit
    assert [f.state for f in report.findings if f.name == "LLVM 19.1.7"] == ["ok", "warn", "warn"]


@pytest.mark.parametrize(
    ("word", "name", "state", "hint"),
    [
        ("-xc", "C builds", "missing", "apt-get install libc6-dev"),
        ("-xc++", "C++ builds", "warn", "apt-get install g++"),
        ("-fuse-ld=lld", "lld links", "warn", "apt-get install lld-22"),
        ("-fcoverage-mapping", "counted builds", "warn", "apt-get install libclang-rt-22-dev"),
    ],
)
def test_builds_that_fail_say_why_and_what_helps(
    healthy: Surroundings, word: str, name: str, state: str, hint: str
) -> None:
    said = b"In file included\nx.c:1:1: fatal error: 'string' file not found\n1 error generated."
    report = examine(replace(healthy, runner=answering(fails=word, says=said)))
    failed = finding(report, name, state)
    assert report.fit is (state == "warn")
    assert failed.hint == hint
    assert "fatal error: 'string' file not found" in failed.text


def test_without_a_sandbox_tuning_works_with_a_warning(healthy: Surroundings) -> None:
    missing = SandboxUnavailable("bubblewrap is not installed", "apt-get install bubblewrap")
    report = examine(replace(healthy, sandbox=lambda: missing))
    assert report.fit
    assert finding(report, "sandbox", "warn").hint == "apt-get install bubblewrap"
    assert [*report.lines()][-1] == "fit: tuning works here; one warning above"


def test_without_control_groups_limits_are_by_process(healthy: Surroundings) -> None:
    report = examine(replace(healthy, groups=lambda: False))
    assert "for each process" in finding(report, "control groups", "ok").text


def test_a_machine_on_which_nothing_can_be_timed_is_not_fit(healthy: Surroundings) -> None:
    def fail(*_: object) -> Rehearsal:
        raise ToolchainError("clang cannot build a small program", cause="no stdio.h\nmore")

    report = examine(replace(healthy, rehearse=fail))
    assert not report.fit
    assert finding(report, "timing", "missing").text.endswith("small program: no stdio.h")


def test_a_noisy_machine_is_told_what_helps(healthy: Surroundings) -> None:
    noisy = NoiseWarning(NoiseKind.NOISY, "times spread by 5.0%", "use a quieter one", 0.05, 0.03)
    report = examine(replace(healthy, rehearse=lambda *_: Rehearsal(_SAME, (noisy,))))
    found = finding(report, "noise", "warn")
    assert "times spread by 5.0%" in found.text
    assert found.hint == "use a quieter one"


def test_a_campaign_that_is_measuring_is_left_alone(healthy: Surroundings) -> None:
    report = examine(replace(healthy, rehearse=lambda *_: Rehearsal(busy="campaign x-1")))
    assert finding(report, "noise", "ok").text == "not tried: campaign x-1 is measuring here"


def test_without_perf_profiles_come_from_valgrind(healthy: Surroundings) -> None:
    seen = Rehearsal(_SAME, (), "", "not installed", "apt-get install linux-perf")
    report = examine(replace(healthy, rehearse=lambda *_: seen))
    assert "valgrind makes the profiles" in finding(report, "perf", "warn").text
    assert finding(report, "perf", "warn").hint == "apt-get install linux-perf"


@pytest.mark.parametrize(
    ("counters", "valgrind", "said"),
    [
        (True, True, "hardware counts"),
        (False, True, "by simulation"),
        (False, False, "--metric cpu and wall only"),
    ],
)
def test_it_says_what_can_be_counted(
    healthy: Surroundings, counters: bool, valgrind: bool, said: str
) -> None:
    here = replace(
        healthy,
        machine=lambda: replace(MACHINE, counters=counters),
        which=lambda name: f"/usr/bin/{name}" if valgrind else None,
    )
    assert said in finding(examine(here), "counters", "ok").text


def test_counters_that_the_kernel_withholds_can_be_had(healthy: Surroundings) -> None:
    kept = replace(MACHINE, counters=False, paranoid=4)
    report = examine(replace(healthy, machine=lambda: kept))
    assert finding(report, "counters", "warn").hint == "sysctl kernel.perf_event_paranoid=2"


def test_a_missing_python_package_can_be_installed(healthy: Surroundings) -> None:
    report = examine(replace(healthy, requirements=lambda: {"numpy": "2.4.6", "rich": None}))
    assert not report.fit
    assert finding(report, "rich", "missing").hint == "pip install rich"


def test_what_disturbs_measuring_is_said(healthy: Surroundings) -> None:
    busy = replace(MACHINE, load=9.0, governor="powersave")
    report = examine(replace(healthy, machine=lambda: busy))
    hints = [f.hint for f in report.findings if f.area == "machine" and f.state == "warn"]
    assert hints == ["cpupower frequency-set -g performance", "stop other work while measuring"]


def test_little_room_on_the_disk_is_a_warning(healthy: Surroundings) -> None:
    report = examine(replace(healthy, free_bytes=lambda _: 100 << 20))
    assert finding(report, "journal", "warn").hint == "perfwright clean --unused"


def test_a_home_that_cannot_be_made_is_not_fit(healthy: Surroundings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = Settings(home=tmp_path / "file" / "home", cache=tmp_path)
    report = examine(replace(healthy, settings=lambda: settings))
    assert not report.fit
    assert finding(report, "journal", "missing").hint == "export PERFWRIGHT_HOME=FOLDER"


@pytest.mark.llvm
def test_a_machine_that_runs_these_tests_has_what_it_takes(healthy: Surroundings) -> None:
    report = examine(Surroundings(rehearse=healthy.rehearse))
    missing = {f.name for f in report.findings if f.state == "missing"}
    assert missing == set()
