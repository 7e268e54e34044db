"""Control groups: the only limits on memory and processes that hold for everyone, root too.

Used where this user may make a group (cgroups 1 as root, cgroups 2 with delegation), else
left out: then resource limits of each process must do.  The file system says it all, so the
paths are parameters and the tests need no real groups.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfwright.measure.runner import GroupEvents, RunLimits

_NAME = "perfwright"
_CONTROLLERS = ("memory", "pids")
_MEMORY_FILES = ("memory.limit_in_bytes", "memory.max")
_OOM = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
_serial = itertools.count()
_REFUSED = re.compile(r"^max (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Group:
    """A control group of our own, one folder a controller (cgroups 1) or one for all (2)."""

    folders: tuple[Path, ...]

    @property
    def join_files(self) -> tuple[Path, ...]:
        """Where a process writes `0` to join."""
        return tuple(folder / "cgroup.procs" for folder in self.folders)

    @property
    def limits_memory(self) -> bool:
        """Whether it can limit memory."""
        return any((folder / name).exists() for folder in self.folders for name in _MEMORY_FILES)

    @property
    def limits_processes(self) -> bool:
        """Whether it can limit the number of processes."""
        return any((folder / "pids.max").exists() for folder in self.folders)

    def set_limits(self, limits: RunLimits) -> None:
        """Set memory (the scratch folder lives in memory too) and processes.

        What the kernel refuses (a parent group allows less) stays as the parent has it.
        """
        # The sandbox and the runner have a few processes of their own.
        values = {"memory.swap.max": 0, "pids.max": limits.processes + 4}
        values |= dict.fromkeys(_MEMORY_FILES, limits.memory + limits.disk)
        for folder in self.folders:
            for name, value in values.items():
                if (folder / name).exists():
                    with contextlib.suppress(OSError):
                        (folder / name).write_text(str(value))

    def events(self) -> GroupEvents:
        """What the group has refused since it was made."""
        text = ""
        for folder in self.folders:
            for name in ("memory.oom_control", "memory.events", "pids.events"):
                with contextlib.suppress(OSError):
                    body = (folder / name).read_text()
                    # memory.events has a line `max` too, with another meaning
                    text += body if name != "memory.events" else body.replace("\nmax ", "\nmem ")
        return GroupEvents(_total(_OOM, text), _total(_REFUSED, text))

    def stop_all(self) -> int:
        """Kill what is still in the group; returns how many processes there were."""
        members: set[int] = set()
        for _ in range(100):
            now = self._members()
            members |= now
            for pid in now:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            if not now:
                break
            time.sleep(0.002)
        return len(members)

    def remove(self) -> None:
        """Remove the folders; a group that is still busy stays."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _members(self) -> set[int]:
        found: set[int] = set()
        for file in self.join_files:
            with contextlib.suppress(OSError):
                found |= {int(word) for word in file.read_text().split()}
        return found


def _total(pattern: re.Pattern[str], text: str) -> int:
    return sum(int(number) for number in pattern.findall(text))


def open_group(
    *,
    proc: Path = Path("/proc"),
    pid: int | None = None,
    alive: Callable[[int], bool] | None = None,
    serial: int | None = None,
) -> Group | None:
    """A new group below or beside our own; `None` where this user may make none.

    Groups that an ended perfwright left behind are removed on the way.

    Args:
        proc: where the kernel says which groups there are.
        pid: our own process, part of the group's name; for tests.
        alive: whether a process still runs; for tests.
        serial: tells the groups of one process apart; counted when `None`.
    """
    number = next(_serial) if serial is None else serial
    name = f"{_NAME}-{os.getpid() if pid is None else pid}-{number}"
    try:
        places = parents((proc / "self/cgroup").read_text(), (proc / "self/mountinfo").read_text())
    except OSError:
        return None
    folders: list[Path] = []
    for candidates in places:
        for parent in candidates:
            _remove_stale(parent, alive or _alive)
            folder = parent / name
            with contextlib.suppress(OSError):
                folder.mkdir(exist_ok=True)
                if _useful(folder):
                    folders.append(folder)
                    break
                folder.rmdir()
    return Group(tuple(folders)) if folders else None


def parents(cgroup: str, mountinfo: str) -> list[tuple[Path, ...]]:
    """Folders in which a group may be made, best first, for each controller that matters.

    Args:
        cgroup: the text of `/proc/self/cgroup`.
        mountinfo: the text of `/proc/self/mountinfo`.
    """
    own = _own_groups(cgroup)
    found: list[tuple[Path, ...]] = []
    for kind, options, mount, root in _cgroup_mounts(mountinfo):
        for controller in ("",) if kind == "cgroup2" else _CONTROLLERS:
            if controller and controller not in options:
                continue
            path = own.get(controller)
            if path is None:
                continue
            inside = os.path.relpath(path, root) if path.startswith(root) else "."
            here = Path(os.path.normpath(mount / inside))
            # In cgroups 2 a group with processes cannot have limited children: be its sibling.
            found.append((here,) if controller else (here.parent, here))
    return found


def _own_groups(cgroup: str) -> dict[str, str]:
    """Controller to path; the empty name stands for cgroups 2."""
    own: dict[str, str] = {}
    for line in cgroup.splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        for name in names.split(","):
            own[name] = path
    return own


def _cgroup_mounts(mountinfo: str) -> list[tuple[str, Sequence[str], Path, str]]:
    """Type, options, mount point and root of every cgroup file system."""
    mounts: list[tuple[str, Sequence[str], Path, str]] = []
    for line in mountinfo.splitlines():
        left, separator, right = line.partition(" - ")
        kinds = right.split()
        if separator and kinds and kinds[0] in {"cgroup", "cgroup2"}:
            words = left.split()
            mounts.append((kinds[0], kinds[-1].split(","), Path(words[4]), words[3]))
    return mounts


def _useful(folder: Path) -> bool:
    group = Group((folder,))
    return group.limits_memory or group.limits_processes


def _remove_stale(parent: Path, alive: Callable[[int], bool]) -> None:
    for folder in parent.glob(f"{_NAME}-*"):
        number = folder.name.split("-")[1]
        if number.isdigit() and not alive(int(number)):
            Group((folder,)).stop_all()
            Group((folder,)).remove()


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
