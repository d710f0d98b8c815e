"""Copies of a letter: each is recorded before the server can accept it.

The first is recorded with the lease, for many letters at once: another worker sends those of a killed worker as soon as
their leases end. Any further copy is recorded right before the server can accept it, and counts as a letter to the
mailbox.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, select, update

from newsletter.domain import clock
from newsletter.storage import jobs, statements
from newsletter.storage.database import lock, writing
from newsletter.storage.models import Letter, Subscription
from newsletter.subscriptions import quota
from newsletter.subscriptions.person import quota_digest_of
from newsletter.worker.mail.leases import Leased

MOST_COPIES = 3  #: of one letter, if it is unknown whether the earlier ones arrived
#: After the first copy; longer than a server may take to answer it (RFC 5321 § 4.5.3.2.6).
UNKNOWN_WAIT = timedelta(minutes=15)
_NEARLY_OVER = jobs.LEASE / 4

# Built once, since every letter needs it.
_LEASED_UNTIL = select(
    select(Letter.leased_until)
    .join(Subscription, Letter.ref == Subscription.ref)
    .where(
        Letter.number == bindparam("number"),
        Letter.leased_by == bindparam("owner"),
        Subscription.round == bindparam("round"),
        Subscription.status == bindparam("status"),
        Subscription.hold.is_(False),
    )
    .scalar_subquery()
)


def may_finish(leased: Leased) -> bool:
    """Decide, right before the server can accept a letter: its lease holds, and the person's status is the same."""
    (until,) = statements.fetch_alone(
        _LEASED_UNTIL,
        number=leased.letter.number,
        owner=leased.owner,
        round=leased.row.round,
        status=leased.row.status,
    )
    if until is None:
        return False
    is_nearly_over = until - clock.now() < _NEARLY_OVER
    return _record(leased) if leased.copies or is_nearly_over else True


def wait_for_reply(leased: Leased) -> None:
    """Let no worker send the letter again while the server may still reply to it."""
    due_at = clock.now() + UNKNOWN_WAIT * (leased.copies + 1)
    waiting = update(Letter).where(*_is_ours(leased)).values(due_at=due_at, error="timeout")
    with writing() as session:
        session.execute(waiting)


def _record(leased: Leased) -> bool:
    """Renew the lease, and record a further copy; False if the lease is lost."""
    now, copies = clock.now(), leased.copies + 1
    changes = {"copies": copies, "leased_until": now + jobs.LEASE}
    if copies > 1:
        changes["due_at"] = now + UNKNOWN_WAIT * copies
    with writing() as session:
        if copies > 1:
            lock(session, leased.row.digest)
        recording = update(Letter).where(*_is_ours(leased)).values(changes).returning(Letter.id)
        is_recorded = session.scalar(recording) is not None
        row = session.get(Subscription, leased.ref) if is_recorded and copies > 1 else None
        if row is not None:
            quota.count_copy(session, quota_digest_of(row), leased.id, now)
    return is_recorded


def _is_ours(leased: Leased) -> tuple[ColumnElement[bool], ...]:
    return Letter.number == leased.letter.number, Letter.leased_by == leased.owner
