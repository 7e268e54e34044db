"""What flags alone can do of a recipe: the words that a launcher adds, step by step."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from perfwright.program.plan import BuildPlan


class Flags(BaseModel):
    """The words to add, ready for use.

    Attributes:
        compile: to every step that compiles C or C++.
        link: to every step that links a program or a shared library.
        units: to the step that compiles one source, behind `compile`, by the end of its path.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    compile: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    units: dict[str, tuple[str, ...]] = {}


def obstacle(plan: BuildPlan) -> str:
    """Why flags alone cannot build by a plan; empty when they can."""
    if plan.unit_pipelines:
        return "it has pass pipelines for single units, which need opt between two steps"
    if plan.inputs or plan.overlay:
        return "it replaces sources"
    if any("#" in unit for unit in plan.unit_flags):
        return "it has flags for one of several compilations of the same source"
    return ""


def flags_of(plan: BuildPlan) -> Flags | None:
    """The words of a plan; `None` where there is an `obstacle`."""
    if obstacle(plan):
        return None
    return Flags(compile=plan.compile_words(), link=plan.link_words(), units=plan.unit_flags)
