"""Probes: while mail is on hold, one letter tests whether it still has to be."""

from __future__ import annotations

from collections.abc import Set

from newsletter.domain import clock
from newsletter.domain.errors import Unreadable
from newsletter.storage.database import reading
from newsletter.storage.models import Letter, Subscription
from newsletter.subscriptions.person import address_of
from newsletter.worker.mail import due, leases
from newsletter.worker.mail.leases import Leased
from newsletter.worker.mail.refusals import domain_of

MOST_LOOKED_AT = 500  #: letters among which the best probe is chosen


def lease(owner: str, refused_domains: Set[str]) -> list[Leased]:
    """Lease one letter, due or not.

    Preferably one that was never refused, to a domain that never refused; the newest, since refused ones may have led
    to the hold. A letter that may have arrived is not sent early.
    """
    now = clock.now()
    waiting = due.LETTERS.where(*due.waiting(Letter.copies == 0))
    newest = waiting.order_by(Letter.tries, Letter.due_at.desc(), Letter.number.desc())
    with reading() as session:
        found = session.execute(newest.limit(MOST_LOOKED_AT), due.times(now)).all()
    if not found:
        return []
    best, _ = min(found, key=lambda each: (each[0].tries > 0, _domain(each[1]) in refused_domains))
    return leases.lease_probe(owner, best.number, now)


def _domain(row: Subscription) -> str:
    try:
        address = address_of(row)
    except Unreadable:
        return ""
    return domain_of(address.text) if address else ""
