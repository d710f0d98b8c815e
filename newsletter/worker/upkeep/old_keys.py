"""The end of a key rotation: an hour after a new data key was made, the worker deletes the old one.

Before that it re-encrypts what other processes still encrypted with the old key, and what an interrupted
`newsletter keys rotate --data` left.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from newsletter.domain import clock
from newsletter.storage import jobs
from newsletter.storage.keys import rotation
from newsletter.storage.keys.reencryption import Walk

JOB = "keys"
#: An unreadable value keeps its key from being deleted; how often that is tried again.
AGAIN_AFTER = timedelta(hours=1)

log = logging.getLogger(__name__)


class OldKeys:
    """One worker at a time."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._walk: Walk | None = None
        self._not_before: datetime | None = None

    def step(self) -> bool:
        """Re-encrypt a batch, or delete the keys; True if there may be more to do at once."""
        if self._walk is None and not self._is_due():
            return False
        if not jobs.take(JOB, self._owner):
            return False
        self._walk = self._walk or Walk()
        if self._walk.step():
            return True
        self._end(self._walk)
        jobs.give_back(JOB, self._owner)
        return False

    def _is_due(self) -> bool:
        is_waiting = self._not_before is not None and clock.now() < self._not_before
        return not is_waiting and rotation.has_deletable_key()

    def _end(self, walk: Walk) -> None:
        self._walk, self._not_before = None, clock.now() + AGAIN_AFTER
        log.info("encrypted %d values with the new data key", walk.seen - walk.unreadable)
        if still := rotation.delete_old_keys():
            log.warning("%d old data keys stay: some values still need them", still)
        else:
            self._not_before = None
            log.info("deleted the old data key")
