"""The IR of functions on its way through the passes: around any run of any pass.

What is printed is what the build does: the commands are those of the build plan, with LLVM
told to print around a pass.  LLVM prints by the names of passes, so for a place (`licm#2`) the
unit goes the staged road, with a pass that does nothing before that place: the runs right
behind it are those that are meant.  The pipeline is then the one that the edits make, or, of a
unit without edits of passes, the one that clang says it runs.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from perfwright.app.inside.builds import function_of, plan_of, require_passes, steps_to_ir
from perfwright.app.workplace import Workplace
from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.evidence import Fact
from perfwright.errors import UserError, unknown_name
from perfwright.evidence.irdump import Run, defined, lean, read_dumps, runs
from perfwright.pipeline.apply import apply_passes, pass_edits, settings
from perfwright.pipeline.edits import PassEdit, PipelineEdit, Replace, parse_edit
from perfwright.pipeline.fidelity import restored, text_options
from perfwright.pipeline.places import Place, find, locate_all
from perfwright.pipeline.tree import Adaptor, Node, Pass, Pipeline, parse
from perfwright.pipeline.vocabulary import ADAPTORS, Level, Vocabulary
from perfwright.program.build import DEFAULT_LIMITS
from perfwright.program.plan import RAW, BuildPlan, Paths, optimisation_level, unit_steps
from perfwright.toolchain.about import option_table, pass_registry
from perfwright.toolchain.process import Limits, ProcessResult

When = Literal["before", "after"]

_LIMITS = Limits(wall=60.0, memory=DEFAULT_LIMITS.memory)
_VECTORISER = "loop-vectorize"
_MARKERS = {
    Level.MODULE: ("no-op-module", "NoOpModulePass"),
    Level.CGSCC: ("no-op-cgscc", "NoOpCGSCCPass"),
    Level.FUNCTION: ("no-op-function", "NoOpFunctionPass"),
    Level.LOOP: ("no-op-loop", "NoOpLoopPass"),
    Level.LOOP_MSSA: ("no-op-loop", "NoOpLoopPass"),
}
"""Passes that do nothing, with what LLVM calls them when it prints."""


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

    def ir(self, name: str, moment: Moment, candidate: Candidate = BASELINE) -> str:
        """A function's IR, or of a loop in it, around a run of a pass in a candidate's build.

        The first line says which run it is, and of how many.

        Args:
            name: the function's symbol, or `unit:symbol`.

        Raises:
            UserError: the function, the pass or the run is not there, or the unit is optimised
                by the linker.
        """
        unit, symbol = function_of(self.facts, name)
        asked = _asked(moment.pass_name)
        plan = plan_of(self.place, candidate)
        require_passes(self.place, plan, unit)
        edits = [parse_edit(edit.text) for edit in candidate.edits]
        if asked.ordinal is None:
            _require_pass(asked.name, self._vocabulary())
            found = self._runs_by_name(plan, unit, symbol, asked.name)
        else:
            found = self._runs_at(plan, unit, symbol, asked, edits)
        if not found:
            raise self._never_ran(asked, symbol, plan, unit)
        return _chosen(found, moment, asked, symbol, self._note(plan, unit, edits))

    def functions(self, symbols: Sequence[str]) -> Mapping[str, str]:
        """The IR of functions as the vectoriser of loops finds it: inlined and simplified.

        A function that was inlined everywhere before has none.  One compilation a unit.

        Raises:
            UserError: a unit is optimised by the linker.
        """
        if _VECTORISER not in self._vocabulary().names:
            return {}
        wanted: dict[str, list[str]] = defaultdict(list)
        units: dict[str, str] = {}
        for fact in self._functions():  # the hottest first
            units.setdefault(str(fact.data["symbol"]), str(fact.data["unit"]))
        for symbol in dict.fromkeys(symbols):
            if symbol in units:
                wanted[units[symbol]].append(symbol)
        found: dict[str, str] = {}
        base = self.place.setup.base
        for unit, names in wanted.items():
            require_passes(self.place, base, unit)
            asking = (f"-print-before={_VECTORISER}", _only(names))
            said = self._run(unit, self._steps(base, unit, asking))
            for dump in read_dumps(said.error_text) if said.ok else ():
                found.setdefault(defined(dump.text), lean(dump.text.splitlines()))
        return {symbol: found[symbol] for symbol in symbols if symbol in found}

    def _functions(self) -> list[Fact]:
        return [fact for fact in self.facts if fact.kind == "function"]

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(pass_registry(self.place.setup.toolchain, self.place.setup.host))

    def _base(self) -> Pipeline:
        return restored(parse(self._vocabulary().registry.pipelines["default<O3>"]), "O3")

    def _runs_by_name(self, plan: BuildPlan, unit: str, symbol: str, name: str) -> tuple[Run, ...]:
        asking = (f"-print-before={name}", f"-print-after={name}", _only([symbol]))
        said = self._run(unit, self._steps(plan, unit, asking))
        return runs(read_dumps(_printed(said, unit)))

    def _runs_at(
        self,
        plan: BuildPlan,
        unit: str,
        symbol: str,
        asked: Place,
        edits: Sequence[PipelineEdit],
    ) -> tuple[Run, ...]:
        level = _marked_level(
            pipeline := _watching(
                asked, pass_edits(edits, unit), self._pipeline(plan, unit), self._vocabulary()
            )
        )
        if level is None:
            raise UserError(f"{asked} is not there any more", cause="these edits remove it")
        if level not in _MARKERS:
            raise UserError(f"nothing is printed around {asked}", hint="leave its number out")
        marker, called = _MARKERS[level]
        asking = (
            f"-print-before={marker},{asked.name}",
            f"-print-after={asked.name}",
            _only([symbol]),
        )
        staged = self._staged(plan, unit, _marked(pipeline), edits)
        said = self._run(unit, self._staged_steps(plan, staged, unit, asking))
        return runs(read_dumps(_printed(said, unit)), called)

    def _pipeline(self, plan: BuildPlan, unit: str) -> Pipeline:
        """What edits of passes start from; of a unit without any, what clang runs over it."""
        if unit in plan.unit_pipelines:
            return self._base()
        captured = self.place.captured.unit(unit)
        paths = Paths(self._out() / "unit.o", self._out() / "unit.bc", self._out() / "unit.bc")
        step = unit_steps(captured, self._quick(plan, unit), self.place.setup.toolchain, paths)[0]
        said = self._run(unit, [(*step.argv, "-mllvm", "-print-pipeline-passes")])
        if not said.ok:
            raise UserError(f"LLVM fails over {unit}", cause=said.outcome())
        return restored(parse(said.text.strip()), optimisation_level(captured, plan))

    def _staged(
        self, plan: BuildPlan, unit: str, pipeline: Pipeline, edits: Sequence[PipelineEdit]
    ) -> BuildPlan:
        """The plan with a pipeline text for the unit, and the options that a text needs."""
        words: tuple[str, ...] = ()
        if unit not in plan.unit_pipelines:
            chosen = dict(settings(edits, unit).options)
            table = option_table(self.place.setup.toolchain)
            level = optimisation_level(self.place.captured.unit(unit), plan)
            words = tuple(w for o in text_options(level, table, chosen) for w in ("-mllvm", o))
        flags = {**plan.unit_flags, unit: (*words, *plan.unit_flags.get(unit, ()))}
        changes = {"unit_pipelines": {unit: str(pipeline)}, "unit_flags": flags}
        return plan.model_copy(update=changes)

    def _staged_steps(
        self, plan: BuildPlan, staged: BuildPlan, unit: str, asking: Sequence[str]
    ) -> list[tuple[str, ...]]:
        """The steps of the staged plan; its front end is that of the unit's own road."""
        front, optimise = self._steps(staged, unit, asking)
        if unit in plan.unit_pipelines:
            return [front, optimise]
        # The level is part of the IR: the staged road's -O3 takes `optsize` off functions.
        paths = Paths(self._out() / "unit.bc", self._out() / "unit.bc", self._out() / "unit.bc")
        captured = self.place.captured.unit(unit)
        quick = self._quick(plan, unit)
        own = unit_steps(captured, quick, self.place.setup.toolchain, paths)[0].argv
        return [(*own, *RAW, "-emit-llvm"), optimise]

    def _steps(self, plan: BuildPlan, unit: str, asking: Sequence[str]) -> list[tuple[str, ...]]:
        captured = self.place.captured.unit(unit)
        return steps_to_ir(self.place, captured, self._quick(plan, unit), self._out(), asking)

    def _quick(self, plan: BuildPlan, unit: str) -> BuildPlan:
        """The plan with the unit's kept bitcode for its source, where that is the same IR."""
        place = self.place
        level = optimisation_level(place.captured.unit(unit), plan)
        if plan != place.setup.base or level != "O3":
            return plan
        return plan.model_copy(update={"inputs": {unit: place.bitcode[unit].plain}})

    def _out(self) -> Path:
        out = self.place.folder / "inside"
        out.mkdir(parents=True, exist_ok=True)
        return out

    def _run(self, unit: str, steps: Sequence[tuple[str, ...]]) -> ProcessResult:
        """The last of these commands that ran: the first that failed, or the end."""
        captured = self.place.captured.unit(unit)
        said: ProcessResult | None = None
        for argv in steps:
            said = self.place.workshop.site.runner(
                argv, cwd=captured.cwd, env=captured.env, limits=_LIMITS
            )
            if not said.ok:
                break
        assert said is not None, "a unit has at least one step"
        return said

    def _note(self, plan: BuildPlan, unit: str, edits: Sequence[PipelineEdit]) -> str:
        """Whose runs and places are counted, where that is not plain."""
        level = optimisation_level(self.place.captured.unit(unit), plan)
        if level == "O3" or any(isinstance(e, Replace) for e in pass_edits(edits, unit)):
            return ""
        if unit in plan.unit_pipelines:
            return f", of -O3, where edits of passes start; without them it is built at -{level}"
        return f", of -{level}, as it is built; edits of passes start from -O3"

    def _never_ran(self, asked: Place, symbol: str, plan: BuildPlan, unit: str) -> UserError:
        text = plan.unit_pipelines.get(unit)
        pipeline = self._pipeline(plan, unit) if text is None else parse(text)
        if asked.name not in {each.node.name for each in locate_all(pipeline)}:
            return UserError(
                f"{asked.name} is not part of this pipeline",
                hint=f"give it with edits, for example: insert {asked.name} after gvn#1",
            )
        return UserError(
            f"{asked} never ran on {symbol}",
            cause="the function was inlined everywhere or removed before, or has no loop for it",
        )


def _only(symbols: Sequence[str]) -> str:
    return f"-filter-print-funcs={','.join(symbols)}"


def _printed(said: ProcessResult, unit: str) -> str:
    if not said.ok:
        raise UserError(f"LLVM fails over {unit}", cause=said.outcome())
    return said.error_text


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


@dataclass(frozen=True)
class _Watched(Pass):
    """The pass at the place that is asked for: edits move, copy and set it like any other."""


def _watching(
    place: Place, edits: Sequence[PassEdit], base: Pipeline, vocabulary: Vocabulary
) -> Pipeline:
    """The edited pipeline, in which the pass at a place is a `_Watched`, wherever it went.

    Places are meant before any edit; those of a whole pipeline (`pipeline ...`) are its own.

    Raises:
        UserError: there is no such place.
    """
    if any(isinstance(edit, Replace) for edit in edits):
        base, edits = apply_passes(edits, base, vocabulary), ()
    found = find(locate_all(base), place)
    if isinstance(found.node, Adaptor):
        _require_pass(found.node.name, vocabulary)
    numbers = itertools.count()

    def watched(node: Node) -> Node:
        if next(numbers) == found.index:
            return _Watched(node.name, node.params)
        if isinstance(node, Adaptor):
            return replace(node, children=tuple(watched(child) for child in node.children))
        return node

    return apply_passes(edits, Pipeline(tuple(watched(n) for n in base.nodes)), vocabulary)


def _levels(nodes: Sequence[Node], level: Level = Level.MODULE) -> Iterator[tuple[Node, Level]]:
    for node in nodes:
        yield node, level
        if isinstance(node, Adaptor):
            yield from _levels(node.children, ADAPTORS[node.name].inner or level)


def _marked_level(pipeline: Pipeline) -> Level | None:
    """On what the watched pass runs; `None` when it was removed."""
    found = (level for node, level in _levels(pipeline.nodes) if isinstance(node, _Watched))
    return next(found, None)


def _marked(pipeline: Pipeline) -> Pipeline:
    """The pipeline with a pass that does nothing before each copy of the watched one."""

    def marked(nodes: Sequence[Node], level: Level) -> Iterator[Node]:
        for node in nodes:
            if isinstance(node, _Watched):
                yield Pass(_MARKERS[level][0])
            if isinstance(node, Adaptor):
                inner = ADAPTORS[node.name].inner or level
                yield replace(node, children=tuple(marked(node.children, inner)))
            else:
                yield node

    return Pipeline(tuple(marked(pipeline.nodes, Level.MODULE)))


def _chosen(found: Sequence[Run], moment: Moment, asked: Place, symbol: str, note: str) -> str:
    if not 1 <= moment.run <= len(found):
        times = "once" if len(found) == 1 else f"{len(found)} times"
        raise UserError(
            f"there is no run {moment.run} of {asked} on {symbol}", cause=f"it ran {times}"
        )
    run = found[moment.run - 1]
    dump = run.before if moment.when == "before" else run.after
    if dump is None:
        raise UserError(
            f"there is nothing after run {moment.run} of {asked} on {symbol}",
            cause="the pass removed what it ran on",
        )
    where = dump.where.replace(f" in function {symbol}", "")
    on = f" on {where}" if where != symbol else ""
    gone = ", which is gone or begun anew: the whole function" if dump.gone else ""
    head = f"; {moment.when} {asked} of {symbol}, run {moment.run} of {len(found)}{on}{gone}{note}"
    return f"{head}\n{lean(dump.text.splitlines())}"
