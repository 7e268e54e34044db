"""The journal of one campaign: core's `Journal` and `PairLog` over the database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from perfwright.core.budget import Usage
from perfwright.core.campaign import Outcome, Status
from perfwright.errors import UserError
from perfwright.store import codec
from perfwright.store.database import Database
from perfwright.store.lease import Lease
from perfwright.store.records import Dialogue, StepRecord

T = TypeVar("T")
P = TypeVar("P")

Now = Callable[[], datetime]
Meter = Callable[[], Usage]


class RecordEndsError(UserError):
    """A replay asks for a step that the campaign never finished."""


def utc_now() -> datetime:
    """The present time, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Session:
    """The right to write: one process, from opening a campaign to closing it.

    `meter` says what this session has used so far; it is stored with every commit, so that
    a killed session is accounted for up to its last one.
    """

    number: int
    lease: Lease
    meter: Meter


def usage_of_sessions(database: Database, campaign: str, *, but: Session | None = None) -> Usage:
    """What the sessions of a campaign have used, as stored with their last commits."""
    rows = database.rows(
        "SELECT requests, tokens, usd, seconds, compile_seconds, run_seconds FROM sessions"
        " WHERE campaign = ? AND number IS NOT ?",
        (campaign, but.number if but else None),
    )
    return sum((Usage(*row) for row in rows), Usage())


class CampaignJournal:
    """What one campaign has done.  With a session it records; without one it only replays.

    Every outcome goes through its stored form before it is returned, so that a campaign
    decides the same whether a step was just done or is read back.
    """

    def __init__(
        self,
        database: Database,
        campaign: str,
        session: Session | None = None,
        now: Now = utc_now,
    ) -> None:
        self.campaign = campaign
        self._database = database
        self._session = session
        self._now = now
        self._earlier = usage_of_sessions(database, campaign, but=session)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def once(self, key: str, kind: Any, compute: Callable[[], T]) -> T:
        """See `perfwright.core.protocols.Journal`.

        Raises:
            RecordEndsError: replaying, and there is no such step.
            InternalError: the disk is full; the step is not recorded.
        """
        rows = self._read("SELECT kind, payload FROM steps WHERE campaign = ? AND key = ?", key)
        if rows:
            known: T = codec.decode(kind, rows[0]["kind"], rows[0]["payload"])
            return known
        self._session_or_end(f"step {key!r}")
        name, payload = codec.encode(kind, compute())
        # Decoded before the commit: what cannot be read back must not be written.
        value: T = codec.decode(kind, name, payload)
        self._commit(
            "INSERT INTO steps (campaign, seq, key, kind, payload, at)"
            " SELECT :campaign, count(*), :key, :kind, :payload, :at FROM steps"
            " WHERE campaign = :campaign",
            key=key,
            kind=name,
            payload=payload,
        )
        return value

    def pairs(self, kind: type[P]) -> CampaignPairs[P]:
        """The timed pairs of this campaign, as records of one type (`core`'s `PairLog`)."""
        return CampaignPairs(self, kind)

    def record(self, dialogue: Dialogue) -> None:
        """Commit one answered request to a model."""
        self._commit(
            "INSERT INTO dialogues (campaign, number, role, request, answer, tokens, usd, at)"
            " SELECT :campaign, count(*), :role, :request, :answer, :tokens, :usd, :at"
            " FROM dialogues WHERE campaign = :campaign",
            role=dialogue.role,
            request=json.dumps(dict(dialogue.request)),
            answer=json.dumps(dict(dialogue.answer)),
            tokens=dialogue.tokens,
            usd=dialogue.usd,
        )

    def dialogues(self) -> tuple[Dialogue, ...]:
        """What was asked and answered, in order."""
        rows = self._read("SELECT * FROM dialogues WHERE campaign = ? ORDER BY number")
        return tuple(
            Dialogue(
                role=row["role"],
                request=json.loads(row["request"]),
                answer=json.loads(row["answer"]),
                tokens=row["tokens"],
                usd=row["usd"],
            )
            for row in rows
        )

    def steps(self) -> tuple[StepRecord, ...]:
        """The finished steps, in order."""
        rows = self._read("SELECT * FROM steps WHERE campaign = ? ORDER BY seq")
        return tuple(
            StepRecord(
                seq=row["seq"],
                key=row["key"],
                kind=row["kind"],
                payload=row["payload"],
                at=datetime.fromisoformat(row["at"]),
            )
            for row in rows
        )

    def usage(self) -> Usage:
        """What the campaign has used in all its sessions, this one included."""
        return self._earlier + (self._session.meter() if self._session else Usage())

    def spent(self) -> float:
        """Wall seconds in all sessions: what a time budget is compared with."""
        return self.usage().seconds

    def finish(self, status: Status, outcome: Outcome | None = None, *, cause: str = "") -> None:
        """Write how the campaign ended; `cause` says why it failed."""
        self._commit(
            "UPDATE campaigns SET status = :status, cause = :cause, outcome = :outcome,"
            " ended = :at WHERE id = :campaign",
            status=str(status),
            cause=cause,
            outcome=codec.encode(Outcome, outcome)[1] if outcome else None,
        )

    def sources(self) -> Mapping[str, str]:
        """Digest of each file that the campaign began with, by path."""
        rows = self._read("SELECT sources FROM campaigns WHERE id = ?")
        found: dict[str, str] = json.loads(rows[0]["sources"])
        return found

    def outcome(self) -> Outcome | None:
        """The result; `None` as long as there is none."""
        rows = self._read("SELECT outcome FROM campaigns WHERE id = ?")
        if not rows or rows[0]["outcome"] is None:
            return None
        outcome: Outcome = codec.decode(Outcome, "Outcome", rows[0]["outcome"])
        return outcome

    def close(self) -> None:
        """End the session and let other processes have the campaign; the store stays open."""
        session, self._session = self._session, None
        if session is None:
            return
        self._earlier += session.meter()
        try:
            with self._database.transaction() as connection:
                self._account(connection, session, ended=self._stamp())
        finally:
            session.lease.release()

    def _read(self, sql: str, *parameters: str) -> list[sqlite3.Row]:
        return self._database.rows(sql, (self.campaign, *parameters))

    def _session_or_end(self, what: str) -> Session:
        if self._session is None:
            raise RecordEndsError(
                f"the record of {self.campaign} ends here: {what} was never finished",
                hint=f"perfwright resume {self.campaign}",
            )
        return self._session

    def _commit(self, sql: str, **values: str | float | None) -> None:
        """Execute one statement and account for the session, in one transaction."""
        session = self._session_or_end("this")
        values |= {"campaign": self.campaign, "at": self._stamp()}
        with self._database.transaction() as connection:
            connection.execute(sql, values)
            self._account(connection, session)

    def _account(
        self, connection: sqlite3.Connection, session: Session, ended: str | None = None
    ) -> None:
        connection.execute(
            "UPDATE sessions SET requests = :requests, tokens = :tokens, usd = :usd,"
            " seconds = :seconds, compile_seconds = :compile_seconds,"
            " run_seconds = :run_seconds, ended = :ended"
            " WHERE campaign = :campaign AND number = :number",
            {
                **asdict(session.meter()),
                "ended": ended,
                "campaign": self.campaign,
                "number": session.number,
            },
        )

    def _stamp(self) -> str:
        return self._now().isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class CampaignPairs(Generic[P]):
    """Core's `PairLog` for one type of record."""

    journal: CampaignJournal
    kind: type[P]

    def recorded(self, label: str) -> list[P]:
        """The finished pairs of a comparison, in the order in which they were timed."""
        rows = self.journal._read(
            "SELECT kind, payload FROM pairs WHERE campaign = ? AND label = ? ORDER BY number",
            label,
        )
        return [codec.decode(self.kind, row["kind"], row["payload"]) for row in rows]

    def append(self, label: str, record: P) -> None:
        """Commit one finished pair.

        Raises:
            RecordEndsError: replaying.
        """
        self.journal._session_or_end(f"a pair of {label!r}")
        name, payload = codec.encode(self.kind, record)
        self.journal._commit(
            "INSERT INTO pairs (campaign, label, number, kind, payload, at)"
            " SELECT :campaign, :label, count(*), :kind, :payload, :at FROM pairs"
            " WHERE campaign = :campaign AND label = :label",
            label=label,
            kind=name,
            payload=payload,
        )
