"""Actions of staff: block, unblock, restrict processing (Art. 18 GDPR). Each returns whether it changed anything."""

from __future__ import annotations

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Block, Event, Lift, Reason
from newsletter.ledger import log
from newsletter.storage.database import writing
from newsletter.subscriptions.person import commitment_of, due_at_mailchimp, known, lock_person
from newsletter.subscriptions.transition import act, expire_if_due


def block(address: Address, reason: Reason, *, actor: str) -> bool:
    """Block an address; raise NobodyKnown."""
    with writing() as session:
        outcome = act(lock_person(session, address), Block(reason), actor=actor)
        known(outcome.person)
        return outcome.decision.changes


def lift(address: Address, *, actor: str) -> bool:
    """Turn a hard block into a soft one, so that the owner can sign up again; raise NobodyKnown."""
    with writing() as session:
        outcome = act(lock_person(session, address), Lift(), actor=actor)
        known(outcome.person)
        return outcome.decision.changes


def hold(address: Address, *, is_held: bool, actor: str) -> bool:
    """Restrict the processing of a person's data, or end the restriction; raise NobodyKnown."""
    with writing() as session:
        person = known(expire_if_due(lock_person(session, address)))
        row = person.row
        if row.hold is is_held:
            return False
        row.hold = is_held
        row.audience_tries = 0
        due_at_mailchimp(row, person.now)
        log.append(
            session,
            ref=row.ref,
            round=row.round,
            event=Event.HELD if is_held else Event.RELEASED,
            at=person.now,
            actor=actor,
            commitment=commitment_of(row, person.address),
        )
        return True
