"""After a database call timed out, further calls are refused at once."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from newsletter.storage import deadline, outage
from newsletter.storage.breaker import FULL_SECONDS, OPENS_AFTER_SECONDS, PAUSE_SECONDS, Breaker
from newsletter.storage.outage import Refused


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def fail(
    breaker: Breaker, clock: Clock, error: Exception, seconds: float = OPENS_AFTER_SECONDS + 1
) -> None:
    """Use the database, which raises an error after some seconds."""
    with suppress(type(error)), breaker.guard():
        clock.now += seconds
        raise error


def is_refused(breaker: Breaker) -> bool:
    try:
        with breaker.guard():
            return False
    except Refused:
        return True


def test_after_a_long_time_out_calls_are_refused_for_some_seconds(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, clock, PoolTimeoutError())
    with pytest.raises(Refused) as refused, breaker.guard():
        pass
    assert refused.value.trouble == outage.ALL_BUSY

    clock.now += PAUSE_SECONDS

    assert not is_refused(breaker)


def test_only_one_call_is_the_probe(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, PoolTimeoutError())
    clock.now += PAUSE_SECONDS

    with breaker.guard():
        # What the one that tries does besides, as reading the keys, is part of it.
        assert not is_refused(breaker)
        with ThreadPoolExecutor(1) as others:
            assert others.submit(is_refused, breaker).result()

    assert not is_refused(breaker)


def test_after_a_failed_probe_calls_are_still_refused(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, PoolTimeoutError())
    clock.now += PAUSE_SECONDS

    fail(breaker, clock, PoolTimeoutError(), seconds=0.1)

    assert is_refused(breaker)


def test_after_a_short_time_out_calls_are_not_refused(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, PoolTimeoutError(), seconds=OPENS_AFTER_SECONDS / 2)

    assert not is_refused(breaker)


def test_an_error_that_is_no_time_out_does_not_open_the_breaker(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, clock, IntegrityError("INSERT", {}, Exception()))

    assert not is_refused(breaker)


def test_after_the_deadline_the_database_is_not_called(breaker: Breaker) -> None:
    with deadline.within(0), pytest.raises(Refused) as refused, breaker.guard():
        pass

    assert refused.value.trouble == outage.NO_TIME


def test_the_earlier_of_two_deadlines_counts() -> None:
    with deadline.within(5):
        with deadline.within(100):
            assert deadline.left() <= 5
        with deadline.within(1):
            assert deadline.left() <= 1
        assert deadline.left() > 1
    assert deadline.left() == deadline.LONGEST_WAIT


def test_a_full_disk_is_remembered_until_something_is_written(
    breaker: Breaker, clock: Clock
) -> None:
    cause = sqlite3.OperationalError("database or disk is full")
    cause.sqlite_errorname = "SQLITE_FULL"
    full = OperationalError("INSERT", {}, cause)

    fail(breaker, clock, full)
    assert breaker.full_disk() == outage.FILE_FULL
    breaker.record_write()
    assert breaker.full_disk() is None

    fail(breaker, clock, full)
    clock.now += FULL_SECONDS + 1
    assert breaker.full_disk() is None
