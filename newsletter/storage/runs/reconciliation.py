"""Reconciliations: when the last ones were, and when the next is due, in one row of Job.

`ran_at`: when the last one ended; None: the next is due at once. `cursor`: when the last successful one and the last
full one began, the id of the audience (no secret), and the result of the last one. Why one stopped, and that a full one
is required, are notices.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.clock import as_moment, rfc3339
from newsletter.storage import jobs, notices
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job
from newsletter.storage.notices import Code

#: Contacts that changed while the last one began, or whose time is of another clock, are read again.
OVERLAP = timedelta(hours=1)
#: Less than a week, so that the seventh night is not missed by a few seconds.
FULL_EVERY = timedelta(days=6, hours=12)
_AUDIENCE, _LAST = "audience", "last_result"


class Stop(StrEnum):
    """Why a reconciliation changed nothing although much differed: probably the wrong audience."""

    LIMIT = "limit"  #: more would change than is allowed without confirmation
    AUDIENCE = "audience"  #: another audience than the last time
    UNSEEN = "unseen"  #: most expected contacts are missing


@dataclass(frozen=True)
class Scope:
    """What a reconciliation compares: contacts that changed `since` a time; None: all, and who is missing.

    `is_other_audience`: the last one compared another audience, so that every change needs a confirmation.
    `is_restored`: the database is a restored backup, which lacks the newest data.
    """

    began_at: datetime
    since: datetime | None
    is_other_audience: bool = False
    is_restored: bool = False

    @property
    def is_full(self) -> bool:
        return self.since is None


@dataclass(frozen=True)
class LastResult:
    ended_at: datetime
    is_full: bool  #: everybody was compared
    changes: int  #: how many differed
    is_stopped: bool  #: not all of them were changed


def last_result() -> LastResult | None:
    """Of the last one that ended; None: there was none."""
    with reading() as session:
        found = _kept(session.get(Job, jobs.RECONCILIATION)).get(_LAST)
    if found is None:
        return None
    at, is_full, changes, is_stopped = json.loads(found)
    return LastResult(as_moment(at), is_full, changes, is_stopped)


def is_due() -> bool:
    """Whether a night has passed since the last one, or a hold has ended."""
    now = clock.now()
    with reading() as session:
        job = session.get(Job, jobs.RECONCILIATION)
    if job is None:
        with writing() as session:
            # A new service has nothing to compare yet: the first reconciliation is in the next night.
            first = _row(session)
            first.ran_at, first.cursor = now, _cursor({}, _audience())
        return False
    return not jobs.has_run_since(job.ran_at, jobs.last_night(now))


def scope(*, full: bool = False) -> Scope:
    """Of the next one: changes since the last one; everything once a week, or where that is required."""
    now = clock.now()
    with reading() as session:
        job = session.get(Job, jobs.RECONCILIATION)
    is_restored = is_full_required()
    if _kept(job).get(_AUDIENCE) not in (None, _audience()):
        return Scope(now, None, is_other_audience=True, is_restored=is_restored)
    began = _began(job)
    last_at, full_at = began.get("last"), began.get("full")
    if is_restored or full or last_at is None or full_at is None or now - full_at >= FULL_EVERY:
        return Scope(now, None, is_restored=is_restored)
    return Scope(now, min(last_at, now) - OVERLAP)


def require_full() -> None:
    """Add nobody at Mailchimp before a full reconciliation: the database is, or may be, a restored backup."""
    now = clock.now()
    with writing() as session:
        notices.post_in(session, Code.RECONCILIATION_OWED, since=now)
        _row(session).ran_at = None


def is_full_required() -> bool:
    return notices.find(Code.RECONCILIATION_OWED) is not None


def _audience() -> str | None:
    return config.current().mailchimp_list_id


def _kept(job: Job | None) -> dict[str, str | None]:
    return dict(json.loads(job.cursor)) if job is not None and job.cursor else {}


def _began(job: Job | None) -> dict[str, datetime]:
    kept = _kept(job).items()
    return {name: as_moment(at) for name, at in kept if at and name not in (_AUDIENCE, _LAST)}


def _cursor(began: Mapping[str, datetime], audience: str | None, result: str | None = None) -> str:
    times = {name: rfc3339(at) for name, at in began.items()}
    return json.dumps({**times, _AUDIENCE: audience, _LAST: result})


def end(scope: Scope, found: Mapping[str, object], stopped: str | None) -> None:
    """Record the end of a reconciliation; `stopped`: why it did not change everything that differed."""
    required = notices.find(Code.RECONCILIATION_OWED)
    with writing() as session:
        job = _row(session)
        job.ran_at = clock.now()
        began = _began(job)
        result = json.dumps(
            [rfc3339(job.ran_at), scope.is_full, found.get("changes", 0), stopped is not None]
        )
        if stopped is None:
            began["last"] = scope.began_at
            began |= {"full": scope.began_at} if scope.is_full else {}
            job.cursor = _cursor(began, _audience(), result)
            notices.clear_in(session, Code.RECONCILIATION_STOPPED)
            if required is not None and required.since <= scope.began_at:
                notices.clear_in(session, required.code)
            return
        why = why_stopped(stopped, found)
        notices.post_in(session, Code.RECONCILIATION_STOPPED, detail=why)
        if scope.is_full:
            # Only another full reconciliation would find the same differences.
            began.pop("full", None)
        job.cursor = _cursor(began, _kept(job).get(_AUDIENCE), result)


def why_stopped(reason: str, counts: Mapping[str, object]) -> str:
    """A sentence for `reason`, a Stop or a text, with the counts."""
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


def _row(session: Session) -> Job:
    return jobs.row(session, jobs.RECONCILIATION)
