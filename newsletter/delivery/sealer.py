"""The sealer: seals what has happened and writes checkpoints; one worker at a time over all hosts."""

from __future__ import annotations

from newsletter import jobs
from newsletter.checkpointing import JOB, Checkpointing
from newsletter.sealing import Sealing


class Sealer:
    """Takes a batch of rows at a time; a checkpoint, when there is nothing more to seal."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._sealing = Sealing()
        self._checkpointing = Checkpointing()

    def step(self) -> bool:
        """Seal a batch, or write a checkpoint; True if there may be more to do right away."""
        if not jobs.take(JOB, self._owner):
            return False
        return self._sealing.step() or self._checkpointing.step()
