"""Logs an outage of the database: its beginning, another cause, once a minute that it lasts, and its end."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

from newsletter.storage.outage import CONSEQUENCES, Trouble

REPEAT_SECONDS = 60.0

log = logging.getLogger(__name__)


class OutageLog:
    """Shared by several threads: the outage is over when every thread that had an error succeeds again.

    `seconds`: a monotonic clock.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._failing: set[str] = set()
        self._logged_at: dict[Trouble, float] = {}
        self._last: Trouble | None = None
        self._began = self._failed_at = 0.0

    def record_failure(self, thread: str, trouble: Trouble) -> None:
        now = self._seconds()
        with self._lock:
            if not self._failing:
                self._began, self._logged_at = now, {}
            self._failing.add(thread)
            self._last, self._failed_at = trouble, now
            logged_at = max(self._logged_at.values(), default=-math.inf)
            if trouble not in CONSEQUENCES:
                logged_at = self._logged_at.get(trouble, -math.inf)
            if now - logged_at < REPEAT_SECONDS:
                return
            self._logged_at[trouble] = now
        log.warning("%s", trouble)

    def record_success(self, thread: str, at: float = math.inf) -> None:
        """A thread has used the database; `at`: when, by the clock of this log."""
        with self._lock:
            if thread not in self._failing or at < self._failed_at:
                return
            self._failing.remove(thread)
            if self._failing or self._last is None:
                return
            over = self._last.over
        log.warning("%s after %.0f s", over, self._seconds() - self._began)
