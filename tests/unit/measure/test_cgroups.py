from __future__ import annotations

from pathlib import Path

import pytest

from perfwright.measure.cgroups import Group, open_group, parents
from perfwright.measure.runner import GroupEvents, RunLimits
from perfwright.units import Bytes

VERSION_1 = (
    "9:name=systemd:/\n8:pids:/\n4:memory:/session/7\n0::/\n",
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "28 1 259:1 / / rw,relatime - ext4 /dev/vda rw\n",
)
VERSION_2 = (
    "0::/user.slice/app.scope\n",
    "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
)


def test_in_version_1_the_group_goes_below_our_own_in_each_controller() -> None:
    assert parents(*VERSION_1) == [
        (Path("/sys/fs/cgroup/memory/session/7"),),
        (Path("/sys/fs/cgroup/pids"),),
    ]


def test_in_version_2_the_group_goes_beside_our_own() -> None:
    own = Path("/sys/fs/cgroup/user.slice/app.scope")
    assert parents(*VERSION_2) == [(own.parent, own)]


def test_where_only_a_part_is_mounted_paths_start_there() -> None:
    mounts = "30 24 0:26 /docker/1a /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    found = parents("0::/docker/1a/job\n", mounts)
    assert found == [(Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/job"))]


def test_without_groups_there_are_no_places() -> None:
    assert parents("", "") == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("memory.max", "memory.swap.max", "pids.max", "cgroup.procs"):
        (tmp_path / name).write_text("")
    (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\n")
    (tmp_path / "pids.events").write_text("max 3\n")
    return tmp_path


def test_limits_are_written_with_room_for_the_scratch_folder(folder: Path) -> None:
    limits = RunLimits(memory=Bytes(1000), disk=Bytes(200), processes=10)
    Group((folder,)).set_limits(limits)
    assert (folder / "memory.max").read_text() == "1200"
    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "pids.max").read_text() == "14"


def test_events_tell_memory_from_processes(folder: Path) -> None:
    assert Group((folder,)).events() == GroupEvents(out_of_memory=1, process_refused=3)


def test_a_group_says_what_it_can_limit(folder: Path) -> None:
    group = Group((folder,))
    assert group.limits_memory
    assert group.limits_processes
    (folder / "memory.max").unlink()
    assert not group.limits_memory


def test_where_no_group_can_be_made_there_is_none(tmp_path: Path) -> None:
    assert open_group(proc=tmp_path) is None
    (tmp_path / "self").mkdir()
    (tmp_path / "self/cgroup").write_text(VERSION_2[0])
    (tmp_path / "self/mountinfo").write_text(
        VERSION_2[1].replace("/sys/fs/cgroup", str(tmp_path / "absent"))
    )
    assert open_group(proc=tmp_path) is None


def test_a_folder_without_limits_is_no_use_and_is_removed(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "mount/app").mkdir(parents=True)
    (tmp_path / "self/cgroup").write_text("0::/app\n")
    (tmp_path / "self/mountinfo").write_text(f"1 1 0:1 / {tmp_path}/mount rw - cgroup2 x rw\n")
    assert open_group(proc=tmp_path) is None
    assert [path.name for path in (tmp_path / "mount").rglob("*")] == ["app"]


def test_what_an_ended_process_left_behind_is_removed(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    for name in ("perfwright-111-0", "perfwright-222-0"):
        (tmp_path / "mount/app" / name).mkdir(parents=True)
    (tmp_path / "self/cgroup").write_text("4:memory:/app\n")
    (tmp_path / "self/mountinfo").write_text(
        f"1 1 0:1 / {tmp_path}/mount rw - cgroup x rw,memory\n"
    )
    open_group(proc=tmp_path, alive=lambda pid: pid == 222)
    assert [path.name for path in (tmp_path / "mount/app").iterdir()] == ["perfwright-222-0"]


def test_a_real_group_is_made_and_removed() -> None:
    group = open_group()
    if group is None:
        pytest.skip("this user may make no control groups")
    assert all(path.is_dir() for path in group.folders)
    assert group.stop_all() == 0
    group.remove()
    assert not any(path.exists() for path in group.folders)
