"""Reproducers: a folder that shows again how a tool failed on a candidate, and needs no campaign.

In it are the input of the failing command (the unit's bitcode, or all units merged where the
link fails), `run.sh` with the command, and `said.txt` with what the tool said.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perfwright.program.build import DEFAULT_LIMITS, BuildFailure, Kind, Stage, classify
from perfwright.program.captured import CapturedBuild, LinkItem, LinkStep, Unit
from perfwright.program.plan import BuildPlan, Paths, bitcode_argv, link_argv, unit_steps
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, ProcessResult, Runner, run

SCRIPT = "run.sh"
SAID = "said.txt"
BROKEN: frozenset[Kind] = frozenset({"crash", "timeout", "memory"})
"""How tools end that should have answered: bugs of theirs, worth a reproducer."""

_BITCODE = "input.bc"
_MERGED = "linked.o"  # the driver would compile a file called .bc
_OUTPUT = "output"
_LIMITS = Limits(wall=60.0, memory=DEFAULT_LIMITS.memory)
_MAGIC = b"BC\xc0\xde"
_FRAMES = 2
_FATAL = (
    re.compile(r"Assertion [`'].*' failed"),
    re.compile(r"UNREACHABLE executed at [^\s!]+"),
    # Behind these come names and numbers, which change while the input shrinks.
    re.compile(r"LLVM ERROR: [^:'\"%@\d\n]+"),
    re.compile(r"(?:fatal )?error: [^:'\"%@\d\n]+"),
)
_FRAME = re.compile(r"^\s*#\d+ 0x[0-9a-f]+ (?P<name>[^(\s][^(\n]*)\(", re.MULTILINE)
_OWN = ("llvm::sys::", "PrintStackTrace", "SignalHandler", "raise", "abort", "gsignal", "__")
_PASS = re.compile(r"Running pass ['\"][^'\"\n]+['\"] on")
_STAGES: tuple[Stage, ...] = ("compile", "optimise", "codegen")


@dataclass(frozen=True)
class Reproducer:
    """What was saved.

    Attributes:
        folder: where it is.
        kind: how the command fails.
        said: what the tool said.
        reducible: the bitcode that the failure comes from; `None` when it is no bitcode.
        shown: whether the saved command was seen to fail in the same way; hangs are not
            waited for.
    """

    folder: Path
    kind: Kind
    said: str
    reducible: Path | None
    shown: bool

    @property
    def script(self) -> Path:
        """The command; its first argument, if any, is taken in place of the input."""
        return self.folder / SCRIPT

    @property
    def line(self) -> str:
        """A line for a shell."""
        return shlex.join(["sh", str(self.script)])


@dataclass(frozen=True)
class Culprit:
    """What was being built, by which plan, when a tool failed."""

    captured: CapturedBuild
    plan: BuildPlan
    toolchain: Toolchain
    runner: Runner = run
    limits: Limits = _LIMITS


@dataclass(frozen=True)
class _Form:
    """One way to show it: a command over files of the folder."""

    argv: tuple[str, ...]
    input: str = ""
    """The file that `run.sh` takes another one for."""
    linked: str = ""
    """The name under which the linker gets the input."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of the build that the tools listen to."""


def save(failure: BuildFailure, culprit: Culprit, folder: Path) -> Reproducer:
    """Write the folder of a failure; what was in it before is removed.

    Args:
        failure: how a build ended.
        culprit: that build.
        folder: where the files go.

    Raises:
        ToolchainError: clang is not installed.
    """
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    chosen: _Form | None = None
    said = _said(failure.result) if failure.result else failure.reason
    for form in _forms(failure, culprit, folder):
        if failure.kind == "timeout":
            chosen = form
            break
        again = _run(form, culprit, folder)
        if not again.ok and classify(again) == failure.kind:
            chosen, said = form, _said(again)
            break
    _write_script(failure, culprit, folder, chosen)
    (folder / SAID).write_text(said, encoding="utf-8")
    if chosen is not None:
        _tidy(folder, {*chosen.argv, chosen.input, SCRIPT, SAID} - {_OUTPUT, _MERGED})
    bitcode = chosen is not None and (folder / chosen.input).is_file() and _is_ir(folder, chosen)
    return Reproducer(
        folder=folder,
        kind=failure.kind,
        said=said,
        reducible=folder / chosen.input if chosen and bitcode else None,
        shown=chosen is not None and failure.kind != "timeout",
    )


def signature(said: str) -> tuple[str, ...]:
    """Texts that a tool prints again when it fails in the same way; pure.

    None when it printed nothing of the kind.
    """
    for pattern in _FATAL[:-1]:
        if match := pattern.search(said):
            return (match[0].strip(),)
    names = [m["name"].strip() for m in _FRAME.finditer(said)]
    frames = [name for name in names if not name.startswith(_OWN)][:_FRAMES]
    if frames:
        return (*_PASS.findall(said)[-1:], *frames)
    match = _FATAL[-1].search(said)
    return (match[0].strip(),) if match else ()


def _said(result: ProcessResult) -> str:
    return f"{result.outcome()}\n{result.error_text}"


def _tidy(folder: Path, needed: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in needed:
            path.unlink()


def _is_ir(folder: Path, form: _Form) -> bool:
    return bool(form.input) and (folder / form.input).read_bytes()[:4] == _MAGIC


def _run(form: _Form, culprit: Culprit, folder: Path) -> ProcessResult:
    if form.linked:
        shutil.copyfile(folder / form.input, folder / form.linked)
    return culprit.runner(form.argv, cwd=folder, env=form.env, limits=culprit.limits)


def _write_script(
    failure: BuildFailure, culprit: Culprit, folder: Path, form: _Form | None
) -> None:
    """`run.sh`; without a form that shows the failure, the command as it was."""
    head = str(failure).splitlines()[0]
    lines = ["#!/bin/sh", f"# {head}", f"# LLVM {culprit.toolchain.version}"]
    if form is None:
        lines += ["# it does not show without the files of the campaign:", failure.reproducer]
    else:
        lines.append('cd "$(dirname "$0")" || exit 1')
        given = f'"${{1:-{form.input}}}"'
        if form.linked:
            lines.append(f"cp {given} {form.linked} || exit 1")
        words = [
            given if w == form.input and not form.linked else shlex.quote(w) for w in form.argv
        ]
        variables = [shlex.quote(f"{name}={value}") for name, value in form.env.items()]
        lines.append(" ".join(["exec", *(["env", *variables] if variables else []), *words]))
    script = folder / SCRIPT
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    script.chmod(0o755)


def _forms(failure: BuildFailure, culprit: Culprit, folder: Path) -> Iterator[_Form]:
    """Ways to show the failure, the best first; each writes its files when it is asked for."""
    if failure.stage == "link":
        yield from _link_forms(failure, culprit, folder)
    elif failure.unit is not None:
        unit = culprit.captured.unit(failure.unit)
        yield from _unit_forms(unit, _STAGES.index(failure.stage), culprit, folder)
    elif failure.result is not None:
        # opt refused the text of a pipeline; an empty module is enough.
        yield _Form((*failure.result.argv[:-1], "/dev/null"))


def _unit_forms(unit: Unit, stage: int, culprit: Culprit, folder: Path) -> Iterator[_Form]:
    """From unoptimised bitcode; else, as when the front end fails, from preprocessed source."""
    if _to_bitcode(unit, culprit, folder):
        yield from _steps(unit, stage, culprit, folder, _BITCODE)
    if unit.language is not None and unit.name not in culprit.plan.inputs:
        # The steps before the failing one would have to work: then there is bitcode.
        source, kind = (
            ("input.ii", "c++-cpp-output")
            if unit.language == "c++"
            else (
                "input.i",
                "cpp-output",
            )
        )
        if _preprocess(unit, culprit, folder / source):
            changed = unit.model_copy(update={"source": Path(source), "input_type": kind})
            yield from _steps(changed, 0, culprit, folder, source)


def _to_bitcode(unit: Unit, culprit: Culprit, folder: Path) -> bool:
    """The unit as bitcode, with the candidate's flags, or without them if they are at fault."""
    plan = culprit.plan
    if unit.language is None and unit.name not in plan.inputs:
        return False
    bare = BuildPlan(inputs=plan.inputs)
    for tried in (plan.model_copy(update={"overlay": {}}), bare):
        argv = bitcode_argv(unit, tried, culprit.toolchain, folder / _BITCODE)
        made = culprit.runner(argv, cwd=unit.cwd, env=unit.env, limits=culprit.limits)
        if made.ok and (folder / _BITCODE).is_file():
            return True
    return False


def _preprocess(unit: Unit, culprit: Culprit, output: Path) -> bool:
    clang = culprit.toolchain.tool("clang++" if unit.language == "c++" else "clang")
    flags = (*unit.argv, *culprit.plan.compile_flags, "-w", "-x", unit.input_type)
    argv = (str(clang), *flags, "-E", str(unit.source), "-o", str(output))
    made = culprit.runner(argv, cwd=unit.cwd, env=unit.env, limits=culprit.limits)
    return made.ok and output.is_file()


def _steps(unit: Unit, stage: int, culprit: Culprit, folder: Path, source: str) -> Iterator[_Form]:
    """The failing step, over the input that the steps before it make."""
    inputs = {unit.name: Path(source)} if source == _BITCODE else {}
    plan = culprit.plan.model_copy(update={"inputs": inputs, "overlay": {}})
    paths = Paths(Path(_OUTPUT), Path("unit.bc"), Path("unit.opt.bc"))
    steps = unit_steps(unit, plan, culprit.toolchain, paths)
    wanted = min(stage, len(steps) - 1)
    for step in steps[:wanted]:
        if not culprit.runner(step.argv, cwd=folder, limits=culprit.limits).ok:
            return
    argv = steps[wanted].argv
    yield _Form(argv, input=next(w for w in argv if w in (source, "unit.bc", "unit.opt.bc")))


def _link_forms(failure: BuildFailure, culprit: Culprit, folder: Path) -> Iterator[_Form]:
    """All units merged into one module where they are bitcode; else their object files."""
    link = culprit.captured.link
    units = [unit.name for unit in culprit.captured.units if unit.name in failure.objects]
    copies = {name: Path(f"{number:03}.o") for number, name in enumerate(failure.objects)}
    for name, path in failure.objects.items():
        shutil.copyfile(path, folder / copies[name])
    items = tuple(_with_files(item, link.cwd, folder) for item in link.items)
    if units and all((folder / copies[name]).read_bytes()[:4] == _MAGIC for name in units):
        objects = [str(copies[name]) for name in units]
        argv = (str(culprit.toolchain.tool("llvm-link")), *objects, "-o", "merged.bc")
        if culprit.runner(argv, cwd=folder, limits=culprit.limits).ok:
            merged = _merged(items, set(units))
            yield _linking(merged, copies, culprit, "merged.bc")
    yield _linking(items, copies, culprit)


def _linking(
    items: tuple[LinkItem, ...], objects: Mapping[str, Path], culprit: Culprit, merged: str = ""
) -> _Form:
    link = culprit.captured.link
    step = LinkStep(driver=link.driver, cwd=link.cwd, items=items, env=link.env)
    captured = culprit.captured.model_copy(update={"link": step})
    argv = link_argv(captured, culprit.plan, culprit.toolchain, objects, Path(_OUTPUT))
    return _Form(argv, input=merged, linked=_MERGED if merged else "", env=link.env)


def _merged(items: tuple[LinkItem, ...], units: set[str]) -> tuple[LinkItem, ...]:
    """The link step with the merged module where the first of the units was."""
    rest = [item for item in items if item.unit not in units]
    first = next(number for number, item in enumerate(items) if item.unit in units)
    return (*rest[:first], LinkItem(words=(_MERGED,)), *rest[first:])


def _with_files(item: LinkItem, cwd: Path, folder: Path) -> LinkItem:
    """The piece with copies of the libraries and objects that it names."""
    words = []
    for word in item.words:
        path = cwd / word
        if word.startswith("-") or not path.is_file():
            words.append(word)
        else:
            kept = f"{len(list(folder.iterdir())):03}-{path.name}"
            shutil.copyfile(path, folder / kept)
            words.append(kept)
    return LinkItem(unit=item.unit, words=tuple(words))
