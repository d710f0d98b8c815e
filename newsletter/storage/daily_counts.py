"""How many requests reached each step on each day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.storage import statements
from newsletter.storage.database import reading
from newsletter.storage.models import DailyCount, Step

Counts = Mapping[tuple[date, Step], int]


def add(session: Session, counts: Counts) -> None:
    """Add to the stored numbers."""
    if not counts:
        return
    # In a fixed order: otherwise two transactions could wait for each other.
    rows = [
        {"day": day, "step": step, "number": number}
        for (day, step), number in sorted(counts.items())
    ]
    statements.add_up(session, DailyCount, rows)


def since(first: date) -> Counts:
    """The numbers from a day on, without the steps that nobody reached."""
    query = select(DailyCount.day, DailyCount.step, DailyCount.number)
    with reading() as session:
        rows = session.execute(query.where(DailyCount.day >= first)).all()
    return {(row.day, row.step): row.number for row in rows}


def totals() -> Mapping[str, int]:
    """How many requests reached each step, since the beginning."""
    query = select(DailyCount.step, func.sum(DailyCount.number)).group_by(DailyCount.step)
    with reading() as session:
        found = dict(session.execute(query).all())
    return {step: int(found.get(step, 0)) for step in Step}
