"""The way-back e-mail, to a person whom Mailchimp refuses to add."""

from __future__ import annotations

from sqlalchemy.orm import Session

from newsletter.domain.lifecycle import tells_way_back
from newsletter.storage.models import Subscription
from newsletter.subscriptions import takeover
from newsletter.subscriptions.person import address_of, known_by


def tell_way_back(session: Session, row: Subscription) -> None:
    """Write the way-back e-mail if only Mailchimp's own form can bring the person back.

    Call it in the transaction that records the refusal, with the address locked. The limit of three letters a day
    applies, but not the pause of ten minutes, since the confirmation e-mail was usually sent just before. A person who
    was taken over from elsewhere gets it only after a sign-up of their own.
    """
    if takeover.is_present(row):
        return
    person = known_by(session, row, address_of(row))
    if tells_way_back(person.standing, person.quota.sent()):
        person.tell_way_back()
        person.quota.save()
