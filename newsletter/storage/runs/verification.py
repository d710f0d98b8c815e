"""The nightly look at the ledger: when the last one ended, in a row of Job; what it found is a notice."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.storage import jobs, notices
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job
from newsletter.storage.notices import Code

JOB = "verify"
OVERDUE = timedelta(days=2)


def is_due() -> bool:
    """Tell whether the worker is to verify: a night has passed since the last time."""
    with reading() as session:
        ran_at = session.scalar(select(Job.ran_at).where(Job.name == JOB))
    return not jobs.has_run_since(ran_at, jobs.last_night(clock.now()))


def begin() -> None:
    """Have staff know unless this one, or another, ends by then."""
    if notices.find(Code.LEDGER_NOT_VERIFIED) is None:
        _expect_another()


def end(wrong: str | None) -> None:
    """Write down that one has ended, and what it found to be wrong."""
    with writing() as session:
        jobs.row(session, JOB).ran_at = clock.now()
    if wrong is None:
        notices.clear(Code.LEDGER_WRONG)
    else:
        notices.post(Code.LEDGER_WRONG, detail=wrong)
    _expect_another()


def _expect_another() -> None:
    now = clock.now()
    notices.post(Code.LEDGER_NOT_VERIFIED, detail=rfc3339(now), since=now + OVERDUE)
