"""The periods, and the one table of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from newsletter.domain.periods import ended_before, proof_until, years_before
from newsletter.storage.models import Model
from newsletter.texts.retention_table import TABLE

BERLIN, NEW_YORK, KIRITIMATI = (
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Pacific/Kiritimati")
)
SECOND = timedelta(seconds=1)


def is_over(left_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    return left_at < ended_before(now, zone)


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, KIRITIMATI])
@pytest.mark.parametrize(
    "left_at",
    [
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        datetime(2028, 2, 29, 12, tzinfo=UTC),
        datetime(2026, 12, 31, 8, tzinfo=UTC),
    ],
)
def test_a_proof_is_kept_to_the_last_second_of_its_third_calendar_year(
    left_at: datetime, zone: ZoneInfo
) -> None:
    after = datetime(left_at.astimezone(zone).year + 4, 1, 1, tzinfo=zone)

    assert proof_until(left_at, zone) == date(after.year - 1, 12, 31)
    assert not is_over(left_at, after - SECOND, zone)
    assert is_over(left_at, after, zone)


@pytest.mark.parametrize(
    ("left_at", "year"),
    [
        (datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), 2029),
        (datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC), 2030),
    ],
)
def test_the_year_of_leaving_is_that_of_the_time_zone(left_at: datetime, year: int) -> None:
    assert proof_until(left_at, BERLIN) == date(year, 12, 31)
    last_second = datetime(year, 12, 31, 23, 59, 59, tzinfo=BERLIN)
    assert not is_over(left_at, last_second, BERLIN)
    assert is_over(left_at, last_second + SECOND, BERLIN)


def test_three_years_before_a_leap_day_is_the_day_before_it() -> None:
    assert years_before(datetime(2028, 2, 29, 12, tzinfo=UTC), 3) == datetime(
        2025, 2, 28, 12, tzinfo=UTC
    )
    assert years_before(datetime(2028, 2, 29, tzinfo=UTC), 4).day == 29


def test_every_column_has_a_period_and_no_other_is_named() -> None:
    tables = Model.metadata.tables
    named = {name for data_class in TABLE for name in data_class.columns if name.islower()}
    columns = {f"{table.name}.{column.name}" for table in tables.values() for column in table.c}
    covered = {column for column in columns if named & {column, column.partition(".")[0]}}

    assert columns - covered == set()
    assert named - columns - set(tables) == set()


def test_the_table_says_all_of_it_in_both_languages_and_nothing_twice() -> None:
    words = [
        text
        for it in TABLE
        for part in (it.data, it.period, it.reason, it.ended_by)
        for text in (part.de, part.en)
    ]

    assert all(text.strip() == text != "" for text in words)
    assert len({it.name for it in TABLE}) == len(TABLE)
