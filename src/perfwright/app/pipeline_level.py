"""The level `pipeline` at a workplace: what is mended there is tried by opt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfwright.core.protocols import Refusal
from perfwright.levels.pipeline.level import PipelineLevel
from perfwright.pipeline.repair_edit import EditRepairer
from perfwright.pipeline.tree import parse
from perfwright.pipeline.validate import validate
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.program.build import BuildFailure, Kind
from perfwright.program.plan import machine_options, optimised_by_linker
from perfwright.toolchain.about import option_table, pass_registry

if TYPE_CHECKING:
    from perfwright.app.workplace import Workplace


def pipeline_level(place: Workplace) -> PipelineLevel:
    """Mends and plans edits of passes, options and the kind of link, for this program."""
    setup = place.setup
    registry = pass_registry(setup.toolchain, setup.host)
    repairer = EditRepairer(
        base=parse(registry.pipelines["default<O3>"]),
        vocabulary=Vocabulary(registry),
        options=option_table(setup.toolchain),
    )
    return PipelineLevel(
        repairer=repairer,
        unit_names=tuple(unit.name for unit in place.captured.units),
        try_out=_Trial(place).try_out,
        host_cpu=setup.host.cpu,
        staged=lambda: place.staged_is_open,
        linked=frozenset(
            unit.name for unit in place.captured.units if optimised_by_linker(unit, setup.base)
        ),
    )


@dataclass(frozen=True)
class _Trial:
    """Runs opt with edited pipelines over the program's units, before anything is built."""

    place: Workplace

    def try_out(self, unit: str, pipeline: str, options: tuple[str, ...]) -> Refusal | None:
        """Run opt with a pipeline over one unit, verifier on; what it refuses."""
        place = self.place
        if not place.try_pipelines:
            return None
        flags = (*place.captured.unit(unit).argv, *place.setup.base.compile_flags)
        said = validate(
            pipeline,
            place.bitcode[unit].plain,
            opt=place.setup.toolchain.tool("opt"),
            options=(*options, *machine_options(flags)),
            runner=place.compiling,
        )
        if isinstance(said, Refusal) and said.broken:
            return self._failed(unit, pipeline, options, said)
        return said if isinstance(said, Refusal) else None

    def _failed(self, unit: str, pipeline: str, options: tuple[str, ...], said: Refusal) -> Refusal:
        """A crash or a hang of opt, saved like one of a build by the staged road."""
        place = self.place
        words = tuple(word for option in options for word in ("-mllvm", option))
        changes = {"unit_pipelines": {unit: pipeline}, "unit_flags": {unit: words}}
        plan = place.setup.base.model_copy(update=changes)
        kind: Kind = "timeout" if said.broken == "timeout" else "crash"
        failure = BuildFailure(kind, "optimise", unit, said.reason, said.reproducer)
        name = hashlib.sha256("\0".join([unit, pipeline, *options]).encode()).hexdigest()[:12]
        return place.workshop.refusal(failure, f"opt-{name}", plan)
