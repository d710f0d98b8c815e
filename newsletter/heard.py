"""What Mailchimp's webhooks mean for us: they speak of known people only, and an unknown address is not stored.

Calls may come twice, late and out of order. One that fired before a person took their present status is not believed:
their place at Mailchimp becomes unknown, and the worker looks it up. What fired in the same second counts as later.
"""

from __future__ import annotations

from datetime import datetime

from newsletter.address import Address
from newsletter.database import writing
from newsletter.lifecycle import Action, Reason, Status, There, wanted_there
from newsletter.models import Subscription
from newsletter.person import Person, drop_needless_address, keep_address, meet, meet_by_ref
from newsletter.subscriptions import meet_both, note_rectified, succeed

ACTOR = "mailchimp"


def left(address: Address, reason: Reason, fired_at: datetime | None) -> None:
    """The person left there, complained, or their mailbox bounced. A complaint counts however late it comes."""
    with writing() as session:
        person = meet(session, address)
        if person.row is None:
            return
        if reason is not Reason.COMPLAINT and _is_late(person.row, fired_at):
            look_again(person.row)
            return
        action = Action.UNSUBSCRIBE if reason is Reason.UNSUBSCRIBED else Action.BLOCK
        person.act(action, reason=reason, actor=ACTOR)
        _now_there(person, There.UNSUBSCRIBED)


def removed(address: Address, fired_at: datetime | None) -> None:
    """The contact was deleted or archived there, by whomever."""
    with writing() as session:
        person = meet(session, address)
        if person.row is None or person.row.status is not Status.CONFIRMED:
            return
        if _is_late(person.row, fired_at):
            look_again(person.row)
            return
        person.act(Action.BLOCK, reason=Reason.REMOVED_AT_MAILCHIMP, actor=ACTOR)
        _now_there(person, There.ABSENT)


def changed(address: Address) -> None:
    """Something about the contact changed there: it is looked up, and makes nobody."""
    with writing() as session:
        person = meet(session, address)
        if person.row is not None:
            look_again(person.row)


def renamed(old: Address, new: Address, fired_at: datetime | None) -> None:
    """The contact took another address there: the old one is blocked, the new one's owner is asked here."""
    with writing() as session:
        before, after = meet_both(session, old, new)
        if before.row is None:
            return
        is_theirs = before.row.status in (Status.PENDING, Status.CONFIRMED)
        if old.key == new.key or not is_theirs or _is_late(before.row, fired_at):
            look_again(before.row)
            return
        note_rectified(before, actor=ACTOR)
        if not after.standing.is_hard(after.now):
            succeed(before, after)
        if after.row is not None:
            # The contact stands there by its new address already: unsubscribed, until its owner confirms.
            if after.address is not None:
                keep_address(after.row, after.address)
            _now_there(after, There.SUBSCRIBED)
        before.act(Action.BLOCK, reason=Reason.RECTIFIED, actor=ACTOR)
        look_again(before.row)


def found_left(ref: str, round_: int, reason: Reason, place: There) -> None:
    """The worker looked there and found that somebody left in this very round."""
    with writing() as session:
        person = meet_by_ref(session, ref)
        if person is None or person.row is None or person.row.round != round_:
            return
        action = Action.UNSUBSCRIBE if reason is Reason.UNSUBSCRIBED else Action.BLOCK
        person.act(action, reason=reason, actor=ACTOR)
        person.row.audience_asked = person.row.audience_settles_at = None
        _now_there(person, place)


def look_again(row: Subscription) -> None:
    """Let the worker look where somebody stands there, if we have any wish about it."""
    is_successor = row.replaces_ref is not None
    if wanted_there(row.status, held=row.hold, is_successor=is_successor) is not None:
        row.audience, row.audience_try_at = There.UNKNOWN, None


def _is_late(row: Subscription, fired_at: datetime | None) -> bool:
    """Compare whole seconds, which is all that Mailchimp tells."""
    return fired_at is not None and fired_at < row.since.replace(microsecond=0)


def _now_there(person: Person, place: There) -> None:
    """Correct what is known of Mailchimp's side, unless a call under way may change it again."""
    row = person.row
    if row is None or (row.status is Status.PENDING and row.replaces_ref is None):
        return
    is_under_way = row.audience_settles_at is not None and row.audience_settles_at > person.now
    row.audience = There.UNKNOWN if is_under_way else place
    row.audience_try_at = None
    drop_needless_address(row)
