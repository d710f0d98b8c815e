"""Settles one difference between here and Mailchimp: blocks here, or corrects what the audience loop goes by."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.errors import DeliveryFailure, Unreadable
from newsletter.domain.lifecycle import MailchimpStatus, Status
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Subscription
from newsletter.subscriptions import reported
from newsletter.subscriptions.person import (
    address_of,
    due_at_mailchimp,
    lock_person_by_ref,
    record_mailchimp_status,
)
from newsletter.worker.audience.sync import reason_for
from newsletter.worker.mailchimp.client import REFUSALS, Mailchimp, Member
from newsletter.worker.reconcile.drift import Drift, judge
from newsletter.worker.reconcile.known import Known, is_still, unsubscribed_by_us_at

#: Nobody is released, added again and gone within it; the clocks of two hosts do differ by seconds.
CLOCKS_DIFFER = timedelta(minutes=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """One difference as it was found: who, what, what Mailchimp has of them, and when it was asked."""

    known: Known
    drift: Drift
    address: Address | None  #: as Mailchimp has it
    member: Member | None
    asked_at: datetime

    @property
    def needs_look(self) -> bool:
        """Tell whether settling it takes a call."""
        return self.drift is Drift.GONE


def find(
    known: Known,
    address: Address | None,
    member: Member | None,
    asked_at: datetime,
    *,
    is_restored: bool = False,
) -> Change | None:
    """Compare one person with what Mailchimp has of them, by this address.

    `is_restored`: what is known here is a backup's, and a part of it was lost.
    """
    drift = judge(
        wanted=known.wanted,
        known=known.place,
        place=MailchimpStatus.ABSENT if member is None else member.place,
        was_there=known.was_there,
        left_unknown=is_restored and _left_since(known, member),
    )
    return None if drift is None else Change(known, drift, address, member, asked_at)


def _left_since(known: Known, member: Member | None) -> bool:
    """Tell whether somebody who confirmed left there, as far as times can tell; the same second counts as later.

    Whom a hold (Art. 18) unsubscribed there did not leave by that; but they may have been released, and have left, in
    what was lost. Where the backup does not say when that was done, a block wins.
    """
    if known.status is not Status.CONFIRMED or member is None or member.left_at is None:
        return False
    if known.was_there:
        # Whoever is not held is judged by that alone: then their leaving needs no time.
        return known.held
    ours = unsubscribed_by_us_at(known)
    if ours is not None and member.left_at <= ours + CLOCKS_DIFFER:
        return False
    return member.left_at >= known.since.replace(microsecond=0)


def settle(mailchimp: Mailchimp, change: Change) -> bool:
    """Settle one; False: they moved on meanwhile, and are left alone. Raise DeliveryFailure."""
    looked = _look(mailchimp, change) if change.needs_look else change
    if looked is None:
        return False
    match looked.drift:
        case Drift.LEFT | Drift.GONE:
            return _block(looked)
        case Drift.STILL_THERE if looked.member is not None:
            return _correct(looked, looked.member.place)
        case _:
            return _correct(looked, MailchimpStatus.UNKNOWN)


def _look(mailchimp: Mailchimp, change: Change) -> Change | None:
    """See whether somebody is really missing: a walk over what changes meanwhile may pass somebody over."""
    asked_at = clock.now()
    try:
        with reading() as session:
            row = session.get(Subscription, change.known.ref)
            address = None if row is None else address_of(row)
        if address is None:
            return None
        member = mailchimp.look_up(address)
    except Unreadable:
        log.exception("ref=%s could not be looked up", change.known.ref)
        return None
    except DeliveryFailure as failure:
        if failure.meaning not in REFUSALS:
            raise
        log.warning("ref=%s could not be looked up: %s", change.known.ref, failure.reason)
        return None
    found = find(change.known, address, member, change.asked_at)
    return None if found is None else replace(found, asked_at=asked_at)


def _block(change: Change) -> bool:
    known, member = change.known, change.member
    with reading() as session:
        if not is_still(session, known, change.asked_at):
            return False
    place = MailchimpStatus.ABSENT if member is None else member.place
    # Whoever moves on from here on is in another round, and then nothing is done.
    reported.found_left(known.ref, known.round, reason_for(member), place)
    return True


def _correct(change: Change, place: MailchimpStatus) -> bool:
    with writing() as session:
        person = lock_person_by_ref(session, change.known.ref)
        if person is None:
            return False
        if not is_still(session, change.known, change.asked_at):
            return False
        # A block may be a digest alone: then Mailchimp brings its address back, until it is unsubscribed there.
        record_mailchimp_status(person.row, place, person.address or change.address)
        due_at_mailchimp(person.row, person.now)
    return True
