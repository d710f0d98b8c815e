"""Signing up."""

from __future__ import annotations

from newsletter.domain import periods
from newsletter.domain.address import Address
from newsletter.domain.consent import ConsentText
from newsletter.domain.lifecycle import Retire, SignUp, Status
from newsletter.storage import statements
from newsletter.storage.database import writing
from newsletter.subscriptions.person import Known, Person, meet
from newsletter.subscriptions.transition import Outcome, act, expire_if_due, write_decoy


def sign_up(address: Address, consent: ConsentText) -> None:
    """Somebody, perhaps its owner, typed this address into a form that showed this text."""
    with writing() as session:
        ask(meet(session, address), consent)


def ask(person: Person, consent: ConsentText, *, in_any_case: bool = False) -> Outcome:
    """Ask an address's owner to confirm, unless the table says otherwise.

    `in_any_case`: they then stand as if asked, without a letter, even where none may be written.
    """
    if isinstance(person, Known):
        person = _end_what_is_due(person)
    with statements.together(person.session):
        outcome = act(person, SignUp(consent, in_any_case))
        if not outcome.decision.changes:
            write_decoy(person, consent, writes_letter=not outcome.decision.tells_way_back)
        person.quota.save()
    return outcome


def _end_what_is_due(person: Known) -> Person:
    """The clock decides, not the nightly run: a proof past its period does not wait for one more request."""
    expired = expire_if_due(person)
    standing = expired.standing
    is_soft = standing.status is Status.BLOCKED and not standing.is_hard(person.now)
    if is_soft and standing.proof_has_ended:
        return act(expired, Retire(), actor=periods.ACTOR).person
    return expired
