"""The runs of the job that ends data: when the next is due, what each has ended, and what staff should know.

One row of Job says how far it is. `ran_at`: when the last one ended; `probe_at`: since when the first one is due;
`cursor`: what the ledger had counted by the end of the last; `result`: when the one under way began, and what it has
deleted. What became of people is counted in the ledger, so that a run that was killed loses no count, and what
housekeeping ended in between is counted, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from newsletter.domain import clock, periods
from newsletter.domain.clock import rfc3339
from newsletter.domain.lifecycle import Event
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job, LedgerRow, RetentionRun
from newsletter.storage.runs import reconciliation

JOB = "retention"
LATE = timedelta(hours=48)

REQUESTS, PROOFS = "requests", "proofs"
ERASURES, WORDINGS, RUNS = "erasures", "wordings", "runs"
UNREADABLE = "unreadable"  #: past their end, but could not be ended, as where one cannot be read
_COUNTED_IN_LEDGER = (REQUESTS, PROOFS)
_COUNTED_BY_RUN = (ERASURES, WORDINGS, RUNS)


def is_due() -> bool:
    """Tell whether a night has passed since the last run, or there was none."""
    with reading() as session:
        ran_at = session.scalar(select(Job.ran_at).where(Job.name == JOB))
    return ran_at is None or ran_at < reconciliation.last_night(clock.now())


def begin() -> None:
    """Begin a run, or go on with one that was broken off."""
    with reading() as session:
        is_under_way = session.scalar(select(Job.result).where(Job.name == JOB)) is not None
    if is_under_way:
        return
    with writing() as session:
        job = jobs.row(session, JOB)
        job.probe_at = job.probe_at or clock.now()
        job.result = json.dumps({"began_at": rfc3339(clock.now())})


def note(session: Session, name: str, count: int) -> None:
    """Count what is deleted, in the transaction that deletes it."""
    job = jobs.row(session, JOB)
    noted = _noted(job)
    job.result = json.dumps(noted | {name: noted.get(name, 0) + count})


def end(unreadable: int) -> dict[str, int]:
    """End the run and write down what it has ended; one that ended nothing leaves a row once a night."""
    totals = _totals()
    now = clock.now()
    with writing() as session:
        job = jobs.row(session, JOB)
        before, noted = json.loads(job.cursor) if job.cursor else {}, _noted(job)
        counts = {name: max(0, totals[name] - before.get(name, 0)) for name in _COUNTED_IN_LEDGER}
        counts |= {name: noted.get(name, 0) for name in _COUNTED_BY_RUN}
        counts[UNREADABLE] = unreadable
        if any(counts.values()) or not _has_run_since(session, reconciliation.last_night(now)):
            session.add(RetentionRun(ran_at=_began_at(noted, now), counts=counts))
        job.ran_at, job.cursor, job.result = now, json.dumps(totals), None
    return counts


def complaint() -> str | None:
    """Why data may be kept past its end, for staff; None where nothing is wrong."""
    with reading() as session:
        job = session.get(Job, JOB)
        query = select(RetentionRun.counts).order_by(RetentionRun.id.desc()).limit(1)
        counts: Mapping[str, int] = session.scalar(query) or {}
    due_since = None if job is None else job.ran_at or job.probe_at
    # Without a worker, that is what has to be told.
    if due_since is not None and clock.now() - due_since > LATE and jobs.worker_is_alive():
        return "retention has not run for 48 hours: data may be kept past its end"
    if number := counts.get(UNREADABLE):
        return f"retention: {number} past their end could not be ended, and are kept"
    return None


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


def _noted(job: Job) -> dict[str, Any]:
    noted: dict[str, Any] = json.loads(job.result) if job.result else {}
    return noted


def _began_at(noted: Mapping[str, Any], now: datetime) -> datetime:
    return datetime.fromisoformat(noted["began_at"]) if "began_at" in noted else now


def _has_run_since(session: Session, moment: datetime) -> bool:
    query = select(RetentionRun.id).where(RetentionRun.ran_at >= moment).limit(1)
    return session.scalar(query) is not None
