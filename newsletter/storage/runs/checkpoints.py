"""Whether this database has checkpoints: a row of Job, whose `ran_at` is the time of the first."""

from __future__ import annotations

from sqlalchemy import delete, select

from newsletter.domain import clock
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job

JOB = "checkpoints"


def are_expected() -> bool:
    with reading() as session:
        return session.scalar(select(Job.ran_at).where(Job.name == JOB)) is not None


def expect() -> None:
    """From now on, processes that find no checkpoint refuse to start."""
    if not are_expected():
        with writing() as session:
            jobs.row(session, JOB).ran_at = clock.now()


def expect_none() -> None:
    """Processes may start without a checkpoint, and the first one begins a new file."""
    with writing() as session:
        session.execute(delete(Job).where(Job.name == JOB))
