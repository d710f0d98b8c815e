"""How long to wait for the database: within a request until its deadline, elsewhere LONGEST_WAIT for each answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Seconds that a worker or a command waits for one answer. Our slowest statements take about one.
LONGEST_WAIT = 30.0

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Limit the time of all database calls of the block together; an earlier deadline stays."""
    before, ends = _ends.get(), time.monotonic() + seconds
    token = _ends.set(ends if before is None else min(ends, before))
    try:
        yield
    finally:
        _ends.reset(token)


@contextmanager
def unlimited() -> Iterator[None]:
    """Wait for the database as long as it takes, as a migration does."""
    token = _ends.set(float("inf"))
    try:
        yield
    finally:
        _ends.reset(token)


def left() -> float:
    """Seconds to wait for the next answer; 0 after the deadline."""
    ends = _ends.get()
    return LONGEST_WAIT if ends is None else max(0.0, ends - time.monotonic())
