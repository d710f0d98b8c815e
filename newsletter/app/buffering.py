"""gunicorn's worker with threads, where a request takes a thread only when it is there as a whole (ADR 7).

The loop of the main thread alone speaks to clients: it reads, waits and sends, each within a time. A thread reads and
writes in memory, so that no client, however slow, keeps one.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from newsletter.app.arrival import Arrival
from newsletter.config import refuse
from newsletter.domain.errors import SettingsError

#: From a request's first octet to its last; of a new connection, from its start.
READ_SECONDS = 10.0
SEND_SECONDS = 30.0  #: for an answer to be taken
LINGER_SECONDS = 2.0  #: for a client that is still sending to read our refusal (RFC 9112 § 9.6)
MOST_HELD = 32 * 1024 * 1024  #: octets of all unfinished requests together
LOOK_SECONDS = 0.5  #: between two looks at who has waited too long

_AT_ONCE = 64 * 1024
_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Exchange:
    """What a thread takes for the client's socket: a request that is there, and room for its answer."""

    def __init__(self) -> None:
        self.request = memoryview(b"")
        self.answer = bytearray()
        self.wanted_more = False

    def recv(self, size: int) -> bytes:
        """The next octets of the request; none at its end, as if the client had left."""
        part, self.request = bytes(self.request[:size]), self.request[size:]
        self.wanted_more |= not part
        return part

    def sendall(self, octets: bytes) -> None:
        """Keep octets for the client."""
        self.answer += octets

    def send(self, octets: bytes) -> int:
        """Drop gunicorn's own 100 Continue: the loop has sent one where the client waited for it."""
        return len(octets)

    def gettimeout(self) -> float:
        """Nothing here ever waits."""
        return 0.0

    def _nothing(self, *_: object) -> None:
        pass

    settimeout = setblocking = shutdown = close = _nothing


class Conversation(TConn):  # type: ignore[misc]  # gunicorn ships no types
    """A client's connection."""

    def __init__(self, cfg: Any, wire: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, wire, client, server)
        self.wire = wire
        self.sock = Exchange()
        self.data_ready = True
        self.arrival = Arrival()
        self.watched = 0  #: the event that the poller waits for
        self.then: Callable[[Conversation], None] = lambda _: None
        self.goes_on = False  #: whether another request may follow the one that is answered

    def take_rest(self) -> bytes:
        """What came behind the request that was answered."""
        rest = self.parser.unreader.take_buffered() if self.parser else b""
        return bytes(rest) + bytes(self.sock.request)

    def send(self) -> bool:
        """Send as much of the answer as the client takes now; False while there is more. Raise OSError."""
        answer = self.sock.answer
        try:
            while answer:
                del answer[: self.wire.send(answer)]
        except BlockingIOError:
            return False
        return True


class BufferingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Reads requests whole before a thread has them, and sends what the thread leaves of its answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Connections that wait for their client, and until when.
        self._waiting: dict[Conversation, float] = {}
        self._held = 0
        self._looked_at = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker cannot do."""
        super().check_config(cfg, log)
        if cfg.is_ssl:
            refuse(SettingsError(["gunicorn's certfile, keyfile: TLS ends at the proxy"]))

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection; where there are too many, in place of the one that has waited longest."""
        try:
            wire, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._drop_longest()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._drop_longest()
        self._receive(Conversation(self.cfg, wire, client, listener.getsockname()))

    def _wait(
        self, conn: Conversation, event: int, then: Callable[[Conversation], None], seconds: float
    ) -> None:
        """Do something with a connection as soon as its client sends or takes something."""
        if conn not in self._waiting:
            self._waiting[conn] = time.monotonic() + seconds
        conn.then = then
        if conn.watched != event:
            self._unwatch(conn)
            conn.watched = event
            self.poller.register(conn.wire, event, lambda _wire: self._on_event(conn))

    def _on_event(self, conn: Conversation) -> None:
        if conn in self._waiting:
            conn.then(conn)
        else:
            # Sent while a thread is at work on what came before: it is read afterwards.
            self._unwatch(conn)

    def _unwatch(self, conn: Conversation) -> None:
        if conn.watched:
            self.poller.unregister(conn.wire)
            conn.watched = 0

    def _drop(self, conn: Conversation) -> None:
        self._waiting.pop(conn, None)
        self._unwatch(conn)
        self._held -= len(conn.arrival.octets)
        self.nr_conns -= 1
        conn.wire.close()

    def _drop_longest(self) -> None:
        if self._waiting:
            self._drop(min(self._waiting, key=self._waiting.__getitem__))

    def _receive(self, conn: Conversation) -> None:
        try:
            octets = conn.wire.recv(_AT_ONCE)
        except BlockingIOError:
            self._wait(conn, selectors.EVENT_READ, self._receive, READ_SECONDS)
            return
        except OSError:
            octets = b""
        if octets:
            self._take(conn, octets)
        else:
            self._drop(conn)

    def _take(self, conn: Conversation, octets: bytes) -> None:
        if not conn.arrival.octets and conn in self._waiting:
            self._waiting[conn] = time.monotonic() + READ_SECONDS
        self._held += len(octets)
        conn.arrival.add(octets)
        if conn.arrival.is_whole:
            self._hand_over(conn)
            return
        if conn.arrival.expects_continue:
            with suppress(OSError):
                conn.wire.send(_CONTINUE)
        self._wait(conn, selectors.EVENT_READ, self._receive, READ_SECONDS)
        if self._held > MOST_HELD:
            self._drop_longest()

    def _hand_over(self, conn: Conversation) -> None:
        # It stays watched: to stop and begin again costs more than the rare event meanwhile.
        self._waiting.pop(conn, None)
        self._held -= len(conn.arrival.octets)
        conn.sock.request = memoryview(bytes(conn.arrival.octets))
        conn.arrival.octets.clear()
        self.enqueue_req(conn)

    def handle(self, conn: Conversation) -> bool:
        """Answer one request, in a thread."""
        goes_on: bool = super().handle(conn)
        # What the client takes at once need not wait for the loop.
        with suppress(OSError):
            conn.send()
        return goes_on

    def handle_request(self, req: Any, conn: Conversation) -> bool:
        """Answer a request that was understood."""
        if conn.arrival.is_cut:
            req.force_close()
        goes_on: bool = super().handle_request(req, conn)
        return goes_on

    def finish_request(self, conn: Conversation, future: Future[bool]) -> None:
        """Go on with a connection whose request was answered."""
        conn.goes_on = future.result() and not conn.sock.wanted_more
        self._send(conn)

    def _send(self, conn: Conversation) -> None:
        try:
            if not conn.send():
                self._wait(conn, selectors.EVENT_WRITE, self._send, SEND_SECONDS)
                return
        except OSError:
            self._drop(conn)
            return
        self._waiting.pop(conn, None)
        if not conn.goes_on:
            self._leave(conn)
            return
        rest, conn.arrival = conn.take_rest(), Arrival()
        if rest:
            self._take(conn, rest)
        else:
            self._wait(conn, selectors.EVENT_READ, self._receive, self.cfg.keepalive)

    def _leave(self, conn: Conversation) -> None:
        if not (conn.arrival.is_cut or conn.sock.wanted_more):
            self._drop(conn)
            return
        # Closed at once, octets that are still on their way would make the client lose our answer.
        with suppress(OSError):
            conn.wire.shutdown(socket.SHUT_WR)
        self._wait(conn, selectors.EVENT_READ, self._swallow, LINGER_SECONDS)

    def _swallow(self, conn: Conversation) -> None:
        try:
            is_over = not conn.wire.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            is_over = True
        if is_over:
            self._drop(conn)

    def murder_pending(self) -> None:
        """End connections that have waited too long; gunicorn calls it once a second, and after each event."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        for conn in [conn for conn, until in self._waiting.items() if until <= now]:
            if conn.arrival.octets:
                with suppress(OSError):
                    conn.wire.send(_TIMED_OUT)
            self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """The process ends: wait no longer for requests, while answers still go out."""
        for conn, until in self._waiting.items():
            if not conn.sock.answer:
                self._waiting[conn] = min(until, deadline)
