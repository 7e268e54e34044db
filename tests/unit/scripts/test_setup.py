"""`scripts/setup` on machines made of stubs: what it installs, prints and leaves alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from perfwright.toolchain.process import ProcessResult, run

ROOT = Path(__file__).resolve().parents[3]
NEEDED = ["dirname", "cat", "sha256sum", "cut", "grep", "mktemp", "rm", "sleep", "sh", "mkdir"]
NEEDED += ["touch", "chmod", "cp", "printf"]

LLVM = ["clang-{0}", "llvm-{0}", "lld-{0}", "libclang-rt-{0}-dev", "llvm-{0}-dev"]
HELPERS = ["valgrind", "bubblewrap"]

# Installing a package makes the tools that it brings; the arguments go to a log.
APT_GET = """#!/bin/sh
echo "$*" >>"$MACHINE/apt.log"
case " $* " in *" install "*) ;; *) exit 0 ;; esac
for word in "$@"; do
    version=${word#*-}
    case $word in
    clang-*) tools=$word ;;
    llvm-*-dev | libclang-rt-*) tools= ;;
    llvm-*) tools="opt-$version llc-$version llvm-link-$version llvm-config-$version" ;;
    lld-*) tools=ld.$word ;;
    valgrind) tools=valgrind ;;
    bubblewrap) tools=bwrap ;;
    *) tools= ;;
    esac
    for tool in $tools; do cp "$MACHINE/tool" "$MACHINE/bin/$tool"; done
done
"""

APT_CACHE = """#!/bin/sh
grep -qx -e "$3" "$MACHINE/index"
"""

# What clang and llvm-config say of their folders; both have everything in them.
TOOL = """#!/bin/sh
echo "$MACHINE/llvm"
"""

PYTHON = """#!/bin/sh
echo "python $*" >>"$MACHINE/python.log"
if [ "$2" = venv ]; then
    mkdir -p "$4/bin"
    cp "$0" "$4/bin/python"
    echo "command = $0 -m venv --clear $4" >"$4/pyvenv.cfg"
fi
"""

OLD_PYTHON = """#!/bin/sh
exit 1
"""


def packages(*versions: int) -> list[str]:
    return [pattern.format(version) for version in versions for pattern in LLVM]


class Machine:
    """A PATH with stubs and little else, and a checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.checkout = folder / "checkout"
        self.bin.mkdir()
        for name in ("scripts/setup", "pyproject.toml", "requirements/dev.txt"):
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.checkout / name)
        for name in NEEDED:
            (self.bin / name).symlink_to(shutil.which(name) or "/bin/false")
        for name in ("lib/linux/libclang_rt.profile.a", "llvm/IR/PassManager.h"):
            (folder / "llvm" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "llvm" / name).touch()
        (folder / "tool").write_text(TOOL)
        (folder / "tool").chmod(0o755)
        self.stub("python3", PYTHON)

    def stub(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def has_llvm(self, version: int) -> None:
        for tool in ("clang", "opt", "llc", "llvm-link", "llvm-config", "ld.lld"):
            self.stub(f"{tool}-{version}", TOOL)

    def has_helpers(self) -> None:
        for tool in ("valgrind", "bwrap"):
            self.stub(tool, TOOL)

    def is_debian(self, index: Iterable[str], *, root: bool) -> None:
        (self.folder / "index").write_text("".join(f"{name}\n" for name in index))
        self.stub("apt-get", APT_GET)
        self.stub("apt-cache", APT_CACHE)
        self.stub("id", f"#!/bin/sh\necho {0 if root else 1000}\n")

    def setup(self, *arguments: str) -> ProcessResult:
        # `-i`: nothing of the real machine is to be found.
        environment = [f"PATH={self.bin}", f"MACHINE={self.folder}"]
        script = self.checkout / "scripts" / "setup"
        return run(["/usr/bin/env", "-i", *environment, "/bin/sh", script, *arguments])

    def log(self, name: str) -> list[str]:
        path = self.folder / f"{name}.log"
        return path.read_text().splitlines() if path.exists() else []

    def installed(self) -> list[str]:
        """The packages that apt-get was told to install, in alphabetical order."""
        lines = [line for line in self.log("apt") if " install " in f" {line} "]
        words = " ".join(lines).split()
        known = {*packages(*range(17, 23)), *HELPERS, "python3.11-venv"}
        return sorted(word for word in words if word in known)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_fresh_debian_gets_both_llvms_and_the_helpers(machine: Machine) -> None:
    machine.is_debian([*packages(22, 19), *HELPERS], root=True)
    assert machine.setup().ok
    # headers are for compiler plugins, which are made for the primary LLVM alone
    wanted = {*packages(22, 19), *HELPERS} - {"llvm-19-dev"}
    assert set(machine.installed()) == wanted


def test_the_second_time_nothing_is_done(machine: Machine) -> None:
    machine.is_debian([*packages(22, 19), *HELPERS], root=True)
    machine.setup()
    before = machine.log("apt"), [line for line in machine.log("python") if "pip" in line]
    again = machine.setup()
    assert again.ok
    assert again.error_text == ""
    assert before == (machine.log("apt"), [x for x in machine.log("python") if "pip" in x])


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    machine.is_debian([*packages(22, 19), *HELPERS], root=True)
    machine.has_llvm(22)
    machine.has_llvm(19)
    assert machine.setup().ok
    assert machine.installed() == ["bubblewrap", "valgrind"]


def test_without_root_the_line_to_type_is_printed(machine: Machine) -> None:
    machine.is_debian([*packages(22, 19), *HELPERS], root=False)
    machine.has_llvm(22)
    machine.has_llvm(19)
    result = machine.setup()
    line = "sudo apt-get update && sudo apt-get install --no-install-recommends valgrind bubblewrap"
    assert line in result.error_text
    assert machine.log("apt") == []


def test_without_root_a_machine_that_lacks_only_helpers_is_set_up(machine: Machine) -> None:
    machine.is_debian(HELPERS, root=False)
    machine.has_llvm(22)
    machine.has_llvm(19)
    assert machine.setup().ok


def test_without_any_llvm_it_fails_and_says_so(machine: Machine) -> None:
    machine.is_debian(packages(22), root=False)
    result = machine.setup()
    assert result.status == 1
    assert "no LLVM from 17 on is here" in result.error_text


def test_no_install_installs_nothing(machine: Machine) -> None:
    machine.is_debian([*packages(22, 19), *HELPERS], root=True)
    machine.has_llvm(22)
    assert "clang-19" in machine.setup("--no-install").error_text
    assert machine.log("apt") == []


def test_where_there_is_no_llvm_22_the_newest_other_one_is_taken(machine: Machine) -> None:
    machine.is_debian([*packages(20, 19, 18), *HELPERS], root=True)
    result = machine.setup()
    assert result.ok
    assert "this distribution does not have: clang-22" in result.error_text
    assert "LLVM 20 is there instead" in result.error_text
    assert {"clang-20", "llvm-20", "lld-20"} <= set(machine.installed())


def test_what_the_distribution_lacks_is_looked_for_only_once(machine: Machine) -> None:
    machine.is_debian([*packages(20, 19), *HELPERS], root=True)
    machine.setup()
    before = machine.log("apt")
    again = machine.setup()
    assert again.error_text == "setup: going on with LLVM 20; perfwright is developed against 22\n"
    assert machine.log("apt") == before


def test_without_apt_get_it_says_what_to_install(machine: Machine) -> None:
    result = machine.setup()
    assert result.status == 1
    assert "there is no apt-get here: install LLVM 22" in result.error_text


def test_without_a_new_enough_python_it_says_what_it_tried(machine: Machine) -> None:
    machine.stub("python3", OLD_PYTHON)
    result = machine.setup()
    assert result.status == 1
    assert "perfwright needs Python 3.11 or later; tried python3" in result.error_text


def test_a_newer_python_beside_an_old_one_is_found(machine: Machine) -> None:
    machine.has_llvm(22)
    machine.stub("python3", OLD_PYTHON)
    machine.stub("python3.12", PYTHON)
    assert machine.setup().ok


def test_a_change_of_the_pins_installs_again(machine: Machine) -> None:
    machine.has_llvm(22)
    machine.setup()
    pins = machine.checkout / "requirements" / "dev.txt"
    pins.write_text(pins.read_text() + "# changed\n")
    assert "installing the pinned Python packages" in machine.setup().error_text


def test_a_checkout_that_was_moved_gets_a_new_environment(machine: Machine) -> None:
    machine.has_llvm(22)
    machine.setup()
    machine.checkout = machine.checkout.rename(machine.folder / "elsewhere")
    assert "making .venv" in machine.setup().error_text


def test_packages_are_installed_with_their_hashes_checked(machine: Machine) -> None:
    machine.has_llvm(22)
    machine.setup()
    installs = [line for line in machine.log("python") if " install " in line]
    assert "--require-hashes" in installs[0]
    assert "--no-build-isolation --no-deps" in installs[1]
