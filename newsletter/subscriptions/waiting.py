"""What waits: staff have it tried now, or give an e-mail up. Their actions return whether they changed anything."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.lifecycle import Event, MailchimpStatus, Status
from newsletter.ledger import log
from newsletter.storage import jobs
from newsletter.storage.database import lock_by_ref, writing
from newsletter.storage.models import Letter, LetterKind, Subscription
from newsletter.storage.moments import has_come, latest
from newsletter.subscriptions import quota
from newsletter.subscriptions.person import (
    commitment_of,
    lock_person_by_ref,
    quota_digest_of,
    record_mailchimp_status,
)


def try_letter_now(letter_id: str) -> bool:
    """Let the worker take a queued e-mail next, unless it is just being sent."""
    with writing() as session:
        letter = _queued(session, letter_id)
        if letter is None:
            return False
        letter.due_at = clock.now()
        return True


def give_up_letter(letter_id: str, *, actor: str) -> bool:
    """Give a queued e-mail up, unless it is just being sent."""
    with writing() as session:
        letter = _queued(session, letter_id)
        if letter is None:
            return False
        row = session.get_one(Subscription, letter.ref)
        if letter.copies == 0:
            quota.uncount(session, quota_digest_of(row), letter.id)
        give_up(session, letter, row, clock.now(), actor=actor)
        return True


def try_person_now(ref: str) -> bool:
    """Let the worker bring a person to Mailchimp at once, also somebody whom Mailchimp refused."""
    with writing() as session:
        person = lock_person_by_ref(session, ref)
        if person is None:
            return False
        row = person.row
        if row.status is Status.CONFIRMED and row.audience is MailchimpStatus.REFUSED:
            row.audience = MailchimpStatus.ABSENT
        row.audience_try_at = None
        return True


def give_up(
    session: Session, letter: Letter, row: Subscription, now: datetime, *, actor: str | None = None
) -> None:
    """Record that a letter is not tried any more."""
    letter.failed_at = now
    log_letter(session, row, letter, Event.MAIL_FAILED, now, error=letter.error, actor=actor)
    if letter.kind is LetterKind.MY_DATA:
        drop(session, letter, row)


def drop(session: Session, letter: Letter, row: Subscription) -> None:
    """Delete a letter, and the address if it was only kept for this letter."""
    session.delete(letter)
    session.flush()
    record_mailchimp_status(row, row.audience, None)


def log_letter(
    session: Session,
    row: Subscription,
    letter: Letter,
    event: Event,
    now: datetime,
    *,
    error: str | None = None,
    actor: str | None = None,
) -> None:
    """Log what became of a letter. The detail is its kind, unless it is a confirmation e-mail, and the error."""
    kind = None if letter.kind is LetterKind.CONFIRMATION else str(letter.kind)
    log.append(
        session,
        ref=letter.ref,
        round=letter.round,
        event=event,
        at=now,
        detail=": ".join(filter(None, (kind, error)))[:64] or None,
        # A my-data e-mail concerns no consent.
        wording=None if letter.kind is LetterKind.MY_DATA else letter.wording,
        template=letter.template,
        actor=actor,
        commitment=commitment_of(row),
    )


def _queued(session: Session, letter_id: str) -> Letter | None:
    """A letter that is to be sent, locked; None while a worker sends it."""
    ref = session.scalar(select(Letter.ref).where(Letter.id == letter_id))
    if ref is None:
        return None
    lock_by_ref(session, ref)
    now = clock.now()
    query = select(Letter).where(
        Letter.id == letter_id,
        Letter.sent_at.is_(None),
        Letter.failed_at.is_(None),
        has_come(Letter.leased_until, now, latest(now, jobs.LEASE)),
    )
    return session.scalar(query.with_for_update())
