"""The rows of the people in a batch: read, locked and changed by few statements, however many people there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.lifecycle import Event, MailchimpStatus, Status
from newsletter.ledger import log as ledger
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Subscription
from newsletter.storage.moments import SETTLING
from newsletter.worker.audience import outcome as recording
from newsletter.worker.audience.due import TURN, SyncTask, is_plain
from newsletter.worker.mailchimp.client import MOST_AT_ONCE

#: A single person gets a call of their own, whose answer says more.
LEAST = 2

_ASKED_AT = (
    select(func.min(LedgerRow.at))
    .where(
        LedgerRow.ref == Subscription.ref,
        LedgerRow.round == Subscription.round,
        LedgerRow.event == Event.SIGNUP,
    )
    .scalar_subquery()
)
_UNMOVED = (
    select(Subscription.ref, Subscription.round, Subscription.nonce)
    .where(
        Subscription.ref.in_(bindparam("refs", expanding=True)),
        Subscription.status == Status.CONFIRMED,
        Subscription.hold.is_(False),
        Subscription.audience == MailchimpStatus.UNKNOWN,
        Subscription.audience_asked == MailchimpStatus.SUBSCRIBED,
    )
    .with_for_update(skip_locked=True)
)


def are_enough() -> bool:
    with reading() as session:
        query = select(Subscription.ref).where(is_plain(clock.now())).limit(LEAST)
        return len(session.scalars(query).all()) == LEAST


def due(now: datetime) -> Select[*tuple[Any, ...]]:
    """Locked rows are skipped, so that this transaction does not wait while it locks others."""
    return (
        select(
            Subscription.ref,
            Subscription.digest,
            Subscription.round,
            Subscription.address,
            Subscription.locale,
            Subscription.since,
            Subscription.audience,
            Subscription.synced_round,
            _ASKED_AT.label("asked_at"),
        )
        .where(is_plain(now))
        .order_by(TURN)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )


def record_call(session: Session, batch: Sequence[SyncTask], now: datetime) -> None:
    """Record that a call is about to be made for all of them."""
    _set(
        session,
        batch,
        audience=MailchimpStatus.UNKNOWN,
        audience_asked=MailchimpStatus.SUBSCRIBED,
        audience_settles_at=now + SETTLING,
    )


def settle_all(batch: Sequence[SyncTask]) -> None:
    """Record that all are subscribed; people who changed meanwhile are recorded one by one."""
    by_ref = {task.ref: task for task in batch}
    with writing() as session:
        rows = session.execute(_UNMOVED, {"refs": list(by_ref)})
        unmoved = {row.ref: row.nonce for row in rows if row.round == by_ref[row.ref].round}
        settled = [task for task in batch if task.ref in unmoved]
        _set(
            session,
            settled,
            audience=MailchimpStatus.SUBSCRIBED,
            audience_asked=None,
            audience_settles_at=None,
            audience_tries=0,
            audience_error=None,
            audience_try_at=None,
            synced_round=Subscription.round,
        )
        _log(session, settled, unmoved)
    for task in batch:
        if task.ref not in unmoved:
            recording.settle(task, MailchimpStatus.SUBSCRIBED, is_change=True)


def _set(session: Session, batch: Sequence[SyncTask], **values: object) -> None:
    refs = [task.ref for task in batch]
    session.connection().execute(
        update(Subscription).where(Subscription.ref.in_(refs)).values(values)
    )


def _log(session: Session, settled: Sequence[SyncTask], nonces: Mapping[str, bytes | None]) -> None:
    now = clock.now()
    logged = [
        {
            "ref": task.ref,
            "round": task.round,
            "event": Event.SYNCED,
            "at": now,
            "detail": str(MailchimpStatus.SUBSCRIBED),
            "commitment": ledger.commitment(nonce, task.subscriber.address) if nonce else None,
        }
        for task in settled
        for nonce in (nonces[task.ref],)
    ]
    if logged:
        session.connection().execute(insert(LedgerRow), logged)
