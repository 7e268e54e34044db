"""What is known of past campaigns, and what they take up."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from perfwright.app.record import reports
from perfwright.core.campaign import Status
from perfwright.report.document import CampaignDocument
from perfwright.settings import Settings
from perfwright.store.artefacts import ArtefactStore
from perfwright.store.journal import JournalStore
from perfwright.store.records import RUNNING
from perfwright.units import format_bytes

_ENDED = (Status.IMPROVED, Status.NO_GAIN)


class RunRecord(BaseModel):
    """One line of `perfwright runs`."""

    campaign: str
    program: str
    status: str
    started: str


class RunList(BaseModel):
    """What `perfwright runs` prints: newest first."""

    campaigns: list[RunRecord]

    def lines(self) -> Iterator[str]:
        """A table for people."""
        if not self.campaigns:
            yield "no campaign yet; begin one with: perfwright tune PROGRAM"
            return
        width = max(len(run.campaign) for run in self.campaigns)
        for run in self.campaigns:
            started = run.started.replace("T", " ")[:16]
            yield f"{run.campaign:<{width}}  {started}  {run.status:<11}  {run.program}"


class CleanReport(BaseModel):
    """What `perfwright clean` found and removed."""

    home: str
    campaigns: int
    artefact_bytes: int
    unused_bytes: int
    work_bytes: int
    removed_bytes: int
    removed_campaigns: list[str]

    def lines(self) -> Iterator[str]:
        """A report for people."""
        yield f"journal and artefacts in {self.home}"
        yield f"  campaigns  {self.campaigns}"
        yield f"  artefacts  {format_bytes(self.artefact_bytes)}"
        yield f"  unused     {format_bytes(self.unused_bytes)} of them"
        yield f"  work       {format_bytes(self.work_bytes)} of builds that can be made again"
        if self.removed_campaigns:
            yield f"  removed    {', '.join(self.removed_campaigns)}"
        if self.removed_bytes:
            yield f"  freed      {format_bytes(self.removed_bytes)}"
        elif self.unused_bytes or self.work_bytes:
            yield "  to free what is not needed: perfwright clean --unused"


def list_runs() -> RunList:
    """All campaigns, newest first."""
    with JournalStore.open(Settings.load().home) as store:
        return RunList(
            campaigns=[
                RunRecord(
                    campaign=record.id,
                    program=record.plan.program,
                    status=record.status,
                    started=record.started.isoformat(timespec="seconds"),
                )
                for record in store.list()
            ]
        )


def document_of(name: str) -> CampaignDocument:
    """One campaign, read from the journal.

    Raises:
        UserError: there is no such campaign.
    """
    with JournalStore.open(Settings.load().home) as store:
        return reports.document_of(store, name)


def write_report(name: str, out: Path | None = None) -> Path:
    """Write the HTML report of a campaign; beside its recipe when `out` is `None`.

    Raises:
        UserError: there is no such campaign.
    """
    with JournalStore.open(Settings.load().home) as store:
        return reports.write_report(store, name, out)


def clean(*, unused: bool, campaigns: tuple[str, ...]) -> CleanReport:
    """Report sizes; remove campaigns and what no campaign needs, when asked to.

    Raises:
        UserError: a campaign to remove does not exist or is running.
    """
    settings = Settings.load()
    artefacts = ArtefactStore(settings.artefacts)
    with JournalStore.open(settings.home) as store:
        removed = []
        for name in campaigns:
            record = store.find(name)
            store.remove(record.id)
            _remove(settings.home / "results" / record.id)
            _remove(settings.home / "work" / record.id)
            removed.append(record.id)
        used = store.artefacts_in_use()
        before = artefacts.sizes(used)
        kept = store.list()
    # Resuming needs the copy of a captured build, which cannot be made again as it was.
    resumable = {record.id for record in kept if record.status not in _ENDED}
    work = [p for p in _children(settings.home / "work") if p.name not in resumable]
    work_bytes = sum(_size(path) for path in work)
    freed = 0
    if unused:
        keep = frozenset().union(*used.values()) if used else frozenset()
        running = [r.started.timestamp() for r in kept if r.status == RUNNING]
        oldest = min(running, default=time.time())
        freed = artefacts.collect(keep, before=oldest).size_bytes + work_bytes
        for path in work:
            _remove(path)
    return CleanReport(
        home=str(settings.home),
        campaigns=len(kept),
        artefact_bytes=before.total,
        unused_bytes=before.orphaned,
        work_bytes=work_bytes,
        removed_bytes=freed,
        removed_campaigns=removed,
    )


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
