"""The sandbox: what a program under test may see and touch, as arguments of bubblewrap.

One bubblewrap a run (about 4 ms).  Inside: no network, no other processes, the file system
read-only, the home folders and /run (with its sockets) empty, /tmp a file system in memory
of limited size that ends with the run.  Results come out through a pipe only, so that no
folder of the user's is ever writable.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from perfwright.measure.runner import Run
from perfwright.toolchain.process import Limits, Runner, run

INSIDE = Path("/run/perfwright")
"""Where the runner and the program are mounted; the same path length for every build."""

NOBODY = 65534
"""The user and group that root gives itself up for (Linux, `overflowuid`)."""

_PRIVATE = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts")
_PROBE_LIMITS = Limits(wall=20.0)
_SMALL = 64 << 20


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that works here.

    Attributes:
        bwrap: the bubblewrap executable.
        homes: folders that are hidden.
        root: whether perfwright runs as root, so that programs are given another user.
    """

    bwrap: Path
    homes: tuple[Path, ...]
    root: bool


@dataclass(frozen=True)
class SandboxUnavailable:
    """There is no sandbox: model-written code does not run, the rest runs with a warning."""

    reason: str
    hint: str


def probe(
    bwrap: Path | None = None,
    *,
    runner: Runner = run,
    environ: Mapping[str, str] | None = None,
    euid: int | None = None,
) -> Sandbox | SandboxUnavailable:
    """The sandbox of this machine, tried out once, or why there is none.

    Args:
        bwrap: the bubblewrap executable; the one on PATH when `None`.
        runner: how it is started.
        environ: where PATH and HOME are read; the process's own when `None`.
        euid: the user; the process's own when `None`.
    """
    variables = os.environ if environ is None else environ
    user = os.geteuid() if euid is None else euid
    found = bwrap or shutil.which("bwrap", path=variables.get("PATH"))
    if found is None:
        return SandboxUnavailable("bubblewrap is not installed", "apt-get install bubblewrap")
    sandbox = Sandbox(Path(found), home_folders(variables, user), user == 0)
    words = [*frame(sandbox, disk=_SMALL), "--", "/bin/sh", "-c", "exit 0"]
    if not sandbox.bwrap.exists():
        return SandboxUnavailable(f"there is no {sandbox.bwrap}", "apt-get install bubblewrap")
    result = runner(words, limits=_PROBE_LIMITS)
    if result.ok:
        return sandbox
    said = result.error_text.strip().splitlines()
    return SandboxUnavailable(
        f"bubblewrap does not work here: {said[-1] if said else result.outcome()}",
        "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone, "
        "kernel.apparmor_restrict_unprivileged_userns), or a container with --privileged",
    )


def home_folders(environ: Mapping[str, str], uid: int) -> tuple[Path, ...]:
    """The folders with people's own files: what exists of /home, /root and this user's."""
    named = [Path("/home"), Path("/root")]
    if environ.get("HOME", "").startswith("/"):
        named.append(Path(environ["HOME"]))
    with contextlib.suppress(KeyError):  # a user without an entry, as in many containers
        named.append(Path(pwd.getpwuid(uid).pw_dir))
    real = {path.resolve() for path in named if path.is_dir()} - {Path("/")}
    return tuple(sorted(p for p in real if not any(o in p.parents for o in real)))


def frame(sandbox: Sandbox, *, disk: int, keep_user: bool = True) -> list[str]:
    """The arguments that are the same for every run.

    Args:
        sandbox: where.
        disk: bytes of the scratch file system.
        keep_user: false when root is to be given up inside, which needs two capabilities
            until that is done.
    """
    words = [str(sandbox.bwrap), *_PRIVATE, "--die-with-parent", "--new-session"]
    words += ["--cap-drop", "ALL"]
    if not keep_user:
        words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    words += _memory_folder("/dev/shm", disk) + _memory_folder("/tmp", disk)
    for path in ("/run", *map(str, sandbox.homes)):
        words += ["--tmpfs", path]
    return words


def arguments(sandbox: Sandbox, run: Run, perfwright_run: Path) -> list[str]:
    """Everything up to the command inside: frame, visible files, scratch folder."""
    words = frame(sandbox, disk=run.limits.disk, keep_user=user_inside(sandbox, run) is None)
    words += [*_folder(INSIDE, "0755"), "--ro-bind", str(perfwright_run), str(INSIDE / "run")]
    if run.program is not None:
        words += ["--ro-bind", str(run.program), str(INSIDE / "program")]
    places = (Path("/tmp"), Path("/run"), *sandbox.homes)
    shown = [("--ro-bind-try", path) for path in visible(run, sandbox.homes)]
    for bind, path in [*shown, *([("--bind", run.writable)] if run.writable else [])]:
        # Folders that bubblewrap makes by itself on the way could be entered by root only.
        for folder in reversed(path.parents):
            if any(place in folder.parents for place in places):
                words += _folder(folder, "0755")
        words += [bind, str(path), str(path)]
    for hidden in ("/run", *map(str, sandbox.homes)):
        words += ["--remount-ro", hidden]
    return [*words, *_folder(scratch_folder(run), "0777"), "--chdir", "/", "--"]


def scratch_folder(run: Run) -> Path:
    """Where the program runs, inside."""
    return Path("/tmp") / f"perfwright-{run.setting.scratch}"


def visible(run: Run, homes: Iterable[Path]) -> list[Path]:
    """What must be shown although it may lie in a hidden folder, outer folders first.

    A program's folder that is a home folder itself, or holds one, is not shown as a whole:
    then only the files that the run names are.
    """
    named = [run.root / run.cwd / word for word in run.argv[1:]]
    files = [run.root / run.cwd / name for name in run.copied]
    paths = [*run.exposed, *files, *([run.stdin] if run.stdin else [])]
    if any(home == run.root or run.root in home.parents for home in homes):
        paths += [path for path in named if _is_file(path)]
    else:
        paths.append(run.root)
    unique = {Path(os.path.normpath(path)) for path in paths}
    return sorted(unique, key=lambda path: (len(path.parts), str(path)))


def user_inside(sandbox: Sandbox, run: Run) -> int | None:
    """The user that root is given up for; `None` to stay who one is.

    Root stays root, without any capability, when the program's files are for root only.
    """
    if not sandbox.root:
        return None
    given = (run.root, run.program, run.stdin, run.writable, *run.exposed)
    named = [path for word in run.argv[1:] if _is_file(path := run.root / run.cwd / word)]
    needed = [*(path for path in given if path), *named]
    made = (Path("/tmp"), Path("/run"), *sandbox.homes)
    return NOBODY if all(_open_to_all(path, made) for path in needed) else None


def _open_to_all(path: Path, made: Iterable[Path]) -> bool:
    """Whether everyone may read a file or folder inside; folders below `made` are new there."""
    places = set(made)
    ways = [parent for parent in path.parents if not places.intersection((parent, *parent.parents))]
    try:
        mode = path.stat().st_mode
        passable = all(parent.stat().st_mode & 0o001 for parent in ways)
    except OSError:
        return True
    return passable and mode & 0o004 != 0 and (not path.is_dir() or mode & 0o001 != 0)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a word that is too long for a path, or holds a zero byte
        return False


def _folder(path: Path, mode: str) -> list[str]:
    return ["--perms", mode, "--dir", str(path)]


def _memory_folder(path: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", path]
