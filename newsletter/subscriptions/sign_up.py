"""Signing up."""

from __future__ import annotations

from newsletter.domain import periods
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Retire, SignUp, Status
from newsletter.storage import statements
from newsletter.storage.database import writing
from newsletter.subscriptions import wording
from newsletter.subscriptions.person import Known, Person, lock_person
from newsletter.subscriptions.transition import Outcome, act, expire_if_due, write_decoy


def sign_up(address: Address, action: SignUp) -> None:
    """Take a sign-up from a form; the address may belong to somebody else. Raise UnknownWording."""
    with writing() as session:
        person = lock_person(session, address)
        if person.quota.read_with(wording.WITHDRAWN_AT, hash=action.consent.hash) is not None:
            action = wording.replaced(session, action)
        ask_to_confirm(person, action)


def ask_to_confirm(person: Person, action: SignUp) -> Outcome:
    """Open a request and write the confirmation e-mail, as far as the table allows."""
    if isinstance(person, Known):
        person = _end_overdue(person)
    with statements.together(person.session):
        outcome = act(person, action)
        if not outcome.decision.changes:
            write_decoy(person, action, writes_letter=not outcome.decision.tells_way_back)
        person.quota.save()
    return outcome


def _end_overdue(person: Known) -> Person:
    """End an overdue request or proof before the nightly run does, since a sign-up must not prolong it."""
    expired = expire_if_due(person)
    standing = expired.standing
    is_soft = standing.status is Status.BLOCKED and not standing.is_hard(person.now)
    if is_soft and standing.proof_has_ended:
        return act(expired, Retire(), actor=periods.ACTOR).person
    return expired
