"""All campaigns of one user: creating, finding, resuming, replaying and forgetting them."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from perfwright import __version__
from perfwright.core.budget import Usage
from perfwright.errors import UserError, unknown_name
from perfwright.store.campaign import (
    CampaignJournal,
    Meter,
    Now,
    Session,
    usage_of_sessions,
    utc_now,
)
from perfwright.store.database import Database
from perfwright.store.disk import unwritable
from perfwright.store.lease import Lease, is_held
from perfwright.store.records import RUNNING, CampaignRecord, Plan, campaign_from

LAST = "last"
"""Stands for the newest campaign wherever a campaign is named."""

_ARTEFACT = re.compile(r'"([0-9a-f]{64})"')
"""Artefacts are named in payloads by their digest, a JSON string of its own."""

_ENDED = {"improved", "no-gain"}


def random_token() -> str:
    """Six random hex digits: the last part of a campaign's id."""
    return secrets.token_hex(3)


class JournalStore:
    """The journal: `journal.sqlite3` in PERFWRIGHT_HOME.

    Args of `open`:
        home: the folder; made when it does not exist.
        now: the time that is written down.
        token: makes the last part of new ids.

    Raises (from every method):
        InternalError: the disk is full, or the journal is damaged.
        UserError: the folder cannot be used, or there is no such campaign.
    """

    def __init__(self, database: Database, leases: Path, now: Now, token: Callable[[], str]):
        self._database = database
        self._leases = leases
        self._now = now
        self._token = token

    @classmethod
    def open(
        cls, home: Path, *, now: Now = utc_now, token: Callable[[], str] = random_token
    ) -> Self:
        """The journal in a folder, new or brought up to date."""
        leases = home / "leases"
        try:
            leases.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(home, error) from error
        return cls(Database(home / "journal.sqlite3"), leases, now, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; journals of campaigns that came from here end with it."""
        self._database.close()

    def create_campaign(self, plan: Plan, meter: Meter = Usage) -> CampaignJournal:
        """Begin a campaign and its first session; `meter` says what the session has used."""
        self._database.check()
        name, lease = self._new_id(plan.program)
        started = self._now().isoformat(timespec="milliseconds")
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO campaigns (id, program, path, settings, toolchain, sources, seed,"
                " mind, version, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    plan.program,
                    str(plan.path),
                    json.dumps(dict(plan.settings)),
                    plan.toolchain,
                    json.dumps(dict(plan.sources)),
                    plan.seed,
                    plan.mind,
                    __version__,
                    started,
                ),
            )
        return self._begin_session(name, lease, meter)

    def open_campaign(self, name: str, meter: Meter = Usage) -> CampaignJournal:
        """Go on with a campaign in a new session.

        Raises:
            UserError: there is no such campaign, it has ended, or another process runs it.
        """
        self._database.check()
        campaign = self.find(name).id
        lease = self._lease(campaign)
        # Asked under the lease: another process may have ended it in between.
        status = self.find(campaign).status
        if status in _ENDED:
            lease.release()
            raise UserError(
                f"campaign {campaign} has ended: {status}", hint=f"perfwright show {campaign}"
            )
        return self._begin_session(campaign, lease, meter)

    def replay_campaign(self, name: str) -> CampaignJournal:
        """A campaign for reading only: a step that was not recorded raises `RecordEndsError`."""
        return CampaignJournal(self._database, self.find(name).id, now=self._now)

    def list(self) -> tuple[CampaignRecord, ...]:
        """All campaigns, newest first."""
        rows = self._database.rows("SELECT * FROM campaigns ORDER BY number DESC")
        return tuple(
            campaign_from(
                row,
                usage_of_sessions(self._database, row["id"]),
                alive=row["status"] == RUNNING and is_held(self._leases / row["id"]),
            )
            for row in rows
        )

    def find(self, name: str) -> CampaignRecord:
        """The campaign with this id, this unique beginning of an id, or the `last` one.

        Raises:
            UserError: there is none, or several begin like this; lists the nearest.
        """
        campaigns = self.list()
        if not campaigns:
            raise UserError("there is no campaign yet", hint="perfwright tune PROGRAM")
        if name == LAST:
            return campaigns[0]
        exact = [campaign for campaign in campaigns if campaign.id == name]
        found = exact or [campaign for campaign in campaigns if _names(name, campaign.id)]
        if len(found) == 1:
            return found[0]
        if not found:
            known = [campaign.id for campaign in campaigns]
            raise unknown_name("campaign", name, known, everything="perfwright runs")
        raise UserError(
            f"{len(found)} campaigns begin with {name!r}",
            cause=", ".join(campaign.id for campaign in found[:8]),
            hint=f"the newest of them is {found[0].id}",
        )

    def remove(self, name: str) -> None:
        """Forget a campaign.  Its artefacts are left to the artefact store's `collect`.

        Raises:
            UserError: another process runs it.
        """
        record = self.find(name)
        lease = self._lease(record.id)
        try:
            with self._database.transaction() as connection:
                connection.execute("DELETE FROM campaigns WHERE id = ?", (record.id,))
        finally:
            lease.release()

    def artefacts_in_use(self) -> Mapping[str, frozenset[str]]:
        """The digests of artefacts that each campaign's steps name, by campaign."""
        used: dict[str, set[str]] = {}
        for row in self._database.rows("SELECT campaign, payload FROM steps"):
            used.setdefault(row["campaign"], set()).update(_ARTEFACT.findall(row["payload"]))
        return {campaign: frozenset(digests) for campaign, digests in used.items()}

    def _lease(self, campaign: str) -> Lease:
        return Lease(self._leases / campaign, f"campaign {campaign}")

    def _new_id(self, program: str) -> tuple[str, Lease]:
        """An id that no campaign has, leased before anyone can see it."""
        slug = re.sub(r"[^a-z0-9]+", "-", program.lower()).strip("-")[:32] or "program"
        while True:
            name = f"{slug}-{self._token()}"
            if not self._database.rows("SELECT 1 FROM campaigns WHERE id = ?", (name,)):
                return name, self._lease(name)

    def _begin_session(self, campaign: str, lease: Lease, meter: Meter) -> CampaignJournal:
        try:
            number = self._next_session(campaign)
        except BaseException:
            lease.release()
            raise
        return CampaignJournal(self._database, campaign, Session(number, lease, meter), self._now)

    def _next_session(self, campaign: str) -> int:
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE campaigns SET status = ?, cause = '', ended = NULL WHERE id = ?",
                (RUNNING, campaign),
            )
            cursor = connection.execute(
                "INSERT INTO sessions (campaign, number, started)"
                " SELECT ?1, count(*) + 1, ?2 FROM sessions WHERE campaign = ?1 RETURNING number",
                (campaign, self._now().isoformat(timespec="milliseconds")),
            )
            return int(cursor.fetchone()[0])


def _names(text: str, campaign: str) -> bool:
    """Whether a text is the beginning of an id, or of its random part."""
    return bool(text) and (
        campaign.startswith(text) or campaign.rpartition("-")[2].startswith(text)
    )
