"""Counts the steps of requests on each day, and the confirmations of each consent text.

Events are counted as they are sealed, since each is sealed once, and in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, aliased

from newsletter import config
from newsletter.domain.lifecycle import Event, MailchimpStatus
from newsletter.ledger.seals import Row
from newsletter.storage import daily_counts
from newsletter.storage.models import LedgerRow, LetterKind, Step, Wording

_STEPS = {
    Event.SIGNUP: Step.REQUESTED,
    Event.MAIL_SENT: Step.MAILED,
    Event.CONFIRMED: Step.CONFIRMED,
    Event.SYNCED: Step.SUBSCRIBED,
    Event.EXPIRED: Step.EXPIRED,
    Event.DISOWNED: Step.DISOWNED,
    Event.MAIL_FAILED: Step.MAIL_FAILED,
    Event.SYNC_FAILED: Step.REFUSED,
}
#: Events of these letters are no step of a request.
_OTHER_LETTERS = (LetterKind.WAY_BACK, LetterKind.MY_DATA)


def count(session: Session, rows: Sequence[Row]) -> None:
    """Count a batch of successive rows that are sealed in this transaction."""
    steps = {row.id: step for row in rows if (step := _step_of(row)) is not None}
    if not steps:
        return
    repeated = _repeated(session, first=rows[0].id, last=rows[-1].id)
    zone = config.current().zone
    found: Counter[tuple[date, Step]] = Counter(
        (row.at.astimezone(zone).date(), steps[row.id])
        for row in rows
        if row.id in steps and row.id not in repeated
    )
    daily_counts.add(session, found)
    _count_agreed(session, [row for row in rows if row.id not in repeated])


def _count_agreed(session: Session, rows: Sequence[Row]) -> None:
    confirmed = Counter(row.wording for row in rows if row.event is Event.CONFIRMED)
    for hash_, number in sorted((hash_, n) for hash_, n in confirmed.items() if hash_):
        more = update(Wording).where(Wording.hash == hash_).values(agreed=Wording.agreed + number)
        session.connection().execute(more)


def _step_of(row: Row) -> Step | None:
    detail = row.detail or ""
    if row.event is Event.SYNCED and detail != MailchimpStatus.SUBSCRIBED:
        return None
    if detail.startswith(_OTHER_LETTERS):
        return None
    return _STEPS.get(row.event)


def _repeated(session: Session, *, first: int, last: int) -> set[int]:
    """Rows whose event happened before in the same round: somebody who signs up twice is counted once."""
    earlier = aliased(LedgerRow)
    happened = exists().where(
        earlier.ref == LedgerRow.ref,
        earlier.round == LedgerRow.round,
        earlier.event == LedgerRow.event,
        earlier.id < LedgerRow.id,
    )
    query = select(LedgerRow.id).where(LedgerRow.id.between(first, last), happened)
    return set(session.scalars(query))
