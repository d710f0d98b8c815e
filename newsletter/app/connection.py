"""One client's connection: what was read of its request, how long that may take, and how long the answer may.

A request takes a thread only when it was read as a whole (ADR 7).
"""

from __future__ import annotations

import re
import time

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import RequestEntityTooLarge

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


class Parser(HTTPRequestParser):  # type: ignore[misc]  # it ships no types
    """One request as it arrives."""

    error: object

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began_at = clock.now().timestamp()
        self.completed_at = 0.0  #: when its last octet came, by the monotonic clock

    def received(self, data: bytes) -> int:
        used: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge) and self.content_length:
            # The application refuses it by its length alone, in the person's language; the body is not read.
            self.error = None
            self.headers["CONNECTION"] = "close"
        if self.completed:
            self.completed_at = time.monotonic()
        return used

    def is_for(self, paths: re.Pattern[str]) -> bool:
        return paths.fullmatch(getattr(self, "path", "")) is not None

    @property
    def only_reads(self) -> bool:
        return getattr(self, "command", "") in ("GET", "HEAD", "OPTIONS")

    @property
    def seconds_left(self) -> float:
        return max(0.0, self.completed_at + ANSWER_SECONDS - time.monotonic())


class Channel(HTTPChannel):  # type: ignore[misc]  # it ships no types
    """One connection, and the requests on it."""

    parser_class = Parser
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
    def waiting_since(self) -> float | None:
        """Since when we wait for the client, in seconds since 1970; None while a request is being answered."""
        if self.requests and not self.is_parked:
            return None
        since: float = self.request.began_at if self.request is not None else self.last_activity
        return since

    def is_late(self, now: float) -> bool:
        limit = IDLE_SECONDS if self.request is None else READ_SECONDS
        return self.waiting_since is not None and now - self.waiting_since > limit
