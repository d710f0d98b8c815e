"""What a clock that was ahead has put off, or holds, is not waited for."""

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
def test_a_moment_further_ahead_than_it_is_set_has_come(moment: datetime | None, has: bool) -> None:
    assert has_come(moment, NOW, latest(NOW, MINUTE)) is has


@moments
def test_the_database_says_the_same(app: Flask, moment: datetime | None, has: bool) -> None:
    column = literal(moment, UtcDateTime) if moment else null()
    with app.app_context(), reading() as session:
        come = session.scalar(select(has_come(column, NOW, latest(NOW, MINUTE))))

    assert bool(come) is has
