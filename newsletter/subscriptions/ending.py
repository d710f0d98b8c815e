"""Ending what has reached its time: requests that nobody confirmed, and proofs after their retention period."""

from __future__ import annotations

from newsletter.domain import periods
from newsletter.domain.lifecycle import Retire
from newsletter.storage.database import writing
from newsletter.subscriptions.person import lock_person_by_ref
from newsletter.subscriptions.transition import act, expire_if_due


def expire(ref: str) -> bool:
    """End a request; False if it is not overdue any more, because it was confirmed or prolonged."""
    with writing() as session:
        person = lock_person_by_ref(session, ref)
        return person is not None and expire_if_due(person) is not person


def retire(ref: str) -> bool:
    """Erase a proof; False if its period is not over any more, because the person came back."""
    with writing() as session:
        person = lock_person_by_ref(session, ref)
        if person is None or not person.standing.proof_has_ended:
            return False
        return act(person, Retire(), actor=periods.ACTOR).decision.changes
