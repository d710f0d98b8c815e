"""Signing up."""

from __future__ import annotations

import secrets

from newsletter.domain import periods
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Action, Decision, Status, too_soon
from newsletter.storage import statements
from newsletter.storage.database import writing
from newsletter.subscriptions import quota
from newsletter.subscriptions.person import (
    Person,
    meet,
)
from newsletter.subscriptions.quota import Counted
from newsletter.subscriptions.wording import ConsentText


def sign_up(address: Address, consent: ConsentText) -> None:
    """Somebody, perhaps its owner, typed this address into a form that showed this text."""
    with writing() as session:
        ask(meet(session, address), consent)


def ask(person: Person, consent: ConsentText, *, in_any_case: bool = False) -> Decision:
    """Ask an address's owner, unless they were written too many letters of late.

    `in_any_case`: they then stand as if asked, without a letter.
    """
    standing = person.standing
    is_soft = standing.status is Status.BLOCKED and not standing.is_hard(person.now)
    if is_soft and standing.proof_has_ended:
        # The clock decides, not the nightly run: the proof does not wait for the end of one more request.
        person.act(Action.RETIRE, actor=periods.ACTOR)
    counted = quota.that_count(person.digest, person.letters, person.now)
    is_too_soon = too_soon(person.standing, counted.times, person.now)
    with statements.together(person.session):
        decision = person.act(
            Action.SIGN_UP,
            too_soon=is_too_soon and not in_any_case,
            consent=consent,
            counts_on=None if is_too_soon else counted,
        )
        if not decision.changes:
            _work_as_if(person, consent, writes_letter=not decision.tells_way_back)
        quota.write(person.session, counted, person.now)
    return decision


def _work_as_if(person: Person, consent: ConsentText, *, writes_letter: bool) -> None:
    """Do in vain, for nobody, what a sign-up does: the time of an answer must not tell either."""
    nobody = Person(person.session, secrets.token_bytes(32), person.address, None)
    counts_on = Counted(nobody.digest) if writes_letter else None
    with statements.in_vain(person.session):
        nobody.act(Action.SIGN_UP, consent=consent, counts_on=counts_on)
