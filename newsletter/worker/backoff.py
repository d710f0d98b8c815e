"""The wait before a retry after a temporary failure: exponential, with full jitter."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, SQLColumnExpression, case, literal

from newsletter.domain import clock
from newsletter.storage import holds
from newsletter.storage.models import Erasure, Inquiry, UtcDateTime
from newsletter.storage.moments import SETTLING, latest

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 3600.0
_FEW = 6  #: tries, after which the wait is at most 160 s, less than SETTLING


def latest_after(tries: SQLColumnExpression[int], now: datetime) -> ColumnElement[datetime]:
    """The latest possible time of the next try, as an SQL expression of the column with the number of tries."""
    soon, late = latest(now, SETTLING), latest(now, timedelta(seconds=LONGEST_SECONDS))
    return case((tries <= _FEW, literal(soon, UtcDateTime)), else_=literal(late, UtcDateTime))


def delay(tries: int) -> timedelta:
    """The wait after so many failed tries (1 or more): up to 5 s, doubling up to an hour."""
    ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (min(tries, 20) - 1))
    return timedelta(seconds=random.uniform(0, ceiling))  # noqa: S311 - spreads load, keeps no secret


def postpone(row: Erasure | Inquiry, reason: str, *, is_tried: bool) -> None:
    """Set the time of the next try; a hold does not count as a try."""
    row.error = reason[:64]
    wait: timedelta = holds.PROBE_EVERY
    if is_tried:
        row.tries += 1
        wait = delay(row.tries)
    row.try_at = clock.now() + wait
