"""Reconciliations: when the last ones were, and when the next is due, in one row of Job.

`ran_at`: when the last one ended, none where the next is due at once; `cursor`: when the last that ended well, and the
last of all contacts, began, and which audience it was (its id is no secret). Why one stopped, and that one of all
contacts is owed, are notices.
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
from newsletter.domain.clock import rfc3339
from newsletter.storage import jobs, notices
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job
from newsletter.storage.notices import Code

#: A contact that changed while the last one began, or by a clock that is not in step, is seen again.
OVERLAP = timedelta(hours=1)
#: A week, and no seventh night is missed for a few seconds.
FULL_EVERY = timedelta(days=6, hours=12)
_AUDIENCE = "audience"


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
    if job is None:
        with writing() as session:
            # The nights are counted from the first look, when there is nothing to compare yet.
            first = _row(session)
            first.ran_at, first.cursor = now, _cursor({}, _audience())
        return False
    return not jobs.has_run_since(job.ran_at, jobs.last_night(now))


def scope(*, full: bool = False) -> Scope:
    """What the next one is to look at: what changed since the last one, once a week, or where it is owed, all of it."""
    now = clock.now()
    with reading() as session:
        job = session.get(Job, jobs.RECONCILIATION)
    is_restored = is_owed()
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
        notices.post_in(session, Code.RECONCILIATION_OWED, since=now)
        _row(session).ran_at = None


def is_owed() -> bool:
    """Tell whether all contacts are still to be compared before anybody is added."""
    return notices.find(Code.RECONCILIATION_OWED) is not None


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
    """Write down that one has ended; `stopped`: the reason why it settled nothing, or not all."""
    owed = notices.find(Code.RECONCILIATION_OWED)
    with writing() as session:
        job = _row(session)
        job.ran_at = clock.now()
        began = _began(job)
        if stopped is None:
            began["last"] = scope.began_at
            began |= {"full": scope.began_at} if scope.is_full else {}
            job.cursor = _cursor(began, _audience())
            notices.clear_in(session, Code.RECONCILIATION_STOPPED)
            if owed is not None and owed.since <= scope.began_at:
                notices.clear_in(session, owed.code)
            return
        why = why_stopped(stopped, found)
        notices.post_in(session, Code.RECONCILIATION_STOPPED, detail=why)
        if scope.is_full and job.cursor is not None:
            # What it found shows in a walk of all contacts alone: the next one is such a walk, too.
            began.pop("full", None)
            job.cursor = _cursor(began, _kept(job).get(_AUDIENCE))


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


def _row(session: Session) -> Job:
    return jobs.row(session, jobs.RECONCILIATION)
