"""Runs programs under test for real: sandbox, control group and runner put together."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from perfwright.errors import UserError
from perfwright.measure import cgroups, native, sandbox, staging
from perfwright.measure.cgroups import Group
from perfwright.measure.runner import GroupEvents, Outcome, Report, Run, RunResult, judge
from perfwright.measure.sandbox import Sandbox, SandboxUnavailable
from perfwright.toolchain.process import Limits, ProcessResult, Runner, run
from perfwright.units import Bytes

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_NUMERIC", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")
_GRACE_SECONDS = 60.0
_MEMORY_SHARE = 0.75
_SETUP_ERROR = '{"error": "'


def base_env(environ: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """The neutral part of a program's environment: no secrets, nothing of the user's session."""
    kept = {name: environ[name] for name in _PASSED_ON if name in environ}
    return {"PATH": os.defpath, **kept, "HOME": str(scratch), "TMPDIR": "/tmp"}


class NativeExecutor:
    """Runs programs on this machine, in the sandbox where there is one.

    One run at a time: a second thread waits.  Use it as a context manager, or call `close`.

    Args:
        perfwright_run: the runner's executable, from `native.build_runner`.
        place: the sandbox, or why there is none.
        group: the control group for all runs; `None` where there are no groups.
        unsafe: run model-written code even without a sandbox (`--unsafe-no-sandbox`).
        environ: where the neutral variables come from; the process's own when `None`.
        runner: how processes are started.
    """

    def __init__(
        self,
        perfwright_run: Path,
        place: Sandbox | SandboxUnavailable,
        group: Group | None = None,
        *,
        unsafe: bool = False,
        environ: Mapping[str, str] | None = None,
        runner: Runner = run,
    ) -> None:
        self._tool = perfwright_run
        self._place = place
        self._group = group
        self._unsafe = unsafe
        self._environ = os.environ if environ is None else environ
        self._runner = runner
        self._lock = threading.Lock()
        self._cpus = os.cpu_count() or 1
        self._memory = Bytes(int(_total_memory() * _MEMORY_SHARE))

    def __enter__(self) -> NativeExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the control group, and whatever still runs in it."""
        if self._group is not None:
            self._group.stop_all()
            self._group.remove()

    @property
    def sandboxed(self) -> bool:
        """Whether runs are shut in."""
        return isinstance(self._place, Sandbox)

    @property
    def grouped(self) -> bool:
        """Whether a control group limits untrusted runs."""
        return self._group is not None

    def execute(self, run: Run) -> RunResult:
        """Run a program to its end; see `perfwright.measure.runner.Executor`."""
        if run.untrusted and not self.sandboxed and not self._unsafe:
            assert isinstance(self._place, SandboxUnavailable)
            raise UserError(
                "code that a model wrote is not run outside a sandbox",
                cause=self._place.reason,
                hint=f"{self._place.hint}, or --unsafe-no-sandbox",
            )
        limits = replace(run.limits, memory=Bytes(min(run.limits.memory, self._memory)))
        run = replace(run, limits=limits)
        with self._lock:
            if isinstance(self._place, Sandbox):
                return self._inside(run, self._place)
            with tempfile.TemporaryDirectory(
                prefix=f"perfwright-{run.setting.scratch}-", ignore_cleanup_errors=True
            ) as folder:
                return self._outside(run, Path(folder))

    def _inside(self, run: Run, place: Sandbox) -> RunResult:
        scratch = sandbox.scratch_folder(run)
        user = sandbox.user_inside(place, run)
        # Not even bubblewrap gets the user's environment: the program could read it in /proc.
        # Root has no countable processes; anyone else has a user namespace, and a fresh count.
        countable = 0 if user is not None or not place.root else None
        group = self._group if run.untrusted or countable is None else None
        words = [str(self._tool), *_joining(group)]
        for name, value in base_env(self._environ, scratch).items():
            words += ["--env", f"{name}={value}"]
        words += ["--become", str(place.bwrap), "--"]
        words += sandbox.arguments(place, self._with_libraries(run), self._tool)
        words.append(str(sandbox.INSIDE / "run"))
        if run.stdin is not None:
            words += ["--stdin", str(run.stdin)]
        if user is not None:
            words += ["--uid", str(user)]
        inside = replace(run, program=sandbox.INSIDE / "program" if run.program else None)
        return self._run(words, inside, scratch, countable, group)

    def _outside(self, run: Run, scratch: Path) -> RunResult:
        words = [str(self._tool), *_joining(self._group)]
        if run.stdin is not None:
            words += ["--stdin", str(run.stdin)]
        tasks = None if os.geteuid() == 0 else _tasks_of_user()
        return self._run(words, run, scratch, tasks, self._group)

    def _run(
        self, words: list[str], run: Run, scratch: Path, tasks: int | None, group: Group | None
    ) -> RunResult:
        """Complete the command, start it, judge what it reports.

        `tasks` is how many processes and threads count against the user already; `None`:
        a limit on their number would not hold.
        """
        run = replace(run, env={**base_env(self._environ, scratch), **run.env})
        words = [*words, "--scratch", str(scratch), *staging.steps(run)]
        words += native.options(
            run,
            cpus=self._cpus,
            memory=None if group and group.limits_memory else run.limits.memory,
            processes=None
            if tasks is None or (group and group.limits_processes)
            else tasks + run.limits.processes,
        )
        if run.program is not None and not run.place:
            words += ["--program", str(run.program)]
        before = GroupEvents()
        if group is not None:
            group.set_limits(run.limits)
            before = group.events()
        limits = Limits(wall=run.limits.wall + _GRACE_SECONDS)
        result = self._runner([*words, "--", *run.argv], limits=limits)
        return _judged(run, result, group, before)

    def _with_libraries(self, run: Run) -> Run:
        folders = run.env.get("LD_LIBRARY_PATH", self._environ.get("LD_LIBRARY_PATH", ""))
        found = tuple(Path(part) for part in folders.split(":") if part.startswith("/"))
        return replace(run, exposed=(*run.exposed, *found)) if found else run


def _joining(group: Group | None) -> list[str]:
    files = group.join_files if group else ()
    return [word for file in files for word in ("--join", str(file))]


def _judged(run: Run, result: ProcessResult, group: Group | None, before: GroupEvents) -> RunResult:
    events = GroupEvents()
    if group is not None:
        now = group.events()
        group.stop_all()
        events = GroupEvents(
            now.out_of_memory - before.out_of_memory, now.process_refused - before.process_refused
        )
    try:
        report, streams = native.parse_report(result.stdout)
    except ValueError as error:
        return _without_report(result, events, str(error))
    outcome, detail = judge(report, run.limits, events)
    return _result(run, report, streams, outcome, detail)


def open_executor(
    compiler: Path, cache: Path, *, unsafe: bool = False, bwrap: Path | None = None
) -> NativeExecutor:
    """The executor of this machine: compiles the runner, tries the sandbox, makes a group.

    Raises:
        ToolchainError: the runner cannot be compiled.
    """
    tool = native.build_runner(compiler, cache)
    return NativeExecutor(tool, sandbox.probe(bwrap), cgroups.open_group(), unsafe=unsafe)


def _result(
    run: Run, report: Report, streams: Sequence[bytes], outcome: Outcome, detail: str
) -> RunResult:
    files = {
        name: data if size >= 0 else None
        for name, data, size in zip(run.outputs, streams[2:], report.sizes[2:], strict=True)
    }
    return RunResult(
        outcome=outcome,
        status=report.status,
        signal=report.signal,
        user_seconds=report.user,
        sys_seconds=report.sys,
        wall_seconds=report.wall,
        max_rss_bytes=Bytes(report.max_rss),
        stdout=streams[0],
        stderr=streams[1],
        output_files=files,
        instructions=report.instructions if report.instructions > 0 else None,
        cycles=report.cycles if report.cycles > 0 else None,
        context_switches=report.voluntary + report.involuntary,
        detail=detail,
    )


def _without_report(result: ProcessResult, events: GroupEvents, said: str) -> RunResult:
    """What to say of a run whose watcher did not live to tell, or never began."""
    words = result.error_text.strip().splitlines()
    if events.out_of_memory > 0:
        return RunResult(Outcome.MEMORY_LIMIT, detail="its watcher was killed as well")
    if said.startswith(_SETUP_ERROR):
        return RunResult(Outcome.NOT_STARTED, detail=said[len(_SETUP_ERROR) : -2])
    if words and words[-1].startswith("bwrap:"):
        return RunResult(Outcome.NOT_STARTED, detail=words[-1])
    return RunResult(Outcome.LOST, detail=f"the watcher ended with {result.outcome()}")


def _tasks_of_user() -> int:
    """Processes and threads of this user, which is what RLIMIT_NPROC counts."""
    uid, count = os.getuid(), 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if folder.stat().st_uid == uid:
                    count += sum(1 for _ in (folder / "task").iterdir())
    return count


def _total_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
