"""How many calls to the mail server and to Mailchimp had each outcome, for all workers together."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

from sqlalchemy import select

from newsletter.storage import statements
from newsletter.storage.database import reading, writing
from newsletter.storage.holds import Side
from newsletter.storage.models import CallCount


class CallCounter:
    """Counts in memory, so that no call needs a transaction, until the heartbeat stores the numbers."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, outcome: str) -> None:
        with self._lock:
            self._counts[outcome] += 1

    def store(self) -> None:
        """Add the numbers to those of all workers."""
        with self._lock:
            counts = dict(self._counts)
        if not counts:
            return
        rows = [
            {"side": self._side, "outcome": outcome, "number": number}
            for outcome, number in sorted(counts.items())
        ]
        with writing() as session:
            statements.add_up(session, CallCount, rows)
        with self._lock:
            self._counts.subtract(counts)
            self._counts = +self._counts


def totals(side: Side) -> Mapping[str, int]:
    query = select(CallCount.outcome, CallCount.number).where(CallCount.side == side)
    with reading() as session:
        return dict(session.execute(query).all())
