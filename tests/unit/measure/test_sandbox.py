from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from perfwright.measure import sandbox
from perfwright.measure.runner import Run, Setting
from perfwright.measure.sandbox import NOBODY, Sandbox, SandboxUnavailable
from perfwright.toolchain.process import ProcessResult

HOME = Path("/home/user")
PLACE = Sandbox(Path("/usr/bin/bwrap"), (Path("/home"), Path("/root")), root=False)
TOOL = Path("/cache/perfwright-run")


def shown(run: Run, place: Sandbox = PLACE) -> list[str]:
    """The paths that are bound into the sandbox, read-only."""
    words = sandbox.arguments(place, run, TOOL)
    return [path for word, path in pairwise(words) if word in {"--ro-bind", "--ro-bind-try"}]


def make(root: Path, *args: str, **values: Any) -> Run:
    return Run(argv=("prog", *args), root=root, **values)


def test_network_processes_and_capabilities_are_taken_away() -> None:
    words = sandbox.arguments(PLACE, make(Path("/p")), TOOL)
    for word in ("--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent"):
        assert word in words
    assert words[words.index("--cap-drop") + 1] == "ALL"
    assert "--bind" not in words


def test_homes_and_sockets_are_hidden_and_then_read_only() -> None:
    words = sandbox.arguments(PLACE, make(Path("/p")), TOOL)
    for path in ("/run", "/home", "/root"):
        assert words[words.index(path) - 1] == "--tmpfs"
        assert words[len(words) - 1 - words[::-1].index(path) - 1] == "--remount-ro"


def test_every_file_system_that_can_be_written_has_a_size() -> None:
    words = sandbox.arguments(PLACE, make(Path("/p")), TOOL)
    for path in ("/tmp", "/dev/shm"):
        assert words[words.index(path) - 3] == "--size"


def test_the_programs_folder_and_its_files_are_shown() -> None:
    run = make(
        HOME / "qsort",
        program=Path("/cache/qsort"),
        stdin=Path("/data/in"),
        exposed=(Path("/opt/lib"),),
    )
    assert shown(run)[1:] == [
        str(TOOL),
        "/cache/qsort",
        "/data/in",
        "/opt/lib",
        "/home/user/qsort",
    ]


def test_folders_on_the_way_into_a_hidden_one_can_be_entered() -> None:
    words = sandbox.arguments(PLACE, make(HOME / "a/b"), TOOL)
    for folder in ("/home/user", "/home/user/a"):
        assert words[words.index(folder) - 3 : words.index(folder)] == ["--perms", "0755", "--dir"]


@pytest.mark.parametrize("root", [Path("/home"), Path("/"), HOME])
def test_a_home_folder_is_never_shown_as_a_whole(root: Path) -> None:
    place = Sandbox(Path("/usr/bin/bwrap"), (HOME, Path("/root")), root=False)
    assert str(root) not in shown(make(root), place)[1:]


def test_in_a_home_folder_the_files_that_are_named_are_shown(tmp_path: Path) -> None:
    (tmp_path / "data.txt").touch()
    (tmp_path / "secret").touch()
    place = Sandbox(Path("/usr/bin/bwrap"), (tmp_path,), root=False)
    found = shown(make(tmp_path, "data.txt", "-v", "x" * 5000, "a\0b"), place)
    assert str(tmp_path / "data.txt") in found
    assert str(tmp_path / "secret") not in found


def test_the_scratch_folder_is_named_by_the_setting() -> None:
    run = make(Path("/p"), setting=Setting(scratch="other"))
    assert sandbox.scratch_folder(run) == Path("/tmp/perfwright-other")


def test_root_is_given_up_when_others_may_read_the_program(tmp_path: Path) -> None:
    place = Sandbox(Path("/usr/bin/bwrap"), (), root=True)
    tmp_path.chmod(0o755)
    (tmp_path / "data").touch(mode=0o644)
    assert sandbox.user_inside(place, make(tmp_path)) == NOBODY
    (tmp_path / "data").chmod(0o600)
    assert sandbox.user_inside(place, make(tmp_path)) == NOBODY
    assert sandbox.user_inside(place, make(tmp_path, "data")) is None
    tmp_path.chmod(0o700)
    assert sandbox.user_inside(place, make(tmp_path)) is None


def test_who_is_not_root_stays_who_he_is(tmp_path: Path) -> None:
    assert sandbox.user_inside(PLACE, make(tmp_path)) is None


def test_without_bubblewrap_there_is_no_sandbox_and_the_hint_installs_it() -> None:
    found = sandbox.probe(environ={"PATH": ""}, euid=1000)
    assert found == SandboxUnavailable("bubblewrap is not installed", "apt-get install bubblewrap")


def test_a_bubblewrap_that_is_not_permitted_says_why(tmp_path: Path) -> None:
    bwrap = tmp_path / "bwrap"
    bwrap.touch()

    def refused(argv: Any, **_: Any) -> ProcessResult:
        return ProcessResult(tuple(argv), None, 1, stderr=b"bwrap: No permissions\n")

    found = sandbox.probe(bwrap, runner=refused, environ={}, euid=1000)
    assert isinstance(found, SandboxUnavailable)
    assert found.reason == "bubblewrap does not work here: bwrap: No permissions"


def test_the_users_own_home_is_hidden_wherever_it_is(tmp_path: Path) -> None:
    assert tmp_path in sandbox.home_folders({"HOME": str(tmp_path)}, uid=1 << 30)


def test_a_home_that_is_the_whole_machine_is_not_hidden() -> None:
    assert Path("/") not in sandbox.home_folders({"HOME": "/"}, uid=1 << 30)
