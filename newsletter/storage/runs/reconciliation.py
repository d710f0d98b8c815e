"""What is kept of reconciliations, in one row of Job: when the last ones were, what they found, when the next is due.

`ran_at`: when the last one ended; `cursor`: when the last that ended well, and the last of all contacts, began, and
which audience it was (its id is no secret); `result`: what the last one found, in counts; `probe_at`: since when one is
asked for, besides every night's; `held_since`: since when one of all contacts is owed, before which nobody is added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job

NIGHT_HOUR = 3  #: in TIMEZONE
#: A contact that changed while the last one began, or by a clock that is not in step, is seen again.
OVERLAP = timedelta(hours=1)
#: A week, and no seventh night is missed for a few seconds.
FULL_EVERY = timedelta(days=6, hours=12)
_AUDIENCE = "audience"
_TOLD = (
    "everybody is still to be compared with Mailchimp, since a backup may have been restored:"
    " nobody is added there before"
)


class Stop(StrEnum):
    """Why a reconciliation changed nothing though much differed: it looks like a wrong list."""

    LIMIT = "limit"  #: more would change than is done without being asked for
    AUDIENCE = "audience"  #: the audience is another than the one compared before
    UNSEEN = "unseen"  #: hardly anybody is there who should be


@dataclass(frozen=True)
class Scope:
    """What a reconciliation looks at: contacts that changed there since then; None: all, and who is missing.

    `is_other_audience`: the one that was compared before was another, so that no change goes without saying.
    `is_restored`: what is known here is a backup's, and a part of it was lost.
    """

    began_at: datetime
    since: datetime | None
    is_other_audience: bool = False
    is_restored: bool = False

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
            first = _row(session)
            first.ran_at, first.cursor = now, _cursor({}, _audience())
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
    """What the next one is to look at: what changed since the last one, once a week, or where it is owed, all of it."""
    now = clock.now()
    with reading() as session:
        job = session.get(Job, jobs.RECONCILIATION)
    is_restored = job is not None and job.held_since is not None
    if _kept(job).get(_AUDIENCE) not in (None, _audience()):
        return Scope(now, None, is_other_audience=True, is_restored=is_restored)
    began = _began(job)
    last, last_full = began.get("last"), began.get("full")
    if is_restored or full or last is None or last_full is None or now - last_full >= FULL_EVERY:
        return Scope(now, None, is_restored=is_restored)
    return Scope(now, min(last, now) - OVERLAP)


def owe() -> None:
    """Have all contacts compared before anybody is added there: what is known here is, or may be, a backup's."""
    now = clock.now()
    with writing() as session:
        job = _row(session)
        job.held_since = job.probe_at = now


def is_owed() -> bool:
    """Tell whether all contacts are still to be compared before anybody is added."""
    query = select(Job.held_since).where(Job.name == jobs.RECONCILIATION)
    with reading() as session:
        return session.scalar(query) is not None


def _audience() -> str | None:
    return config.current().mailchimp_list_id


def _kept(job: Job | None) -> dict[str, str | None]:
    return dict(json.loads(job.cursor)) if job is not None and job.cursor else {}


def _began(job: Job | None) -> dict[str, datetime]:
    kept = _kept(job).items()
    return {name: datetime.fromisoformat(at) for name, at in kept if at and name != _AUDIENCE}


def _cursor(began: Mapping[str, datetime], audience: str | None) -> str:
    return json.dumps({**{name: rfc3339(at) for name, at in began.items()}, _AUDIENCE: audience})


def end(scope: Scope, found: Mapping[str, object], stopped: str | None) -> None:
    """Write down what one has found, counts alone; `stopped`: the reason why it settled nothing, or not all."""
    now = clock.now()
    with writing() as session:
        job = _row(session)
        job.ran_at = now
        job.result = json.dumps({"at": rfc3339(now), "stopped": stopped, **found})
        if job.probe_at is not None and job.probe_at <= scope.began_at:
            job.probe_at = None
        began = _began(job)
        if stopped is None:
            began["last"] = scope.began_at
            began |= {"full": scope.began_at} if scope.is_full else {}
            if job.held_since is not None and job.held_since <= scope.began_at:
                job.held_since = None
            job.cursor = _cursor(began, _audience())
        elif scope.is_full and job.cursor is not None:
            # What it found shows in a walk of all contacts alone: the next one is such a walk, too.
            began.pop("full", None)
            job.cursor = _cursor(began, _kept(job).get(_AUDIENCE))


def complaint() -> str | None:
    """Why the last one settled nothing, or not all, for staff; None if it did."""
    result = _result()
    reason = result.get("stopped")
    return None if reason is None else f"reconciliation stopped: {why_stopped(reason, result)}"


def complaint_of_owed() -> str | None:
    """That nobody is added at Mailchimp before all contacts were compared, for staff; None: they were."""
    return _TOLD if is_owed() else None


def was_full() -> bool:
    """Tell whether the last one was a walk of all contacts."""
    return bool(_result().get("full"))


def command_for_all(*, is_full: bool) -> str:
    """The command that makes all changes which a walk was stopped from making."""
    return f"newsletter reconcile {'--full ' if is_full else ''}--yes"


def why_stopped(reason: str, counts: Mapping[str, object]) -> str:
    """Say in words why one stopped, from what it counted."""
    changes = counts.get("changes")
    match reason:
        case Stop.LIMIT:
            return f"{changes} changes are more than {counts.get('limit')}"
        case Stop.AUDIENCE:
            return f"MAILCHIMP_LIST_ID names another audience than before, and {changes} people would change"
        case Stop.UNSEEN:
            seen, expected = counts.get("seen"), counts.get("expected")
            return f"only {seen} of {expected} who should be there were seen"
        case _:
            return reason


def _result() -> dict[str, Any]:
    with reading() as session:
        query = select(Job.result).where(Job.name == jobs.RECONCILIATION)
        kept = session.scalar(query)
    return dict(json.loads(kept)) if kept else {}


def _row(session: Session) -> Job:
    return jobs.row(session, jobs.RECONCILIATION)
