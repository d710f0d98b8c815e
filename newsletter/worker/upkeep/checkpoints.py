"""Every worker appends checkpoints, and checks once a minute that the database is not a restored backup."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from newsletter.ledger import restored
from newsletter.ledger.checkpointing import Checkpointing

CHECK_SECONDS = 60.0


class Checkpoints:
    """`seconds`: a monotonic clock."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._checkpointing = Checkpointing()
        self._lock = threading.Lock()
        self._checked_at: float | None = None

    def check_at_start(self) -> None:
        """Check once before any other loop takes a step; the loops wait for it. Raise RestoredDatabase."""
        if self._checked_at is None:
            with self._lock:
                if self._checked_at is None:
                    self._check()

    def step(self) -> bool:
        """Append a line if one is due; True if one was appended. Raise RestoredDatabase."""
        if self._checked_at is None or self._seconds() - self._checked_at >= CHECK_SECONDS:
            self._check()
        return self._checkpointing.step()

    def _check(self) -> None:
        restored.check()
        self._checked_at = self._seconds()
