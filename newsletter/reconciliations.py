"""What is kept of reconciliations, in one row of Job: when the last ones were, what they found, when the next is due.

`ran_at`: when the last one ended; `cursor`: when the last that ended well, and the last of all contacts, began;
`result`: what the last one found, in counts; `probe_at`: since when one is asked for, besides every night's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import clock, config, jobs
from newsletter.database import reading, writing
from newsletter.formatting import rfc3339
from newsletter.models import Job

NIGHT_HOUR = 3  #: in TIMEZONE
#: A contact that changed while the last one began, or by a clock that is not in step, is seen again.
OVERLAP = timedelta(hours=1)
#: A week, and no seventh night is missed for a few seconds.
FULL_EVERY = timedelta(days=6, hours=12)
OVER_LIMIT = "limit"


@dataclass(frozen=True)
class Scope:
    """What a reconciliation looks at: contacts that changed there since then; None: all, and who is missing."""

    began_at: datetime
    since: datetime | None

    @property
    def is_full(self) -> bool:
        """Tell whether all of the audience is walked."""
        return self.since is None


def is_due() -> bool:
    """Tell whether the worker is to reconcile: a night has passed since the last time, or a hold has ended."""
    now = clock.now()
    with reading() as session:
        job = session.get(Job, jobs.RECONCILIATION)
    if job is None or (job.ran_at is None and job.probe_at is None):
        with writing() as session:
            # The nights are counted from the first look, when there is nothing to compare yet.
            _row(session).ran_at = now
        return False
    if job.probe_at is not None:
        return job.probe_at <= now
    return job.ran_at is not None and job.ran_at < last_night(now)


def last_night(now: datetime) -> datetime:
    """When the nightly hour struck last."""
    local = now.astimezone(config.current().zone)
    night = local.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return night if night <= local else night - timedelta(days=1)


def scope(*, full: bool = False) -> Scope:
    """What the next one is to look at: what changed since the last one, once a week all of it."""
    now = clock.now()
    with reading() as session:
        job = session.get(Job, jobs.RECONCILIATION)
    began = _began(job)
    last, last_full = began.get("last"), began.get("full")
    if full or last is None or last_full is None or now - last_full >= FULL_EVERY:
        return Scope(now, None)
    return Scope(now, min(last, now) - OVERLAP)


def _began(job: Job | None) -> dict[str, datetime]:
    kept = json.loads(job.cursor) if job is not None and job.cursor else {}
    return {name: datetime.fromisoformat(at) for name, at in kept.items()}


def end(scope: Scope, found: Mapping[str, object], stopped: str | None) -> None:
    """Write down what one has found, counts alone; `stopped`: the reason why it settled nothing, or not all."""
    now = clock.now()
    with writing() as session:
        job = _row(session)
        job.ran_at = now
        job.result = json.dumps({"at": rfc3339(now), "stopped": stopped, **found})
        if job.probe_at is not None and job.probe_at <= scope.began_at:
            job.probe_at = None
        if stopped is None:
            began = _began(job) | {"last": scope.began_at}
            began |= {"full": scope.began_at} if scope.is_full else {}
            job.cursor = json.dumps({name: rfc3339(at) for name, at in began.items()})


def complaint() -> str | None:
    """Why the last one settled nothing, or not all, for staff; None if it did."""
    with reading() as session:
        query = select(Job.result).where(Job.name == jobs.RECONCILIATION)
        kept = session.scalar(query)
    result = json.loads(kept) if kept else {}
    match result.get("stopped"):
        case None:
            return None
        case reason if reason == OVER_LIMIT:
            changes, limit = result.get("changes"), result.get("limit")
            return f"reconciliation stopped: {changes} changes are more than {limit}"
        case reason:
            return f"reconciliation stopped: {reason}"


def _row(session: Session) -> Job:
    return jobs.row(session, jobs.RECONCILIATION)
