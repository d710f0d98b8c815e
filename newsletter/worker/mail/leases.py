"""Leases: only one worker sends a letter, and records that it may arrive before the server can accept it.

So the letter of a worker that is killed, or stopped for long, has an unknown outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.errors import Unreadable
from newsletter.storage import jobs
from newsletter.storage.database import lock, reading, writing
from newsletter.storage.models import Letter, Subscription
from newsletter.storage.moments import has_come, latest
from newsletter.subscriptions import quota
from newsletter.subscriptions.person import address_of, quota_digest_of
from newsletter.worker.mail import hourly_limit

MOST_COPIES = 3  #: of one letter, if it is unknown whether the earlier ones arrived
#: After the first copy; longer than a server may take to answer it (RFC 5321 § 4.5.3.2.6).
UNKNOWN_WAIT = timedelta(minutes=15)
PROBES = 500  #: letters among which the best probe is chosen
_LONGEST_WAIT = timedelta(hours=25)  #: the furthest that `due_at` is ever set ahead


@dataclass(frozen=True)
class Leased:
    """A letter when it was leased."""

    letter: str
    ref: str
    digest: bytes
    owner: str
    at: datetime
    tries: int
    copies: int
    is_probe: bool  #: mail is on hold, and this letter tests whether it still has to be


def lease(owner: str) -> Leased | None:
    """Lease the letter that is due for longest."""
    now = clock.now()
    never_tried = and_(Letter.tries == 0, Letter.copies == 0)
    return _take(owner, now, _waiting(now, never_tried), is_probe=False)


def lease_probe(owner: str, refused_domains: Set[str]) -> Leased | None:
    """Lease a letter that tests whether mail still has to be on hold, due or not.

    Preferably one that was never refused, to a domain that never refused; the newest, since refused ones may have led
    to the hold. A letter that may have arrived is not sent early.
    """
    now = clock.now()
    waiting = _waiting(now, Letter.copies == 0)
    newest = (Letter.due_at.desc(), Letter.number.desc())
    query = select(Letter, Subscription).join(Subscription, Letter.ref == Subscription.ref)
    with reading() as session:
        found = session.execute(
            query.where(*waiting).order_by(Letter.tries, *newest).limit(PROBES)
        ).all()
    if not found:
        return None
    best, _ = min(found, key=lambda each: (each[0].tries > 0, _domain(each[1]) in refused_domains))
    return _take(owner, now, (*waiting, Letter.id == best.id), is_probe=True)


def _domain(row: Subscription) -> str:
    try:
        address = address_of(row)
    except Unreadable:
        return ""
    return domain_of(address.text) if address else ""


def domain_of(email: str) -> str:
    """The part after the @, in lower case."""
    return email.rpartition("@")[2].lower()


def _take(
    owner: str, now: datetime, waiting: tuple[ColumnElement[bool], ...], *, is_probe: bool
) -> Leased | None:
    with reading() as session:
        if not session.scalar(select(exists().where(*waiting))):
            return None
        has_room = hourly_limit.has_room(session, now)
    if not has_room:
        hourly_limit.complain(now)
        return None
    with writing() as session:
        letter = session.scalar(
            select(Letter)
            .where(*waiting)
            .order_by(Letter.due_at, Letter.number)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = session.get(Subscription, letter.ref) if letter else None
        if letter is None or row is None or not hourly_limit.take(session, now):
            return None
        letter.leased_by, letter.leased_until = owner, now + jobs.LEASE
        counts = (letter.tries, letter.copies)
        return Leased(letter.id, row.ref, row.digest, owner, now, *counts, is_probe)


def _waiting(now: datetime, at_once: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    """Condition for letters that may be sent now: due or `at_once`, not leased, and not of a restricted person."""
    is_due = or_(at_once, has_come(Letter.due_at, now, latest(now, _LONGEST_WAIT)))
    is_free = has_come(Letter.leased_until, now, latest(now, jobs.LEASE))
    whose = (Subscription.ref == Letter.ref, Subscription.hold.is_(True))
    is_held = exists().where(*whose).correlate(Letter)
    return Letter.sent_at.is_(None), Letter.failed_at.is_(None), is_due, is_free, ~is_held


def keep(owner: str, letters: Iterable[str]) -> None:
    """Renew the leases of letters that are being sent."""
    if held := list(letters):
        mine = (Letter.id.in_(held), Letter.leased_by == owner)
        with writing() as session:
            until = clock.now() + jobs.LEASE
            session.execute(update(Letter).where(*mine).values(leased_until=until))


def find(session: Session, leased: Leased) -> tuple[Letter, Subscription] | None:
    """The letter and its subscription, locked; None if it was erased, or if another worker has leased it meanwhile."""
    lock(session, leased.digest)
    mine = (Letter.id == leased.letter, Letter.leased_by == leased.owner)
    letter = session.scalar(select(Letter).where(*mine).with_for_update())
    row = session.get(Subscription, leased.ref)
    return None if letter is None or row is None else (letter, row)


def record_copy(leased: Leased) -> bool:
    """Record that a letter may arrive, right before the server can accept it; False if the lease is lost."""
    now, copies = clock.now(), leased.copies + 1
    until = {"due_at": now + UNKNOWN_WAIT * copies, "leased_until": now + jobs.LEASE}
    is_ours = (Letter.id == leased.letter, Letter.leased_by == leased.owner)
    record = update(Letter).where(*is_ours).values(copies=copies, **until).returning(Letter.id)
    with writing() as session:
        if copies > 1:
            lock(session, leased.digest)
        is_recorded = session.scalar(record) is not None
        row = session.get(Subscription, leased.ref) if is_recorded and copies > 1 else None
        if row is not None:
            quota.count_copy(session, quota_digest_of(row), leased.letter, now)
    return is_recorded
