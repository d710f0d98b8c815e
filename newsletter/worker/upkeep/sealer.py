"""The sealer: seals what has happened; one worker at a time over all hosts."""

from __future__ import annotations

from newsletter.ledger.sealing import Sealing
from newsletter.storage import jobs

JOB = "sealing"


class Sealer:
    """Takes a batch of rows at a time."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._sealing = Sealing()

    def step(self) -> bool:
        """Seal a batch; True if there may be more to do right away."""
        return jobs.take(JOB, self._owner) and self._sealing.step()
