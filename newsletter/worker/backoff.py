"""How long what failed in passing waits before it is tried again."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, SQLColumnExpression, case, literal

from newsletter.storage.models import UtcDateTime
from newsletter.storage.moments import SETTLING, latest

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 3600.0
_FEW = 6  #: tries after which the wait is 160 s at most, less than a call may take to settle


def latest_after(tries: SQLColumnExpression[int], now: datetime) -> ColumnElement[datetime]:
    """The latest moment to which something can have been put off that failed so often, as a column says."""
    soon, late = latest(now, SETTLING), latest(now, timedelta(seconds=LONGEST_SECONDS))
    return case((tries <= _FEW, literal(soon, UtcDateTime)), else_=literal(late, UtcDateTime))


def delay(tries: int) -> timedelta:
    """The wait after so many failed tries (1 or more): up to 5 s, then doubling up to an hour, with full jitter."""
    ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (min(tries, 20) - 1))
    return timedelta(seconds=random.uniform(0, ceiling))  # noqa: S311 - spreads load, keeps no secret
