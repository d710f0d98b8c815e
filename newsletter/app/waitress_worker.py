"""gunicorn's processes with waitress inside: one loop speaks to all clients of a process.

So slow clients, however many, keep no thread from the others (ADR 7).
"""

from __future__ import annotations

import os
import resource
import time
from functools import cache
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer, UnixWSGIServer
from waitress.task import ThreadedTaskDispatcher

from newsletter import web
from newsletter.app.connection import MOST_UNSENT, Channel

#: Ten times as many as can be answered. One more, and the connection is closed that has kept us waiting longest.
MOST_CONNECTIONS = 2000
_OTHER_FILES = 200  #: that a process has open beside its connections
#: The longest body that an endpoint reads, a webhook's, is 1 MiB; endpoints with a lower limit answer 413 themselves.
LONGEST_BODY = 1024 * 1024 + 64 * 1024


class _Threads(ThreadedTaskDispatcher):  # type: ignore[misc]  # it ships no types
    """Threads for what changes something, for what only reads, for what needs no database, and for /ready.

    None of them waits for another. What changes something has one thread: SQLite has one writer, and on PostgreSQL a
    second one would wait for the interpreter's lock (bench/README.md).
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self._reading, self._free, self._ready = (ThreadedTaskDispatcher() for _ in range(3))
        for threads in (self, self._reading):
            threads.set_thread_count(count)
        for threads in (self._free, self._ready):
            threads.set_thread_count(1)

    def add_task(self, channel: Channel) -> None:
        request = channel.requests[0]
        if request.is_for(web.WITHOUT_DATABASE):
            self._free.add_task(channel)
        elif request.is_for(web.READINESS):
            self._ready.add_task(channel)
        elif request.only_reads:
            self._reading.add_task(channel)
        else:
            super().add_task(channel)

    def refuse_late(self) -> None:
        """Answer 503 to requests for which no thread became free in time: the database refuses them at once."""
        for threads in (self, self._reading, self._ready):
            with threads.lock:
                late = [each for each in threads.queue if each.is_overdue]
                for channel in late:
                    threads.queue.remove(channel)
            for channel in late:
                self._free.add_task(channel)


class _Listening:
    """A listening socket of waitress's, except that too many connections keep no new one out."""

    channel_class = Channel
    active_channels: dict[int, Channel]
    task_dispatcher: _Threads

    def add_task(self, channel: Channel) -> None:
        """Queue a request, or park it: waitress would hold a thread while the client does not take what was sent."""
        if channel.total_outbufs_len > MOST_UNSENT:
            channel.is_parked = True
        else:
            self.task_dispatcher.add_task(channel)

    def handle_accept(self) -> None:
        if len(self.active_channels) >= _most_connections():
            waiting = [each for each in self.active_channels.values() if each.waiting_since]
            if waiting:
                min(waiting, key=lambda each: each.waiting_since or 0).handle_close()
        super().handle_accept()  # type: ignore[misc]  # of the waitress server that it is mixed into

    def maintenance(self, now: float) -> None:
        """Close connections that took too long; waitress calls it every `cleanup_interval`."""
        self.task_dispatcher.refuse_late()
        for channel in list(self.active_channels.values()):
            # The client may have taken everything just before it was parked: then no write follows.
            channel.resume()
            if channel.is_late(now):
                # Not `will_close`: that waits until the client takes something.
                channel.handle_close()


@cache
def _most_connections() -> int:
    """As many as the limit of open files allows, which is 1,024 unless a process raises it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < MOST_CONNECTIONS + _OTHER_FILES:
        soft = min(hard, MOST_CONNECTIONS + _OTHER_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(MOST_CONNECTIONS, soft - _OTHER_FILES)


class _TcpServer(_Listening, TcpWSGIServer):  # type: ignore[misc]  # it ships no types
    pass


class _UnixServer(_Listening, UnixWSGIServer):  # type: ignore[misc]  # it ships no types
    pass


class WaitressWorker(Worker):  # type: ignore[misc]  # it ships no types
    """A process of gunicorn's whose connections and threads are waitress's."""

    def run(self) -> None:
        """Serve until the process is asked to end; then finish what is in hand."""
        self._dispatcher = _Threads(self.cfg.threads)
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
