"""Records for one person what a call to Mailchimp requests, and its outcome.

Before a call the row gets the status `unknown`, the requested status, and until when the call may take effect. So after
a crash, and for an erasure that comes in between, it is known what may still happen there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.domain import clock
from newsletter.domain.errors import DeliveryFailure, Meaning
from newsletter.domain.lifecycle import Event, MailchimpStatus
from newsletter.ledger import log
from newsletter.storage import holds
from newsletter.storage.database import lock, writing
from newsletter.storage.models import Subscription
from newsletter.storage.moments import CARRIED_OUT_WITHIN, SETTLING
from newsletter.subscriptions import erasures
from newsletter.subscriptions.person import commitment_of, record_mailchimp_status
from newsletter.subscriptions.way_back import tell_way_back
from newsletter.worker import backoff
from newsletter.worker.audience.due import Errand, wish_for


class MovedOn(Exception):
    """Another status is wanted by now."""


def announce(errand: Errand) -> Errand:
    """Record that a call is about to be made; the errand with the earlier calls that are recorded.

    Raise MovedOn if another status is wanted by now.
    """
    with writing() as session:
        row = _row(session, errand)
        if row is None or row.round != errand.round or wish_for(row) is not errand.wanted:
            raise MovedOn
        errand = replace(errand, asked=row.audience_asked, settles_at=row.audience_settles_at)
        row.audience, row.audience_asked = MailchimpStatus.UNKNOWN, errand.pending_after_call
        row.audience_settles_at = clock.now() + SETTLING
        return errand


def settle(errand: Errand, place: MailchimpStatus, *, is_change: bool) -> None:
    """Record the status that a person now has there; `is_change`: a call of ours changed it."""
    address = errand.joining.address
    with writing() as session:
        row = _row(session, errand)
        if row is None:
            erasures.record_answer(session, errand.digest, errand.settles_at)
            return
        row.audience_tries, row.audience_error, row.audience_try_at = 0, None, None
        if errand.may_be_undone:
            # To be looked up again when the earlier call can no longer take effect.
            record_mailchimp_status(row, MailchimpStatus.UNKNOWN, address)
            row.audience_settles_at = errand.settles_at
            if wish_for(row) is errand.wanted and errand.settles_at is not None:
                row.audience_try_at = row.audience_due_since = errand.settles_at
        else:
            record_mailchimp_status(row, place, address)
            row.audience_asked = row.audience_settles_at = None
        if place is MailchimpStatus.SUBSCRIBED and row.round == errand.round:
            row.synced_round = errand.round
        elif place is MailchimpStatus.UNSUBSCRIBED and is_change:
            # From now on the status there is our change, not the person's.
            row.synced_round = None
        if is_change and place in (MailchimpStatus.SUBSCRIBED, MailchimpStatus.UNSUBSCRIBED):
            _log(session, row, errand, Event.SYNCED, str(place))


def fail(errand: Errand, failure: DeliveryFailure) -> None:
    """Record that a call failed."""
    fail_all([(errand, failure)])


def fail_all(failed: Sequence[tuple[Errand, DeliveryFailure]]) -> None:
    """Record that calls, or one call for several people, failed; the same wait for all keeps them in one batch."""
    with writing() as session:
        waits: dict[int, timedelta] = {}
        # Locks are always taken in this order.
        for errand, failure in sorted(failed, key=lambda each: each[0].digest):
            row = _row(session, errand)
            if row is not None:
                wait = waits.setdefault(row.audience_tries, backoff.delay(row.audience_tries + 1))
                _note_failure(session, row, errand, failure, wait)
            elif not failure.outcome_unknown:
                erasures.record_answer(session, errand.digest, errand.settles_at)


def hand_back(errand: Errand, known: MailchimpStatus) -> None:
    """Make a person due at once for a call of their own, since a batch's answer did not say enough."""
    with writing() as session:
        row = _row(session, errand)
        if row is None:
            erasures.record_answer(session, errand.digest, errand.settles_at)
        elif row.audience is MailchimpStatus.UNKNOWN:
            record_mailchimp_status(row, known, errand.joining.address)
            row.audience_asked, row.audience_settles_at = errand.asked, errand.settles_at
            row.audience_try_at = None


def postpone(ref: str, reason: str) -> None:
    """Set the time of the next try for a person whose row is damaged."""
    with writing() as session:
        row = session.get(Subscription, ref, with_for_update=True)
        if row is not None:
            row.audience_tries += 1
            row.audience_try_at = clock.now() + backoff.delay(row.audience_tries)
            row.audience_error = reason[:64]


def _row(session: Session, errand: Errand) -> Subscription | None:
    """The locked row; None if it was erased. Outcomes are recorded also if another status is wanted by now."""
    lock(session, errand.digest)
    query = select(Subscription).where(Subscription.ref == errand.ref)
    return session.scalar(query.with_for_update())


def _note_failure(
    session: Session,
    row: Subscription,
    errand: Errand,
    failure: DeliveryFailure,
    wait: timedelta,
) -> None:
    now = clock.now()
    row.audience_error = failure.reason[:64]
    if failure.outcome_unknown:
        row.audience_settles_at = now + CARRIED_OUT_WITHIN
    elif row.audience is MailchimpStatus.UNKNOWN:
        row.audience = errand.known
        row.audience_asked, row.audience_settles_at = errand.asked, errand.settles_at
    if row.round != errand.round or wish_for(row) is not errand.wanted:
        return  # another status is wanted by now, and due at once
    if failure.meaning is Meaning.GIVE_UP_ONE and errand.wanted is MailchimpStatus.SUBSCRIBED:
        row.audience = MailchimpStatus.REFUSED
        _log(session, row, errand, Event.SYNC_FAILED, failure.reason[:64])
        tell_way_back(session, row)
    elif failure.meaning is Meaning.HOLD_ALL:
        # The next probe is another person, in case the refusal is about this one.
        row.audience_try_at = now + holds.PROBE_EVERY
    else:
        row.audience_tries += 1
        row.audience_try_at = now + wait


def _log(session: Session, row: Subscription, errand: Errand, event: Event, detail: str) -> None:
    log.append(
        session,
        ref=errand.ref,
        round=errand.round,
        event=event,
        at=clock.now(),
        detail=detail,
        commitment=commitment_of(row),
    )
