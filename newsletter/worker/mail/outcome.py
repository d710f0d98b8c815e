"""Records the outcome of sending a letter; nothing, if the person was erased meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.domain.lifecycle import Event
from newsletter.storage import holds, notices, statements
from newsletter.storage.database import lock, try_lock, writing
from newsletter.storage.models import Letter, LetterKind, Subscription
from newsletter.subscriptions import quota
from newsletter.subscriptions.letters import seal_evidence
from newsletter.subscriptions.person import quota_digest_of
from newsletter.subscriptions.waiting import drop, give_up, log_letter
from newsletter.texts import versions
from newsletter.worker import backoff
from newsletter.worker.mail import contents, hourly_limit, leases
from newsletter.worker.mail.copies import MOST_COPIES, UNKNOWN_WAIT
from newsletter.worker.mail.leases import Leased
from newsletter.worker.mail.replies import Refused
from newsletter.worker.mail.sending import Sent

#: Every request has ended by then; other letters, such as a link to one's data, are given up at the same time.
LONGEST_TRYING = timedelta(days=14)
_LONGEST_ASIDE = timedelta(hours=1)
_NOTICE_STAYS = timedelta(days=1)


def record_sent(all_sent: Sequence[Sent]) -> None:
    """Record that the mail server has accepted letters: in one transaction, but for those whose address is locked."""
    digests = {sent.leased.row.digest for sent in all_sent}
    with writing() as session:
        free = try_lock(session, *digests)
        _record_sent(session, [sent for sent in all_sent if sent.leased.row.digest in free])
    for digest in digests - free:
        with writing() as session:
            lock(session, digest)
            _record_sent(session, [sent for sent in all_sent if sent.leased.row.digest == digest])


def _record_sent(session: Session, all_sent: Sequence[Sent]) -> None:
    now = clock.now()
    held = leases.held(session, [sent.leased for sent in all_sent])
    with statements.in_bulk(session):
        for sent in all_sent:
            letter, row = sent.leased.letter, sent.leased.row
            if letter.number not in held:
                continue
            letter.template = versions.of_letter(sent.values.kind, sent.values.language)
            log_letter(session, row, letter, Event.MAIL_SENT, now)
            if letter.kind is not LetterKind.MY_DATA:
                evidence = contents.evidence_of(sent.values, sent.letter, sent.reply)
                statements.set_columns(
                    session,
                    Letter,
                    {"number": letter.number},
                    template=letter.template,
                    sent_at=now,
                    leased_by=None,
                    leased_until=None,
                    evidence=seal_evidence(letter.id, evidence),
                )
            elif (found := leases.find(session, sent.leased)) is not None:
                drop(session, *found)


def record_needless(leased: Leased) -> None:
    """Delete a letter that is not needed any more."""
    with writing() as session:
        lock(session, leased.row.digest)
        if (found := leases.find(session, leased)) is not None:
            drop(session, *found)
            hourly_limit.give_back(session, leased.at)


def record_failure(leased: Leased, failure: DeliveryFailure) -> bool:
    """Record that a letter was not accepted, or may have been; set the next try, or give it up: True."""
    with writing() as session:
        lock(session, leased.row.digest)
        if (found := leases.find(session, leased)) is None:
            return False
        letter, row = found
        _record_failure(session, leased, letter, row, failure)
        return letter.failed_at is not None


def _record_failure(
    session: Session, leased: Leased, letter: Letter, row: Subscription, failure: DeliveryFailure
) -> None:
    now = clock.now()
    letter.leased_by = letter.leased_until = None
    letter.error = failure.reason[:64]
    if failure.outcome_unknown:
        _record_unknown(session, letter, row, now)
        return
    if letter.copies > leased.copies:
        # This copy did certainly not arrive.
        letter.copies, letter.due_at = leased.copies, min(letter.due_at, now)
        if leased.copies:
            quota.uncount(session, quota_digest_of(row), letter.id, since=leased.at)
    if failure.meaning is Meaning.RETRY_LATER and now - letter.written_at < LONGEST_TRYING:
        letter.tries += 1
        letter.due_at = now + _delay(letter.tries, failure)
    elif failure.meaning is not Meaning.HOLD_ALL:
        quota.uncount(session, quota_digest_of(row), letter.id)
        give_up(session, letter, row, now)
    hourly_limit.give_back(session, leased.at)


def _record_unknown(session: Session, letter: Letter, row: Subscription, now: datetime) -> None:
    notices.post_in(
        session,
        notices.Code.MAIL_OUTCOME_UNKNOWN,
        detail=letter.error,
        until=now + _NOTICE_STAYS,
    )
    if letter.copies >= MOST_COPIES:
        # All copies count, since they may have arrived.
        give_up(session, letter, row, now)
    else:
        earliest = now + UNKNOWN_WAIT * max(1, letter.copies)
        letter.due_at = quota.has_room_from(session, quota_digest_of(row), earliest)


def _delay(tries: int, failure: DeliveryFailure) -> timedelta:
    if isinstance(failure, Refused):
        return min(_LONGEST_ASIDE, holds.PROBE_EVERY * int(2 ** min(tries - 1, 10)))
    return backoff.delay(tries)
