"""The loop that verifies the ledger every night, page by page, and posts a notice if something is wrong."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timedelta

from newsletter import config
from newsletter.domain import clock
from newsletter.ledger import comparison
from newsletter.ledger.verifying import Verification
from newsletter.storage import jobs, outage
from newsletter.storage.runs import checkpoints as record
from newsletter.storage.runs import verification

AGAIN_AFTER = timedelta(hours=1)  #: after an unexpected exception

log = logging.getLogger(__name__)


class Verifier:
    """One worker at a time over all hosts."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._under_way: Verification | None = None
        self._not_before: datetime | None = None

    def step(self) -> bool:
        """Verify a page; True if there may be more."""
        if self._under_way is None and not self._is_due():
            return False
        if not jobs.take(verification.JOB, self._owner):
            self._under_way = None
            return False
        try:
            verification.begin()
            walk = self._under_way = self._under_way or Verification()
            if walk.step():
                return True
            self._end(walk)
        except outage.OF_THE_DATABASE:
            self._under_way = None  # start anew when the database is back
            raise
        except Exception:
            # Not again at once: it would cost a whole verification each time.
            self._under_way, self._not_before = None, clock.now() + AGAIN_AFTER
            jobs.give_back(verification.JOB, self._owner)
            raise
        self._under_way = None
        jobs.give_back(verification.JOB, self._owner)
        return False

    def _is_due(self) -> bool:
        is_waiting = self._not_before is not None and clock.now() < self._not_before
        return not is_waiting and verification.is_due()

    def _end(self, walk: Verification) -> None:
        wrong = None if walk.fault is None else str(walk.fault)
        wrong = wrong or _wrong_in_checkpoints()
        verification.end(wrong)
        if wrong is None:
            log.info("ledger verified: %d rows are as they were sealed", walk.checked)
        else:
            log.error("ledger wrong: %s", wrong)


def _wrong_in_checkpoints() -> str | None:
    """A mismatch with the checkpoints; a folder that cannot be read, or is empty, is reported elsewhere."""
    folder = config.current().ledger_checkpoints
    if folder is None:
        return None
    with suppress(OSError):
        wrong = comparison.first_fault(folder)
        return wrong if record.are_expected() else None
    return None
