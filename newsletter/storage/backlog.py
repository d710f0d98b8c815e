"""What waits to be sent, or to be done at Mailchimp: how much, since when, and why.

Staff are told from LONG on: until then it may be an ordinary delay, such as greylisting.
"""

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
from newsletter.storage.models import ELSEWHERE, Erasure, Letter, Subscription

LONG = timedelta(minutes=15)
_REASONS_SHOWN = 3
MOST_COUNTED = (
    10_000  #: with everything on hold a million may wait, and nobody needs their exact number
)


@dataclass(frozen=True)
class Waiting:
    """How many wait, the first of them since when, and how many of them for each reason."""

    number: int
    since: datetime
    reasons: dict[str, int]

    def __str__(self) -> str:
        """`12, the first since 2026-03-01T12:00:00Z (9 rcpt 451 4.7.1, 3 not tried yet)`."""
        most = sorted(self.reasons, key=lambda reason: (-self.reasons[reason], reason))[
            :_REASONS_SHOWN
        ]
        told = ", ".join(f"{self.reasons[reason]} {reason}" for reason in most)
        since = rfc3339(self.since.replace(microsecond=0))
        more = " or more" if self.number >= MOST_COUNTED else ""
        return f"{self.number}{more}, the first since {since} ({told})"


def complaints() -> Iterator[str]:
    """What has waited for long, a sentence for each kind."""
    for about, waiting in (
        ("letters wait", letters()),
        ("people wait for a change at Mailchimp", people()),
        ("erasures wait for Mailchimp", erasures()),
    ):
        if waiting is not None and clock.now() - waiting.since >= LONG:
            yield f"{about}: {waiting}"


def letters() -> Waiting | None:
    """Letters that are still to be sent; None where there are none."""
    return _waiting(Letter.written_at, Letter.error, is_queued())


def is_queued() -> ColumnElement[bool]:
    """Letters that are still to be sent, but for those of people whose data is restricted."""
    waits = (Letter.sent_at.is_(None), Letter.failed_at.is_(None), Subscription.hold.is_(False))
    return and_(Letter.ref == Subscription.ref, *waits)


def people() -> Waiting | None:
    """People who are not where they should be at Mailchimp, but for those who are erased there."""
    return _waiting(
        Subscription.audience_due_since, Subscription.audience_error, is_to_be_changed()
    )


def is_to_be_changed() -> ColumnElement[bool]:
    """People who are not where they should be at Mailchimp, and are not erased there anyway."""
    is_erased = exists().where(Erasure.digest == Subscription.digest)
    return and_(is_elsewhere(), ~is_erased)


def erasures() -> Waiting | None:
    """Erasures that Mailchimp has not carried out."""
    return _waiting(Erasure.requested_at, Erasure.error, Erasure.mailchimp_done_at.is_(None))


def _waiting(
    since: SQLColumnExpression[Any], error: SQLColumnExpression[Any], which: ColumnElement[bool]
) -> Waiting | None:
    oldest: Select[*tuple[Any, ...]] = select(error.label("error"), since.label("since")).where(
        which
    )
    few = oldest.order_by(since).limit(MOST_COUNTED).subquery().c
    query = select(few.error, func.count(), func.min(few.since)).group_by(few.error)
    with reading() as session:
        found = session.execute(query).all()
    if not found:
        return None
    reasons = {reason or "not tried yet": number for reason, number, _ in found}
    return Waiting(sum(reasons.values()), min(first for *_, first in found), reasons)


def is_elsewhere() -> ColumnElement[bool]:
    """Rows whose known place at Mailchimp is not the wanted one."""
    # Without a type: of a Boolean, SQLAlchemy compares the value, and the index is not used.
    return literal_column(ELSEWHERE)


def wants_in() -> ColumnElement[bool]:
    """Rows that are to be subscribed at Mailchimp and are not."""
    return and_(
        Subscription.status == Status.CONFIRMED,
        Subscription.hold.is_(False),
        Subscription.audience.in_(UNSETTLED[MailchimpStatus.SUBSCRIBED]),
    )
