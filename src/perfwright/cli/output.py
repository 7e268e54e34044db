"""Where words go: JSON to standard output, everything for people to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import BaseModel

from perfwright.report.document import CampaignDocument

if TYPE_CHECKING:
    from perfwright.app.tune import Ended


def note(line: str) -> None:
    """One line for people."""
    print(line, file=sys.stderr, flush=True)


def show(model: BaseModel, lines: Iterable[str], *, json: bool) -> None:
    """A result: as one JSON object, or as lines for people."""
    if json:
        print(model.model_dump_json(by_alias=True, indent=2))
        return
    for line in lines:
        note(line)


def ended(result: Ended, *, json: bool) -> None:
    """How a campaign ended; leaves with the status of the error if it failed.

    Raises:
        PerfwrightError: the error that ended it.
        KeyboardInterrupt: it was interrupted.
    """
    if json or result.error is None:
        campaign(result.document, json=json)
    if result.error is not None:
        raise result.error
    if result.interrupted:
        raise KeyboardInterrupt


def campaign(document: CampaignDocument, *, json: bool) -> None:
    """A campaign: as its document, or as the page that people read."""
    from perfwright.report.text import summary

    show(document, summary(document), json=json)
