"""Where words go: JSON to standard output, everything for people to standard error."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import BaseModel

from perfwright.cli import debug
from perfwright.core.campaign import Status
from perfwright.errors import PerfwrightError
from perfwright.report.document import CampaignDocument, stillborn

if TYPE_CHECKING:
    from perfwright.app.campaign.tune import Ended
    from perfwright.app.record.replay import Replayed

INTERRUPTED = 130


def note(line: str) -> None:
    """One line for people."""
    print(line, file=sys.stderr, flush=True)


def show(model: BaseModel, lines: Iterable[str], *, json: bool) -> None:
    """A result: as one JSON object, or as lines for people."""
    if json:
        print(model.model_dump_json(by_alias=True, indent=2), flush=True)
        return
    for line in lines:
        note(line)


def ended(result: Ended, *, json: bool) -> None:
    """How a campaign ended.

    Raises:
        SystemExit: it failed or was interrupted; with the status for that.
    """
    if json or (result.error is None and not result.interrupted):
        campaign(result.document, json=json)
    if result.error is not None:
        raise SystemExit(explain(result.error))
    if result.interrupted:
        name = result.document.campaign
        note(f"interrupted; go on with: perfwright resume {name}" if name else "interrupted")
        raise SystemExit(INTERRUPTED)


def campaign(document: CampaignDocument, *, json: bool) -> None:
    """A campaign: as its document, or as the page that people read."""
    from perfwright.report.text import summary

    show(document, summary(document), json=json)


def replayed(result: Replayed, *, json: bool) -> None:
    """A campaign that was run again from its record, and what was compared."""
    campaign(result.document, json=json)
    for line in result.lines():
        note(line)


def failed(error: PerfwrightError, *, json: bool, document: CampaignDocument | None = None) -> int:
    """Tell an error that left nothing else to show; returns the exit status for it."""
    if json:
        show(document or stillborn(Status.FAILED, error.summary), (), json=True)
    return explain(error)


def interrupted(*, json: bool) -> int:
    """Tell that the user ended it before there was anything to go on with."""
    if json:
        show(stillborn(Status.INTERRUPTED), (), json=True)
    note("interrupted")
    return INTERRUPTED


def explain(error: PerfwrightError) -> int:
    """Fact, cause and hint for people; with `--debug` where it comes from as well."""
    if debug.is_on():
        traceback.print_exception(error)
    note(f"perfwright: {error}")
    return error.exit_status
