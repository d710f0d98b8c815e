"""What is written down before a call to Mailchimp, and after it, for one person.

Before a call the row says `unknown`, what is asked, and until when Mailchimp may carry it out; so a process that dies,
or an erasure that comes in between, knows what may still happen there.
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
from newsletter.storage import jobs
from newsletter.storage.database import lock, writing
from newsletter.storage.models import Subscription
from newsletter.storage.moments import CARRIED_OUT_WITHIN, SETTLING
from newsletter.subscriptions import erasures
from newsletter.subscriptions.person import commitment_of, record_mailchimp_status
from newsletter.subscriptions.way_back import tell_way_back
from newsletter.worker import backoff
from newsletter.worker.audience.due import Errand, wish_for

#: Mailchimp itself gives up on a call after 120 s; until then a call that timed out here may be carried out there.


class MovedOn(Exception):
    """Something else is wanted by now."""


def announce(errand: Errand) -> Errand:
    """Write down that a call is coming: from now on it may be carried out, whatever becomes of us.

    Raise MovedOn if something else is wanted by now. The errand that is returned knows of earlier calls.
    """
    with writing() as session:
        row = _row(session, errand)
        if row is None or row.round != errand.round or wish_for(row) is not errand.wanted:
            raise MovedOn
        errand = replace(errand, asked=row.audience_asked, settles_at=row.audience_settles_at)
        row.audience, row.audience_asked = MailchimpStatus.UNKNOWN, errand.asks
        row.audience_settles_at = clock.now() + SETTLING
        return errand


def settle(errand: Errand, place: MailchimpStatus, *, is_change: bool) -> None:
    """Write down where somebody now stands there."""
    address = errand.joining.address
    with writing() as session:
        row = _row(session, errand)
        if row is None:
            erasures.record_answer(session, errand.digest, errand.settles_at)
            return
        row.audience_tries, row.audience_error, row.audience_try_at = 0, None, None
        if errand.may_be_undone:
            # Done at once, and looked at again when the earlier call can no longer be carried out.
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
            # What stands there from now on is our doing, not the person's.
            row.synced_round = None
        if is_change and place in (MailchimpStatus.SUBSCRIBED, MailchimpStatus.UNSUBSCRIBED):
            _log(session, row, errand, Event.SYNCED, str(place))


def fail(errand: Errand, failure: DeliveryFailure) -> None:
    """Write down that a call failed."""
    fail_all([(errand, failure)])


def fail_all(failed: Sequence[tuple[Errand, DeliveryFailure]]) -> None:
    """Write down that calls, or one call for several people, failed; who is tried again is so together."""
    with writing() as session:
        waits: dict[int, timedelta] = {}
        # In the order in which everybody locks who locks several.
        for errand, failure in sorted(failed, key=lambda each: each[0].digest):
            row = _row(session, errand)
            if row is not None:
                wait = waits.setdefault(row.audience_tries, backoff.delay(row.audience_tries + 1))
                _note_failure(session, row, errand, failure, wait)
            elif not failure.outcome_unknown:
                erasures.record_answer(session, errand.digest, errand.settles_at)


def hand_back(errand: Errand, known: MailchimpStatus) -> None:
    """Leave somebody for whom an answer was not enough to a call for them alone, at once."""
    with writing() as session:
        row = _row(session, errand)
        if row is None:
            erasures.record_answer(session, errand.digest, errand.settles_at)
        elif row.audience is MailchimpStatus.UNKNOWN:
            record_mailchimp_status(row, known, errand.joining.address)
            row.audience_asked, row.audience_settles_at = errand.asked, errand.settles_at
            row.audience_try_at = None


def postpone(ref: str, reason: str) -> None:
    """Put somebody aside whose row cannot be worked on."""
    with writing() as session:
        row = session.get(Subscription, ref, with_for_update=True)
        if row is not None:
            row.audience_tries += 1
            row.audience_try_at = clock.now() + backoff.delay(row.audience_tries)
            row.audience_error = reason[:64]


def _row(session: Session, errand: Errand) -> Subscription | None:
    """The row, if it is still there: what became of a call is written down even if they moved on meanwhile."""
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
        return  # something else is wanted by now, and its turn is at once
    if failure.meaning is Meaning.GIVE_UP_ONE and errand.wanted is MailchimpStatus.SUBSCRIBED:
        row.audience = MailchimpStatus.REFUSED
        _log(session, row, errand, Event.SYNC_FAILED, failure.reason[:64])
        tell_way_back(session, row)
    elif failure.meaning is Meaning.HOLD_ALL:
        # Should it be about this person after all, the next probe is somebody else's.
        row.audience_try_at = now + jobs.PROBE_EVERY
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
