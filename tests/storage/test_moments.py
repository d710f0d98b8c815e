"""A stored time that is further ahead than any host sets it counts as past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import literal, null, select

from newsletter.storage.database import reading
from newsletter.storage.models import UtcDateTime
from newsletter.storage.moments import CLOCKS_DIFFER, has_come, latest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SECOND = timedelta(seconds=1)

moments = pytest.mark.parametrize(
    ("moment", "has"),
    [
        (None, True),
        (NOW - HOUR, True),
        (NOW, True),
        (NOW + SECOND, False),
        (NOW + MINUTE + CLOCKS_DIFFER, False),
        (NOW + MINUTE + CLOCKS_DIFFER + SECOND, True),
        (NOW + HOUR, True),
    ],
)


@moments
def test_a_time_further_ahead_than_possible_counts_as_past(
    moment: datetime | None, has: bool
) -> None:
    assert has_come(moment, NOW, latest(NOW, MINUTE)) is has


@moments
def test_the_condition_in_sql_has_the_same_result(
    app: Flask, moment: datetime | None, has: bool
) -> None:
    column = literal(moment, UtcDateTime) if moment else null()
    with app.app_context(), reading() as session:
        come = session.scalar(select(has_come(column, NOW, latest(NOW, MINUTE))))

    assert bool(come) is has
