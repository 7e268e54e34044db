"""Starting a server, over standard input and output or over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from perfwright.errors import UserError

_TOKEN_BYTES = 24
_SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class Address:
    """Where to listen for HTTP: a port, 0 for any free one, and the token, empty for a new one."""

    port: int = 0
    token: str = ""


def serve(
    programs: Sequence[Path], address: Address | None, note: Callable[[str], None], here: Path
) -> None:
    """Serve until the client has gone, or the process is told to end.

    Args:
        programs: what may be opened; whatever is in `here` when empty.
        address: for HTTP; standard input and output when `None`.
        note: tells the user the address and the token.
        here: the folder that relative names start from.

    Raises:
        UserError: the SDK is not installed, the port is taken, the token is too short.
    """
    if find_spec("mcp") is None or find_spec("uvicorn") is None:
        raise UserError(
            "the Model Context Protocol is not installed",
            cause="it is an extra of perfwright",
            hint="pip install 'perfwright[mcp]'",
        )
    if address and address.token and len(address.token) < _SHORTEST_TOKEN:
        raise UserError(
            f"the token has fewer than {_SHORTEST_TOKEN} characters",
            hint="leave --token out: a good one is made and printed",
        )
    _serve(programs, address, note, here)


def _serve(
    programs: Sequence[Path], address: Address | None, note: Callable[[str], None], here: Path
) -> None:
    import anyio

    from perfwright.mcp.desk import Desk
    from perfwright.mcp.http import HOST, PATH, bound, serve_http
    from perfwright.mcp.server import build_server

    allowed = tuple(here / program for program in programs) or (here,)
    desk = Desk(here, allowed)
    server = build_server(desk)
    with closing(desk):
        if address is None:
            anyio.run(server.run_stdio_async)
            return
        listener = bound(address.port)
        token = address.token or secrets.token_urlsafe(_TOKEN_BYTES)
        note(f"perfwright mcp: http://{HOST}:{listener.getsockname()[1]}{PATH}")
        note(f"perfwright mcp: Authorization: Bearer {token}")
        anyio.run(serve_http, server, listener, token)
