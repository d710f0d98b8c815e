"""What staff do: blocking, unblocking, and restricting the processing (Art. 18 GDPR)."""

from __future__ import annotations

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Block, Event, Lift, Reason
from newsletter.ledger import log
from newsletter.storage.database import writing
from newsletter.subscriptions.person import commitment_of, known, meet
from newsletter.subscriptions.transition import act, expire_if_due


def block(address: Address, reason: Reason, *, actor: str) -> None:
    """Block an address, by whatever channel that was asked for; raise NobodyKnown."""
    with writing() as session:
        known(act(meet(session, address), Block(reason), actor=actor).person)


def lift(address: Address, *, actor: str) -> None:
    """Make a hard block a soft one, so that its owner may sign up again; raise NobodyKnown."""
    with writing() as session:
        known(act(meet(session, address), Lift(), actor=actor).person)


def hold(address: Address, *, is_held: bool, actor: str) -> None:
    """Freeze what others do with a person's data, or let it go on; again: nothing more. Raise NobodyKnown."""
    with writing() as session:
        person = known(expire_if_due(meet(session, address)))
        row = person.row
        if row.hold is is_held:
            return
        row.hold = is_held
        # Another place at Mailchimp is wanted by now, and its turn is at once.
        row.audience_try_at, row.audience_tries = None, 0
        log.append(
            session,
            ref=row.ref,
            round=row.round,
            event=Event.HELD if is_held else Event.RELEASED,
            at=person.now,
            actor=actor,
            commitment=commitment_of(row, person.address),
        )
