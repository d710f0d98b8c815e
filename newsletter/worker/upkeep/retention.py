"""Ends data whose period is over: every night, and at once when a night was missed; one worker at a time.

An interrupted run is continued by the next worker: the rows tell what is still to be done.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping

from newsletter.domain import clock
from newsletter.rights import retention
from newsletter.rights.data.ending import Ending
from newsletter.storage import jobs, outage
from newsletter.storage.runs import retention as runs
from newsletter.storage.runs.retention import JOB, UNREADABLE

BATCH = 100

log = logging.getLogger(__name__)

Counts = Mapping[str, int]


class Batches:
    """Ends the data of one class in batches; a row that cannot be ended is logged and skipped from then on."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending
        self._skipped: set[str] = set()
        self.failed = 0

    def step(self) -> int:
        """End a batch; how many rows it had."""
        found = self._ending.find(clock.now(), BATCH + len(self._skipped))
        keys = [key for key in found if key not in self._skipped][:BATCH]
        for key in keys:
            if not self._end(key):
                self._skipped.add(key)
        return len(keys)

    def _end(self, key: str) -> bool:
        try:
            return self._ending.end(key)
        except Exception as error:
            if outage.is_outage(error):
                raise
            log.exception("%s ref=%s could not be ended", self._ending.name, key)
            self.failed += 1
            return False


class Retention:
    """The nightly run of one worker."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._batches = [Batches(ending) for ending in retention.ENDINGS]

    def step(self) -> bool:
        """End a batch, if a run is due; True if there may be more to do at once."""
        if not runs.is_due() or not jobs.take(JOB, self._owner):
            return False
        # Another worker may have finished it before this one took the lease.
        counts = self.run_batch() if runs.is_due() else {}
        if counts is None:
            return True
        _log(counts)
        jobs.give_back(JOB, self._owner)
        return False

    def run_batch(self) -> Counts | None:
        """End one batch of the run; None: there may be more; otherwise how many the run ended, by class."""
        runs.begin()
        if any(batches.step() for batches in self._batches):
            return None
        totals = {each.name: each.in_ledger and each.in_ledger() for each in retention.ENDINGS}
        counts = runs.end(totals, sum(batches.failed for batches in self._batches))
        self._batches = [Batches(ending) for ending in retention.ENDINGS]
        return counts


def _log(counts: Counts) -> None:
    ended = {name: count for name, count in counts.items() if count and name != UNREADABLE}
    if ended:
        named = ", ".join(f"{name} ({count})" for name, count in ended.items())
        log.info("retention has ended %s", named)


def run_now() -> Counts | None:
    """Do a whole run at once; None: another one is under way."""
    owner = f"command {secrets.token_hex(8)}"
    if not jobs.take(JOB, owner):
        return None
    try:
        run = Retention(owner)
        while (counts := run.run_batch()) is None:
            jobs.take(JOB, owner)
        return counts
    finally:
        jobs.give_back(JOB, owner)
