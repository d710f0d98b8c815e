"""Leaving: by the link to unsubscribe, or by "this was not me"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from newsletter import config
from newsletter.config import Locale
from newsletter.domain import periods
from newsletter.domain.lifecycle import Disown, Status, Unsubscribe
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Subscription
from newsletter.subscriptions import links
from newsletter.subscriptions.links import Link, Purpose
from newsletter.subscriptions.person import Known, Person, meet_by_ref
from newsletter.subscriptions.transition import act


@dataclass(frozen=True)
class Departure:
    """What the person who left is told."""

    left_at: datetime
    proof_until: date


def unsubscribe_url(ref: str) -> str:
    """The link that ends a subscription: the same in every round."""
    return links.url_for(Purpose.UNSUBSCRIBE, Link(ref, 0))


def receipt_url(row: Subscription) -> str:
    """Where a person gets the receipt of their present consent; the link holds for an hour."""
    return links.url_for(Purpose.RECEIPT, Link(row.ref, row.round))


def disown(link: Link, *, and_block: bool) -> Departure | None:
    """The address's owner says the sign-up was not theirs; nothing is said where nothing is left of it.

    Where it stood confirmed it is forgotten only in part: they leave, and the proof is kept.
    """
    with writing() as session:
        person = meet_by_ref(session, link.ref)
        if person is None or person.row.round != link.round:
            return None
        was_confirmed = person.row.status is Status.CONFIRMED
        outcome = act(person, Disown(and_block))
        return _departure(outcome.person) if was_confirmed else None


def stands_confirmed(link: Link) -> bool:
    """Tell whether the sign-up behind a link was confirmed, and still is."""
    with reading() as session:
        row = session.get(Subscription, link.ref)
        return row is not None and row.round == link.round and row.status is Status.CONFIRMED


def unsubscribe(link: Link) -> Departure | None:
    """The person leaves; the link holds in every round. None: nobody is there any more."""
    with writing() as session:
        person = meet_by_ref(session, link.ref)
        return None if person is None else _departure(act(person, Unsubscribe()).person)


def _departure(person: Person) -> Departure | None:
    left_at = person.row.left_at if isinstance(person, Known) else None
    if left_at is None:
        return None
    return Departure(left_at, periods.proof_until(left_at, config.current().zone))


def language_of(link: Link) -> Locale | None:
    """The language in which the person behind a link signed up; None where nobody is there any more."""
    with reading() as session:
        locale = session.scalar(select(Subscription.locale).where(Subscription.ref == link.ref))
    return None if locale is None else "en" if locale == "en" else "de"
