"""A circuit breaker: for some seconds after a database call timed out, further calls are refused at once.

Then one call is let through as a probe. Without the breaker, every request would block a thread until its deadline.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from newsletter.storage import deadline, outage
from newsletter.storage.outage import Refused, Trouble

PAUSE_SECONDS = 5.0
#: A call that timed out sooner does not open the breaker: its request may have had little time left.
OPENS_AFTER_SECONDS = 3.0
#: How long a full disk is reported if nothing is written meanwhile.
FULL_SECONDS = 30.0

_inside = threading.local()


class Breaker:
    """One for each process; `seconds` is a monotonic clock."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._trouble: Trouble | None = None
        self._refuses_until = 0.0
        self._full: Trouble | None = None
        self._full_at = 0.0
        self.written_at = float("-inf")  #: when something was last committed

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Use the database; raise Refused while the breaker is open. Nested uses count as one."""
        if getattr(_inside, "guarded", False):
            yield
            return
        is_probe, began = self._enter(), self._seconds()
        _inside.guarded = True
        try:
            yield
        except Exception as error:
            self._fail(error, is_probe=is_probe, seconds=self._seconds() - began)
            raise
        else:
            self._close(is_probe=is_probe)
        finally:
            _inside.guarded = False

    def record_write(self) -> None:
        """Call after a commit."""
        self._full, self.written_at = None, self._seconds()

    def full_disk(self) -> Trouble | None:
        """The full disk that the last write found, if that was recently."""
        is_old = self._seconds() - self._full_at > FULL_SECONDS
        return None if is_old else self._full

    def _enter(self) -> bool:
        """Begin a call, and return whether it is the probe; raise Refused."""
        if deadline.left() <= 0.0:
            raise Refused(outage.NO_TIME)
        with self._lock:
            if self._trouble is None:
                return False
            now = self._seconds()
            if now < self._refuses_until:
                raise Refused(self._trouble)
            self._refuses_until = now + deadline.left() + PAUSE_SECONDS
            return True

    def _close(self, *, is_probe: bool) -> None:
        if is_probe:
            self._trouble = None

    def _fail(self, error: Exception, *, is_probe: bool, seconds: float) -> None:
        if outage.is_time_out(error):
            if is_probe or seconds > OPENS_AFTER_SECONDS:
                with self._lock:
                    self._trouble = outage.trouble_of(error)
                    self._refuses_until = self._seconds() + PAUSE_SECONDS
            return
        self._close(is_probe=is_probe)
        if outage.is_full(error):
            self._full, self._full_at = outage.trouble_of(error), self._seconds()
