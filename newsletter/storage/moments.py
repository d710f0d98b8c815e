"""Stored times that lie in the future: one that is further ahead than any host would set it counts as past.

A host whose clock was ahead may have set it. Without this rule its leases and retries would block until then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, overload

from sqlalchemy import ColumnElement, SQLColumnExpression, or_

#: How far the clocks of two hosts may differ (`newsletter check` reports more).
CLOCKS_DIFFER = timedelta(seconds=30)

LONGEST_CALL = timedelta(seconds=60)  #: to Mailchimp
#: For how long after its end a call with an unknown outcome may still take effect there.
CARRIED_OUT_WITHIN = timedelta(seconds=120)
SETTLING = LONGEST_CALL + CARRIED_OUT_WITHIN

Bound = datetime | ColumnElement[Any]


def latest(now: datetime, longest: timedelta) -> datetime:
    """The latest time that a host can set now, where none sets one further ahead than `longest`."""
    return now + longest + CLOCKS_DIFFER


@overload
def has_come(moment: datetime | None, now: datetime, latest: datetime) -> bool: ...
@overload
def has_come(
    moment: SQLColumnExpression[Any], now: Bound, latest: Bound
) -> ColumnElement[bool]: ...
def has_come(moment: Any, now: Any, latest: Any) -> Any:
    """Whether a time is past, is not set, or is later than possible; for a column, as a condition in SQL."""
    if moment is None:
        return True
    if isinstance(moment, datetime):
        return moment <= now or moment > latest
    return or_(moment.is_(None), moment <= now, moment > latest)
