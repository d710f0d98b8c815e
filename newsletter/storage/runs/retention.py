"""The runs of the job that ends data: when the next is due, and what each has ended.

One row of Job says how far it is. `ran_at`: when the last one ended; `cursor`: what the ledger had counted by the end
of the last, and of one under way when it began and what it has deleted. What became of people is counted in the
ledger, so that a run that was killed loses no count, and what housekeeping ended in between is counted, too.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from newsletter.domain import clock, periods
from newsletter.domain.clock import as_moment, rfc3339
from newsletter.domain.lifecycle import Event
from newsletter.storage import jobs, notices
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job, LedgerRow, RetentionRun
from newsletter.storage.notices import Code

JOB = "retention"
LATE = timedelta(hours=48)  #: after that, staff are told that it has not run

REQUESTS, PROOFS = "requests", "proofs"
ERASURES, WORDINGS, RUNS = "erasures", "wordings", "runs"
UNREADABLE = "unreadable"  #: past their end, but could not be ended, as where one cannot be read
#: The cursor's parts.
_TOTALS, _BEGAN, _DELETED = "totals", "began_at", "deleted"
_COUNTED_IN_LEDGER = (REQUESTS, PROOFS)
_COUNTED_BY_RUN = (ERASURES, WORDINGS, RUNS)


def last_ended_at() -> datetime | None:
    """When the last run ended; None where there was none."""
    with reading() as session:
        return session.scalar(select(Job.ran_at).where(Job.name == JOB))


def is_due() -> bool:
    """Tell whether a night has passed since the last run, or there was none."""
    return not jobs.has_run_since(last_ended_at(), jobs.last_night(clock.now()))


def begin() -> None:
    """Begin a run, or go on with one that was broken off."""
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


def note(session: Session, name: str, count: int) -> None:
    """Count what is deleted, in the transaction that deletes it."""
    job = jobs.row(session, JOB)
    cursor = _cursor(job)
    deleted = cursor.setdefault(_DELETED, {})
    deleted[name] = deleted.get(name, 0) + count
    job.cursor = json.dumps(cursor)


def end(unreadable: int) -> dict[str, int]:
    """End the run and write down what it has ended; one that ended nothing leaves a row once a night."""
    totals = _totals()
    now = clock.now()
    with writing() as session:
        job = jobs.row(session, JOB)
        cursor = _cursor(job)
        before, deleted = cursor.get(_TOTALS, {}), cursor.get(_DELETED, {})
        counts = {name: max(0, totals[name] - before.get(name, 0)) for name in _COUNTED_IN_LEDGER}
        counts |= {name: deleted.get(name, 0) for name in _COUNTED_BY_RUN}
        counts[UNREADABLE] = unreadable
        if any(counts.values()) or not _has_run_since(session, jobs.last_night(now)):
            began_at = as_moment(cursor[_BEGAN]) if _BEGAN in cursor else now
            session.add(RetentionRun(ran_at=began_at, counts=counts))
        job.ran_at, job.cursor = now, json.dumps({_TOTALS: totals})
    notices.post(Code.RETENTION_LATE, since=now + LATE)
    if unreadable:
        notices.post(Code.RETENTION_INCOMPLETE, detail=str(unreadable))
    else:
        notices.clear(Code.RETENTION_INCOMPLETE)
    return counts


def _totals() -> dict[str, int]:
    """What the ledger has counted so far."""
    is_retired = and_(LedgerRow.event == Event.ERASED, LedgerRow.actor == periods.ACTOR)
    query = (
        select(LedgerRow.event, func.count())
        .where(or_(LedgerRow.event == Event.EXPIRED, is_retired))
        .group_by(LedgerRow.event)
    )
    with reading() as session:
        counted = {row[0]: row[1] for row in session.execute(query)}
    return {REQUESTS: counted.get(Event.EXPIRED, 0), PROOFS: counted.get(Event.ERASED, 0)}


def _cursor(job: Job | None) -> dict[str, Any]:
    cursor: dict[str, Any] = json.loads(job.cursor) if job is not None and job.cursor else {}
    return cursor


def _has_run_since(session: Session, moment: datetime) -> bool:
    query = select(RetentionRun.id).where(RetentionRun.ran_at >= moment).limit(1)
    return session.scalar(query) is not None
