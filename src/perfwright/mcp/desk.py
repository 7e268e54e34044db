"""The one campaign that a server works on, and which programs it may be about."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from perfwright.app.request import TuneRequest
from perfwright.app.session import Session, open_session, resume_session
from perfwright.errors import UserError


@dataclass
class Desk:
    """Holds the open session.

    Attributes:
        here: relative names of programs start here.
        allowed: programs, or folders with programs, that may be opened; nothing else may.
    """

    here: Path
    allowed: tuple[Path, ...]
    _session: Session | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def session(self) -> Session:
        """The open campaign's session.

        Raises:
            UserError: none is open.
        """
        if self._session is None:
            raise UserError("no campaign is open", hint="call open with the program's path")
        return self._session

    @property
    def toolchain_name(self) -> str | None:
        """The LLVM that the open campaign asked for; `None`: the preferred one."""
        return self._session.request.toolchain if self._session else None

    def permitted(self, program: str) -> Path:
        """The path of a program that may be opened; links are followed before it is judged.

        Raises:
            UserError: it may not.
        """
        path = self.here / Path(program).expanduser()
        real = path.resolve()
        if not any(real.is_relative_to(place.resolve()) for place in self.allowed):
            places = ", ".join(str(place) for place in self.allowed)
            raise UserError(
                f"{program} may not be opened here",
                cause=f"this server was started for {places}",
                hint="ask the user to start it there: perfwright mcp PROGRAM",
            )
        return path

    def open(self, request: TuneRequest) -> Session:
        """Lay out a new campaign.

        Raises:
            UserError: another one is open.
        """
        return self.take(open_session(request))

    def reopen(self, campaign: str) -> Session:
        """Lay out a campaign that was interrupted.

        Raises:
            UserError: another one is open, or this one is not an agent's, or not allowed here.
        """
        session = resume_session(campaign)
        self.permitted(str(session.request.program))
        return self.take(session)

    def close(self) -> str:
        """Put the campaign away, interrupted if it has not ended; its id."""
        with self._lock:
            session, self._session = self._session, None
        if session is None:
            return ""
        session.close()
        return session.campaign

    def drop(self, session: Session) -> None:
        """Forget a session that failed to begin."""
        with self._lock:
            if self._session is session:
                self._session = None

    def take(self, session: Session) -> Session:
        """Put a session on the desk.

        Raises:
            UserError: another one is open.
        """
        with self._lock:
            if self._session is not None and not self._session.over:
                raise UserError(
                    f"campaign {self._session.campaign} is open",
                    hint="call confirm to end it, or close to put it away",
                )
            self._session = session
        return session
