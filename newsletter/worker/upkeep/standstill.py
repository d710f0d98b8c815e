"""Whether the worker must stand still because a backup was restored: looked up at its start, then every few seconds.

Or because one may have been: where no checkpoint is seen at its start, though some were written (unseen.py).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from newsletter.ledger import restored, unseen
from newsletter.ledger.newest import Newest

FRESH_SECONDS = 2.0

log = logging.getLogger(__name__)


class Standstill:
    """What all loops of a worker ask before each step. `seconds`: a clock that only goes forward."""

    def __init__(self, owner: str, seconds: Callable[[], float] = time.monotonic) -> None:
        self._owner = owner
        self._seconds = seconds
        self._newest = Newest()
        self._lock = threading.Lock()
        self._is_on = False
        self._is_told = False
        self._looked_at: float | None = None

    def is_on(self) -> bool:
        """Tell whether nothing may be done now; whoever asks first looks, and the others wait for the answer."""
        with self._lock:
            now = self._seconds()
            if self._looked_at is None or now - self._looked_at >= FRESH_SECONDS:
                self._notice(self._look())
                self._looked_at = now
            return self._is_on

    def _look(self) -> bool:
        is_on = restored.stand_still(self._newest)
        if unseen.is_unseen(self._newest):
            unseen.tell(self._owner)
            self._is_told = True
            return True
        if self._is_told:
            unseen.take_back(self._owner)
            self._is_told = False
        return is_on

    def _notice(self, is_on: bool) -> None:
        if is_on and not self._is_on:
            log.error("%s", restored.complaint() or unseen.complaint())
        elif self._is_on and not is_on:
            log.warning("the worker goes on")
        self._is_on = is_on
