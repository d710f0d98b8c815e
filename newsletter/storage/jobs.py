"""Leases, so that only one worker does a job at a time; heartbeats of workers; nights."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.storage import statements
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job
from newsletter.storage.moments import has_come, latest

#: After a worker was killed, another one takes over within 30 s: its lease ends, and the others look every few seconds.
LEASE = timedelta(seconds=20)
BEAT_SECONDS = 5.0  #: between two renewals of a lease
NIGHT_HOUR = 3  #: in TIMEZONE
WORKER_PREFIX = "worker "
RECONCILIATION = "reconcile"


def row(session: Session, name: str) -> Job:
    """The row of a job, locked; inserted if it is missing."""
    query = select(Job).where(Job.name == name).with_for_update()
    if (found := session.scalars(query).one_or_none()) is not None:
        return found
    statements.insert_missing(session, Job, name=name)
    return session.scalars(query).one()


def take(name: str, owner: str) -> bool:
    """Take a lease, or renew one's own; False while another owner has it."""
    now = clock.now()
    with reading() as session:
        job = session.get(Job, name)
        if job is not None and _is_others(job, owner, now):
            return False
        if job is not None and job.leased_by == owner and _is_fresh(job, now):
            return True
    with writing() as session:
        job = row(session, name)
        if _is_others(job, owner, now):
            return False
        job.leased_by, job.leased_until = owner, now + LEASE
        return True


def _is_fresh(job: Job, now: datetime) -> bool:
    return job.leased_until is not None and job.leased_until - now > LEASE / 2


def _is_others(job: Job, owner: str, now: datetime) -> bool:
    return job.leased_by != owner and not has_come(job.leased_until, now, latest(now, LEASE))


def beat(worker: str, *, except_for: Collection[str] = ()) -> None:
    """Record that a worker is alive, and renew its leases and those of its loops (owner: "WORKER LOOP").

    `except_for`: owners whose leases are not renewed.
    """
    now = clock.now()
    with writing() as session:
        alive = row(session, f"{WORKER_PREFIX}{worker}")
        alive.leased_by, alive.ran_at = worker, now
        session.flush()
        _renew(session, now, _is_of(worker), Job.leased_by.not_in(except_for))
        # Rows of workers that were killed.
        is_over = has_come(Job.leased_until, now - timedelta(days=1), latest(now, LEASE))
        is_gone = (Job.name.startswith(WORKER_PREFIX), is_over)
        session.execute(delete(Job).where(*is_gone))


def _is_of(worker: str) -> ColumnElement[bool]:
    return or_(Job.leased_by == worker, Job.leased_by.startswith(f"{worker} "))


def renew(owner: str) -> None:
    """Renew all leases of a command."""
    with writing() as session:
        _renew(session, clock.now(), Job.leased_by == owner)


def _renew(session: Session, now: datetime, *which: ColumnElement[bool]) -> None:
    session.execute(update(Job).where(*which).values(leased_until=now + LEASE))


def give_back(name: str, owner: str) -> None:
    """End one lease."""
    with writing() as session:
        is_held = (Job.name == name, Job.leased_by == owner)
        session.execute(update(Job).where(*is_held).values(leased_by=None, leased_until=None))


def leave(worker: str) -> None:
    """End all leases of a worker or a command that ends."""
    with writing() as session:
        session.execute(delete(Job).where(Job.name == f"{WORKER_PREFIX}{worker}"))
        freed = update(Job).where(_is_of(worker))
        session.execute(freed.values(leased_by=None, leased_until=None))


@dataclass(frozen=True)
class Workers:
    """How many workers are alive, and when the last heartbeat was; None: none, or all workers ended in order."""

    alive: int
    last_beat: datetime | None


def workers() -> Workers:
    """Of all hosts."""
    now = clock.now()
    is_over = has_come(Job.leased_until, now, latest(now, LEASE))
    query = select(func.count().filter(~is_over), func.max(Job.ran_at))
    with reading() as session:
        found = session.execute(query.where(Job.name.startswith(WORKER_PREFIX))).one()
    return Workers(*found)


def worker_is_alive() -> bool:
    return workers().alive > 0


def has_run_since(ran_at: datetime | None, moment: datetime) -> bool:
    """Whether a job has run since a time; a future `ran_at`, set by a clock that was ahead, does not count."""
    return ran_at is not None and moment <= ran_at <= latest(clock.now(), timedelta(0))


def last_night(now: datetime) -> datetime:
    """When it was last NIGHT_HOUR."""
    local = now.astimezone(config.current().zone)
    night = local.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return night if night <= local else night - timedelta(days=1)
