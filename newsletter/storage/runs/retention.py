"""Runs of retention: when the next is due, and how many rows of each class a run ended.

State is in one row of Job. `ran_at`: when the last run ended. `cursor`: the ledger's totals at the end of the last run;
of a run under way, when it began, and how much it has deleted. Where the ledger records the end of data, its totals are
compared: so a killed run loses no count, and what housekeeping has ended since the last run is included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.clock import as_moment, rfc3339
from newsletter.storage import jobs, notices
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job, RetentionRun
from newsletter.storage.notices import Code

JOB = "retention"
LATE = timedelta(hours=48)  #: after that, a notice reports that it has not run
UNREADABLE = "unreadable"  #: counted like a class: rows that could not be ended
#: Keys of the cursor.
_TOTALS, _BEGAN, _DELETED = "totals", "began_at", "deleted"


def last_ended_at() -> datetime | None:
    """When the last run ended; None: there was none."""
    with reading() as session:
        return session.scalar(select(Job.ran_at).where(Job.name == JOB))


def is_due() -> bool:
    """Whether a night has passed since the last run, or there was no run."""
    return not jobs.has_run_since(last_ended_at(), jobs.last_night(clock.now()))


def begin() -> None:
    """Begin a run, or continue an interrupted one."""
    with reading() as session:
        is_under_way = _BEGAN in _cursor(session.get(Job, JOB))
    if is_under_way:
        return
    now = clock.now()
    with writing() as session:
        job = jobs.row(session, JOB)
        job.cursor = json.dumps(_cursor(job) | {_BEGAN: rfc3339(now), _DELETED: {}})
    if notices.find(Code.RETENTION_LATE) is None:
        notices.post(Code.RETENTION_LATE, since=now + LATE)


def count(session: Session, name: str) -> None:
    """Count a row of a class, in the transaction that deletes it."""
    job = jobs.row(session, JOB)
    cursor = _cursor(job)
    deleted = cursor.setdefault(_DELETED, {})
    deleted[name] = deleted.get(name, 0) + 1
    job.cursor = json.dumps(cursor)


def end(totals: Mapping[str, int | None], unreadable: int) -> dict[str, int]:
    """End the run and store its counts; of runs that ended nothing, one a night is stored.

    `totals`: for each class, how many ends the ledger has recorded so far; None: the run itself has counted them.
    """
    now = clock.now()
    with writing() as session:
        job = jobs.row(session, JOB)
        cursor = _cursor(job)
        before, deleted = cursor.get(_TOTALS, {}), cursor.get(_DELETED, {})
        counts = {
            name: deleted.get(name, 0) if total is None else max(0, total - before.get(name, 0))
            for name, total in totals.items()
        }
        counts[UNREADABLE] = unreadable
        if any(counts.values()) or not _has_run_since(session, jobs.last_night(now)):
            began_at = as_moment(cursor[_BEGAN]) if _BEGAN in cursor else now
            session.add(RetentionRun(ran_at=began_at, counts=counts))
        job.ran_at = now
        job.cursor = json.dumps({_TOTALS: {name: total or 0 for name, total in totals.items()}})
    notices.post(Code.RETENTION_LATE, since=now + LATE)
    if unreadable:
        notices.post(Code.RETENTION_INCOMPLETE, detail=str(unreadable))
    else:
        notices.clear(Code.RETENTION_INCOMPLETE)
    return counts


def _cursor(job: Job | None) -> dict[str, Any]:
    cursor: dict[str, Any] = json.loads(job.cursor) if job is not None and job.cursor else {}
    return cursor


def _has_run_since(session: Session, moment: datetime) -> bool:
    query = select(RetentionRun.id).where(RetentionRun.ran_at >= moment).limit(1)
    return session.scalar(query) is not None
