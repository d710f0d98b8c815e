"""Finds people whose status at Mailchimp is not the wanted one, and what is to be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.clock import as_moment
from newsletter.domain.errors import Unreadable
from newsletter.domain.lifecycle import Event, MailchimpStatus, wanted_mailchimp_status
from newsletter.ledger import log
from newsletter.storage import backlog
from newsletter.storage.database import reading
from newsletter.storage.models import Erasure, Subscription
from newsletter.storage.moments import SETTLING, has_come, latest
from newsletter.subscriptions import takeover
from newsletter.subscriptions.person import address_of
from newsletter.worker import backoff
from newsletter.worker.mailchimp.members import Subscriber

#: People whose call was postponed come after those who wait for their first one.
TURN = func.coalesce(Subscription.audience_try_at, Subscription.since)


@dataclass(frozen=True)
class SyncTask:
    """One person whose status at Mailchimp is to be changed, as they were when they were read."""

    ref: str
    digest: bytes
    round: int
    subscriber: Subscriber
    wanted: MailchimpStatus
    known: MailchimpStatus
    synced_round: int | None
    #: Earlier calls with unknown outcome: the status that they requested, and until when they may take effect.
    asked: MailchimpStatus | None
    settles_at: datetime | None
    taken_at: datetime
    #: The consent was given elsewhere, perhaps before they left at Mailchimp.
    is_taken_over: bool = False

    @property
    def may_be_undone(self) -> bool:
        """Tell whether an earlier call may still take effect that requested another status."""
        return self._is_open and self.asked is not self.wanted

    @property
    def pending_after_call(self) -> MailchimpStatus:
        """What all calls with unknown outcome request together, once this one is made."""
        return MailchimpStatus.UNKNOWN if self.may_be_undone else self.wanted

    @property
    def _is_open(self) -> bool:
        return not has_come(self.settles_at, self.taken_at, latest(self.taken_at, SETTLING))


def waiting(count: int, *, alone: bool = False, leaving: bool = False) -> Sequence[str]:
    """References of people to sync, those who have waited longest first.

    `alone`: only those who need a call of their own; `leaving`: only those who are to be unsubscribed there.
    """
    now = clock.now()
    with reading() as session:
        query = select(Subscription.ref).where(unsettled(now))
        query = query.where(~is_plain(now)) if alone else query
        query = query.where(~backlog.is_to_be_subscribed()) if leaving else query
        return session.scalars(query.order_by(TURN).limit(count)).all()


def take(ref: str) -> SyncTask | None:
    """What is to be done for one person; None: nothing any more. Raise Unreadable."""
    now = clock.now()
    with reading() as session:
        row = session.scalar(select(Subscription).where(Subscription.ref == ref, unsettled(now)))
        return None if row is None else _task(session, row, now)


def wanted_status(row: Subscription) -> MailchimpStatus | None:
    """The status at Mailchimp that a person should have; None: no call may be made."""
    return wanted_mailchimp_status(
        row.status, held=row.hold, is_successor=row.replaces_ref is not None
    )


def unsettled(now: datetime) -> ColumnElement[bool]:
    """Condition for people whose known status is not the wanted one, who are due, and are not being erased there."""
    return and_(backlog.is_out_of_sync(), _is_due(now))


def is_plain(now: datetime) -> ColumnElement[bool]:
    """Condition for people to subscribe who have no call with unknown outcome, so that a batch can take them."""
    is_quiet = has_come(Subscription.audience_settles_at, now, latest(now, SETTLING))
    return and_(
        backlog.is_to_be_subscribed(),
        Subscription.audience != MailchimpStatus.UNKNOWN,
        is_quiet,
        _is_due(now),
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    tries = Subscription.audience_tries
    is_turn = has_come(Subscription.audience_try_at, now, backoff.latest_after(tries, now))
    return and_(is_turn, ~exists().where(Erasure.digest == Subscription.digest))


def _task(session: Session, row: Subscription, now: datetime) -> SyncTask:
    address, wanted = address_of(row), wanted_status(row)
    if address is None or wanted is None:
        raise Unreadable
    stated = takeover.evidence_of(row) if takeover.is_present(row) else None
    return SyncTask(
        ref=row.ref,
        digest=row.digest,
        round=row.round,
        subscriber=Subscriber(address, row.locale, *_times(session, row, stated)),
        wanted=wanted,
        known=row.audience,
        synced_round=row.synced_round,
        asked=row.audience_asked,
        settles_at=row.audience_settles_at,
        taken_at=now,
        is_taken_over=stated is not None,
    )


def _times(
    session: Session, row: Subscription, stated: Mapping[str, Any] | None
) -> tuple[datetime, datetime]:
    """When the person asked for the newsletter, and when they confirmed; here, or as it is stated."""
    if stated is not None and stated.get("confirmed_at"):
        confirmed_at = as_moment(stated["confirmed_at"])
        return as_moment(stated.get("requested_at") or stated["confirmed_at"]), confirmed_at
    asked_at = log.time_of(session, row.ref, row.round, Event.SIGNUP)
    return asked_at or row.since, row.since
