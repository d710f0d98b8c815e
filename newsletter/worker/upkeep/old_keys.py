"""The end of a rotation, which nobody has to wait for: an hour after a new data key, the worker takes the old away.

What was encrypted by it meanwhile, and what a `newsletter keys rotate --data` left that was killed, is brought under
the new one first.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from newsletter.domain import clock
from newsletter.storage import jobs
from newsletter.storage.keys import rotation
from newsletter.storage.keys.reencryption import Walk

JOB = "keys"
#: Where a value cannot be read, its key stays, and somebody has to look; until then it is looked at so often.
AGAIN_AFTER = timedelta(hours=1)

log = logging.getLogger(__name__)


class OldKeys:
    """One batch of values after the other, then the keys; one worker at a time."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._walk: Walk | None = None
        self._not_before: datetime | None = None

    def step(self) -> bool:
        """Do one thing; True if there may be more to do right away."""
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
        log.info("encrypted %d values by the new data key", walk.seen - walk.unreadable)
        if still := rotation.delete_old_keys():
            log.warning("%d old data keys stay: some values still need them", still)
        else:
            self._not_before = None
            log.info("took away the old data key, which nothing needs any more")
