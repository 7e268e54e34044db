"""Reproducers of trials that did not build: saved anew, and made small on request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from perfwright.app.campaign.tune import prepare
from perfwright.app.record.places import REPRODUCERS, results_folder
from perfwright.app.record.story import Story, read_story
from perfwright.app.request import TuneRequest
from perfwright.app.workplace import Workplace
from perfwright.core.budget import Meter
from perfwright.core.candidate import Candidate
from perfwright.core.events import silent
from perfwright.core.protocols import Refusal
from perfwright.core.trial import Trial, TrialState
from perfwright.errors import ProgramError, UserError, unknown_name
from perfwright.measure.executor import open_executor
from perfwright.program.build import DEFAULT_LIMITS, BuildFailure, build
from perfwright.program.plan import BuildPlan
from perfwright.program.reduction import Reduction, reduce
from perfwright.program.reproducer import Culprit, Reproducer, save
from perfwright.settings import Settings
from perfwright.store.journal import JournalStore
from perfwright.units import Seconds, format_bytes

DEFAULT_SECONDS = Seconds(120.0)


class ReducedTo(BaseModel):
    """How small the input got."""

    file: str
    text: str | None
    before_bytes: int
    after_bytes: int
    finished: bool


class Reproduction(BaseModel):
    """What `perfwright reproduce` wrote."""

    campaign: str
    trial: str
    kind: str
    reason: str
    folder: str
    script: str
    shown: bool
    """Whether the saved command was seen to fail again; hangs are not waited for."""
    reduced: ReducedTo | None = None
    notes: list[str] = []

    def lines(self) -> Iterator[str]:
        """A report for people."""
        yield f"trial {self.trial} of {self.campaign}: {self.reason}"
        yield f"  show it again  sh {self.script}"
        if self.reduced is not None:
            sizes = (format_bytes(n) for n in (self.reduced.before_bytes, self.reduced.after_bytes))
            how = "" if self.reduced.finished else "; the time was up, --time gives more"
            yield f"  reduced        {' to '.join(sizes)} of bitcode{how}"
            yield f"  see            {self.reduced.text or self.reduced.file}"
        for note in self.notes:
            yield f"  note           {note}"


def reproduce(
    campaign: str,
    trial: str,
    *,
    reduced: bool = False,
    seconds: float = DEFAULT_SECONDS,
    out: Path | None = None,
) -> Reproduction:
    """Build an unbuildable trial again and save what shows how it fails.

    Args:
        campaign: its name, as for the other commands.
        trial: the id of one of its trials.
        reduced: make the input small with llvm-reduce.
        seconds: wall time for reducing; also what a build may take before it counts as hung.
        out: a folder for it; beside the campaign's recipe when `None`.

    Raises:
        UserError: there is no such campaign or trial, or the trial did build.
        ProgramError: the trial builds now.
        ToolchainError: a tool is not installed.
    """
    settings = Settings.load()
    with JournalStore.open(settings.home) as store:
        record = store.find(campaign)
        request = TuneRequest.model_validate(record.plan.settings["request"])
        journal = store.replay_campaign(record.id)
        story = read_story(journal, request)
        wanted = _unbuildable(story, trial, record.id)
        setup = prepare(request)
        with open_executor(setup.toolchain.tool("clang"), settings.cache) as executor:
            place = Workplace(setup, journal, executor, Meter(), silent, try_pipelines=False)
            place.staged_is_open = story.ground is None or story.ground.identity != "differs"
            failure, plan = _failed_again(place, wanted.candidate, seconds)
        culprit = Culprit(place.captured, plan, setup.toolchain)
    beside = results_folder(settings, record.id, request) / REPRODUCERS / wanted.candidate.id
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not empty", hint="--out FOLDER names a new one")
    found = save(failure, culprit, out.absolute() if out else beside)
    small = reduce(found, setup.toolchain, Seconds(seconds)) if reduced else None
    return _reproduction(record.id, trial, failure, found, small, asked=reduced)


def _unbuildable(story: Story, name: str, campaign: str) -> Trial:
    trials = {trial.id: trial for trial in story.trials}
    if name not in trials:
        raise unknown_name("trial", name, trials)
    found = trials[name]
    if found.state is not TrialState.UNBUILDABLE:
        raise UserError(
            f"trial {name} has nothing to reproduce: it is {found.state}",
            cause="only trials that ended as unbuildable have",
            hint=f"perfwright show {campaign}",
        )
    return found


def _failed_again(
    place: Workplace, draft: Candidate, seconds: float
) -> tuple[BuildFailure, BuildPlan]:
    """Build it once more, by the plan that it had."""
    workshop = place.workshop
    repaired = workshop.repair(draft)
    plan = repaired if isinstance(repaired, Refusal) else workshop.plan(repaired.candidate)
    if isinstance(plan, Refusal):
        raise ProgramError("the trial cannot be built again", cause=plan.reason)
    site = workshop.site
    limits = replace(DEFAULT_LIMITS, wall=min(DEFAULT_LIMITS.wall or seconds, seconds))
    folder = site.folder / "reproduced"
    made = build(
        site.captured, plan, site.toolchain, folder, site.runner, store=site.objects, limits=limits
    )
    if not isinstance(made, BuildFailure):
        raise ProgramError(
            "the trial builds now",
            cause="the toolchain or the program has changed, or the machine was short of memory",
            hint="perfwright tune it again",
        )
    return made, plan


def _reproduction(
    campaign: str,
    trial: str,
    failure: BuildFailure,
    found: Reproducer,
    small: Reduction | None,
    *,
    asked: bool,
) -> Reproduction:
    notes = []
    if not found.shown and failure.kind != "timeout":
        notes.append("the saved files do not show it: run.sh is the command as it was")
    if asked and small is None and found.reducible is None:
        notes.append("there is no bitcode to reduce: the failure does not come from IR")
    elif asked and small is None:
        notes.append("not reduced: it did not fail in the same way under the limits")
    return Reproduction(
        campaign=campaign,
        trial=trial,
        kind=failure.kind,
        reason=str(failure),
        folder=str(found.folder),
        script=str(found.script),
        shown=found.shown,
        reduced=_reduced_to(small) if small else None,
        notes=notes,
    )


def _reduced_to(small: Reduction) -> ReducedTo:
    return ReducedTo(
        file=str(small.bitcode),
        text=str(small.readable) if small.readable else None,
        before_bytes=small.before,
        after_bytes=small.after,
        finished=small.finished,
    )
