"""A small OpenAI-compatible server over real HTTP, with scripted answers and faults on demand.

    with ModelServer([Output({"edits": []}), HttpError(429, retry_after="0")]) as server:
        ...  # point a client at server.url
    server.requests[0].json["messages"]

It listens on loopback only, answers `POST /v1/chat/completions` (whole, or as a stream of
server-sent events when the request asks for one) and `GET /v1/models`, and remembers every
request, keys masked.  What a script does not foresee is an HTTP 400 that says so.  Everything
in it ends by itself: threads are daemons, and each wait is bounded and cut short by `close`.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias

from perfwright.testing.model_replies import (
    MODEL,
    MOVED_TO,
    Answer,
    Fault,
    HttpError,
    Output,
    Reply,
    Request,
    Slowly,
    ToolCall,
    completion,
    events,
    said,
)

_SECRET_HEADERS = ("authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie")
_DRIP_BYTES = 32
_DRIP_SECONDS = 0.001
_BOMB_BYTES = 64 * 2**20
_MOST_PIECES = 4096
_DEPTH = 100_000


Script: TypeAlias = Callable[[Request], Reply]


def in_order(replies: Iterable[Reply], *, repeat_last: bool = False) -> Script:
    """A script that gives one reply after the other.

    When none is left the last one is repeated, or the request is refused.
    """
    left = list(replies)
    lock = threading.Lock()

    def script(request: Request) -> Reply:
        with lock:
            if len(left) == 1 and repeat_last:
                return left[0]
            if left:
                return left.pop(0)
        return HttpError(400, f"the script has no answer to request {request.number}")

    return script


def endless(call: ToolCall) -> Script:
    """A script that calls a tool again and again, and never answers."""
    return in_order([Answer(tool_calls=(call,))], repeat_last=True)


class ModelServer:
    """The server; a context manager.

    Leaving the context raises what a script function raised (a failed assertion, say): the
    client saw no more than a closed connection then.
    """

    def __init__(
        self,
        script: Script | Sequence[Reply],
        *,
        key: str | None = None,
        patience: float = 20.0,
        most_requests: int = 500,
    ) -> None:
        """Make it; it listens from now on and serves within its context.

        Args:
            script: a function of the request, or replies in order.
            key: what clients have to bring; any or none when `None`.
            patience: seconds after which even a hanging socket is closed.
            most_requests: refused beyond, so that a client that never stops does.
        """
        self.script = script if callable(script) else in_order(script)
        self.key = key
        self.patience = patience
        self.most_requests = most_requests
        self.requests: list[Request] = []
        self.errors: list[BaseException] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._http = _Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.005,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL that clients are told."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def chats(self) -> list[Request]:
        """The requests for completions, in order."""
        return [request for request in self.requests if request.path.endswith("/completions")]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if error is None and self.errors:
            raise self.errors[0]

    def close(self) -> None:
        """Stop listening; whoever still hangs is let go."""
        self.closing.set()
        if self._thread.is_alive():
            self._http.shutdown()
        self._http.server_close()
        self._http.end_connections()

    def record(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Request:
        """Remember a request; keys are masked before anything is kept."""
        lower = {name.lower(): value for name, value in headers.items()}
        masked = {name: _masked(name, value) for name, value in lower.items()}
        keyed = masked != lower
        with self._lock:
            number = len(self.requests) + 1
            request = Request(number, method, path, masked, keyed, body)
            self.requests.append(request)
        return request

    def reply(self, request: Request, key: str) -> Reply:
        """What is answered to a request for a completion."""
        if self.key is not None and key != self.key:
            return HttpError(401, "Incorrect API key provided")
        if request.number > self.most_requests:
            return HttpError(400, f"more than {self.most_requests} requests")
        if not request.messages:
            return HttpError(400, "the body is no JSON object with messages")
        return self.script(request)


def _masked(name: str, value: str) -> str:
    if name not in _SECRET_HEADERS:
        return value
    scheme, space, _ = value.rpartition(" ")
    return f"{scheme}{space}***"


class _Http(ThreadingHTTPServer):
    """Threads that do not outlive the process, and errors that reach the test."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: ModelServer) -> None:
        self.owner = owner
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def end_connections(self) -> None:
        """Wake every thread that waits for a next request."""
        for connection in tuple(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - its shape
        """Keep what a script raised; that a client went away is its own business."""
        error = sys.exception()
        if error is not None and not isinstance(error, (ConnectionError, TimeoutError)):
            self.owner.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    """The requests of one connection, which stays open as real servers leave it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each body waits 40 ms behind its headers
    timeout = 20.0
    server: _Http

    @property
    def _owner(self) -> ModelServer:
        return self.server.owner

    def setup(self) -> None:
        """Remember the connection, so that `close` can end it."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        self.server.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        """`/v1/models`."""
        self._owner.record("GET", self.path, dict(self.headers), b"")
        if self.path.rstrip("/") != "/v1/models":
            return self._error(HttpError(404, f"there is no {self.path}"))
        entry = {"id": MODEL, "object": "model", "created": 0, "owned_by": "perfwright"}
        return self._send(200, json.dumps({"object": "list", "data": [entry]}).encode())

    def do_POST(self) -> None:
        """`/v1/chat/completions`."""
        owner = self._owner
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        request = owner.record("POST", self.path, dict(self.headers), body)
        if self.path.rstrip("/") != "/v1/chat/completions":
            return self._error(HttpError(404, f"there is no {self.path}"))
        key = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        reply = owner.reply(request, key)
        if isinstance(reply, HttpError):
            return self._error(reply)
        if isinstance(reply, Fault):
            return self._FAULTS[reply](self, request)
        return self._answer(reply, request)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self._head(status, {"Content-Length": str(len(body)), **headers})
        self.wfile.write(body)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _error(self, error: HttpError) -> None:
        told = {"message": error.message, "type": "scripted", "param": None, "code": error.status}
        wish = error.retry_after
        header = "Retry-After-Ms" if wish.endswith("ms") else "Retry-After"
        headers = {header: wish.removesuffix("ms")} if wish else {}
        self._send(error.status, json.dumps({"error": told}).encode(), **headers)

    def _answer(self, reply: Answer | Output | Slowly, request: Request) -> None:
        slow = isinstance(reply, Slowly)
        answer = said(reply.answer if isinstance(reply, Slowly) else reply, request)
        if request.streaming:
            return self._stream(events(answer, request), slow=slow)
        body = json.dumps(completion(answer, request)).encode()
        return self._whole(body, slow=slow)

    def _whole(self, body: bytes, *, slow: bool) -> None:
        if not slow:
            return self._send(200, body)
        self._head(200, {"Content-Length": str(len(body))})
        for start in range(0, len(body), _DRIP_BYTES):
            self.wfile.write(body[start : start + _DRIP_BYTES])
            self._owner.closing.wait(_DRIP_SECONDS)
        return None

    def _stream(self, chunks: Iterable[bytes], *, slow: bool = False, whole: bool = True) -> None:
        self._head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            if slow:
                self._owner.closing.wait(_DRIP_SECONDS)
        self.close_connection = not whole
        if whole:
            self.wfile.write(b"0\r\n\r\n")

    def _reset(self, request: Request) -> None:
        del request
        # Lingering for no time makes the kernel send RST where FIN would be a polite end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True

    def _hang(self, request: Request) -> None:
        del request
        self._owner.closing.wait(self._owner.patience)
        self.close_connection = True

    def _truncated(self, request: Request) -> None:
        answer = Answer('{"edits": ["option inline-threshold=300", "option unroll-thr')
        if request.streaming:
            chunks = list(events(answer, request))
            return self._stream(chunks[: len(chunks) // 2], whole=False)
        body = json.dumps(completion(answer, request)).encode()
        self._head(200, {"Content-Length": str(len(body))})
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True
        return None

    def _empty_body(self, request: Request) -> None:
        del request
        self._send(200, b"")

    def _wrong_type(self, request: Request) -> None:
        del request
        page = b"<html><body>Please sign in to the network</body></html>"
        self._send(200, page, **{"Content-Type": "text/html"})

    def _broken_json(self, request: Request) -> None:
        self._send(200, json.dumps(completion(Answer("x"), request)).encode()[:-9] + b"]]")

    def _error_body(self, request: Request) -> None:
        del request
        self._send(200, b'{"error": {"message": "Provider returned error", "code": 502}}')

    def _moved(self, request: Request) -> None:
        del request
        self._send(307, b"", Location=MOVED_TO)

    def _bomb(self, request: Request) -> None:
        del request
        self._send(200, gzip.compress(bytes(_BOMB_BYTES), 1), **{"Content-Encoding": "gzip"})

    def _endless(self, request: Request) -> None:
        del request
        piece = b" " * 2**16
        # Not for ever either, if the client never goes away.
        self._stream((piece for _ in range(_MOST_PIECES)), whole=False)

    def _no_choices(self, request: Request) -> None:
        self._send(200, json.dumps({**completion(Answer("x"), request), "choices": []}).encode())

    def _deep(self, request: Request) -> None:
        del request
        self._send(200, b"[" * _DEPTH)

    _FAULTS: ClassVar[Mapping[Fault, Callable[[_Handler, Request], None]]] = {
        Fault.RESET: _reset,
        Fault.HANG: _hang,
        Fault.TRUNCATED: _truncated,
        Fault.EMPTY_BODY: _empty_body,
        Fault.WRONG_TYPE: _wrong_type,
        Fault.BROKEN_JSON: _broken_json,
        Fault.ERROR_BODY: _error_body,
        Fault.MOVED: _moved,
        Fault.BOMB: _bomb,
        Fault.ENDLESS: _endless,
        Fault.NO_CHOICES: _no_choices,
        Fault.DEEP: _deep,
    }
