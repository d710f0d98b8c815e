"""What Mailchimp's webhooks mean for us: they speak of known people only, and an unknown address is not stored.

Calls may come twice, late and out of order. One that fired before a person took their present status is not believed:
their place at Mailchimp becomes unknown, and the worker looks it up. What fired in the same second counts as later.
"""

from __future__ import annotations

from datetime import datetime

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Action, Block, MailchimpStatus, Reason, Status, Unsubscribe
from newsletter.storage.database import writing
from newsletter.storage.models import Subscription
from newsletter.storage.moments import SETTLING, has_come, latest
from newsletter.subscriptions import erasures
from newsletter.subscriptions.corrections import meet_both, note_rectified, succeed
from newsletter.subscriptions.person import (
    Known,
    Person,
    due_at_mailchimp,
    meet,
    meet_by_ref,
    record_mailchimp_status,
)
from newsletter.subscriptions.transition import act

ACTOR = "mailchimp"


def unsubscribed(address: Address, reason: Reason, fired_at: datetime | None) -> None:
    """The person left there, complained, or their mailbox bounced. A complaint counts however late it comes."""
    with writing() as session:
        person = meet(session, address)
        if not isinstance(person, Known):
            return
        if reason is not Reason.COMPLAINT and _is_late(person.row, fired_at):
            look_again(person)
            return
        _now_there(_leave(person, reason), MailchimpStatus.UNSUBSCRIBED)


def removed(address: Address, fired_at: datetime | None) -> None:
    """The contact was deleted or archived there, by whomever."""
    with writing() as session:
        person = meet(session, address)
        if not isinstance(person, Known) or person.row.status is not Status.CONFIRMED:
            return
        if _is_late(person.row, fired_at):
            look_again(person)
            return
        _now_there(_leave(person, Reason.REMOVED_AT_MAILCHIMP), MailchimpStatus.ABSENT)


def profile_changed(address: Address) -> None:
    """Something about the contact changed there: it is looked up, and makes nobody."""
    with writing() as session:
        look_again(meet(session, address))


def address_changed(old: Address, new: Address, fired_at: datetime | None) -> None:
    """The contact took another address there: the old one is blocked, the new one's owner is asked here."""
    with writing() as session:
        before, after = meet_both(session, old, new)
        if not isinstance(before, Known):
            return
        is_theirs = before.row.status in (Status.PENDING, Status.CONFIRMED)
        if old.key == new.key or not is_theirs or _is_late(before.row, fired_at):
            look_again(before)
            return
        note_rectified(before, actor=ACTOR)
        # Whom Mailchimp is still to forget is not brought back by a call, however late it comes: they may sign up anew.
        is_erased = erasures.find_open(session, after.digest) is not None
        if not is_erased and not after.standing.is_hard(after.now):
            after = succeed(before, after, in_any_case=True)
        # The contact stands there by its new address already: unsubscribed, until its owner confirms.
        _now_there(after, MailchimpStatus.SUBSCRIBED)
        act(before, Block(Reason.RECTIFIED), actor=ACTOR)
        look_again(before)


def found_left(ref: str, round_: int, reason: Reason, place: MailchimpStatus) -> None:
    """The worker looked there and found that somebody left in this very round."""
    with writing() as session:
        person = meet_by_ref(session, ref)
        if person is None or person.row.round != round_:
            return
        person.row.audience_asked = person.row.audience_settles_at = None
        _now_there(_leave(person, reason), place)


def _leave(person: Known, reason: Reason) -> Person:
    """Their own unsubscribing is theirs alone to do; whatever else Mailchimp says is a block."""
    action: Action = Unsubscribe() if reason is Reason.UNSUBSCRIBED else Block(reason)
    return act(person, action, actor=ACTOR).person


def look_again(person: Person) -> None:
    """Let the worker look where somebody stands there, if we have any wish about it."""
    if not isinstance(person, Known):
        return
    row = person.row
    # A request that Mailchimp knows nothing of is none of its business, whoever else has a contact there.
    if not (row.status is Status.PENDING and row.audience is MailchimpStatus.ABSENT):
        record_mailchimp_status(row, MailchimpStatus.UNKNOWN, person.address)
        due_at_mailchimp(row, person.now)


def _is_late(row: Subscription, fired_at: datetime | None) -> bool:
    """Compare whole seconds, which is all that Mailchimp tells."""
    return fired_at is not None and fired_at < row.since.replace(microsecond=0)


def _now_there(person: Person, place: MailchimpStatus) -> None:
    """Correct what is known of Mailchimp's side, unless a call under way may change it again."""
    if not isinstance(person, Known):
        return
    row = person.row
    if row.status is Status.PENDING and row.replaces_ref is None:
        return
    is_settled = has_come(row.audience_settles_at, person.now, latest(person.now, SETTLING))
    record_mailchimp_status(row, place if is_settled else MailchimpStatus.UNKNOWN, person.address)
    due_at_mailchimp(row, person.now)
