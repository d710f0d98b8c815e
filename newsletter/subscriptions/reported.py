"""What Mailchimp's webhooks mean for us: they speak of known people only, and an unknown address is not stored.

Calls may come twice, late and out of order. One that fired before a person took their present status is not believed:
their place at Mailchimp becomes unknown, and the worker looks it up. What fired in the same second counts as later.
"""

from __future__ import annotations

from datetime import datetime

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Action, Reason, Status, There
from newsletter.storage.database import writing
from newsletter.storage.models import Subscription
from newsletter.subscriptions import erasures
from newsletter.subscriptions.corrections import meet_both, note_rectified, succeed
from newsletter.subscriptions.person import Person, meet, meet_by_ref, stands_there

ACTOR = "mailchimp"


def left(address: Address, reason: Reason, fired_at: datetime | None) -> None:
    """The person left there, complained, or their mailbox bounced. A complaint counts however late it comes."""
    with writing() as session:
        person = meet(session, address)
        if person.row is None:
            return
        if reason is not Reason.COMPLAINT and _is_late(person.row, fired_at):
            look_again(person)
            return
        _leave(person, reason)
        _now_there(person, There.UNSUBSCRIBED)


def removed(address: Address, fired_at: datetime | None) -> None:
    """The contact was deleted or archived there, by whomever."""
    with writing() as session:
        person = meet(session, address)
        if person.row is None or person.row.status is not Status.CONFIRMED:
            return
        if _is_late(person.row, fired_at):
            look_again(person)
            return
        person.act(Action.BLOCK, reason=Reason.REMOVED_AT_MAILCHIMP, actor=ACTOR)
        _now_there(person, There.ABSENT)


def changed(address: Address) -> None:
    """Something about the contact changed there: it is looked up, and makes nobody."""
    with writing() as session:
        person = meet(session, address)
        look_again(person)


def renamed(old: Address, new: Address, fired_at: datetime | None) -> None:
    """The contact took another address there: the old one is blocked, the new one's owner is asked here."""
    with writing() as session:
        before, after = meet_both(session, old, new)
        if before.row is None:
            return
        is_theirs = before.row.status in (Status.PENDING, Status.CONFIRMED)
        if old.key == new.key or not is_theirs or _is_late(before.row, fired_at):
            look_again(before)
            return
        note_rectified(before, actor=ACTOR)
        # Whom Mailchimp is still to forget is not brought back by a call, however late it comes: they may sign up anew.
        is_erased = erasures.find_open(session, after.digest) is not None
        if not is_erased and not after.standing.is_hard(after.now):
            succeed(before, after, in_any_case=True)
        # The contact stands there by its new address already: unsubscribed, until its owner confirms.
        _now_there(after, There.SUBSCRIBED)
        before.act(Action.BLOCK, reason=Reason.RECTIFIED, actor=ACTOR)
        look_again(before)


def found_left(ref: str, round_: int, reason: Reason, place: There) -> None:
    """The worker looked there and found that somebody left in this very round."""
    with writing() as session:
        person = meet_by_ref(session, ref)
        if person is None or person.row is None or person.row.round != round_:
            return
        _leave(person, reason)
        person.row.audience_asked = person.row.audience_settles_at = None
        _now_there(person, place)


def _leave(person: Person, reason: Reason) -> None:
    """Their own unsubscribing is theirs alone to do; whatever else Mailchimp says is a block."""
    action = Action.UNSUBSCRIBE if reason is Reason.UNSUBSCRIBED else Action.BLOCK
    person.act(action, reason=reason, actor=ACTOR)


def look_again(person: Person) -> None:
    """Let the worker look where somebody stands there, if we have any wish about it."""
    row = person.row
    # A request that Mailchimp knows nothing of is none of its business, whoever else has a contact there.
    if row is not None and not (row.status is Status.PENDING and row.audience is There.ABSENT):
        stands_there(row, There.UNKNOWN, person.address)
        row.audience_try_at = None


def _is_late(row: Subscription, fired_at: datetime | None) -> bool:
    """Compare whole seconds, which is all that Mailchimp tells."""
    return fired_at is not None and fired_at < row.since.replace(microsecond=0)


def _now_there(person: Person, place: There) -> None:
    """Correct what is known of Mailchimp's side, unless a call under way may change it again."""
    row = person.row
    if row is None or (row.status is Status.PENDING and row.replaces_ref is None):
        return
    is_under_way = row.audience_settles_at is not None and row.audience_settles_at > person.now
    stands_there(row, There.UNKNOWN if is_under_way else place, person.address)
    row.audience_try_at = None
