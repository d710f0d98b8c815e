"""What staff see of one person, and what they can do."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.config import Locale
from newsletter.domain.errors import UnknownReference
from newsletter.domain.lifecycle import Status
from newsletter.rights import access
from newsletter.storage.database import writing
from newsletter.subscriptions import erasures
from newsletter.subscriptions.person import lock_person_by_ref


@dataclass(frozen=True)
class PersonView:
    """All data of a person, as in an access export, and the actions that would change something."""

    data: dict[str, object]
    can_block: bool
    can_lift: bool
    can_correct: bool
    is_held: bool  #: restricted (Art. 18 GDPR)
    is_waiting_for_mailchimp: bool


def view(ref: str, *, actor: str, locale: Locale | None = None) -> PersonView:
    """Show a person by reference number; raise UnknownReference. The view is recorded in the ledger."""
    with writing() as session:
        person = lock_person_by_ref(session, ref)
        if person is None:
            raise UnknownReference
        data = access.of_person(person, actor=actor, locale=locale)
        erasure = erasures.find_open(session, person.digest)
        if erasure is not None:
            data["erasure_id"] = erasure.id
        row, standing = person.row, person.standing
        is_open = row.status in (Status.PENDING, Status.CONFIRMED)
        return PersonView(
            data,
            can_block=not standing.is_hard(person.now),
            can_lift=row.status is Status.BLOCKED and standing.is_hard(person.now),
            can_correct=is_open and person.address is not None,
            is_held=row.hold,
            is_waiting_for_mailchimp=row.audience_error is not None,
        )
