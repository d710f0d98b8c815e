"""Ends what has reached the end of its period: every night, and at once when a night was missed; one worker at a time.

People one by one, each in a transaction of its own, everything else in batches, so that no writer waits for long. A run
that is broken off is gone on with by whoever comes next: what is still to do can be read from the rows.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping

from sqlalchemy import delete, update

from newsletter.domain import clock
from newsletter.rights import retention
from newsletter.rights.retention import Ending
from newsletter.storage import jobs, outage
from newsletter.storage.database import writing
from newsletter.storage.models import Erasure, Model, RetentionRun, Wording
from newsletter.storage.runs import retention as retention_runs
from newsletter.storage.runs.retention import (
    ERASURES,
    JOB,
    PROOFS,
    REQUESTS,
    RUNS,
    UNREADABLE,
    WORDINGS,
)
from newsletter.subscriptions.ending import expire, retire

BATCH = 100

log = logging.getLogger(__name__)

Counts = Mapping[str, int]


class Retiring:
    """One worker's turn at it; a row that cannot be ended is passed over until the next run."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._unreadable: set[str] = set()
        # Of each class by itself: whose request has ended just now may be found again, as their proof ends, too.
        self._tried: dict[str, set[str]] = {}
        self._passed_over: dict[str, set[str]] = {}

    def step(self) -> bool:
        """End one batch, if the night has come; True if there may be more to do right away."""
        if not retention_runs.is_due() or not jobs.take(JOB, self._owner):
            return False
        if not retention_runs.is_due():
            # Another worker has done it in between.
            jobs.give_back(JOB, self._owner)
            return False
        counts = self.go_on()
        if counts is None:
            return True
        _tell(counts)
        jobs.give_back(JOB, self._owner)
        return False

    def go_on(self) -> Counts | None:
        """End one batch of the run; what it has ended where it is over, else None."""
        retention_runs.begin()
        for ending in retention.ENDINGS:
            keys = self._found(ending)
            if keys:
                self._end(ending, keys)
                return None
        counts = retention_runs.end(len(self._unreadable))
        self._unreadable.clear()
        self._tried.clear()
        self._passed_over.clear()
        return counts

    def _found(self, ending: Ending) -> list[str]:
        tried = self._tried.setdefault(ending.name, set())
        passed_over = self._passed_over.setdefault(ending.name, set())
        found = ending.find(clock.now(), 2 * BATCH + len(passed_over))
        # What could not be ended once must not keep the rest.
        passed_over |= tried & set(found)
        keys = [key for key in found if key not in passed_over][:BATCH]
        self._tried[ending.name] = set(keys) or tried
        return keys

    def _end(self, ending: Ending, keys: list[str]) -> None:
        if ending.name in (REQUESTS, PROOFS):
            for ref in keys:
                self._end_person(ending.name, ref)
        elif ending.name == WORDINGS:
            _empty(keys)
        else:
            _delete(ending.name, keys)

    def _end_person(self, name: str, ref: str) -> None:
        try:
            if name == REQUESTS:
                expire(ref)
            else:
                retire(ref)
        except Exception as error:
            if outage.is_outage(error):
                raise
            # One odd row must not keep the others, nor what ends after them.
            log.exception("%s ref=%s could not be ended", name, ref)
            self._unreadable.add(ref)


def _tell(counts: Counts) -> None:
    """Tell the log what was ended, if anything was; of what cannot be read it was told one by one."""
    ended = {name: count for name, count in counts.items() if count and name != UNREADABLE}
    if ended:
        told = ", ".join(f"{name} ({count})" for name, count in ended.items())
        log.info("retention has ended %s", told)


_TABLES: Mapping[str, type[Model]] = {
    ERASURES: Erasure,
    RUNS: RetentionRun,
}


def _delete(name: str, keys: list[str]) -> None:
    table = _TABLES[name].__table__
    [key] = table.primary_key
    values = [key.type.python_type(value) for value in keys]
    with writing() as session:
        session.execute(delete(_TABLES[name]).where(key.in_(values)))
        retention_runs.note(session, name, len(keys))


def _empty(hashes: list[str]) -> None:
    """End consent texts; their rows stay, or settings that go back to one would publish it again."""
    with writing() as session:
        session.execute(update(Wording).where(Wording.hash.in_(hashes)).values(text=""))
        retention_runs.note(session, WORDINGS, len(hashes))


def run_now() -> Counts | None:
    """A whole run at once, beside whatever the workers do; None: another one is under way."""
    owner = f"command {secrets.token_hex(8)}"
    if not jobs.take(JOB, owner):
        return None
    try:
        retiring = Retiring(owner)
        while (counts := retiring.go_on()) is None:
            jobs.take(JOB, owner)
        return counts
    finally:
        jobs.give_back(JOB, owner)
