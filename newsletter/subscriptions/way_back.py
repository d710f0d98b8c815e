"""Telling somebody the way back to Mailchimp, which refused them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from newsletter.domain.lifecycle import tells_way_back
from newsletter.storage.models import Subscription
from newsletter.subscriptions.person import address_of, known_by


def tell_way_back(session: Session, row: Subscription) -> None:
    """Write at once to somebody whom Mailchimp refused, where only its own form can bring them back.

    For whoever writes the refusal down, in the same transaction, and holds the address's lock. The letter counts as
    any other and keeps to the three a day, but not to the ten minutes: it follows on the confirmation, and so
    mostly on a letter of ours.
    """
    person = known_by(session, row, address_of(row))
    if tells_way_back(person.standing, person.quota.sent()):
        person.tell_way_back()
        person.quota.save()
