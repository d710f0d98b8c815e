"""The sealer: seals what has happened, writes checkpoints and signs the head; one worker at a time over all hosts."""

from __future__ import annotations

import time
from collections.abc import Callable

from newsletter.ledger.checkpointing import JOB, Checkpointing
from newsletter.ledger.sealing import Sealing
from newsletter.storage import jobs

#: So long at most does the folder wait where there is more to seal, again and again.
BUSY_SECONDS = 1.0


class Sealer:
    """Takes a batch of rows at a time, and sees to the folder when there is nothing more to seal, or once a second.

    `seconds`: a clock that only goes forward.
    """

    def __init__(self, owner: str, seconds: Callable[[], float] = time.monotonic) -> None:
        self._owner = owner
        self._seconds = seconds
        self._sealing = Sealing()
        self._checkpointing = Checkpointing()
        self._looked_at = seconds()

    def step(self) -> bool:
        """Seal a batch, or see to the folder; True if there may be more to do right away."""
        if not jobs.take(JOB, self._owner):
            return False
        has_sealed = self._sealing.step()
        if has_sealed and self._seconds() - self._looked_at < BUSY_SECONDS:
            return True
        self._looked_at = self._seconds()
        return self._checkpointing.step() or has_sealed
