"""The wait before a retry after a temporary failure."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.worker.backoff import delay

HOUR = timedelta(hours=1)


def waits(tries: int) -> list[timedelta]:
    return [delay(tries) for _ in range(50)]


def test_the_first_wait_is_at_most_five_seconds() -> None:
    assert timedelta(0) < min(waits(1))
    assert max(waits(1)) <= timedelta(seconds=5)


@pytest.mark.parametrize("tries", range(2, 11))
def test_the_longest_wait_doubles(tries: int) -> None:
    longest = timedelta(seconds=5 * 2 ** (tries - 1))

    assert longest / 2 < max(waits(tries)) <= longest


@pytest.mark.parametrize("tries", [11, 20, 21, 1_000_000])
def test_no_wait_is_longer_than_an_hour(tries: int) -> None:
    assert HOUR / 2 < max(waits(tries)) <= HOUR


def test_waits_are_spread_evenly() -> None:
    assert min(waits(11)) < HOUR / 2
