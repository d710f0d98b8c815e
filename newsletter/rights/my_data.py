"""The actions of a person on their own data, by a link sent to their mailbox and valid for an hour.

The mailbox proves only its own address. The subscription of another address of a correction is therefore neither shown
nor erased here, unlike for staff: otherwise a correction to a stranger's address would reveal the stranger's data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.config import Locale
from newsletter.domain import clock, periods
from newsletter.domain.address import Address
from newsletter.domain.errors import BlockedHard, CannotCorrect, ExpiredLink, NobodyKnown
from newsletter.domain.lifecycle import (
    Erase,
    Lift,
    Reason,
    Status,
    Unsubscribe,
)
from newsletter.rights import access
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Erasure, Subscription
from newsletter.subscriptions import corrections
from newsletter.subscriptions.erase import begin_erasure
from newsletter.subscriptions.leave import unsubscribe_url
from newsletter.subscriptions.links import MY_DATA_VALID_FOR, Link
from newsletter.subscriptions.person import (
    Known,
    address_of,
    lock_person_by_ref,
    standing_of,
)
from newsletter.subscriptions.transition import act

ACTOR = "person"


@dataclass(frozen=True)
class MyData:
    """The contents of the page: all stored data, and the actions that are possible."""

    data: dict[str, object]
    can_leave: bool
    can_correct: bool
    can_lift: bool
    unsubscribe_url: str
    proof_until: date  #: if they leave now


def view(link: Link, locale: Locale) -> MyData:
    """All stored data; raise ExpiredLink. Not recorded, since mail scanners open links, too."""
    with reading() as session:
        row = _checked(link, session.get(Subscription, link.ref))
        now = clock.now()
        return MyData(
            access.of_row(session, row, locale),
            can_leave=row.status is Status.CONFIRMED,
            can_correct=row.status in (Status.PENDING, Status.CONFIRMED),
            can_lift=row.reason is Reason.NOT_ME and standing_of(row, now).is_hard(now),
            unsubscribe_url=unsubscribe_url(row.ref),
            proof_until=periods.kept_until(now, config.current().zone),
        )


def export(link: Link, locale: Locale) -> dict[str, object]:
    """All stored data as a file (Art. 20 GDPR), recorded in the ledger; raise ExpiredLink."""
    with writing() as session:
        person = _lock(session, link)
        access.note_view(person, actor=ACTOR)
        return access.of_row(session, person.row, locale)


def unsubscribe(link: Link) -> None:
    """Unsubscribe the person; raise ExpiredLink."""
    with writing() as session:
        person = _lock(session, link)
        act(person, Unsubscribe(), actor=ACTOR)


def rectify(link: Link, new: Address) -> None:
    """Correct the address; the new one has to confirm. Raise ExpiredLink, or CannotCorrect if the person is blocked.

    The answer does not reveal the status of the new address, which may be another person's.
    """
    with reading() as session:
        row = _checked(link, session.get(Subscription, link.ref))
        old = address_of(row)
    if old is None:
        raise CannotCorrect
    try:
        corrections.rectify(old, new, actor=ACTOR, is_proven=False)
    except NobodyKnown:
        raise CannotCorrect from None


def lift(link: Link) -> None:
    """Unblock after "this was not me"; raise ExpiredLink, or BlockedHard for other hard blocks."""
    with writing() as session:
        person = _lock(session, link)
        if person.row.reason is not Reason.NOT_ME and person.standing.is_hard(person.now):
            raise BlockedHard
        act(person, Lift(), actor=ACTOR)


def would_lose_block(link: Link) -> bool:
    """Tell whether an erasure deletes a block, too; raise ExpiredLink."""
    with reading() as session:
        row = _checked(link, session.get(Subscription, link.ref))
        return row.status in (Status.BLOCKED, Status.RETURNING)


def erase(link: Link, *, keep_block: bool) -> str:
    """Erase the person, once; the reference number. Raise ExpiredLink."""
    with writing() as session:
        person = lock_person_by_ref(session, link.ref)
        if person is not None or _erasure_by(session, link) is None:
            begin_erasure(_lock(session, link), Erase(keep_block), actor=ACTOR)
        return link.ref


@dataclass(frozen=True)
class Erased:
    """What the page shows after an erasure."""

    reference: str
    keeps_block: bool
    is_done_at_mailchimp: bool


def erased(link: Link) -> Erased:
    """The erasure of the person to whom a link led, as long as its record is kept; raise ExpiredLink."""
    with reading() as session:
        erasure = _erasure_by(session, link)
        if erasure is None:
            raise ExpiredLink
        return Erased(erasure.ref, erasure.keep_block, erasure.mailchimp_done_at is not None)


def _erasure_by(session: Session, link: Link) -> Erasure | None:
    return session.scalar(select(Erasure).where(Erasure.ref == link.ref))


def _lock(session: Session, link: Link) -> Known:
    """Lock the person to whom a link leads; raise ExpiredLink."""
    person = lock_person_by_ref(session, link.ref)
    if person is None:
        raise ExpiredLink
    _checked(link, person.row)
    return person


def _checked(link: Link, row: Subscription | None) -> Subscription:
    """The subscription, if the link is valid for it; raise ExpiredLink."""
    now = clock.now()
    if row is None:
        raise ExpiredLink
    if now - link.written_at >= MY_DATA_VALID_FOR or _has_ended(row, now):
        raise ExpiredLink(row.locale)
    return row


def _has_ended(row: Subscription, now: datetime) -> bool:
    """Tell whether a request has expired and only waits for its deletion."""
    is_over = row.expires_at is not None and row.expires_at <= now
    return row.status is Status.PENDING and is_over and not row.hold
