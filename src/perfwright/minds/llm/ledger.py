"""What asking models has cost, and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from perfwright.core.budget import Usage
from perfwright.errors import MindError


class SpentError(MindError):
    """A limit on requests, tokens or money is reached: no failure, but the end of asking."""


class UnusableError(MindError):
    """A model answered, and nothing could be made of its answers."""


@dataclass(frozen=True)
class Caps:
    """Limits on what models may cost over a campaign; `None` is no limit."""

    requests: int | None = None
    tokens: int | None = None
    usd: float | None = None

    def require(self, used: Usage) -> None:
        """Make sure that one more request may be sent.

        Raises:
            SpentError: a limit is reached.
        """
        for name, limit, spent in (
            ("--max-requests", self.requests, used.requests),
            ("--max-tokens", self.tokens, used.tokens),
            ("--max-usd", self.usd, used.usd),
        ):
            if limit is not None and spent >= limit:
                raise SpentError(
                    f"the limit {name} {limit:g} is reached", hint=f"{name} with a higher value"
                )


class Recorder(Protocol):
    """The journal as a model's client sees it; also what counts the cost."""

    def recall(self, role: str, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The recorded answer to this very request; `None` when it was never answered."""
        ...

    def record(
        self,
        role: str,
        request: Mapping[str, Any],
        answer: Mapping[str, Any],
        tokens: int,
        usd: float,
    ) -> None:
        """Commit one answered request, its tokens and its price."""
        ...

    def sent(self) -> None:
        """Count a request, before it is known whether it will be answered."""
        ...

    def used(self) -> Usage:
        """What the campaign has cost so far, earlier sessions included."""
        ...
