"""The one campaign that a server works on, and which programs it may be about."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from perfwright.app.agent.session import Session, open_session, resume_session
from perfwright.app.agent.tuning import Tuning, open_tuning, resume_tuning
from perfwright.app.request import TuneRequest
from perfwright.errors import UserError, shortened
from perfwright.program.spec import COMMANDS_NAME, FILE_NAME

HeldT = TypeVar("HeldT", Session, Tuning)


@dataclass
class Desk:
    """Holds the open campaign: a session of the agent's, or one that `tune` runs.

    Attributes:
        here: relative names of programs start here.
        allowed: programs, or folders with programs, that may be opened; nothing else may.
        onward: the call that goes on with what was put away last; empty when that has ended.
    """

    here: Path
    allowed: tuple[Path, ...]
    onward: str = ""
    _held: Session | Tuning | None = None
    _dropped: list[Session | Tuning] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def session(self) -> Session:
        """The open campaign's session.

        Raises:
            UserError: none is open, or it is not the agent's.
        """
        held = self.held
        if isinstance(held, Tuning):
            onward = f'tune with campaign="{held.campaign}", or close'
            raise UserError(
                f"campaign {held.campaign} is run by tune",
                hint=f"call {'history or recipe' if held.over else onward}",
            )
        return held

    @property
    def held(self) -> Session | Tuning:
        """The open campaign, whoever leads it.

        Raises:
            UserError: none is open.
        """
        if self._held is None:
            onward = f", or {self.onward} to go on" if self.onward else ""
            raise UserError(
                "no campaign is open", hint=f"call open with the program's path{onward}"
            )
        return self._held

    @property
    def toolchain_name(self) -> str | None:
        """The LLVM that the open campaign asked for; `None`: the preferred one."""
        return self._held.request.toolchain if self._held else None

    def permitted(self, program: str) -> Path:
        """The path of a program that may be opened; links are followed before it is judged.

        That holds for the files of a folder that make it a program, too.

        Raises:
            UserError: it may not.
        """
        try:
            path = self.here / Path(program).expanduser()
            real = path.resolve()
            with suppress(FileNotFoundError, NotADirectoryError):
                path.stat()  # a name may be too long to be looked up
        except (OSError, ValueError, RuntimeError) as error:
            cause = error.strerror if isinstance(error, OSError) else str(error)
            raise UserError(f"{shortened(program)!r} is no path", cause=cause or "") from error
        names = (FILE_NAME, COMMANDS_NAME) if real.is_dir() else ()
        read = (real, *((real / name).resolve() for name in names))
        places = [place.resolve() for place in self.allowed]
        if not all(any(file.is_relative_to(place) for place in places) for file in read):
            raise self._elsewhere(f"{program} may not be opened here")
        return path

    def _elsewhere(self, fact: str) -> UserError:
        return UserError(
            fact,
            cause=f"this server was started for {', '.join(map(str, self.allowed))}",
            hint="ask the user to start it there: perfwright mcp PROGRAM",
        )

    def _require_ours(self, campaign: str, request: TuneRequest) -> None:
        """Make sure that a campaign is about a program that may be opened.

        Raises:
            UserError: it is not; which program that is, is nobody's business here.
        """
        try:
            self.permitted(str(request.program))
        except UserError as error:
            fact = f"campaign {campaign} is about a program that may not be opened here"
            raise self._elsewhere(fact) from error

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
        self._require_ours(campaign, session.request)
        return self.take(session)

    def tune(self, request: TuneRequest) -> Tuning:
        """Lay out a new campaign that runs by itself.

        Raises:
            UserError: another one is open.
        """
        return self.take(open_tuning(request))

    def retune(self, campaign: str) -> Tuning:
        """The campaign that `tune` has begun, wherever it is now.

        Raises:
            UserError: another one is open, or this one is not for an agent, or not allowed here.
        """
        held = self._held
        if isinstance(held, Tuning) and held.campaign == campaign and not held.over:
            return held
        found = resume_tuning(campaign)
        self._require_ours(campaign, found.request)
        return self.take(found)

    def close(self) -> str:
        """Put the campaign away, interrupted if it has not ended; its id."""
        with self._lock:
            session, self._held = self._held, None
        self.settle()
        if session is None:
            return ""
        session.close()
        self.onward = _onward(session)
        return session.campaign

    def settle(self) -> None:
        """Wait until what was dropped has come to its end, and has been written down."""
        with self._lock:
            dropped, self._dropped = self._dropped, []
        for session in dropped:
            session.close()

    def drop(self, session: Session | Tuning) -> None:
        """Forget a session that failed to begin."""
        with self._lock:
            if self._held is session:
                self._held = None
            self._dropped.append(session)
            self.onward = _onward(session)

    def take(self, session: HeldT) -> HeldT:
        """Put a campaign on the desk.

        Raises:
            UserError: another one is open.
        """
        with self._lock:
            held = self._held
            if held is not None and not held.over:
                end = "tune with its id" if isinstance(held, Tuning) else "confirm"
                raise UserError(
                    f"campaign {held.campaign} is open",
                    hint=f"call {end} to end it, or close to put it away",
                )
            self._held = session
        return session


def _onward(session: Session | Tuning) -> str:
    """The call that goes on with a campaign; empty when there is nothing to go on with."""
    if session.over or not session.campaign:
        return ""
    tool = "tune" if isinstance(session, Tuning) else "open"
    return f'{tool}(campaign="{session.campaign}")'
