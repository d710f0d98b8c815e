"""Who is not where they should be at Mailchimp, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.errors import Unreadable
from newsletter.domain.lifecycle import Event, MailchimpStatus, wanted_mailchimp_status
from newsletter.ledger import log
from newsletter.storage import backlog
from newsletter.storage.database import reading
from newsletter.storage.models import Erasure, Subscription
from newsletter.storage.moments import SETTLING, has_come, latest
from newsletter.subscriptions.person import address_of
from newsletter.worker import backoff
from newsletter.worker.mailchimp.client import Joining

#: Whoever was put aside comes after those who still wait for their first turn.
TURN = func.coalesce(Subscription.audience_try_at, Subscription.since)


@dataclass(frozen=True)
class Errand:
    """One person whose place at Mailchimp is not the wanted one, as they stood when they were taken."""

    ref: str
    digest: bytes
    round: int
    joining: Joining
    wanted: MailchimpStatus
    known: MailchimpStatus
    synced_round: int | None
    #: Earlier calls of unknown outcome: what they asked for, and until when they may be carried out.
    asked: MailchimpStatus | None
    settles_at: datetime | None
    taken_at: datetime

    @property
    def may_be_undone(self) -> bool:
        """Tell whether an earlier call may still be carried out that wanted something else."""
        return self._is_open and self.asked is not self.wanted

    @property
    def asks(self) -> MailchimpStatus:
        """What is asked for all in all, once this call is made, too."""
        return MailchimpStatus.UNKNOWN if self.may_be_undone else self.wanted

    @property
    def _is_open(self) -> bool:
        return not has_come(self.settles_at, self.taken_at, latest(self.taken_at, SETTLING))


def waiting(count: int, *, alone: bool = False, leaving: bool = False) -> Sequence[str]:
    """References of those who are to be settled, those first who have waited longest.

    Or of those alone who must be so `alone`, or who are `leaving` there.
    """
    now = clock.now()
    with reading() as session:
        query = select(Subscription.ref).where(unsettled(now))
        query = query.where(~is_plain(now)) if alone else query
        query = query.where(~backlog.wants_in()) if leaving else query
        return session.scalars(query.order_by(TURN).limit(count)).all()


def take(ref: str) -> Errand | None:
    """Read what is to be done for one person; None if they were settled meanwhile. Raise Unreadable."""
    now = clock.now()
    with reading() as session:
        row = session.scalar(select(Subscription).where(Subscription.ref == ref, unsettled(now)))
        return None if row is None else _errand(session, row, now)


def wish_for(row: Subscription) -> MailchimpStatus | None:
    """Where the person of a row should be."""
    return wanted_mailchimp_status(
        row.status, held=row.hold, is_successor=row.replaces_ref is not None
    )


def unsettled(now: datetime) -> ColumnElement[bool]:
    """Rows where the known place is not the wanted one, whose turn it is, and that nobody is erasing there."""
    return and_(backlog.is_elsewhere(), _is_due(now))


def is_plain(now: datetime) -> ColumnElement[bool]:
    """Rows that are to be subscribed, with no call of unknown outcome behind them: many can be told together."""
    is_quiet = has_come(Subscription.audience_settles_at, now, latest(now, SETTLING))
    return and_(
        backlog.wants_in(), Subscription.audience != MailchimpStatus.UNKNOWN, is_quiet, _is_due(now)
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    tries = Subscription.audience_tries
    is_turn = has_come(Subscription.audience_try_at, now, backoff.latest_after(tries, now))
    return and_(is_turn, ~exists().where(Erasure.digest == Subscription.digest))


def _errand(session: Session, row: Subscription, now: datetime) -> Errand:
    address, wanted = address_of(row), wish_for(row)
    if address is None or wanted is None:
        raise Unreadable
    asked_at = log.time_of(session, row.ref, row.round, Event.SIGNUP)
    return Errand(
        ref=row.ref,
        digest=row.digest,
        round=row.round,
        joining=Joining(address, row.locale, asked_at or row.since, row.since),
        wanted=wanted,
        known=row.audience,
        synced_round=row.synced_round,
        asked=row.audience_asked,
        settles_at=row.audience_settles_at,
        taken_at=now,
    )
