"""Settles one difference: blocks the person here, or corrects the recorded status, on which the audience loop acts."""

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
    lock_person_by_ref,
    record_mailchimp_status,
    request_sync,
)
from newsletter.worker.audience.sync import reason_for
from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.mailchimp.failures import REFUSALS
from newsletter.worker.mailchimp.members import Member
from newsletter.worker.reconcile.drift import Drift, judge
from newsletter.worker.reconcile.known import Known, is_unchanged, unsubscribed_by_us_at

#: Clocks of hosts differ by seconds; nobody is released, added and unsubscribed again within a minute.
CLOCKS_DIFFER = timedelta(minutes=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """One difference, when it was found."""

    known: Known
    drift: Drift
    address: Address | None  #: as Mailchimp has it
    member: Member | None
    asked_at: datetime

    @property
    def needs_lookup(self) -> bool:
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
    """Compare one person with their contact at Mailchimp.

    `is_restored`: the database was restored from a backup, and some of its data was lost.
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
    """Tell whether a confirmed person unsubscribed there, judged by times; the same second counts as later.

    A restriction (Art. 18) also unsubscribes there. But the person may have been released, and have unsubscribed, in
    the data that was lost. If the backup does not say when the restriction unsubscribed them, a block wins.
    """
    if known.status is not Status.CONFIRMED or member is None or member.left_at is None:
        return False
    if known.was_there:
        # For a person who is not restricted this alone is enough: no time is needed.
        return known.held
    ours = unsubscribed_by_us_at(known)
    if ours is not None and member.left_at <= ours + CLOCKS_DIFFER:
        return False
    return member.left_at >= known.since.replace(microsecond=0)


def settle(mailchimp: Mailchimp, change: Change) -> bool:
    """Settle one; False: the person has changed meanwhile, and is left alone. Raise DeliveryFailure."""
    current = _look_up(mailchimp, change) if change.needs_lookup else change
    if current is None:
        return False
    match current.drift:
        case Drift.LEFT | Drift.GONE:
            return _block(current)
        case Drift.STILL_THERE if current.member is not None:
            return _correct(current, current.member.place)
        case _:
            return _correct(current, MailchimpStatus.UNKNOWN)


def _look_up(mailchimp: Mailchimp, change: Change) -> Change | None:
    """Look a missing person up, since a walk may miss a contact that changes meanwhile."""
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
        if not is_unchanged(session, known, change.asked_at):
            return False
    place = MailchimpStatus.ABSENT if member is None else member.place
    # A person who changes from here on is in another round: then found_left does nothing.
    reported.found_left(known.ref, known.round, reason_for(member), place)
    return True


def _correct(change: Change, place: MailchimpStatus) -> bool:
    with writing() as session:
        person = lock_person_by_ref(session, change.known.ref)
        if person is None:
            return False
        if not is_unchanged(session, change.known, change.asked_at):
            return False
        # A block may have no address here: then Mailchimp's is stored until the contact is unsubscribed there.
        record_mailchimp_status(person.row, place, person.address or change.address)
        request_sync(person.row, person.now)
    return True
