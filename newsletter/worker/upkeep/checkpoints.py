"""Checkpoints: every worker appends them, and sees that the database is not older than the last one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from newsletter.ledger import restored
from newsletter.ledger.checkpointing import Checkpointing

LOOK_SECONDS = 60.0


class Checkpoints:
    """One worker's turn at it. `seconds`: a clock that only goes forward."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._checkpointing = Checkpointing()
        self._lock = threading.Lock()
        self._looked_at: float | None = None

    def check_at_start(self) -> None:
        """Look once before anything else is done; whoever asks meanwhile waits. Raise RestoredDatabase."""
        if self._looked_at is None:
            with self._lock:
                if self._looked_at is None:
                    self._look()

    def step(self) -> bool:
        """Append a line if one is due, and look once a minute; True if one was appended. Raise RestoredDatabase."""
        if self._looked_at is None or self._seconds() - self._looked_at >= LOOK_SECONDS:
            self._look()
        return self._checkpointing.step()

    def _look(self) -> None:
        restored.check()
        self._looked_at = self._seconds()
