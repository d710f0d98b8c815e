"""Whether this database has checkpoints, in one row of Job; `ran_at`: since when."""

from __future__ import annotations

from sqlalchemy import delete, select

from newsletter.domain import clock
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job

JOB = "checkpoints"


def are_expected() -> bool:
    """Tell whether this database knows of a checkpoint."""
    with reading() as session:
        return session.scalar(select(Job.ran_at).where(Job.name == JOB)) is not None


def expect() -> None:
    """Have processes refuse to start from now on where they find no checkpoint."""
    if not are_expected():
        with writing() as session:
            jobs.row(session, JOB).ran_at = clock.now()


def expect_none() -> None:
    """Let processes start without checkpoints; the first of them begins a new file."""
    with writing() as session:
        session.execute(delete(Job).where(Job.name == JOB))
