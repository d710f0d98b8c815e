"""What staff do: blocking, lifting, holding (Art. 18 GDPR)."""

from __future__ import annotations

from newsletter.domain.address import Address
from newsletter.domain.errors import (
    NobodyKnown,
)
from newsletter.domain.lifecycle import Action, Reason
from newsletter.storage.database import writing
from newsletter.subscriptions.person import (
    meet,
)


def block(address: Address, reason: Reason, *, actor: str) -> None:
    """Staff block an address, by whatever channel they were asked; raise NobodyKnown."""
    with writing() as session:
        person = meet(session, address)
        if person.row is None and reason is not Reason.STAFF:
            raise NobodyKnown
        person.act(Action.BLOCK, reason=reason, actor=actor)


def lift(address: Address, *, actor: str) -> None:
    """Staff make a hard block a soft one, so that its owner may sign up again; raise NobodyKnown."""
    with writing() as session:
        person = meet(session, address)
        if person.row is None:
            raise NobodyKnown
        person.act(Action.LIFT, actor=actor)


def hold(address: Address, *, is_held: bool, actor: str) -> None:
    """Staff freeze a person's data (Art. 18 GDPR), or release it; again: nothing more. Raise NobodyKnown."""
    with writing() as session:
        person = meet(session, address)
        if person.row is None:
            raise NobodyKnown
        person.hold(is_held=is_held, actor=actor)
