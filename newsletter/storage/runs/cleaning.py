"""What is kept of the cleaning of SQLite's file, in one row of Job: why the last one failed, and when.

`result`: the reason; `held_since`: since when it fails. There is no row where none has ever failed.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from newsletter.domain import clock
from newsletter.storage import jobs
from newsletter.storage.database import file, reading, writing
from newsletter.storage.models import Erasure, Job

JOB = "file"
#: A big file is cleaned at night, and one night may be missed.
PATIENCE = timedelta(hours=48)


def fail(reason: str) -> None:
    """Write down that the file could not be cleaned; `reason` is in words of ours."""
    with writing() as session:
        job = jobs.row(session, JOB)
        job.result = reason
        job.held_since = job.held_since or clock.now()


def succeed() -> None:
    """Write down that it could, where it could not before."""
    with reading() as session:
        has_failed = session.scalar(select(Job.result).where(Job.name == JOB)) is not None
    if has_failed:
        with writing() as session:
            job = jobs.row(session, JOB)
            job.result = job.held_since = None


def complaint() -> str | None:
    """Why what was erased is still in the file, for staff; None where nothing is wrong."""
    if file() is None:
        return None
    with reading() as session:
        reason = session.scalar(select(Job.result).where(Job.name == JOB))
        waits = (Erasure.file_done_at.is_(None), Erasure.deleted_at < clock.now() - PATIENCE)
        is_late = session.scalar(select(Erasure.id).where(*waits).limit(1)) is not None
    if reason is not None:
        return f"the database file cannot be cleaned of what was erased: {reason}"
    return "the database file was not cleaned of what was erased for 48 hours" if is_late else None
