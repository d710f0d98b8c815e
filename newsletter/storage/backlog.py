"""The backlog of letters, and of changes and erasures at Mailchimp: how many, since when, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    exists,
    func,
    literal_column,
    select,
)

from newsletter.domain import clock
from newsletter.domain.clock import rfc3339
from newsletter.domain.lifecycle import UNSETTLED, MailchimpStatus, Status
from newsletter.storage.database import reading
from newsletter.storage.models import NOT_TAKEN, OUT_OF_SYNC, Erasure, Letter, Subscription

#: An earlier report could be of an ordinary delay, such as greylisting.
OVERDUE_AFTER = timedelta(minutes=15)
#: During a hold a million may wait, and nobody needs the exact number.
MOST_COUNTED = 10_000
_REASONS_SHOWN = 3


@dataclass(frozen=True)
class Waiting:
    """How many wait, since when the first of them does, and how many of them have each reason."""

    number: int
    since: datetime
    reasons: dict[str, int]

    def __str__(self) -> str:
        """`12, the first since 2026-03-01T12:00:00Z (9 rcpt 451 4.7.1, 3 not tried yet)`."""
        by_number = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))
        reasons = ", ".join(f"{number} {reason}" for reason, number in by_number[:_REASONS_SHOWN])
        since = rfc3339(self.since.replace(microsecond=0))
        more = " or more" if self.number >= MOST_COUNTED else ""
        return f"{self.number}{more}, the first since {since} ({reasons})"


def overdue() -> Iterator[tuple[str, Waiting]]:
    """What waits, and how many; only where one has waited for OVERDUE_AFTER."""
    for kind, waiting in (
        ("letters wait", letters()),
        ("people wait for a change at Mailchimp", people()),
        ("erasures wait for Mailchimp", erasures()),
    ):
        if waiting is not None and clock.now() - waiting.since >= OVERDUE_AFTER:
            yield kind, waiting


def letters() -> Waiting | None:
    """Letters that are to be sent; None: there are none."""
    return _waiting(Letter.written_at, Letter.error, is_queued())


def is_queued() -> ColumnElement[bool]:
    """Condition for letters that are to be sent: not those of people whose data is restricted."""
    waits = (Letter.sent_at.is_(None), Letter.failed_at.is_(None), Subscription.hold.is_(False))
    return and_(Letter.ref == Subscription.ref, *waits)


def people() -> Waiting | None:
    """People whose status at Mailchimp is to be changed; None: there are none."""
    return _waiting(
        Subscription.audience_due_since, Subscription.audience_error, is_to_be_changed()
    )


def is_to_be_changed() -> ColumnElement[bool]:
    """Condition for people whose status at Mailchimp is to be changed: not those who are erased there."""
    is_erased = exists().where(Erasure.digest == Subscription.digest)
    return and_(is_out_of_sync(), ~is_erased)


def anyone_confirmed() -> bool:
    """Whether there is anybody who is to be subscribed at Mailchimp, or is already."""
    is_confirmed = select(Subscription.ref).where(Subscription.status == Status.CONFIRMED)
    with reading() as session:
        return bool(session.scalar(select(is_confirmed.exists())))


def erasures() -> Waiting | None:
    """Erasures that Mailchimp has not carried out; None: there are none."""
    return _waiting(Erasure.requested_at, Erasure.error, Erasure.mailchimp_done_at.is_(None))


def _waiting(
    since: SQLColumnExpression[Any], error: SQLColumnExpression[Any], waits: ColumnElement[bool]
) -> Waiting | None:
    rows: Select[*tuple[Any, ...]] = select(error.label("error"), since.label("since"))
    oldest = rows.where(waits).order_by(since).limit(MOST_COUNTED).subquery().c
    query = select(oldest.error, func.count(), func.min(oldest.since)).group_by(oldest.error)
    with reading() as session:
        found = session.execute(query).all()
    if not found:
        return None
    reasons = {reason or "not tried yet": number for reason, number, _ in found}
    return Waiting(sum(reasons.values()), min(first for *_, first in found), reasons)


def is_out_of_sync() -> ColumnElement[bool]:
    """Condition for people whose known status at Mailchimp is not the wanted one."""
    # Without a type: SQLAlchemy would compare a Boolean with a value, and the index would not be used.
    return literal_column(OUT_OF_SYNC)


def is_not_taken() -> ColumnElement[bool]:
    """Condition for people who confirmed, and whom Mailchimp refused or asks once more."""
    return literal_column(NOT_TAKEN)


def is_to_be_subscribed() -> ColumnElement[bool]:
    """Condition for people who are to be subscribed at Mailchimp and are not."""
    return and_(
        Subscription.status == Status.CONFIRMED,
        Subscription.hold.is_(False),
        Subscription.audience.in_(UNSETTLED[MailchimpStatus.SUBSCRIBED]),
    )
