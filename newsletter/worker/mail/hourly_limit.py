"""LETTERS_PER_HOUR: how many letters all workers together send within an hour; what is above waits.

A letter counts from when it is leased, and no longer if it surely did not leave. Counted are minutes, in the job's
row: {"2026-03-01T12:00:00Z": 3, …}.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain.clock import as_moment, rfc3339
from newsletter.storage import jobs, notices
from newsletter.storage.models import Job
from newsletter.storage.notices import Code

_JOB = "letters of the hour"
_WINDOW = timedelta(hours=1)
_NOTICE_STAYS = timedelta(minutes=2)  #: renewed while letters wait for it

Counts = dict[str, int]


def has_room(session: Session, now: datetime) -> bool:
    """Tell whether another letter may be leased now."""
    cursor = session.scalar(select(Job.cursor).where(Job.name == _JOB))
    return _is_below(_recent(cursor, now))


def take(session: Session, now: datetime, wanted: int) -> int:
    """Count so many more letters, or as many as there is room for; how many.

    No other worker takes any before the transaction ends.
    """
    job = jobs.row(session, _JOB)
    counts = _recent(job.cursor, now)
    taken = min(wanted, config.current().letters_per_hour - sum(counts.values()))
    if taken <= 0:
        return 0
    minute = _minute(now)
    counts[minute] = counts.get(minute, 0) + taken
    job.cursor = json.dumps(counts)
    return taken


def give_back(session: Session, taken_at: datetime, count: int = 1) -> None:
    """Count letters no longer that were taken then, and did not leave.

    Last in its transaction: whoever waits for the row of all letters may hold the lock of an address.
    """
    job = jobs.row(session, _JOB)
    counts: Counts = json.loads(job.cursor or "{}")
    minute = _minute(taken_at)
    if minute in counts:
        counts[minute] = max(0, counts[minute] - count)
        job.cursor = json.dumps(counts)


def complain(now: datetime) -> None:
    """Tell staff that letters wait for the next hour."""
    most = config.current().letters_per_hour
    notices.post(Code.LETTERS_PER_HOUR, detail=str(most), until=now + _NOTICE_STAYS)


def _is_below(counts: Counts) -> bool:
    return sum(counts.values()) < config.current().letters_per_hour


def _recent(cursor: str | None, now: datetime) -> Counts:
    """The minutes that began within the hour before; one in the future comes from a clock that was ahead."""
    counts: Counts = json.loads(cursor or "{}")
    return {at: count for at, count in counts.items() if now - _WINDOW < as_moment(at) <= now}


def _minute(moment: datetime) -> str:
    return rfc3339(moment.replace(second=0, microsecond=0))
