"""The level `pipeline`: from edits in text form to what a build does differently.

Edits of options and flags build on the user's own road, whatever it is.  Edits of passes need
a pipeline: with `link whole-program` lld runs it over the merged program; without, `opt` runs
it over each unit (the staged road), which no stock build can do and the recipe says so.

A program whose own build says `-flto` is optimised when it is linked: options go to its linker
too, and edits of passes must say what becomes of that link.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from perfwright.core.candidate import Edit
from perfwright.core.protocols import Refusal
from perfwright.errors import UserError, shortened, unknown_name
from perfwright.levels.protocol import Mended
from perfwright.pipeline.apply import apply_passes, pass_edits, settings, units
from perfwright.pipeline.edits import LinkMode, PassEdit, PipelineEdit, SetOption, parse_edit
from perfwright.pipeline.fidelity import restored, text_options
from perfwright.pipeline.repair_edit import EditRepairer
from perfwright.pipeline.tree import Pipeline
from perfwright.program.linker import link_option, plugin_option
from perfwright.program.plan import NO_LTO, BuildPlan

NAME = "pipeline"


@dataclass(frozen=True)
class PipelineLevel:
    """Implements `perfwright.levels.protocol.Level`.

    Attributes:
        repairer: mends edits; knows the -O3 pipeline, the passes and the options.
        unit_names: the program's units.
        try_out: runs opt with a pipeline and options over a unit's IR; what it refuses.
        host_cpu: what `native` means, so that a recipe means the same everywhere.
        staged: whether the staged road is open (the identity check).
        linked: the units whose passes run at link time in the program's own build (`-flto`).
    """

    repairer: EditRepairer
    unit_names: tuple[str, ...]
    try_out: Callable[[str, str, tuple[str, ...]], Refusal | None]
    host_cpu: str = ""
    staged: Callable[[], bool] = lambda: True
    linked: frozenset[str] = frozenset()

    def repair(self, edits: tuple[Edit, ...]) -> Mended | Refusal:
        """Mend each edit; refuse what contradicts, fits nowhere, or makes opt fail."""
        kept: dict[Edit, tuple[Edit, ...]] = {}
        repairs: list[str] = []
        for edit in edits:
            mended = self.repairer.repair(edit.text)
            if isinstance(mended, Refusal):
                reason = f"{shortened(edit.text)}: {mended.reason}"
                return Refusal(reason, mended.reproducer)
            kept[edit] = (Edit(NAME, str(mended.value)),)
            repairs += mended.repairs
        valid = tuple(dict.fromkeys(edit for found in kept.values() for edit in found))
        plan = self.plan(valid, BuildPlan())
        if isinstance(plan, Refusal):
            return plan
        refused = self._tried_out([parse_edit(edit.text) for edit in valid])
        return refused or Mended(valid, tuple(dict.fromkeys(repairs)), kept)

    def plan(self, edits: tuple[Edit, ...], base: BuildPlan) -> BuildPlan | Refusal:
        """The base plan with these edits; refuses what `repair` would refuse or change.

        All builds come by here, also those of drafts that never passed `repair`, and an edit
        that is not allowed could run code or write files in the compiler.
        """
        try:
            parsed = [parse_edit(edit.text) for edit in edits]
            self.repairer.check_mended(parsed)
            self.repairer.check_together(parsed)
            return self._plan(parsed, base)
        except UserError as error:
            return Refusal(error.summary)

    def _plan(self, edits: list[PipelineEdit], base: BuildPlan) -> BuildPlan | Refusal:
        unknown = [name for name in units(edits) if name not in self.unit_names]
        if unknown:
            known = unknown_name("unit", unknown[0], self.unit_names).cause
            return Refusal(f"there is no unit {shortened(unknown[0])!r}; {known}")
        everywhere = settings(edits)
        whole = everywhere.link is LinkMode.WHOLE_PROGRAM
        passes = self._passes(edits, whole)
        if isinstance(passes, Refusal):
            return passes
        if passes.program is not None:
            narrow = [e for e in edits if isinstance(e, SetOption) and e.unit is not None]
            if narrow:
                return Refusal(_no_pass_runs(narrow[0]))
        compile_flags = [*base.compile_flags, *map(self._flag, everywhere.flags)]
        for option in everywhere.mllvm():
            compile_flags += ["-mllvm", option]
        link_flags = list(base.link_flags)
        if whole:
            for option in (*everywhere.mllvm(), *passes.options):
                link_flags += link_option(option)
        elif self.linked and everywhere.link is None:
            for option in everywhere.mllvm():
                link_flags += plugin_option(option)
        if everywhere.link is LinkMode.PER_UNIT:  # the build may say -flto
            compile_flags += NO_LTO
            link_flags += NO_LTO
        changes = {
            "whole_program": whole,
            "compile_flags": tuple(compile_flags),
            "link_flags": tuple(link_flags),
            "unit_flags": self._unit_flags(edits, passes),
            "pipeline": passes.program,
            "unit_pipelines": passes.units,
        }
        return BuildPlan.model_validate({**base.model_dump(), **changes})

    def _unit_flags(self, edits: list[PipelineEdit], passes: _Passes) -> dict[str, tuple[str, ...]]:
        """What holds for single units: what a pipeline of their own needs, and their edits.

        Of an option that is given twice the last counts.
        """
        everywhere = settings(edits)
        found: dict[str, tuple[str, ...]] = {}
        for name in self.unit_names:
            mine = settings(edits, name)
            words = [self._flag(f) for f in mine.flags if f not in everywhere.flags]
            own = [option for option in mine.mllvm() if option not in everywhere.mllvm()]
            for option in (*(passes.options if name in passes.units else ()), *own):
                words += ["-mllvm", option]
            if words:
                found[name] = tuple(words)
        return found

    def _passes(self, edits: list[PipelineEdit], whole: bool) -> _Passes | Refusal:
        """The pipelines that edits of passes ask for."""
        common = pass_edits(edits)
        own = {name: pass_edits(edits, name) for name in units(edits)}
        if not common and not any(own.values()):
            return _Passes()
        base = restored(self.repairer.base, "O3")
        chosen = dict(settings(edits).options)
        options = text_options("O3", self.repairer.options, chosen)
        if whole:
            if any(passes != common for passes in own.values()):
                return Refusal(
                    "edits of passes for single units do not go with link whole-program: lld runs "
                    "one pipeline over the merged program"
                )
            return _Passes(str(self._edited(common, base)), {}, options)
        missed = [name for name in self.unit_names if name in self.linked and own.get(name, common)]
        if missed and settings(edits).link is None:
            return Refusal(
                f"edits of passes do not reach {shortened(missed[0])}: the program is built with "
                "-flto, and its passes run when it is linked; add link whole-program to replace "
                "them there, or link per-unit to optimise without it"
            )
        if not self.staged():
            return Refusal(
                "edits of passes need the staged road, which is closed: for this program it does "
                "not give the speed of clang itself; add link whole-program"
            )
        pipelines = {}
        for name in self.unit_names:
            wanted = own.get(name, common)
            if wanted:
                pipelines[name] = str(self._edited(wanted, base))
        return _Passes(None, pipelines, options)

    def _edited(self, edits: Sequence[PassEdit], base: Pipeline) -> Pipeline:
        return apply_passes(edits, base, self.repairer.vocabulary)

    def _tried_out(self, edits: list[PipelineEdit]) -> Refusal | None:
        """What opt says to the pipelines on the program's IR: lld would abort without a reason."""
        whole = settings(edits).link is LinkMode.WHOLE_PROGRAM
        passes = self._passes(edits, whole)
        if isinstance(passes, Refusal):
            return passes
        for name in self.unit_names:
            pipeline = passes.program or passes.units.get(name)
            if pipeline is not None:
                options = (*passes.options, *settings(edits, name).mllvm())
                refused = self.try_out(name, pipeline, options)
                if refused is not None:
                    return refused
        return None

    def _flag(self, flag: str) -> str:
        name, _, value = flag.partition("=")
        return f"{name}={self.host_cpu}" if value == "native" and self.host_cpu else flag


def _no_pass_runs(edit: SetOption) -> str:
    # Without edits of passes the units are optimised a first time before the link, and options
    # of one unit do change its code then.
    return (
        f"'{shortened(str(edit))}' would do nothing: with link whole-program and edits of passes, "
        "all passes run over the merged program and none over a single unit; write "
        f"'{shortened(str(replace(edit, unit=None)))}', for the whole program"
    )


@dataclass(frozen=True)
class _Passes:
    """A pipeline over the program, or one for each unit that differs, and their options."""

    program: str | None = None
    units: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
