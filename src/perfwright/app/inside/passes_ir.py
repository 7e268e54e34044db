"""The IR of functions on its way through the passes: around any run of any pass.

What is printed is what the build does: the commands are those of the build plan, with LLVM
told to print around a pass.  Only for a place (`licm#2`) the unit goes the staged road, with a
pass that does nothing set beside that place, for LLVM prints by the names of passes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from perfwright.app.inside.builds import plan_of, steps_to_ir, unit_of
from perfwright.app.workplace import Workplace
from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.evidence import Fact
from perfwright.errors import UserError, unknown_name
from perfwright.evidence.irdump import Dump, defined, lean, read_dumps
from perfwright.pipeline.apply import apply_passes, pass_edits, settings
from perfwright.pipeline.edits import Insert, PassEdit, PipelineEdit, Replace, Side, parse_edit
from perfwright.pipeline.fidelity import restored, text_options
from perfwright.pipeline.places import Place, find, locate_all
from perfwright.pipeline.tree import Adaptor, Pass, Pipeline, parse
from perfwright.pipeline.vocabulary import ADAPTORS, Level, Vocabulary
from perfwright.program.plan import BuildPlan
from perfwright.toolchain.about import option_table, pass_registry
from perfwright.toolchain.process import Limits, ProcessResult

When = Literal["before", "after"]

_LIMITS = Limits(wall=60.0)
_VECTORISER = "loop-vectorize"
_MARKERS = {
    Level.MODULE: "no-op-module",
    Level.CGSCC: "no-op-cgscc",
    Level.FUNCTION: "no-op-function",
    Level.LOOP: "no-op-loop",
    Level.LOOP_MSSA: "no-op-loop",
}


@dataclass(frozen=True)
class Moment:
    """Where to look: around one run, counted from 1, of a pass (`licm`) or a place (`licm#2`)."""

    pass_name: str
    when: When = "after"
    run: int = 1


@dataclass(frozen=True)
class PassesIr:
    """Shows the IR of functions of one campaign's program."""

    place: Workplace
    facts: Sequence[Fact]

    def ir(self, symbol: str, moment: Moment, candidate: Candidate = BASELINE) -> str:
        """A function's IR, or of a loop in it, around a run of a pass in a candidate's build.

        The first line says which run it is, and of how many.

        Raises:
            UserError: the function, the pass or the run is not there, or the candidate is
                optimised by the linker.
        """
        unit = unit_of(self.facts, symbol)
        asked, vocabulary, base = _asked(moment.pass_name), self._vocabulary(), self._base()
        plan = plan_of(self.place, candidate)
        if plan.whole_program:
            raise UserError(
                "passes run in the linker there, over the merged program",
                hint="leave `link whole-program` out to see them on the unit alone",
            )
        edits = [parse_edit(edit.text) for edit in candidate.edits]
        if asked.ordinal is None:
            _require_pass(asked.name, vocabulary)
            name = asked.name
        else:
            marker, pipeline = _marked(
                asked, moment.when, pass_edits(edits, unit), base, vocabulary
            )
            name, plan = marker, self._staged(plan, unit, pipeline, edits)
        said = self._print(plan, unit, f"-print-{moment.when}={name}", [symbol])
        if not said.ok:
            raise UserError(f"LLVM fails over {unit}", cause=said.outcome())
        dumps = read_dumps(said.error_text)
        if not dumps:
            raise self._never_ran(asked, symbol, edits, unit)
        return _chosen(dumps, moment, asked, symbol)

    def functions(self, symbols: Sequence[str]) -> Mapping[str, str]:
        """The IR of functions as the vectoriser of loops finds it: inlined and simplified.

        A function that was inlined everywhere before has none.  One compilation a unit.
        """
        if _VECTORISER not in self._vocabulary().names:
            return {}
        wanted: dict[str, list[str]] = defaultdict(list)
        units = {str(f.data["symbol"]): str(f.data["unit"]) for f in self._functions()}
        for symbol in dict.fromkeys(symbols):
            if symbol in units:
                wanted[units[symbol]].append(symbol)
        found: dict[str, str] = {}
        for unit, names in wanted.items():
            said = self._print(self.place.setup.base, unit, f"-print-before={_VECTORISER}", names)
            for dump in read_dumps(said.error_text) if said.ok else ():
                found.setdefault(defined(dump.text), lean(dump.text.splitlines()))
        return {symbol: found[symbol] for symbol in symbols if symbol in found}

    def _functions(self) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind == "function"]

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(pass_registry(self.place.setup.toolchain, self.place.setup.host))

    def _base(self) -> Pipeline:
        return restored(parse(self._vocabulary().registry.pipelines["default<O3>"]), "O3")

    def _staged(
        self, plan: BuildPlan, unit: str, pipeline: Pipeline, edits: Sequence[PipelineEdit]
    ) -> BuildPlan:
        """The plan with a pipeline text for the unit, and the options that a text needs."""
        words: tuple[str, ...] = ()
        if unit not in plan.unit_pipelines:
            chosen = dict(settings(edits, unit).options)
            table = option_table(self.place.setup.toolchain)
            words = tuple(w for o in text_options("O3", table, chosen) for w in ("-mllvm", o))
        flags = {**plan.unit_flags, unit: (*words, *plan.unit_flags.get(unit, ()))}
        changes = {"unit_pipelines": {unit: str(pipeline)}, "unit_flags": flags}
        return plan.model_copy(update=changes)

    def _print(
        self, plan: BuildPlan, unit: str, printing: str, symbols: Sequence[str]
    ) -> ProcessResult:
        """Compile a unit to IR while LLVM prints these functions around a pass."""
        place = self.place
        if plan == place.setup.base:  # no need to read the source again
            plan = plan.model_copy(update={"inputs": {unit: place.bitcode[unit].plain}})
        captured = place.captured.unit(unit)
        out = place.folder / "inside"
        out.mkdir(parents=True, exist_ok=True)
        said: ProcessResult | None = None
        asking = (printing, f"-filter-print-funcs={','.join(symbols)}")
        for argv in steps_to_ir(place, captured, plan, out, asking):
            said = place.workshop.site.runner(
                argv, cwd=captured.cwd, env=captured.env, limits=_LIMITS
            )
            if not said.ok:
                break
        assert said is not None, "a unit has at least one step"
        return said

    def _never_ran(
        self, asked: Place, symbol: str, edits: Sequence[PipelineEdit], unit: str
    ) -> UserError:
        pipeline = apply_passes(pass_edits(edits, unit), self._base(), self._vocabulary())
        if asked.name not in {each.node.name for each in locate_all(pipeline)}:
            return UserError(
                f"{asked.name} is not part of this pipeline",
                hint=f"give it with edits, for example: insert {asked.name} after gvn#1",
            )
        return UserError(
            f"{asked} never ran on {symbol}",
            cause="the function was inlined everywhere or removed before, or has no loop for it",
        )


def _asked(pass_name: str) -> Place:
    """The pass or the place that is meant; parameters are no part of it."""
    bare, _, rest = pass_name.strip().partition("<")
    _, _, ordinal = rest.rpartition("#")
    return Place.parse(f"{bare}#{ordinal}" if ordinal else bare)


def _require_pass(name: str, vocabulary: Vocabulary) -> None:
    if name in ADAPTORS:
        raise UserError(f"{name} is no pass", cause="it only holds others", hint="name one of them")
    if name not in vocabulary.names:
        raise unknown_name("pass", name[:80], vocabulary.names)


def _marked(
    place: Place,
    when: When,
    edits: Sequence[PassEdit],
    base: Pipeline,
    vocabulary: Vocabulary,
) -> tuple[str, Pipeline]:
    """The edited pipeline with a pass that does nothing beside a place, and the name of that pass.

    Places are meant before any edit; those of a whole pipeline (`pipeline ...`) are its own.

    Raises:
        UserError: there is no such place.
    """
    if any(isinstance(edit, Replace) for edit in edits):
        base, edits = apply_passes(edits, base, vocabulary), ()
    located = locate_all(base)
    found = find(located, place)
    if isinstance(found.node, Adaptor):
        _require_pass(found.node.name, vocabulary)
    level, parent = Level.MODULE, found.parent
    while parent is not None:
        inner = ADAPTORS[located[parent].node.name].inner
        if inner is not None:
            level = inner
            break
        parent = located[parent].parent
    marker = _MARKERS.get(level)
    if marker is None:
        raise UserError(f"nothing is printed around {place}", hint="leave its number out")
    side = Side.BEFORE if when == "before" else Side.AFTER
    return marker, apply_passes([*edits, Insert(Pass(marker), side, found.place)], base, vocabulary)


def _chosen(dumps: Sequence[Dump], moment: Moment, asked: Place, symbol: str) -> str:
    if not 1 <= moment.run <= len(dumps):
        times = "once" if len(dumps) == 1 else f"{len(dumps)} times"
        raise UserError(
            f"there is no run {moment.run} of {asked} on {symbol}", cause=f"it ran {times}"
        )
    dump = dumps[moment.run - 1]
    where = dump.where.replace(f" in function {symbol}", "")
    on = f" on {where}" if where != symbol else ""
    head = f"; {moment.when} {asked} of {symbol}, run {moment.run} of {len(dumps)}{on}"
    return f"{head}\n{lean(dump.text.splitlines())}"
