"""The loop that seals the ledger; one worker at a time over all hosts."""

from __future__ import annotations

from newsletter.ledger.sealing import Sealing
from newsletter.storage import jobs

JOB = "sealing"


class Sealer:
    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._sealing = Sealing()

    def step(self) -> bool:
        """Seal a batch; True if there may be more to seal at once."""
        return jobs.take(JOB, self._owner) and self._sealing.step()
