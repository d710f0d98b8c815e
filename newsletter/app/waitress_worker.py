"""gunicorn's processes with waitress inside: a request takes a thread only when it is there as a whole (ADR 7).

One loop speaks to all clients of a process, so that slow ones, however many, keep no thread from the others.
"""

from __future__ import annotations

import os
import time
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer, UnixWSGIServer
from waitress.task import ThreadedTaskDispatcher

from newsletter.domain import clock

#: From a request's first octet to its last.
READ_SECONDS = 10
#: A connection that neither sends nor takes anything: between two requests, or while an answer waits to be read.
IDLE_SECONDS = 10
#: Fewer than the 1,024 files that a process may have open by default.
MOST_CONNECTIONS = 500
#: The longest body that an endpoint reads, a webhook's, is 1 MiB; endpoints with a lower limit answer 413 themselves.
LONGEST_BODY = 1024 * 1024 + 64 * 1024


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # it ships no types
    """One request as it arrives."""

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = clock.now().timestamp()


class _Channel(HTTPChannel):  # type: ignore[misc]  # it ships no types
    parser_class = _Parser

    @property
    def waits_since(self) -> float | None:
        """Since when we wait for the client, in seconds since 1970; None while a request is being answered."""
        if self.requests:
            return None
        began: float = self.request.began if self.request is not None else self.last_activity
        return began

    def is_late(self, now: float) -> bool:
        limit = IDLE_SECONDS if self.request is None else READ_SECONDS
        return self.waits_since is not None and now - self.waits_since > limit


class _Listening:
    """What waitress does with a listening socket, but that too many connections keep no new one out."""

    channel_class = _Channel
    active_channels: dict[int, _Channel]

    def handle_accept(self) -> None:
        if len(self.active_channels) >= MOST_CONNECTIONS:
            waiting = [each for each in self.active_channels.values() if each.waits_since]
            if waiting:
                min(waiting, key=lambda each: each.waits_since or 0).handle_close()
        super().handle_accept()  # type: ignore[misc]  # of the waitress server that it is mixed into

    def maintenance(self, now: float) -> None:
        """Close connections that took too long; waitress calls it every `cleanup_interval`."""
        for channel in list(self.active_channels.values()):
            if channel.is_late(now):
                channel.will_close = True


class _TcpServer(_Listening, TcpWSGIServer):  # type: ignore[misc]  # it ships no types
    pass


class _UnixServer(_Listening, UnixWSGIServer):  # type: ignore[misc]  # it ships no types
    pass


class WaitressWorker(Worker):  # type: ignore[misc]  # it ships no types
    """A process of gunicorn's whose connections and threads are waitress's."""

    def run(self) -> None:
        """Serve until the process is asked to end; then finish what is in hand."""
        self._dispatcher = ThreadedTaskDispatcher()
        self._dispatcher.set_thread_count(self.cfg.threads)
        self._map: dict[int, Any] = {}
        self._servers = [self._listen(listener.sock) for listener in self.sockets]
        while self.alive and os.getppid() == self.ppid:
            self._step(1.0)
        self._finish()

    def _listen(self, sock: Any) -> Any:
        server = _UnixServer if sock.family.name == "AF_UNIX" else _TcpServer
        return server(
            self.wsgi,
            self._map,
            True,
            sock,
            dispatcher=self._dispatcher,
            adj=Adjustments(
                sockets=[],
                ident=None,
                cleanup_interval=1,
                connection_limit=2 * MOST_CONNECTIONS,
                max_request_body_size=LONGEST_BODY,
                inbuf_overflow=LONGEST_BODY,
                # TRUSTED_PROXIES decides which headers count (web/http/proxies.py).
                clear_untrusted_proxy_headers=False,
                log_socket_errors=False,
            ),
            sockinfo=(sock.family, sock.type, sock.proto, sock.getsockname()),
            bind_socket=False,
        )

    def _step(self, seconds: float) -> None:
        self.notify()
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def _finish(self) -> None:
        for server in self._servers:
            server.accepting = False
            server.del_channel(self._map)
        until = time.monotonic() + self.cfg.graceful_timeout
        while self._is_answering() and time.monotonic() < until:
            self._step(0.1)
        self._dispatcher.shutdown(timeout=0)

    def _is_answering(self) -> bool:
        return any(
            channel.requests or channel.total_outbufs_len
            for server in self._servers
            for channel in server.active_channels.values()
        )

    def handle_exit(self, sig: int, frame: object) -> None:
        """Wake the loop, which otherwise would see the signal a second later."""
        super().handle_exit(sig, frame)
        for server in getattr(self, "_servers", []):
            server.pull_trigger()
