"""Others are refused at once after the database let one wait in vain."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from newsletter.storage import deadline, outage
from newsletter.storage.breaker import LONG_WAIT, PAUSE_SECONDS, REMEMBERED_SECONDS, Breaker
from newsletter.storage.outage import Refused


class Clock:
    """Seconds that pass when a test says so."""

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


def fail(breaker: Breaker, clock: Clock, error: Exception, seconds: float = LONG_WAIT + 1) -> None:
    """Use the database, which answers with an error after some seconds."""
    with suppress(type(error)), breaker.guard():
        clock.now += seconds
        raise error


def is_refused(breaker: Breaker) -> bool:
    try:
        with breaker.guard():
            return False
    except Refused:
        return True


def test_after_a_long_wait_in_vain_others_are_refused_for_some_seconds(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, clock, PoolTimeoutError())
    with pytest.raises(Refused) as refused, breaker.guard():
        pass
    assert refused.value.trouble == outage.ALL_BUSY

    clock.now += PAUSE_SECONDS

    assert not is_refused(breaker)


def test_one_alone_tries_whether_it_answers(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, PoolTimeoutError())
    clock.now += PAUSE_SECONDS

    with breaker.guard():
        # What the one that tries does besides, as reading the keys, is part of it.
        assert not is_refused(breaker)
        with ThreadPoolExecutor(1) as others:
            assert others.submit(is_refused, breaker).result()

    assert not is_refused(breaker)


def test_others_are_refused_on_if_that_one_waits_in_vain(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, PoolTimeoutError())
    clock.now += PAUSE_SECONDS

    fail(breaker, clock, PoolTimeoutError(), seconds=0.1)

    assert is_refused(breaker)


def test_a_short_wait_is_no_reason_to_refuse_others(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, PoolTimeoutError(), seconds=LONG_WAIT / 2)

    assert not is_refused(breaker)


def test_what_the_database_refuses_by_itself_keeps_nobody_else_out(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, clock, IntegrityError("INSERT", {}, Exception()))

    assert not is_refused(breaker)


def test_without_time_nothing_is_asked(breaker: Breaker) -> None:
    with deadline.within(0), pytest.raises(Refused) as refused, breaker.guard():
        pass

    assert refused.value.trouble == outage.NO_TIME


def test_the_shorter_of_two_deadlines_counts() -> None:
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
    assert breaker.is_full() == outage.FILE_FULL
    breaker.has_written()
    assert breaker.is_full() is None

    fail(breaker, clock, full)
    clock.now += REMEMBERED_SECONDS + 1
    assert breaker.is_full() is None
