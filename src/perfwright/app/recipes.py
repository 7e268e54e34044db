"""Recipes: exported for ordinary builds, and verified on another day."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from perfwright.app.campaign.sources import digests
from perfwright.app.campaign.tune import plan_for, prepare
from perfwright.app.record.places import recipe_path, script_path
from perfwright.app.request import TuneRequest
from perfwright.app.setup import Setup
from perfwright.app.workplace import Workplace
from perfwright.core.budget import Meter
from perfwright.core.campaign import Status
from perfwright.core.candidate import BASELINE
from perfwright.core.events import Reporter
from perfwright.core.protocols import Refusal
from perfwright.core.verdict import Verdict
from perfwright.errors import ProgramError, ToolchainError, UserError
from perfwright.levels.fixed import AS_HANDED_OVER, FixedLevel
from perfwright.levels.fixed import NAME as RECIPE_LEVEL
from perfwright.measure.executor import open_executor
from perfwright.recipe.exports import export as export_recipe
from perfwright.recipe.model import Recipe
from perfwright.recipe.tools import ToolNames
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore
from perfwright.toolchain import discovery
from perfwright.units import format_ratio


class Verification(BaseModel):
    """What `perfwright verify` found."""

    recipe: str
    holds: bool
    same_code: bool
    """Whether the build gave the very machine code that was measured."""
    correct: bool
    verdict: Verdict | None
    speedup: float | None
    low: float | None
    high: float | None
    pairs: int
    promised: float
    notes: list[str]

    def lines(self) -> Iterator[str]:
        """A report for people."""
        yield f"{self.recipe}: {'holds' if self.holds else 'NO LONGER HOLDS'}"
        code = "the same as was measured" if self.same_code else "not what was measured then"
        yield f"  machine code  {code}"
        yield f"  results       {'right on every workload' if self.correct else 'WRONG'}"
        if self.speedup is not None:
            interval = f"95 % interval {self.low:.3f} to {self.high:.3f}, {self.pairs} pairs"
            yield f"  speed-up      {format_ratio(self.speedup)} ({interval})"
            yield f"  promised      {format_ratio(self.promised)}"
        for note in self.notes:
            yield f"  note          {note}"


def export(campaign: str, form: str) -> str:
    """The recipe of a campaign in one of the export formats.

    Raises:
        UserError: no such campaign, no recipe, or no such format.
    """
    settings = Settings.load()
    with JournalStore.open(settings.home) as store:
        record = store.find(campaign)
    path, script = recipe_path(settings, record), script_path(settings, record)
    hint = f"perfwright show {record.id}"
    if record.status != Status.IMPROVED:
        fact = f"campaign {record.id} has no recipe"
        raise UserError(fact, cause=f"it ended as {record.status}", hint=hint)
    for file in (path, script):
        if not file.exists():
            raise UserError(f"the recipe of campaign {record.id} is gone: {file}", hint=hint)
    recipe = Recipe.load(path)
    if recipe.campaign != record.id:
        raise UserError(
            f"{path} is not the recipe of campaign {record.id}",
            cause=f"campaign {recipe.campaign} has written there since",
            hint=hint,
        )
    text = script.read_text(encoding="utf-8")
    return export_recipe(recipe, form, text, tools=_tools(recipe))


def _tools(recipe: Recipe) -> ToolNames | None:
    """What the tools are called on this machine, if the recipe's LLVM is on it."""
    try:
        toolchain = discovery.select(str(recipe.major))
    except ToolchainError:
        return None
    return ToolNames.installed(toolchain, shutil.which)


def verify(path: Path, program: Path | None, reporter: Reporter) -> Verification:
    """Rebuild, check and measure a recipe again; leaves nothing behind.

    Raises:
        UserError: the file is no recipe, or the program is not where it was.
        ToolchainError: the recipe's LLVM is not installed.
        ProgramError: the program can no longer be built or run.
    """
    recipe = Recipe.load(path)
    if program is None and not recipe.program.exists():
        raise UserError(
            f"the recipe's program is not at {recipe.program}",
            hint=f"perfwright verify {path} --program WHERE_IT_IS",
        )
    request = TuneRequest(
        program=program or recipe.program,
        arguments=recipe.arguments,
        cwd=recipe.cwd,
        toolchain=str(recipe.major),
        cpu=recipe.cpu,
        metric=recipe.metric,
        seed=recipe.seed + 1,
        rounds=0,
    )
    setup = prepare(request)
    # Where `clean` finds it, should this be killed.
    work = setup.settings.home / "work"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="verify-", dir=work) as folder:
        elsewhere = setup.settings.model_copy(update={"home": Path(folder)})
        return _verify_in(replace(setup, settings=elsewhere), recipe, path, reporter)


def _verify_in(setup: Setup, recipe: Recipe, path: Path, reporter: Reporter) -> Verification:
    """Verify with a journal of its own, so that `last` stays the user's last campaign."""
    meter = Meter()
    with (
        JournalStore.open(setup.settings.home) as store,
        store.create_campaign(plan_for(setup), lambda: meter.usage) as journal,
        open_executor(setup.toolchain.tool("clang"), setup.settings.cache) as executor,
    ):
        levels = {RECIPE_LEVEL: FixedLevel(recipe.build)}
        place = Workplace(setup, journal, executor, meter, reporter, levels=levels)
        return _verified(place, recipe, path, _changes(recipe, setup))


def _changes(recipe: Recipe, setup: Setup) -> list[str]:
    """What is no longer as it was, as far as files and versions tell."""
    notes = []
    if setup.toolchain.version != recipe.toolchain:
        notes.append(f"LLVM was {recipe.toolchain} and is {setup.toolchain.version}")
    home = recipe.program if recipe.program.is_dir() else recipe.program.parent
    was = _from_root(recipe.sources, home)
    now = _from_root(digests(setup.spec), setup.spec.root)
    changed = sorted(name for name in was.keys() & now.keys() if was[name] != now[name])
    gone = sorted(was.keys() - now.keys())
    notes += [f"{path} has changed" for path in changed[:5]]
    notes += [f"{path} is gone" for path in gone[:5]]
    return notes


def _from_root(files: Mapping[str, str], root: Path) -> dict[str, str]:
    """The same by paths that start in the program's folder, which may have been moved."""
    return {os.path.relpath(path, root): digest for path, digest in files.items()}


def _verified(place: Workplace, recipe: Recipe, path: Path, notes: list[str]) -> Verification:
    baseline = place.workshop.build(BASELINE)
    if isinstance(baseline, Refusal):
        raise ProgramError("the program no longer builds", cause=baseline.reason)
    build = place.workshop.build(AS_HANDED_OVER)
    found = Verification(
        recipe=str(path),
        holds=False,
        same_code=False,
        correct=False,
        verdict=None,
        speedup=None,
        low=None,
        high=None,
        pairs=0,
        promised=recipe.result.speedup,
        notes=notes,
    )
    if isinstance(build, Refusal):
        return found.model_copy(update={"notes": [*notes, f"does not build: {build.reason}"]})
    checked = place.checker.check(build)
    same = build.code == recipe.code
    if build.code == baseline.code:
        more = [*notes, "the recipe changes nothing: the machine code is that of the baseline"]
        right = not isinstance(checked, Refusal)
        return found.model_copy(update={"same_code": same, "correct": right, "notes": more})
    if isinstance(checked, Refusal):
        more = [*notes, checked.reason]
        return found.model_copy(update={"same_code": same, "notes": more})
    said = place.measurer.confirm("verify", build, baseline)
    return found.model_copy(
        update={
            "holds": said.verdict is Verdict.FASTER,
            "same_code": same,
            "correct": True,
            "verdict": said.verdict,
            "speedup": said.ratio,
            "low": said.low,
            "high": said.high,
            "pairs": said.pairs,
        }
    )
