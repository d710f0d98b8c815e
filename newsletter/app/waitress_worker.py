"""gunicorn's processes with waitress inside: a request takes a thread only when it is there as a whole (ADR 7).

One loop speaks to all clients of a process, so that slow ones, however many, keep no thread from the others.
"""

from __future__ import annotations

import os
import re
import resource
import time
from functools import cache
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer, UnixWSGIServer
from waitress.task import ThreadedTaskDispatcher
from waitress.utilities import RequestEntityTooLarge

from newsletter import web
from newsletter.domain import clock
from newsletter.storage import deadline

#: From a request's first octet to its last.
READ_SECONDS = 10
#: From its last octet on, for the wait for a thread and for the database together.
ANSWER_SECONDS = 8.0
#: A connection that neither sends nor takes anything: between two requests, or while an answer waits to be read.
IDLE_SECONDS = 10
#: Octets of answers that a client has not taken, above which its next request waits.
MOST_UNSENT = 256 * 1024
#: Above it, the one is closed that kept us waiting longest. A crowd of ten times what can be answered finds room.
MOST_CONNECTIONS = 2000
_OTHER_FILES = 200  #: that a process has open beside its connections
#: The longest body that an endpoint reads, a webhook's, is 1 MiB; endpoints with a lower limit answer 413 themselves.
LONGEST_BODY = 1024 * 1024 + 64 * 1024


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # it ships no types
    """One request as it arrives."""

    error: object

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = clock.now().timestamp()
        self.came_at = 0.0  #: when its last octet came, by the clock that only goes forward

    def received(self, data: bytes) -> int:
        used: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge) and self.content_length:
            # The application refuses it by its length alone, in the person's language; the body is not read.
            self.error = None
            self.headers["CONNECTION"] = "close"
        if self.completed:
            self.came_at = time.monotonic()
        return used

    def is_for(self, paths: re.Pattern[str]) -> bool:
        return paths.fullmatch(getattr(self, "path", "")) is not None

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.came_at + ANSWER_SECONDS - time.monotonic())


class _Channel(HTTPChannel):  # type: ignore[misc]  # it ships no types
    parser_class = _Parser
    is_parked = False  #: whether a request waits until the client has taken what was sent before

    def service(self) -> None:
        """Answer one request, in a thread."""
        with deadline.within(self.requests[0].seconds_left):
            super().service()

    @property
    def is_overdue(self) -> bool:
        return bool(self.requests) and not self.requests[0].seconds_left

    def handle_write(self) -> None:
        super().handle_write()
        self.resume()

    def resume(self) -> None:
        """Have the next request answered, if the client has taken enough of what was sent before."""
        if self.is_parked and self.connected and self.total_outbufs_len <= MOST_UNSENT:
            self.is_parked = False
            self.server.add_task(self)

    @property
    def waits_since(self) -> float | None:
        """Since when we wait for the client, in seconds since 1970; None while a request is being answered."""
        if self.requests and not self.is_parked:
            return None
        began: float = self.request.began if self.request is not None else self.last_activity
        return began

    def is_late(self, now: float) -> bool:
        limit = IDLE_SECONDS if self.request is None else READ_SECONDS
        return self.waits_since is not None and now - self.waits_since > limit


class _Threads(ThreadedTaskDispatcher):  # type: ignore[misc]  # it ships no types
    """Threads for what needs the database; one for what does not, and one to say so, whatever holds the others."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.set_thread_count(count)
        self._free, self._ready = ThreadedTaskDispatcher(), ThreadedTaskDispatcher()
        self._free.set_thread_count(1)
        self._ready.set_thread_count(1)

    def add_task(self, channel: _Channel) -> None:
        if channel.requests[0].is_for(web.WITHOUT_DATABASE):
            self._free.add_task(channel)
        elif channel.requests[0].is_for(web.READINESS):
            self._ready.add_task(channel)
        else:
            super().add_task(channel)

    def refuse_late(self) -> None:
        """Have it answered that no thread became free in time: without time, the database refuses at once."""
        for threads in (self, self._ready):
            with threads.lock:
                late = [each for each in threads.queue if each.is_overdue]
                for channel in late:
                    threads.queue.remove(channel)
            for channel in late:
                self._free.add_task(channel)


class _Listening:
    """What waitress does with a listening socket, but that too many connections keep no new one out."""

    channel_class = _Channel
    active_channels: dict[int, _Channel]
    task_dispatcher: _Threads

    def add_task(self, channel: _Channel) -> None:
        """Have a request answered; waitress would hold a thread where the client does not take what was sent."""
        if channel.total_outbufs_len > MOST_UNSENT:
            channel.is_parked = True
        else:
            self.task_dispatcher.add_task(channel)

    def handle_accept(self) -> None:
        if len(self.active_channels) >= _most_connections():
            waiting = [each for each in self.active_channels.values() if each.waits_since]
            if waiting:
                min(waiting, key=lambda each: each.waits_since or 0).handle_close()
        super().handle_accept()  # type: ignore[misc]  # of the waitress server that it is mixed into

    def maintenance(self, now: float) -> None:
        """Close connections that took too long; waitress calls it every `cleanup_interval`."""
        self.task_dispatcher.refuse_late()
        for channel in list(self.active_channels.values()):
            # What was taken just before it was parked, no write tells.
            channel.resume()
            if channel.is_late(now):
                # Not `will_close`: that waits until the client takes something.
                channel.handle_close()


@cache
def _most_connections() -> int:
    """As many as there may be files, of which a process has 1,024 unless it asks for more."""
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
