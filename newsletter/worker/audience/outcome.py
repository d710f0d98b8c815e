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
from newsletter.worker.audience.due import SyncTask, wanted_status


class OutdatedTask(Exception):
    """Another status is wanted by now."""


def record_call(task: SyncTask) -> SyncTask:
    """Record that a call is about to be made; the task with the earlier calls that are recorded.

    Raise OutdatedTask if another status is wanted by now.
    """
    with writing() as session:
        row = _row(session, task)
        if row is None or row.round != task.round or wanted_status(row) is not task.wanted:
            raise OutdatedTask
        task = replace(task, asked=row.audience_asked, settles_at=row.audience_settles_at)
        row.audience, row.audience_asked = MailchimpStatus.UNKNOWN, task.pending_after_call
        row.audience_settles_at = clock.now() + SETTLING
        return task


def settle(task: SyncTask, place: MailchimpStatus, *, is_change: bool) -> None:
    """Record the status that a person now has there; `is_change`: a call of ours changed it."""
    address = task.subscriber.address
    with writing() as session:
        row = _row(session, task)
        if row is None:
            erasures.record_answer(session, task.digest, task.settles_at)
            return
        row.audience_tries, row.audience_error, row.audience_try_at = 0, None, None
        if task.may_be_undone:
            # To be looked up again when the earlier call can no longer take effect.
            record_mailchimp_status(row, MailchimpStatus.UNKNOWN, address)
            row.audience_settles_at = task.settles_at
            if wanted_status(row) is task.wanted and task.settles_at is not None:
                row.audience_try_at = row.audience_due_since = task.settles_at
        else:
            record_mailchimp_status(row, place, address)
            row.audience_asked = row.audience_settles_at = None
        if place is MailchimpStatus.SUBSCRIBED and row.round == task.round:
            row.synced_round = task.round
        elif place is MailchimpStatus.UNSUBSCRIBED and is_change:
            # From now on the status there is our change, not the person's.
            row.synced_round = None
        if is_change and place in (MailchimpStatus.SUBSCRIBED, MailchimpStatus.UNSUBSCRIBED):
            _log(session, row, task, Event.SYNCED, str(place))


def fail_all(failed: Sequence[tuple[SyncTask, DeliveryFailure]]) -> None:
    """Record that calls, or one call for several people, failed; the same wait for all keeps them in one batch."""
    with writing() as session:
        waits: dict[int, timedelta] = {}
        # Locks are always taken in this order.
        for task, failure in sorted(failed, key=lambda each: each[0].digest):
            row = _row(session, task)
            if row is not None:
                wait = waits.setdefault(row.audience_tries, backoff.delay(row.audience_tries + 1))
                _note_failure(session, row, task, failure, wait)
            elif not failure.outcome_unknown:
                erasures.record_answer(session, task.digest, task.settles_at)


def hand_back(task: SyncTask, known: MailchimpStatus) -> None:
    """Make a person due at once for a call of their own, since a batch's answer did not say enough."""
    with writing() as session:
        row = _row(session, task)
        if row is None:
            erasures.record_answer(session, task.digest, task.settles_at)
        elif row.audience is MailchimpStatus.UNKNOWN:
            record_mailchimp_status(row, known, task.subscriber.address)
            row.audience_asked, row.audience_settles_at = task.asked, task.settles_at
            row.audience_try_at = None


def postpone(ref: str, reason: str) -> None:
    """Set the time of the next try for a person whose row is damaged."""
    with writing() as session:
        row = session.get(Subscription, ref, with_for_update=True)
        if row is not None:
            row.audience_tries += 1
            row.audience_try_at = clock.now() + backoff.delay(row.audience_tries)
            row.audience_error = reason[:64]


def _row(session: Session, task: SyncTask) -> Subscription | None:
    """The locked row; None if it was erased. Outcomes are recorded also if another status is wanted by now."""
    lock(session, task.digest)
    query = select(Subscription).where(Subscription.ref == task.ref)
    return session.scalar(query.with_for_update())


def _note_failure(
    session: Session,
    row: Subscription,
    task: SyncTask,
    failure: DeliveryFailure,
    wait: timedelta,
) -> None:
    now = clock.now()
    row.audience_error = failure.reason[:64]
    if failure.outcome_unknown:
        row.audience_settles_at = now + CARRIED_OUT_WITHIN
    elif row.audience is MailchimpStatus.UNKNOWN:
        row.audience = task.known
        row.audience_asked, row.audience_settles_at = task.asked, task.settles_at
    if row.round != task.round or wanted_status(row) is not task.wanted:
        return  # another status is wanted by now, and due at once
    if failure.meaning is Meaning.GIVE_UP_ONE and task.wanted is MailchimpStatus.SUBSCRIBED:
        row.audience = MailchimpStatus.REFUSED
        _log(session, row, task, Event.SYNC_FAILED, failure.reason[:64])
        tell_way_back(session, row)
    elif failure.meaning is Meaning.HOLD_ALL:
        # The next probe is another person, in case the refusal is about this one.
        row.audience_try_at = now + holds.PROBE_EVERY
    else:
        row.audience_tries += 1
        row.audience_try_at = now + wait


def _log(session: Session, row: Subscription, task: SyncTask, event: Event, detail: str) -> None:
    log.append(
        session,
        ref=task.ref,
        round=task.round,
        event=event,
        at=clock.now(),
        detail=detail,
        commitment=commitment_of(row),
    )
