"""Holds of mail and of Mailchimp."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from newsletter.domain import clock as house_clock
from newsletter.storage import holds, notices
from newsletter.storage.holds import PROBE_EVERY, Permit
from tests.conftest import Clock, both_databases
from tests.storage.test_jobs import all_at_once

pytestmark = both_databases

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def at_work(app: Flask, clock: Clock) -> Iterator[None]:
    """Every test runs inside the application, with a clock that the test moves."""
    with app.app_context():
        yield


@pytest.mark.parametrize("side", ["mail", "mailchimp"])
def test_nothing_is_on_hold_at_first(side: holds.Side) -> None:
    assert holds.reason_of(side) is None
    assert holds.ask_permit(side) is Permit.FREE
    assert holds.ask_permit(side, at_start=True) is Permit.FREE


def test_one_side_on_hold_does_not_hold_the_other() -> None:
    holds.begin("mail", "refused")

    assert holds.reason_of("mail") == "refused"
    assert holds.reason_of("mailchimp") is None
    assert holds.ask_permit("mailchimp") is Permit.FREE


def test_a_hold_ends_when_it_is_released() -> None:
    holds.begin("mail", "refused")

    holds.end("mail")

    assert holds.reason_of("mail") is None
    assert holds.ask_permit("mail") is Permit.FREE


def test_releasing_without_a_hold_changes_nothing() -> None:
    holds.end("mailchimp")

    assert holds.ask_permit("mailchimp") is Permit.FREE


def test_a_hold_is_probed_once_every_thirty_seconds(clock: Clock) -> None:
    holds.begin("mail", "refused")
    permits = []
    for _ in range(90):
        clock.shift(1)
        permits.append(holds.ask_permit("mail"))

    assert [second for second, permit in enumerate(permits, 1) if permit] == [30, 60, 90]
    assert set(permits) == {None, Permit.PROBE}


def test_a_worker_that_starts_probes_at_once() -> None:
    holds.begin("mail", "refused")

    assert holds.ask_permit("mail", at_start=True) is Permit.PROBE
    assert holds.ask_permit("mail") is None


def test_of_many_workers_only_one_probes(app: Flask, clock: Clock) -> None:
    holds.begin("mail", "refused")
    clock.shift(PROBE_EVERY)

    asked = all_at_once(app, lambda _: holds.ask_permit("mail") is Permit.PROBE)

    assert asked.count(True) == 1


def test_after_a_failed_probe_the_hold_keeps_its_beginning(clock: Clock) -> None:
    holds.begin("mail", "refused")
    began = house_clock.now()
    clock.shift(PROBE_EVERY)

    holds.begin("mail", "api_key")

    [held] = notices.current()
    assert (held.since, held.detail) == (began, "api_key")
    assert holds.ask_permit("mail") is None


def test_a_hold_and_its_end_are_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    holds.begin("mail", "auth 535")
    holds.begin("mail", "auth 535")
    holds.end("mail")
    holds.end("mail")

    assert [record.message for record in caplog.records if record.name == holds.__name__] == [
        "mail is on hold: auth 535; tried again every 30 s",
        "mail is released after 0 s on hold",
    ]
