"""Moments to come, as they are kept: one that lies further ahead than it is ever set has come.

A clock that was ahead sets them so, and nobody would take over what it held, or do what it put off, until then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, overload

from sqlalchemy import ColumnElement, SQLColumnExpression, or_

#: So far the clocks of two hosts may differ (`newsletter check` tells of more).
CLOCKS_DIFFER = timedelta(seconds=30)

#: A call to Mailchimp ends within the first, and may be carried out there for as long as the second after that.
LONGEST_CALL, CARRIED_OUT_WITHIN = timedelta(seconds=60), timedelta(seconds=120)
SETTLING = (
    LONGEST_CALL + CARRIED_OUT_WITHIN
)  #: until when at most a call whose outcome is unknown counts

Bound = datetime | ColumnElement[Any]


def latest(now: datetime, longest: timedelta) -> datetime:
    """The latest moment that a host may have set which sets it so far ahead at most."""
    return now + longest + CLOCKS_DIFFER


@overload
def has_come(moment: datetime | None, now: datetime, latest: datetime) -> bool: ...
@overload
def has_come(
    moment: SQLColumnExpression[Any], now: Bound, latest: Bound
) -> ColumnElement[bool]: ...
def has_come(moment: Any, now: Any, latest: Any) -> Any:
    """Tell whether a moment is over, was never set, or is later than it can be; of a column, as a condition in SQL."""
    if moment is None:
        return True
    if isinstance(moment, datetime):
        return moment <= now or moment > latest
    return or_(moment.is_(None), moment <= now, moment > latest)
