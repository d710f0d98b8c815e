"""The stand-in's server: connections, the limit of ten at once, and answers that are withheld."""

from __future__ import annotations

import socket
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Protocol, cast

from sandbox.mailchimp.answers import Answer
from sandbox.mailchimp.events import Event
from sandbox.mailchimp.problems import MAX_SIMULTANEOUS
from sandbox.mailchimp.request import Request

STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """The answer (None: hang up), and the events that webhooks report afterwards."""

    answer: Answer | None
    events: list[Event] = field(default_factory=list)


class Backend(Protocol):
    """Carries requests out, on any thread."""

    def handle(self, request: Request, *, is_crowded: bool) -> Outcome:
        """Carry a request out."""

    def report(self, events: list[Event]) -> None:
        """Call the webhooks."""


class Server(ThreadingHTTPServer):
    """Listens on loopback, a thread for every connection, until stopped."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, backend: Backend) -> None:
        self.backend = backend
        self._under_way = 0
        self._changed = threading.Condition()
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End every connection and thread."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._changed:
            for connection in self._connections:
                _hang_up(connection)
            self._changed.wait_for(lambda: not self._connections, STOP_SECONDS)

    def server_bind(self) -> None:
        """Bind without looking up this machine's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    @contextmanager
    def counted(self) -> Iterator[bool]:
        """Count a request while it lasts; yield whether there are too many."""
        with self._changed:
            self._under_way += 1
            is_crowded = self._under_way > MAX_SIMULTANEOUS
        try:
            yield is_crowded
        finally:
            with self._changed:
                self._under_way -= 1

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore callers who hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the caller closed it first


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive between calls."""

    protocol_version = "HTTP/1.1"
    server_version = "openresty"
    sys_version = ""
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer one call, by any method."""
        server = cast("Server", self.server)
        outcome = Outcome(None)
        try:
            with server.counted() as is_crowded:
                outcome = server.backend.handle(self._request(), is_crowded=is_crowded)
                self._send(outcome.answer)
        finally:
            server.backend.report(outcome.events)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - likewise

    def _request(self) -> Request:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return Request.of(self.command, self.path, self.headers, raw, self.client_address[0])

    def _send(self, answer: Answer | None) -> None:
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        headers = {"X-Request-Id": str(uuid.uuid4())} | dict(answer.headers)
        if answer.content_type is not None:
            headers["Content-Type"] = answer.content_type
        if answer.status != 204:
            headers["Content-Length"] = str(len(answer.body))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: paths contain hashes of addresses."""
