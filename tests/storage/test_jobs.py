"""Leases, heartbeats and nights."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.domain import clock as house_clock
from newsletter.storage import holds, jobs
from newsletter.storage.database import reading
from newsletter.storage.holds import Permit
from newsletter.storage.jobs import LEASE
from newsletter.storage.models import Job
from tests.conftest import Clock, both_databases

pytestmark = both_databases

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def at_work(app: Flask, clock: Clock) -> Iterator[None]:
    """Every test runs inside the application, with a clock that the test moves."""
    with app.app_context():
        yield


def names() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Job.name).order_by(Job.name)))


def job(name: str) -> Job:
    with reading() as session:
        return session.scalars(select(Job).where(Job.name == name)).one()


def all_at_once(app: Flask, ask: Callable[[str], bool]) -> list[bool]:
    """The answers to eight workers that ask at the same time."""
    begin = threading.Barrier(8)

    def one(number: int) -> bool:
        with app.app_context():
            begin.wait(10)
            return ask(f"worker-{number}")

    with ThreadPoolExecutor(8) as crowd:
        return list(crowd.map(one, range(8)))


def test_only_one_worker_has_a_lease() -> None:
    assert jobs.take("audience", "first")

    assert not jobs.take("audience", "second")
    assert jobs.take("another", "second")


def test_taking_ones_own_lease_again_renews_it(clock: Clock) -> None:
    for _ in range(4):
        assert jobs.take("audience", "first")
        clock.shift(LEASE * 0.7)

    assert not jobs.take("audience", "second")


def test_a_fresh_lease_is_not_written_again() -> None:
    jobs.take("audience", "first")
    before = job("audience").leased_until

    assert jobs.take("audience", "first")
    assert job("audience").leased_until == before


def test_another_worker_gets_the_lease_of_a_killed_one_within_thirty_seconds(clock: Clock) -> None:
    jobs.take("audience", "killed")
    clock.shift(29)

    assert jobs.take("audience", "second")
    assert not jobs.take("audience", "killed")


def test_a_worker_that_slept_takes_its_own_lease_again(clock: Clock) -> None:
    jobs.take("audience", "first")
    clock.shift(LEASE + SECOND)

    assert jobs.take("audience", "first")
    assert not jobs.take("audience", "second")


def test_of_many_workers_that_ask_at_once_one_gets_the_lease(app: Flask, clock: Clock) -> None:
    jobs.take("audience", "killed")
    clock.shift(LEASE)

    assert all_at_once(app, lambda owner: jobs.take("audience", owner)).count(True) == 1


def test_of_many_workers_that_ask_for_a_new_job_one_gets_the_lease(app: Flask) -> None:
    assert all_at_once(app, lambda owner: jobs.take("audience", owner)).count(True) == 1


def test_a_heartbeat_renews_every_lease_of_its_worker(clock: Clock) -> None:
    jobs.take("audience", "first")
    for _ in range(4):
        clock.shift(LEASE / 2)
        jobs.beat("first")

    assert not jobs.take("audience", "second")


def test_a_heartbeat_renews_no_other_workers_lease(clock: Clock) -> None:
    jobs.take("audience", "killed")
    clock.shift(LEASE / 2)
    jobs.beat("second")
    clock.shift(LEASE / 2)

    assert jobs.take("audience", "second")


def test_a_worker_is_alive_while_it_sends_heartbeats(clock: Clock) -> None:
    assert not jobs.worker_is_alive()

    jobs.beat("first")
    assert jobs.worker_is_alive()

    clock.shift(LEASE)
    assert not jobs.worker_is_alive()


def test_a_lease_alone_is_no_sign_of_life() -> None:
    jobs.take("audience", "first")

    assert not jobs.worker_is_alive()


def test_a_worker_that_ends_gives_everything_back() -> None:
    jobs.take("audience", "first")
    jobs.beat("first")
    jobs.beat("second")

    jobs.leave("first")

    assert names() == ["audience", "worker second"]
    assert jobs.take("audience", "second")


def test_the_row_of_a_worker_that_died_long_ago_is_deleted(clock: Clock) -> None:
    jobs.beat("killed")
    clock.shift(DAY + LEASE - SECOND)
    jobs.beat("second")
    assert names() == ["worker killed", "worker second"]

    clock.shift(SECOND)
    jobs.beat("second")

    assert names() == ["worker second"]


def test_the_row_of_a_job_that_nobody_has_taken_for_long_is_kept(clock: Clock) -> None:
    jobs.take("audience", "killed")
    holds.begin("mail", "refused")
    clock.shift(3 * DAY)

    jobs.beat("second")

    assert names() == ["audience", "mail probe", "worker second"]


HOUR = timedelta(hours=1)


def test_a_lease_of_a_host_whose_clock_was_far_ahead_is_taken_over(clock: Clock) -> None:
    clock.shift(HOUR)
    jobs.beat("ahead")
    jobs.take("audience", "ahead")
    holds.begin("mail", "refused")
    clock.shift(-HOUR)

    assert jobs.take("audience", "second")
    assert holds.ask_permit("mail") is Permit.PROBE
    assert not jobs.worker_is_alive()


def test_a_lease_of_a_host_whose_clock_is_a_little_ahead_counts(clock: Clock) -> None:
    clock.shift(20)
    jobs.take("audience", "ahead")
    clock.shift(-20)

    assert not jobs.take("audience", "second")


@pytest.mark.parametrize(
    ("ran_at", "has_run"),
    [(None, False), (-2 * HOUR, False), (-HOUR, True), (timedelta(0), True), (HOUR, False)],
)
def test_a_run_in_the_future_does_not_count(ran_at: timedelta | None, has_run: bool) -> None:
    now = house_clock.now()
    at = None if ran_at is None else now + ran_at

    assert jobs.has_run_since(at, now - HOUR) is has_run
