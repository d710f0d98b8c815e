"""The end of the third calendar year, in any time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from newsletter.domain.periods import ended_before, kept_until

BERLIN, NEW_YORK, KIRITIMATI = (
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Pacific/Kiritimati")
)
SECOND = timedelta(seconds=1)


def is_over(left_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    return left_at < ended_before(now, zone)


@pytest.mark.requires("R61")
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

    assert kept_until(left_at, zone) == date(after.year - 1, 12, 31)
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
    assert kept_until(left_at, BERLIN) == date(year, 12, 31)
    last_second = datetime(year, 12, 31, 23, 59, 59, tzinfo=BERLIN)
    assert not is_over(left_at, last_second, BERLIN)
    assert is_over(left_at, last_second + SECOND, BERLIN)
