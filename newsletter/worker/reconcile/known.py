"""What is known here of people and their place at Mailchimp, read for many at once to be compared."""

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
    """One person, as they stood here at one moment."""

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
        """The place they should have; None: no wish."""
        return wanted_mailchimp_status(self.status, held=self.held, is_successor=self.is_successor)

    @property
    def was_there(self) -> bool:
        """Tell whether Mailchimp acknowledged their adding in this round."""
        return self.synced_round == self.round

    def is_busy(self, asked_at: datetime) -> bool:
        """Tell whether what Mailchimp was asked at that time may say nothing about them: they are on the move."""
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
    """Whoever is known of these."""
    with reading() as session:
        return list(_read(session, _KNOWN.where(Subscription.digest.in_(digests))))


def expected(after: bytes, most: int) -> list[Known]:
    """So many who are known to be subscribed there, in the order of digests, after one digest."""
    query = _KNOWN.where(*_EXPECTED, Subscription.digest > after)
    with reading() as session:
        return list(_read(session, query.order_by(Subscription.digest).limit(most)))


def expected_digests(after: bytes, most: int) -> Sequence[bytes]:
    """Their digests alone."""
    query = select(Subscription.digest).where(*_EXPECTED, Subscription.digest > after)
    with reading() as session:
        return session.scalars(query.order_by(Subscription.digest).limit(most)).all()


def how_many_settled() -> int:
    """How many are confirmed or blocked."""
    settled = (Status.CONFIRMED, Status.BLOCKED, Status.RETURNING)
    query = select(func.count()).select_from(Subscription).where(Subscription.status.in_(settled))
    with reading() as session:
        return session.scalar(query) or 0


def how_many_there() -> int:
    """How many are known to stand in the audience, subscribed or not."""
    there = (MailchimpStatus.SUBSCRIBED, MailchimpStatus.UNSUBSCRIBED)
    query = select(func.count()).select_from(Subscription).where(Subscription.audience.in_(there))
    with reading() as session:
        return session.scalar(query) or 0


def is_still(session: Session, known: Known, asked_at: datetime) -> bool:
    """Tell whether somebody stands as they stood, and nothing happened since Mailchimp was asked."""
    found = next(_read(session, _KNOWN.where(Subscription.ref == known.ref)), None)
    if found != known or known.is_busy(asked_at):
        return False
    # One who was added just now looks in a page that is older than that as if they had left.
    is_synced = (LedgerRow.ref == known.ref, LedgerRow.event == Event.SYNCED)
    last = session.scalar(select(func.max(LedgerRow.at)).where(*is_synced))
    return last is None or last <= asked_at


def unsubscribed_by_us_at(known: Known) -> datetime | None:
    """When Mailchimp last acknowledged in this round that it unsubscribed them for us; None: it never did."""
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
