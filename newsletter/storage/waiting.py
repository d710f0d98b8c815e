"""Who waits, one by one: letters and people at Mailchimp, as staff see them. Reference numbers alone, no addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from newsletter.domain.lifecycle import MailchimpStatus, Status
from newsletter.storage import backlog
from newsletter.storage.database import reading
from newsletter.storage.models import Letter, LetterKind, Subscription

MOST = 50  #: shown of each kind


@dataclass(frozen=True)
class WaitingLetter:
    """A letter that is not sent; with `failed_at` it was given up, else `next_at` is its next try."""

    id: str
    ref: str
    kind: LetterKind
    since: datetime
    tries: int
    next_at: datetime
    error: str | None
    failed_at: datetime | None


@dataclass(frozen=True)
class WaitingPerson:
    """Somebody who is not where they should be at Mailchimp; `next_at`: None is as soon as possible."""

    ref: str
    status: Status
    place: MailchimpStatus
    since: datetime
    tries: int
    next_at: datetime | None
    error: str | None


def letters() -> list[WaitingLetter]:
    """Letters that wait to be sent, in the order in which they are tried."""
    query = _LETTERS.where(backlog.is_queued()).order_by(Letter.due_at, Letter.number)
    return [WaitingLetter(*row) for row in _first(query)]


def failed_letters() -> list[WaitingLetter]:
    """Letters that were given up, the newest first."""
    query = _LETTERS.where(Letter.failed_at.is_not(None)).order_by(Letter.failed_at.desc())
    return [WaitingLetter(*row) for row in _first(query)]


def people() -> list[WaitingPerson]:
    """People who wait for a change at Mailchimp, the longest wait first."""
    query = _PEOPLE.where(backlog.is_to_be_changed()).order_by(Subscription.audience_due_since)
    return [WaitingPerson(*row) for row in _first(query)]


def refused_people() -> list[WaitingPerson]:
    """People who confirmed, and whom Mailchimp refused or asks once more."""
    query = _PEOPLE.where(backlog.is_not_taken()).order_by(Subscription.audience_due_since.desc())
    return [WaitingPerson(*row) for row in _first(query)]


_LETTERS: Select[*tuple[Any, ...]] = select(
    Letter.id,
    Letter.ref,
    Letter.kind,
    Letter.written_at,
    Letter.tries,
    Letter.due_at,
    Letter.error,
    Letter.failed_at,
)
_PEOPLE: Select[*tuple[Any, ...]] = select(
    Subscription.ref,
    Subscription.status,
    Subscription.audience,
    Subscription.audience_due_since,
    Subscription.audience_tries,
    Subscription.audience_try_at,
    Subscription.audience_error,
)


def _first(query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
    with reading() as session:
        return session.execute(query.limit(MOST)).all()
