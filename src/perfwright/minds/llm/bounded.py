"""The HTTP client under every provider: answers of bounded size, and none from elsewhere.

Libraries read a body to its end, whatever its size, and what they make of a redirect, a page
or an error in a body with status 200 differs.  Here all that is decided once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx2

from perfwright.errors import MindError
from perfwright.minds.llm.ledger import UnusableError

LONGEST_BODY = 4_000_000
"""Bytes of an answer, unpacked; the longest one that fits a role's schema has less than a tenth."""
_CONNECTING = 5.0
"""Seconds; a request's own time limit is for models that think, and connecting is no thinking."""
_LONGEST_ERROR = 64_000
_UNPACKED = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_BAD_GATEWAY = 502


class NoModelError(MindError):
    """What answers at this address is no model, and will not be one in a while."""


class BoundedClient(httpx2.AsyncClient):
    """Reads every answer at once, and not more than `LONGEST_BODY` of it."""

    def __init__(self) -> None:
        # As long as anybody's model may think: each request brings a limit of its own.
        super().__init__(timeout=httpx2.Timeout(1200.0, connect=_CONNECTING))

    async def send(
        self, request: httpx2.Request, *, stream: bool = False, **options: Any
    ) -> httpx2.Response:
        """See `httpx2.AsyncClient.send`.

        Raises:
            UnusableError: the answer is too long.
            NoModelError: the answer is a redirect or a page.
        """
        del stream
        limits = request.extensions.get("timeout")
        if limits:
            request.extensions = {
                **request.extensions,
                "timeout": {**limits, "connect": _CONNECTING},
            }
        options["follow_redirects"] = False  # the key would go wherever somebody says
        response = await super().send(request, stream=True, **options)
        try:
            return _judged(response, await _body(response))
        finally:
            await response.aclose()


async def _body(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():  # the library unpacks piece by piece
        body += part
        if len(body) > _LONGEST_ERROR and not response.is_success:
            break
        if len(body) > LONGEST_BODY:
            raise UnusableError(f"an answer of more than {LONGEST_BODY} bytes")
    return bytes(body)


def _judged(response: httpx2.Response, body: bytes) -> httpx2.Response:
    """The response with its body, and with its true status."""
    if response.is_redirect or 300 <= response.status_code < 400:
        where = response.headers.get("location", "")
        raise NoModelError(
            f"HTTP {response.status_code}: it sends us to {where or 'no other address'}",
            hint="give that address yourself, if you trust it: redirects are not followed",
        )
    if response.is_success and body.lstrip()[:1] == b"<":
        raise NoModelError(
            "it answered with a web page, not with JSON",
            hint="check the address (it often ends in /v1), and whether a proxy or a network's "
            "sign-in page is between",
        )
    return httpx2.Response(
        _status(response, body),
        headers=[(k, v) for k, v in response.headers.multi_items() if k not in _UNPACKED],
        content=body,
        request=response.request,
        extensions=response.extensions,
    )


def _status(response: httpx2.Response, body: bytes) -> int:
    """The status; of an error that comes with success the one that it names itself.

    Routers in front of several providers answer so when one of those has failed.
    """
    if not response.is_success or len(body) > _LONGEST_ERROR:
        return response.status_code
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):  # the library has words for that
        return response.status_code
    error = said.get("error") if isinstance(said, Mapping) else None
    if not error or "choices" in said:
        return response.status_code
    code = error.get("code") if isinstance(error, Mapping) else None
    return code if isinstance(code, int) and 400 <= code < 600 else _BAD_GATEWAY
