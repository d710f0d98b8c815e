"""Actions of staff: block, unblock, restrict processing (Art. 18 GDPR). Each returns whether it changed anything.

A person is named by address or by reference number, since a bare block has no address.
"""

from __future__ import annotations

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Block, Event, Lift, Reason
from newsletter.ledger import log
from newsletter.storage.database import writing
from newsletter.subscriptions.person import commitment_of, known, lock_whom, request_sync
from newsletter.subscriptions.transition import act, expire_if_due


def block(whom: Address | str, reason: Reason, *, actor: str) -> bool:
    """Block a person; raise NobodyKnown or UnknownReference."""
    with writing() as session:
        outcome = act(lock_whom(session, whom), Block(reason), actor=actor)
        known(outcome.person)
        return outcome.decision.changes


def lift(whom: Address | str, *, actor: str) -> bool:
    """Turn a hard block into a soft one, so that the owner can sign up again; raise NobodyKnown."""
    with writing() as session:
        outcome = act(lock_whom(session, whom), Lift(), actor=actor)
        known(outcome.person)
        return outcome.decision.changes


def hold(whom: Address | str, *, is_held: bool, actor: str) -> bool:
    """Restrict the processing of a person's data, or end the restriction; raise NobodyKnown."""
    with writing() as session:
        person = known(expire_if_due(lock_whom(session, whom)))
        row = person.row
        if row.hold is is_held:
            return False
        row.hold = is_held
        row.audience_tries = 0
        request_sync(row, person.now)
        log.append(
            session,
            ref=row.ref,
            round=row.round,
            event=Event.HELD if is_held else Event.RELEASED,
            at=person.now,
            actor=actor,
            commitment=commitment_of(row),
        )
        return True
