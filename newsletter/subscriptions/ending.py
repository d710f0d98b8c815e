"""What ends by itself: requests that nobody confirmed, and proofs past their period."""

from __future__ import annotations

from newsletter.domain import periods
from newsletter.domain.lifecycle import Retire
from newsletter.storage.database import writing
from newsletter.subscriptions.person import meet_by_ref
from newsletter.subscriptions.transition import act, expire_if_due


def expire(ref: str) -> None:
    """A request's end has come: forget it, or stand as before it."""
    with writing() as session:
        person = meet_by_ref(session, ref)
        if person is not None:
            expire_if_due(person)


def retire(ref: str) -> bool:
    """Retention ends what is kept of somebody who left; False where its period is not over."""
    with writing() as session:
        person = meet_by_ref(session, ref)
        # They may have come back, and left again, since they were looked for.
        if person is None or not person.standing.proof_has_ended:
            return False
        return act(person, Retire(), actor=periods.ACTOR).decision.changes
