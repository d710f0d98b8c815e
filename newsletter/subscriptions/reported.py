"""Changes that Mailchimp reports, by webhooks or lookups. An unknown address is ignored, and not stored.

Webhooks may come twice, late and out of order. One that fired before the person got their present status changes
nothing: their status at Mailchimp becomes unknown, and the worker looks it up. The same second counts as later.
"""

from __future__ import annotations

from datetime import datetime

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Action, Block, MailchimpStatus, Reason, Status, Unsubscribe
from newsletter.storage.database import writing
from newsletter.storage.models import Subscription
from newsletter.storage.moments import SETTLING, has_come, latest
from newsletter.subscriptions import erasures
from newsletter.subscriptions.corrections import ask_new_owner, lock_both, note_rectified
from newsletter.subscriptions.person import (
    Known,
    Person,
    lock_person,
    lock_person_by_ref,
    record_mailchimp_status,
    request_sync,
)
from newsletter.subscriptions.transition import act

ACTOR = "mailchimp"


def unsubscribed(address: Address, reason: Reason, fired_at: datetime | None) -> None:
    """The person unsubscribed, complained or bounced at Mailchimp. A complaint counts even if it is late."""
    with writing() as session:
        person = lock_person(session, address)
        if not isinstance(person, Known):
            return
        if reason is not Reason.COMPLAINT and _is_late(person.row, fired_at):
            look_up_again(person)
            return
        _record_status(_leave(person, reason), MailchimpStatus.UNSUBSCRIBED)


def removed(address: Address, fired_at: datetime | None) -> None:
    """Somebody deleted or archived the contact at Mailchimp."""
    with writing() as session:
        person = lock_person(session, address)
        if not isinstance(person, Known) or person.row.status is not Status.CONFIRMED:
            return
        if _is_late(person.row, fired_at):
            look_up_again(person)
            return
        _record_status(_leave(person, Reason.REMOVED_AT_MAILCHIMP), MailchimpStatus.ABSENT)


def profile_changed(address: Address) -> None:
    """The contact changed at Mailchimp: the worker looks it up, if the person is known here."""
    with writing() as session:
        look_up_again(lock_person(session, address))


def address_changed(old: Address, new: Address, fired_at: datetime | None) -> None:
    """The address changed at Mailchimp: block the old one, and ask the owner of the new one to confirm."""
    with writing() as session:
        before, after = lock_both(session, old, new)
        if not isinstance(before, Known):
            return
        is_correctable = before.row.status in (Status.PENDING, Status.CONFIRMED)
        if old.key == new.key or not is_correctable or _is_late(before.row, fired_at):
            look_up_again(before)
            return
        note_rectified(before, actor=ACTOR)
        # A webhook does not bring back a person whose erasure is open: they can sign up again themselves.
        is_erased = erasures.find_open(session, after.digest) is not None
        if not is_erased and not after.standing.is_hard(after.now):
            after = ask_new_owner(before, after)
        # Mailchimp sends to the new address until the worker has unsubscribed it there.
        _record_status(after, MailchimpStatus.SUBSCRIBED)
        act(before, Block(Reason.RECTIFIED), actor=ACTOR)
        look_up_again(before)


def found_left(ref: str, round_: int, reason: Reason, status: MailchimpStatus) -> None:
    """The worker's lookup found that the person left at Mailchimp in this round."""
    with writing() as session:
        person = lock_person_by_ref(session, ref)
        if person is None or person.row.round != round_:
            return
        person.row.audience_asked = person.row.audience_settles_at = None
        _record_status(_leave(person, reason), status)


def _leave(person: Known, reason: Reason) -> Person:
    action: Action = Unsubscribe() if reason is Reason.UNSUBSCRIBED else Block(reason)
    return act(person, action, actor=ACTOR).person


def look_up_again(person: Person) -> None:
    """Have the worker look up the person's status at Mailchimp."""
    if not isinstance(person, Known):
        return
    row = person.row
    # An unconfirmed request that is not at Mailchimp is never sent there, not even as a lookup.
    if not (row.status is Status.PENDING and row.audience is MailchimpStatus.ABSENT):
        record_mailchimp_status(row, MailchimpStatus.UNKNOWN, person.address)
        request_sync(row, person.now)


def _is_late(row: Subscription, fired_at: datetime | None) -> bool:
    """Compare whole seconds, since `fired_at` has no fractions."""
    return fired_at is not None and fired_at < row.since.replace(microsecond=0)


def _record_status(person: Person, status: MailchimpStatus) -> None:
    """Record the status at Mailchimp; `unknown` where a call under way may still change it."""
    if not isinstance(person, Known):
        return
    row = person.row
    if row.status is Status.PENDING and row.replaces_ref is None:
        return
    is_settled = has_come(row.audience_settles_at, person.now, latest(person.now, SETTLING))
    record_mailchimp_status(row, status if is_settled else MailchimpStatus.UNKNOWN, person.address)
    request_sync(row, person.now)
