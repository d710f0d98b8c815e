"""What is kept of the daily look at the ledger, in one row of Job: when the last one ended, and what it found."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import select

from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job, Seal

JOB = "verify"
EVERY = timedelta(days=1)
OVERDUE = timedelta(days=2)


def is_due() -> bool:
    """Tell whether the worker is to verify: a day has passed since the last time."""
    with reading() as session:
        ran_at = session.scalar(select(Job.ran_at).where(Job.name == JOB))
    return ran_at is None or clock.now() - ran_at >= EVERY


def end(*, checked: int, unsealed: int, wrong: str | None) -> None:
    """Write down what one has found."""
    now = clock.now()
    found = {"at": rfc3339(now), "checked": checked, "unsealed": unsealed, "wrong": wrong}
    with writing() as session:
        job = jobs.row(session, JOB)
        job.ran_at, job.result = now, json.dumps(found)


def complaint() -> str | None:
    """What the last one found to be wrong, or that none has run for long; None: nothing."""
    with reading() as session:
        job = session.get(Job, JOB)
        first = session.scalar(select(Seal.sealed_at).order_by(Seal.position).limit(1))
    if job is not None and job.result is not None:
        wrong = json.loads(job.result)["wrong"]
        if wrong is not None:
            return f"ledger wrong: {wrong}"
    since = job.ran_at if job is not None and job.ran_at is not None else first
    if since is None or clock.now() - since < OVERDUE:
        return None
    return f"ledger not verified since {rfc3339(since)}"
