"""Whether there are checkpoints of this database, in one row of Job: `ran_at`, since when."""

from __future__ import annotations

from sqlalchemy import delete, select

from newsletter.domain import clock
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job

JOB = "checkpoints"


def are_known() -> bool:
    """Tell whether a checkpoint was ever written, as far as this database knows."""
    with reading() as session:
        return session.scalar(select(Job.ran_at).where(Job.name == JOB)) is not None


def know() -> None:
    """From now on, a process that sees no checkpoint refuses to start."""
    if not are_known():
        with writing() as session:
            jobs.row(session, JOB).ran_at = clock.now()


def forget() -> None:
    """Let processes start without checkpoints, and the first of them begin a new file."""
    with writing() as session:
        session.execute(delete(Job).where(Job.name == JOB))
