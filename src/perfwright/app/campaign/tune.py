"""The main job: tune a program, or go on with a campaign."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from perfwright.app.campaign.cpus import require_known
from perfwright.app.campaign.handover import hand_over
from perfwright.app.campaign.minds import check_minds, mind_of
from perfwright.app.campaign.observer import ProgramObserver, hot_symbols
from perfwright.app.campaign.sources import digests
from perfwright.app.record.reports import document_of, write_report
from perfwright.app.record.story import WARNED, loop_settings
from perfwright.app.request import AGENT, TuneRequest, likely_name
from perfwright.app.setup import Setup
from perfwright.app.workplace import Workplace
from perfwright.core.budget import Meter
from perfwright.core.campaign import Campaign, Status, Team, measure_all
from perfwright.core.events import Reporter, Warned
from perfwright.core.protocols import Build, Ground, Mind, Refusal, Situation
from perfwright.core.trial import Trial
from perfwright.core.verdict import Comparison
from perfwright.errors import PerfwrightError, UserError
from perfwright.measure.executor import open_executor
from perfwright.minds.assignment import SAMPLING, sampling_needs_client
from perfwright.program.spec import load
from perfwright.report.document import CampaignDocument, stillborn
from perfwright.settings import Settings
from perfwright.store.campaign import CampaignJournal
from perfwright.store.journal import JournalStore
from perfwright.store.records import Plan, refuse_changes
from perfwright.toolchain import discovery


@dataclass(frozen=True)
class Ended:
    """How a campaign ended: its document, and the error when it failed."""

    document: CampaignDocument
    error: PerfwrightError | None = None
    interrupted: bool = False


@dataclass(frozen=True)
class Lead:
    """Who leads a campaign, and who has the last look before a candidate is measured."""

    mind: Mind
    last_look: Callable[[Situation, Trial], Refusal | None] = measure_all


Cast = Callable[[Workplace], Lead]
"""Finds who leads the campaign at a workplace; called before anything is done there."""


def requested(place: Workplace) -> Lead:
    """The lead that the request names."""
    return Lead(mind_of(place))


def tune(request: TuneRequest, reporter: Reporter, cast: Cast = requested) -> Ended:
    """Run a campaign from the beginning.

    What goes wrong before there is a campaign (a missing file, no toolchain) is an `Ended`
    too, with a document that has no campaign.
    """
    meter = Meter()
    try:
        if cast is requested:
            refuse_outsiders(request)
        setup = prepare(request)
        with JournalStore.open(setup.settings.home) as store:
            journal = store.create_campaign(plan_for(setup), lambda: meter.usage)
            return _conduct(store, journal, setup, meter, reporter, cast=cast)
    except PerfwrightError as error:
        return Ended(_stillborn(request, Status.FAILED, error.summary, meter), error)
    except KeyboardInterrupt:
        return Ended(_stillborn(request, Status.INTERRUPTED, "", meter), interrupted=True)


def resume(name: str, reporter: Reporter, cast: Cast = requested) -> Ended:
    """Go on with an interrupted campaign.

    Raises:
        UserError: there is none, it has ended, or what it stands on has changed.
    """
    meter = Meter()
    settings = Settings.load()
    with JournalStore.open(settings.home) as store:
        record = store.find(name)
        request = TuneRequest.model_validate(record.plan.settings["request"])
        if cast is requested:
            refuse_outsiders(request, record.id)
        setup = prepare(request)
        refuse_changes(record, _fingerprint(setup), digests(setup.spec))
        journal = store.open_campaign(record.id, lambda: meter.usage)
        return _conduct(store, journal, setup, meter, reporter, cast=cast)


def refuse_outsiders(request: TuneRequest, campaign: str = "") -> None:
    """Refuse minds that can only be reached from where they are: over MCP.

    Raises:
        UserError: the request has one; for a campaign, says where it goes on.
    """
    if SAMPLING in request.assignment.models:
        tool = f'tune(campaign="{campaign}")'
        raise sampling_needs_client(f"perfwright mcp; its tool {tool}" if campaign else "")
    if request.mind == AGENT and campaign:
        raise UserError(
            f"campaign {campaign} is led by an agent over MCP",
            hint=f'perfwright mcp; its tool open, with campaign="{campaign}"',
        )
    if request.mind == AGENT:
        raise UserError(
            "the mind agent is a coding agent, over MCP",
            hint="let it call the tool open of `perfwright mcp`; or --mind builtin",
        )


def prepare(request: TuneRequest) -> Setup:
    """Read the program and choose the toolchain.

    Raises:
        UserError: the request or the program's file is wrong.
        MindError: the key of a model is missing.
        ToolchainError: there is no such toolchain.
    """
    if request.mind != AGENT:
        check_minds(request)
    settings = Settings.load()
    if request.out is not None:
        _make_folder(request.out, "name another folder with --out")
    _make_folder(settings.cache, "point PERFWRIGHT_CACHE at a folder that you may write")
    spec = load(request.program, request.arguments, request.cwd)
    toolchain = discovery.select(request.toolchain)
    host = discovery.host(toolchain)
    if request.cpu is not None:
        require_known(request.cpu, toolchain, host)
    return Setup(settings, spec, toolchain, host, request)


def _make_folder(folder: Path, hint: str) -> None:
    """Now, not when everything has been measured."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise UserError(
            f"cannot write to {folder}", cause=error.strerror or "", hint=hint
        ) from error
    if not os.access(folder, os.W_OK):
        raise UserError(f"cannot write to {folder}", hint=hint)


def _fingerprint(setup: Setup) -> str:
    return f"LLVM {setup.toolchain.version} {setup.toolchain.fingerprint}"


def _context(setup: Setup) -> dict[str, str]:
    """What a document says of toolchain and target, so that it can be read without them."""
    cpu = setup.host.cpu if setup.request.cpu == "native" else setup.request.cpu
    return {
        "version": setup.toolchain.version,
        "triple": setup.host.triple,
        "cpu": cpu or "generic",
    }


def plan_for(setup: Setup) -> Plan:
    """What the journal of a campaign begins with."""
    request = setup.request.settled(Path.cwd())
    return Plan(
        program=setup.spec.name,
        path=request.program,
        settings={"request": request.model_dump(mode="json"), "context": _context(setup)},
        toolchain=_fingerprint(setup),
        sources=digests(setup.spec),
        seed=request.seed,
        mind=str(request.assignment),
    )


def _conduct(
    store: JournalStore,
    journal: CampaignJournal,
    setup: Setup,
    meter: Meter,
    reporter: Reporter,
    *,
    cast: Cast,
) -> Ended:
    """Run the loop, and read from the journal what came of it.

    A campaign that came to its end has a report too.
    """
    error: PerfwrightError | None = None
    interrupted = False
    try:
        with journal:
            error = _run(setup, journal, meter, reporter, cast)
        if error is None:
            write_report(store, journal.campaign)
    except KeyboardInterrupt:
        interrupted = True
    except PerfwrightError as unwritten:  # on a full disk not even the end is in the journal
        error = unwritten
    document = document_of(store, journal.campaign)
    if error is not None:
        failed = {"status": Status.FAILED, "cause": error.summary}
        document = document.model_copy(update=failed)
    return Ended(document, error, interrupted)


def _run(
    setup: Setup, journal: CampaignJournal, meter: Meter, reporter: Reporter, cast: Cast
) -> PerfwrightError | None:
    """Run the loop and write down how it ended; the error when it failed.

    Raises:
        KeyboardInterrupt: the user ended it.
        InternalError: the journal cannot be written.
    """
    try:
        with open_executor(setup.toolchain.tool("clang"), setup.settings.cache) as executor:
            place = Workplace(setup, journal, executor, meter, reporter)
            outcome = _campaign(place, cast(place)).run()
            hand_over(place, outcome)
            journal.once(WARNED, tuple[Warned, ...], lambda: place.unheard(outcome.ground))
            journal.finish(outcome.status, outcome)
    except PerfwrightError as error:
        journal.finish(Status.FAILED, cause=error.summary)
        return error
    except KeyboardInterrupt:
        journal.finish(Status.INTERRUPTED)
        raise
    return None


def _campaign(place: Workplace, lead: Lead) -> Campaign:
    """The engine with everyone that it calls."""
    ground = place.journal.once("observe", Ground, lambda: observer_of(place).observe())
    place.workshop.hot = hot_symbols(ground.facts)
    place.staged_is_open = ground.identity != "differs"
    team = Team(
        observer=observer_of(place),
        mind=lead.mind,
        workshop=place.workshop,
        checker=place.checker,
        measurer=place.measurer,
        journal=place.journal,
        reporter=place.hear,
        spent=place.journal.spent,
        last_look=lead.last_look,
    )
    return Campaign(team, loop_settings(place.setup.request))


def observer_of(place: Workplace) -> ProgramObserver:
    """The observer of a campaign's program."""

    def compare(label: str, one: Build, other: Build) -> Comparison:
        return place.measurer.same_speed(label, one, other)

    return ProgramObserver(
        workshop=place.workshop,
        runs=place.runs,
        executor=place.metered,
        reference=lambda: place.reference,
        bitcode=lambda: place.bitcode,
        compare=compare,
        note=place.note,
        weak_oracle=place.setup.request.weak_oracle,
        seed=place.setup.request.seed,
        metric=lambda: place.metric,
    )


def _stillborn(request: TuneRequest, status: Status, cause: str, meter: Meter) -> CampaignDocument:
    return stillborn(
        status,
        cause,
        program=likely_name(request.program),
        mind=str(request.assignment),
        seed=request.seed,
        metric=request.metric or "cpu",
        seconds=meter.usage.seconds,
    )
