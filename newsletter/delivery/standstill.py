"""Whether the worker must stand still because a backup was restored: looked up at its start, then every few seconds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from newsletter import restoring

FRESH_SECONDS = 2.0

log = logging.getLogger(__name__)


class Standstill:
    """What all loops of a worker ask before each step. `seconds`: a clock that only goes forward."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._is_on = False
        self._looked_at: float | None = None

    def is_on(self) -> bool:
        """Tell whether nothing may be done now; whoever asks first looks, and the others wait for the answer."""
        with self._lock:
            now = self._seconds()
            if self._looked_at is None or now - self._looked_at >= FRESH_SECONDS:
                self._notice(restoring.stand_still())
                self._looked_at = now
            return self._is_on

    def _notice(self, is_on: bool) -> None:
        if is_on and not self._is_on:
            log.error("%s", restoring.complaint())
        elif self._is_on and not is_on:
            log.warning("the worker goes on")
        self._is_on = is_on
