"""Workloads as runs: what `perfwright.toml` says, turned into what an executor is told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from perfwright.measure.runner import Run, RunLimits, Setting
from perfwright.program.spec import ProgramSpec, Workload
from perfwright.units import Seconds

DEFAULT_TIMEOUT = Seconds(60.0)
"""Wall seconds for a run of the unmodified program, when the workload names no `timeout`."""

ANY = Setting()
"""Unpinned, addresses random, nothing added to the environment."""

_TIMEOUT_FACTOR = 10.0
_LEAST_TIMEOUT = 5.0
_SHELL = "/bin/sh"


@dataclass(frozen=True)
class ProgramRuns:
    """Makes the runs of one program; the binary is what changes from run to run.

    Attributes:
        spec: the program.
        tree: the folder that runs see as the program's: its own, or the copy in which its
            build was captured (the user's own commands may need what the build left there).
        place: where in `tree` the user's build puts the binary; needed for the user's own
            commands only.
        untrusted: a model wrote part of what runs.
    """

    spec: ProgramSpec
    tree: Path
    place: str = ""
    untrusted: bool = False

    def workload(
        self,
        workload: Workload,
        binary: Path,
        *,
        limits: RunLimits,
        setting: Setting = ANY,
        counters: bool = False,
    ) -> Run:
        """One run of a workload with this binary."""
        root, cwd = self._where(workload.cwd)
        own = workload.run is not None
        outputs = self.spec.oracle.files
        files = [self._seen(path) for path in workload.files]
        changed = {name for name in outputs if (root / cwd / name) in files}
        return Run(
            argv=(_SHELL, "-c", workload.run) if workload.run else self._argv(workload, cwd),
            root=root,
            program=binary,
            cwd=cwd,
            stdin=self._seen(workload.stdin) if workload.stdin else None,
            env=workload.env,
            copied=() if own else tuple(sorted(changed)),
            exposed=tuple(path for path in files if not path.is_relative_to(root)),
            outputs=outputs,
            place=(self.place or self.spec.name) if own else "",
            copy_tree=own,
            limits=limits,
            setting=setting,
            counters=counters,
            untrusted=self.untrusted,
        )

    def test(self, binary: Path, *, limits: RunLimits) -> Run:
        """The user's own test command with this binary in its place.

        Raises:
            ValueError: the oracle has no test command.
        """
        if self.spec.oracle.test is None:
            raise ValueError("this program has no test command")
        root, cwd = self._where(self.spec.build_dir)
        return Run(
            argv=(_SHELL, "-c", self.spec.oracle.test),
            root=root,
            program=binary,
            cwd=cwd,
            place=self.place or self.spec.name,
            copy_tree=True,
            limits=limits,
            untrusted=self.untrusted,
        )

    def _argv(self, workload: Workload, cwd: str) -> tuple[str, ...]:
        name = os.path.relpath(self.place or self.spec.name, cwd)
        return (name if "/" in name else f"./{name}", *workload.args)

    def _where(self, folder: Path) -> tuple[Path, str]:
        """The folder that is mirrored, and where in it the program runs."""
        if folder.is_relative_to(self.spec.root):
            return self.tree, str(folder.relative_to(self.spec.root))
        return folder, "."

    def _seen(self, path: Path) -> Path:
        """A file of the program: as the build left it, when the build made or changed it."""
        if path.is_relative_to(self.spec.root):
            built = self.tree / path.relative_to(self.spec.root)
            if built.exists():
                return built
        return path


def first_limits(workload: Workload) -> RunLimits:
    """Limits for the unmodified program, whose time is not known yet."""
    return RunLimits(wall=workload.timeout or DEFAULT_TIMEOUT)


def known_limits(workload: Workload, baseline_wall: float) -> RunLimits:
    """Limits for candidates, which may be slower but not much: ten times, at least 5 s.

    Args:
        workload: its own `timeout` goes before that.
        baseline_wall: elapsed seconds of the unmodified program.
    """
    chosen = max(_LEAST_TIMEOUT, _TIMEOUT_FACTOR * baseline_wall)
    return RunLimits(wall=workload.timeout or chosen)
