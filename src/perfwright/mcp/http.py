"""Streamable HTTP on this machine only, for whoever has the token.

The server listens on 127.0.0.1.  A request without the token gets 401; one whose Host or Origin
is not this machine's is refused as well, so that no web page can reach the server through the
user's browser by a name that it makes point here (DNS rebinding).
"""

from __future__ import annotations

import hmac
import socket
from dataclasses import dataclass
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from perfwright.errors import UserError

HOST = "127.0.0.1"
PATH = "/mcp"


@dataclass(frozen=True)
class TokenRequired:
    """Lets through only requests with `Authorization: Bearer TOKEN`."""

    app: ASGIApp
    token: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http" and not self._knows(Headers(scope=scope)):
            refusal = PlainTextResponse(
                "the token is missing or wrong: send Authorization: Bearer TOKEN, as perfwright "
                "mcp --http printed it\n",
                status_code=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # In constant time: how far a guess was right must not show.
        same = hmac.compare_digest(given.strip().encode(), self.token.encode())
        return scheme.lower() == "bearer" and same


def bound(port: int) -> socket.socket:
    """A listening socket on this machine; port 0 is any free one.

    Raises:
        UserError: the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()  # from here on a client may come, and waits
    except OSError as error:
        listener.close()
        raise UserError(
            f"cannot listen on port {port}",
            cause=error.strerror or str(error),
            hint="--port 0 takes any free one",
        ) from error
    return listener


def http_app(server: MCPServer[Any], port: int, token: str) -> ASGIApp:
    """The server as an ASGI application behind its token."""
    names = [f"{HOST}:{port}", f"localhost:{port}"]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=names,
        allowed_origins=[f"http://{name}" for name in names],
    )
    app = server.streamable_http_app(
        streamable_http_path=PATH, transport_security=security, host=HOST
    )
    return TokenRequired(app, token)


async def serve_http(server: MCPServer[Any], listener: socket.socket, token: str) -> None:
    """Serve until the process is told to end."""
    port: int = listener.getsockname()[1]
    config = uvicorn.Config(
        http_app(server, port, token), log_level="warning", timeout_graceful_shutdown=5
    )
    await uvicorn.Server(config).serve(sockets=[listener])
