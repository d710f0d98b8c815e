"""What ends by itself: requests that nobody confirmed, and proofs past their period."""

from __future__ import annotations

from datetime import datetime

from newsletter.domain import periods
from newsletter.domain.lifecycle import Action
from newsletter.storage.database import writing
from newsletter.subscriptions import under_way
from newsletter.subscriptions.person import (
    meet_by_ref,
)


def expire(ref: str) -> None:
    """A request's end has come: forget it, or stand as before it."""
    with writing() as session:
        meet_by_ref(session, ref)  # meeting somebody ends a request that is over


def retire(ref: str, left_before: datetime) -> bool:
    """Retention ends what is kept of somebody who left; False where they did not, or not before that time."""
    with writing() as session:
        person = meet_by_ref(session, ref)
        row = person.row if person is not None else None
        # They may have come back, and left again, since they were looked for.
        if person is None or row is None or row.left_at is None or row.left_at >= left_before:
            return False
        request = under_way.find(session, row)
        decision = person.act(Action.RETIRE, actor=periods.ACTOR)
        if decision.asks_anew and request is not None:
            under_way.ask_anew(person, request)
        return decision.changes
