"""How long the database may keep us waiting: what is left of a request's time, else the longest wait for one answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Seconds that a worker or a command waits for one answer. The longest statements of ours take about one.
LONGEST_WAIT = 30.0

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give all that is asked of the database within the block so many seconds together, or fewer if there were."""
    before, ends = _ends.get(), time.monotonic() + seconds
    token = _ends.set(ends if before is None else min(ends, before))
    try:
        yield
    finally:
        _ends.reset(token)


@contextmanager
def without() -> Iterator[None]:
    """Wait for the database as long as it takes: a migration may."""
    token = _ends.set(float("inf"))
    try:
        yield
    finally:
        _ends.reset(token)


def left() -> float:
    """Seconds that the next answer may take; 0 where the time is over."""
    ends = _ends.get()
    return LONGEST_WAIT if ends is None else max(0.0, ends - time.monotonic())
