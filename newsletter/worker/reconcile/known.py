"""Reads for many people at once what is recorded here about them and their status at Mailchimp."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.lifecycle import Event, MailchimpStatus, Status, wanted_mailchimp_status
from newsletter.storage.database import reading
from newsletter.storage.models import Erasure, LedgerRow, Subscription
from newsletter.storage.moments import SETTLING, has_come, latest


@dataclass(frozen=True)
class Known:
    """One person, as recorded here at one time."""

    ref: str
    digest: bytes
    round: int
    status: Status
    held: bool
    is_successor: bool
    place: MailchimpStatus
    synced_round: int | None
    settles_at: datetime | None
    since: datetime
    is_being_erased: bool

    @property
    def wanted(self) -> MailchimpStatus | None:
        """The status that they should have there; None: no call may be made."""
        return wanted_mailchimp_status(self.status, held=self.held, is_successor=self.is_successor)

    @property
    def was_there(self) -> bool:
        """Tell whether Mailchimp acknowledged in this round that they were added."""
        return self.synced_round == self.round

    def is_busy(self, asked_at: datetime) -> bool:
        """Tell whether an answer of Mailchimp from that time may be outdated, since something else is under way."""
        now = clock.now()
        is_settled = has_come(self.settles_at, now, latest(now, SETTLING))
        return not is_settled or self.is_being_erased or self.since > asked_at


_KNOWN: Select[*tuple[Any, ...]] = select(
    Subscription.ref,
    Subscription.digest,
    Subscription.round,
    Subscription.status,
    Subscription.hold,
    Subscription.replaces_ref.is_not(None),
    Subscription.audience,
    Subscription.synced_round,
    Subscription.audience_settles_at,
    Subscription.since,
    exists().where(Erasure.digest == Subscription.digest),
)
_EXPECTED = (
    Subscription.status == Status.CONFIRMED,
    Subscription.hold.is_(False),
    Subscription.audience == MailchimpStatus.SUBSCRIBED,
)


def by_digest(digests: Collection[bytes]) -> list[Known]:
    """The people with these digests."""
    with reading() as session:
        return list(_read(session, _KNOWN.where(Subscription.digest.in_(digests))))


def expected(after: bytes, most: int) -> list[Known]:
    """At most so many people who are recorded as subscribed there, in order of their digests, after one digest."""
    query = _KNOWN.where(*_EXPECTED, Subscription.digest > after)
    with reading() as session:
        return list(_read(session, query.order_by(Subscription.digest).limit(most)))


def expected_digests(after: bytes, most: int) -> Sequence[bytes]:
    """Their digests alone."""
    query = select(Subscription.digest).where(*_EXPECTED, Subscription.digest > after)
    with reading() as session:
        return session.scalars(query.order_by(Subscription.digest).limit(most)).all()


def how_many_settled() -> int:
    """The number of people who are confirmed or blocked."""
    settled = (Status.CONFIRMED, Status.BLOCKED, Status.RETURNING)
    query = select(func.count()).select_from(Subscription).where(Subscription.status.in_(settled))
    with reading() as session:
        return session.scalar(query) or 0


def how_many_there() -> int:
    """The number of people who are recorded to be in the audience, subscribed or not."""
    there = (MailchimpStatus.SUBSCRIBED, MailchimpStatus.UNSUBSCRIBED)
    query = select(func.count()).select_from(Subscription).where(Subscription.audience.in_(there))
    with reading() as session:
        return session.scalar(query) or 0


def is_unchanged(session: Session, known: Known, asked_at: datetime) -> bool:
    """Tell whether nothing has changed since a person was read and Mailchimp was asked."""
    found = next(_read(session, _KNOWN.where(Subscription.ref == known.ref)), None)
    if found != known or known.is_busy(asked_at):
        return False
    # A person who was added after the page was read would look as if they had unsubscribed.
    is_synced = (LedgerRow.ref == known.ref, LedgerRow.event == Event.SYNCED)
    last = session.scalar(select(func.max(LedgerRow.at)).where(*is_synced))
    return last is None or last <= asked_at


def unsubscribed_by_us_at(known: Known) -> datetime | None:
    """When Mailchimp last acknowledged in this round that our call unsubscribed them; None: never."""
    last = select(func.max(LedgerRow.at)).where(
        LedgerRow.ref == known.ref,
        LedgerRow.round == known.round,
        LedgerRow.event == Event.SYNCED,
        LedgerRow.detail == str(MailchimpStatus.UNSUBSCRIBED),
    )
    with reading() as session:
        return session.scalar(last)


def _read(session: Session, query: Select[*tuple[Any, ...]]) -> Iterator[Known]:
    return (Known(*row) for row in session.execute(query))
