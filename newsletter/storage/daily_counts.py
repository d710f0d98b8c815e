"""How many requests reached each step on each day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from newsletter.storage.database import is_sqlite, reading
from newsletter.storage.models import DailyCount, Step

Counts = Mapping[tuple[date, Step], int]


def add(session: Session, counts: Counts) -> None:
    """Add to the numbers that there are."""
    if not counts:
        return
    adding = (sqlite.insert if is_sqlite() else postgresql.insert)(DailyCount)
    key = (DailyCount.day, DailyCount.step)
    both = DailyCount.number + adding.excluded.number
    # In a fixed order, so that two transactions never wait for each other.
    rows = [
        {"day": day, "step": step, "number": number}
        for (day, step), number in sorted(counts.items())
    ]
    session.connection().execute(
        adding.on_conflict_do_update(index_elements=key, set_={"number": both}), rows
    )


def since(first: date) -> Counts:
    """The numbers from a day on; a step that nobody reached is missing."""
    query = select(DailyCount.day, DailyCount.step, DailyCount.number)
    with reading() as session:
        rows = session.execute(query.where(DailyCount.day >= first)).all()
    return {(row.day, row.step): row.number for row in rows}
