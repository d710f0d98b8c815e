"""Unsubscribing, and "this was not me"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from newsletter import config
from newsletter.config import Locale
from newsletter.domain import clock, periods
from newsletter.domain.lifecycle import Disown, Status, Unsubscribe
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Subscription
from newsletter.subscriptions import links
from newsletter.subscriptions.links import Link, Purpose
from newsletter.subscriptions.person import Known, Person, lock_person_by_ref
from newsletter.subscriptions.transition import act


@dataclass(frozen=True)
class Departure:
    """What the page shows to a person who left."""

    left_at: datetime
    proof_until: date
    is_permanent: bool  #: only staff can end the block


@dataclass(frozen=True)
class Disowned:
    """What the page shows after "this was not me"."""

    departure: Departure | None  #: None: the sign-up was not confirmed
    is_blocked: bool


def unsubscribe_url(ref: str) -> str:
    """The unsubscribe link, which is the same in every round."""
    return links.url_for(Purpose.UNSUBSCRIBE, Link(ref))


def receipt_url(row: Subscription) -> str:
    """The link to the receipt of the present consent, valid for an hour."""
    return links.url_for(Purpose.RECEIPT, Link(row.ref, row.round, clock.now()))


def disown(link: Link, *, and_block: bool) -> Disowned:
    """Record that somebody else signed the address up; a link of another round changes nothing.

    A confirmed sign-up is not deleted: the person is blocked, and the proof is kept.
    """
    with writing() as session:
        person = lock_person_by_ref(session, link.ref)
        if person is None or person.row.round != link.round:
            return Disowned(None, _is_blocked(person))
        was_confirmed = person.row.status is Status.CONFIRMED
        after = act(person, Disown(and_block)).person
        return Disowned(_departure(after) if was_confirmed else None, _is_blocked(after))


def _is_blocked(person: Person | None) -> bool:
    return person is not None and person.standing.is_hard(person.now)


def proof_until(link: Link) -> date | None:
    """The last day on which the proof is kept if the person leaves now; None: the sign-up is not confirmed."""
    with reading() as session:
        row = session.get(Subscription, link.ref)
        if row is None or row.round != link.round or row.status is not Status.CONFIRMED:
            return None
    return periods.kept_until(clock.now(), config.current().zone)


def unsubscribe(link: Link) -> Departure | None:
    """Block the person; the link is valid in every round. None: there is no subscription any more."""
    with writing() as session:
        person = lock_person_by_ref(session, link.ref)
        return None if person is None else _departure(act(person, Unsubscribe()).person)


def has_left(link: Link) -> bool:
    """Tell whether the person has left, or has no subscription any more."""
    with reading() as session:
        row = session.get(Subscription, link.ref)
        return row is None or row.status in (Status.BLOCKED, Status.RETURNING)


def is_over(link: Link) -> bool:
    """Tell whether the sign-up of a link was deleted, has expired, or has ended by leaving."""
    with reading() as session:
        row = session.get(Subscription, link.ref)
        return row is None or row.round != link.round


def _departure(person: Person) -> Departure | None:
    left_at = person.row.left_at if isinstance(person, Known) else None
    if left_at is None:
        return None
    last_day = periods.kept_until(left_at, config.current().zone)
    return Departure(left_at, last_day, _is_blocked(person))


def language_of(link: Link) -> Locale | None:
    """The language of the sign-up; None: there is no subscription any more."""
    with reading() as session:
        return session.scalar(select(Subscription.locale).where(Subscription.ref == link.ref))
