"""The nightly verification of the ledger: a row of Job has the time (`ran_at`), a notice the fault."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.storage import jobs, notices
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job
from newsletter.storage.notices import Code

JOB = "verify"
OVERDUE = timedelta(days=2)


def last_ended_at() -> datetime | None:
    """When the last verification ended; None: there was none."""
    with reading() as session:
        return session.scalar(select(Job.ran_at).where(Job.name == JOB))


def is_due() -> bool:
    """Whether a night has passed since the last verification."""
    return not jobs.has_run_since(last_ended_at(), jobs.last_night(clock.now()))


def begin() -> None:
    """Post the notice that is listed unless a verification ends in time."""
    if notices.find(Code.LEDGER_NOT_VERIFIED) is None:
        _post_overdue()


def end(fault: str | None) -> None:
    """Record the end of a verification, and the fault that it found."""
    with writing() as session:
        jobs.row(session, JOB).ran_at = clock.now()
    if fault is None:
        notices.clear(Code.LEDGER_WRONG)
    else:
        notices.post(Code.LEDGER_WRONG, detail=fault)
    _post_overdue()


def _post_overdue() -> None:
    now = clock.now()
    notices.post(Code.LEDGER_NOT_VERIFIED, detail=rfc3339(now), since=now + OVERDUE)
