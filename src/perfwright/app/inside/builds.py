"""Looking inside a candidate's build: IR, machine code and counters of what was built."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perfwright.app.workplace import Workplace
from perfwright.core.candidate import Candidate, Edit
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Refusal, Repaired
from perfwright.errors import ProgramError, UserError, unknown_name
from perfwright.evidence.disassembly import FunctionCode
from perfwright.evidence.disassembly import disassemble as disassemble_code
from perfwright.evidence.elf import read_binary
from perfwright.evidence.irdump import lean
from perfwright.levels.pipeline.level import NAME as PIPELINE
from perfwright.measure.counters import CountersUnavailableError, SimulatedCounters, counters_here
from perfwright.program.build import DEFAULT_LIMITS
from perfwright.program.captured import Unit
from perfwright.program.plan import BuildPlan, Paths, optimised_by_linker, unit_steps

_CONTEXT_LINES = 2
_MOST_CHOICES = 12


@dataclass(frozen=True)
class Counted:
    """What one run of a workload took.

    `instructions` and `cycles` are `None` where nothing counts them; `how` says what did.
    """

    workload: str
    wall_seconds: float
    cpu_seconds: float
    instructions: int | None
    cycles: int | None
    how: str


def function_of(facts: Sequence[Fact], name: str) -> tuple[str, str]:
    """The unit and the symbol of a function that is named by its symbol, or as `unit:symbol`.

    Raises:
        UserError: no fact tells of such a function, or several units define one.
    """
    known = dict.fromkeys(
        (str(fact.data["unit"]), str(fact.data["symbol"]))
        for fact in facts
        if fact.kind == "function"
    )
    found = [(unit, symbol) for unit, symbol in known if name in (symbol, f"{unit}:{symbol}")]
    if not found:
        raise unknown_name("function", name, dict.fromkeys(symbol for _, symbol in known))
    if len(found) > 1:
        choices = [":".join(each) for each in found]
        raise UserError(
            f"{len(found)} units define a {name}",
            cause=", ".join(choices[:_MOST_CHOICES]),
            hint=f"write the unit before it: {choices[0]}",
        )
    return found[0]


def require_passes(place: Workplace, plan: BuildPlan, unit: str) -> None:
    """Make sure that the passes over a unit are those that its code comes from.

    Raises:
        UserError: they run in the linker.
    """
    if not optimised_by_linker(place.captured.unit(unit), plan):
        return
    if plan.whole_program:
        hint = "leave `link whole-program` out to see them on the unit alone"
    else:
        hint = "add the edit `link per-unit` to see them on a unit that is built without -flto"
    raise UserError("passes run in the linker there, over the merged program", hint=hint)


def input_ir(place: Workplace, unit: str, symbol: str) -> str:
    """A function's IR as the optimiser gets it.

    Raises:
        ProgramError: llvm-dis cannot read the bitcode.
    """
    tool = place.setup.toolchain.tool("llvm-dis")
    said = place.workshop.site.runner([tool, place.bitcode[unit].plain, "-o", "-"])
    if not said.ok:
        raise ProgramError(f"the bitcode of {unit} cannot be read", cause=said.explain())
    return function_text(said.text, symbol)


def optimised_ir(place: Workplace, candidate: Candidate, unit: str, symbol: str) -> str:
    """A function's IR behind the optimiser, with a candidate's options or pipeline.

    Raises:
        UserError: the unit is optimised by the linker, or the candidate does not build.
        ProgramError: the compiler fails.
    """
    plan = plan_of(place, candidate)
    require_passes(place, plan, unit)
    captured = place.captured.unit(unit)
    out = place.folder / "inside"
    out.mkdir(parents=True, exist_ok=True)
    for argv in steps_to_ir(place, captured, plan, out):
        said = place.workshop.site.runner(
            argv, cwd=captured.cwd, env=captured.env, limits=DEFAULT_LIMITS
        )
        if not said.ok:
            raise ProgramError(f"{unit} does not compile to IR", cause=said.explain())
    return function_text((out / "unit.ll").read_text(encoding="utf-8", errors="replace"), symbol)


def steps_to_ir(
    place: Workplace, unit: Unit, plan: BuildPlan, out: Path, asking: Sequence[str] = ()
) -> list[tuple[str, ...]]:
    """The commands of the unit's build, up to where its IR is optimised, written as text.

    Args:
        asking: options of LLVM for the command that optimises.
    """
    paths = Paths(out / "unit.ll", out / "unit.bc", out / "unit.ll")
    steps = unit_steps(unit, plan, place.setup.toolchain, paths)
    if len(steps) == 1:
        words = tuple(word for option in asking for word in ("-mllvm", option))
        return [(*steps[0].argv, "-S", "-emit-llvm", *words)]
    front, optimise = steps[:2]
    return [front.argv, (*optimise.argv, "-S", *asking)]


def function_text(module: str, symbol: str) -> str:
    """One function of a module's text.

    Raises:
        UserError: the module does not define it: it was inlined everywhere, or removed.
    """
    names = (f"@{symbol}(", f'@"{symbol}"(')
    kept: list[str] = []
    for line in module.splitlines():
        if not kept and line.startswith("define ") and any(name in line for name in names):
            kept.append(line)
        elif kept:
            kept.append(line)
            if line == "}":
                return lean(kept)
    raise UserError(
        f"{symbol} is not there", cause="it was inlined everywhere, or removed as unused"
    )


def assembly(place: Workplace, candidate: Candidate, name: str) -> tuple[str, ...]:
    """The machine code of a function in a candidate's build, without addresses.

    Raises:
        UserError: the candidate does not build, or the function is not there, or several are.
    """
    return machine_code(place, candidate, name).normalised()


def machine_code(place: Workplace, candidate: Candidate, name: str) -> FunctionCode:
    """A function of a candidate's build, named by its symbol, or as `unit:symbol`.

    Raises:
        UserError: the candidate does not build, or the function is not there, or several are.
    """
    unit, _, symbol = name.rpartition(":")
    binary = place.artefacts.path(built(place, candidate).binaries[0])
    site = place.workshop.site
    codes: list[FunctionCode] = []
    if symbol and "," not in symbol:  # the disassembler would take none for all, and a list
        found = disassemble_code(binary, [symbol], site.toolchain, site.runner)
        codes = [code for code in found if code.instructions]
    files = {f.address: f.unit for f in read_binary(binary).functions if f.name == symbol}
    if unit:  # a global function has no file, and one of a link-time build that of no unit
        others = {Path(each.name).name for each in place.captured.units} - {Path(unit).name}
        codes = [code for code in codes if files.get(code.start) not in others]
        own = [code for code in codes if files.get(code.start) == Path(unit).name]
        codes = own or codes
    if len(codes) > 1:
        known = ", ".join(files.get(code.start) or "?" for code in codes[:_MOST_CHOICES])
        raise UserError(
            f"{len(codes)} functions of this build are called {name}",
            cause=f"from {known}",
            hint=f"write the unit before it: UNIT:{symbol}",
        )
    if not codes:
        raise UserError(
            f"{name} is not in this build", cause="it was inlined everywhere, or removed"
        )
    return codes[0]


def code_changes(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, ...]:
    """How machine code changed, as a diff without its headings."""
    lines = difflib.unified_diff(before, after, lineterm="", n=_CONTEXT_LINES)
    return tuple(line for line in lines if not line.startswith(("---", "+++")))


def counters(place: Workplace, candidate: Candidate) -> Counted:
    """One run of the cheapest train workload, counted; no measurement: nothing is compared.

    Raises:
        UserError: the candidate does not build.
    """
    expected = place.reference.cheapest
    run = place.runs.workload(
        expected.workload,
        place.artefacts.path(built(place, candidate).binaries[0]),
        limits=expected.limits,
        counters=True,
    )
    where, valgrind = counters_here()
    how, executor = str(where), place.metered
    if where == "simulated" and valgrind is not None:
        executor = SimulatedCounters(place.metered, valgrind)
    timed = place.metered.execute(run)
    counted = timed
    try:
        counted = timed if executor is place.metered else executor.execute(run)
    except CountersUnavailableError as error:
        how = f"unavailable: {error.summary}"
    return Counted(
        workload=expected.workload.id,
        wall_seconds=timed.wall_seconds,
        cpu_seconds=timed.cpu_seconds,
        instructions=counted.instructions,
        cycles=counted.cycles,
        how=how,
    )


def built(place: Workplace, candidate: Candidate) -> Build:
    """The candidate's build, made again when it has to be.

    Raises:
        UserError: it does not build.
    """
    made = place.workshop.build(candidate)
    if isinstance(made, Refusal):
        raise UserError("this candidate does not build", cause=made.reason)
    return made


@dataclass(frozen=True)
class Drafted:
    """A draft that was repaired and built, but neither checked nor run.

    Attributes:
        candidate: what it was repaired to.
        changes: against the baseline, and against the reference where that is another.
        differs: whether its machine code is another than the reference's.
    """

    candidate: Candidate
    repairs: tuple[str, ...]
    size_bytes: int
    changes: tuple[Fact, ...]
    differs: bool


def drafted(place: Workplace, draft: Candidate, reference: Candidate) -> Drafted:
    """Repair and build a draft, and see what it changes.

    Raises:
        UserError: it is refused, or does not build.
    """
    repaired = place.workshop.repair(draft)
    if isinstance(repaired, Refusal):
        raise UserError("the draft is refused", cause=repaired.reason)
    build, other = built(place, repaired.candidate), built(place, reference)
    return Drafted(
        candidate=repaired.candidate,
        repairs=repaired.repairs,
        size_bytes=build.size_bytes,
        changes=place.workshop.changes(build, other),
        differs=build.code != other.code,
    )


def edit_from(text: str) -> Edit:
    """An edit as an agent or a model writes it: at level `pipeline` unless it says otherwise.

    Raises:
        UserError: it is empty.
    """
    bare = text.strip()
    if not bare:
        raise UserError("an edit is empty", hint="for example: option inline-threshold=600")
    return Edit(PIPELINE, bare.removeprefix(f"{PIPELINE}: "))


def mended(place: Workplace, draft: Candidate) -> Repaired:
    """A draft, repaired.

    Raises:
        UserError: it is refused.
    """
    repaired = place.workshop.repair(draft)
    if isinstance(repaired, Refusal):
        raise UserError("the edits are refused", cause=repaired.reason)
    return repaired


def plan_of(place: Workplace, candidate: Candidate) -> BuildPlan:
    """How a candidate is built.

    Raises:
        UserError: it cannot be.
    """
    plan = place.workshop.plan(candidate)
    if isinstance(plan, Refusal):
        raise UserError("this candidate cannot be built", cause=plan.reason)
    return plan
