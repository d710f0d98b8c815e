"""How many letters one address gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.domain.limits import (
    Sent,
    counts,
    request_ends,
    way_back_told_recently,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("ago", "expected"), [(0 * HOUR, True), (24 * HOUR - SECOND, True), (24 * HOUR, False)]
)
def test_a_letter_counts_for_a_day(ago: timedelta, expected: bool) -> None:
    assert counts(NOW - ago, NOW) is expected


@pytest.mark.parametrize(("letters", "expected"), [(0, False), (2, False), (3, True), (4, True)])
def test_three_letters_are_all_of_a_day(letters: int, expected: bool) -> None:
    assert Sent((NOW - HOUR,) * letters).daily_limit_reached is expected


@pytest.mark.parametrize(
    ("told_at", "expected"),
    [
        (None, False),
        (NOW, True),
        (NOW - timedelta(days=30), False),
        (NOW - timedelta(days=29), True),
    ],
)
def test_the_way_back_is_told_once_in_thirty_days(told_at: datetime | None, expected: bool) -> None:
    assert way_back_told_recently(told_at, NOW) is expected


@pytest.mark.parametrize(
    ("days", "ends_after"), [(0, 7), (6, 13), (7, 14), (10, 14), (13, 14)], ids=str
)
def test_a_request_ends_two_weeks_after_its_first_sign_up_at_the_latest(
    days: int, ends_after: int
) -> None:
    ends = request_ends(NOW, NOW + timedelta(days=days), link_days=7)

    assert ends == NOW + timedelta(days=ends_after)
