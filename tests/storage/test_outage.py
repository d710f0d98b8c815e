"""What is said of a database that cannot be used, and how often the worker's log says it."""

from __future__ import annotations

import logging

import pytest

from newsletter.storage import outage
from newsletter.storage.outage import NO_TABLES, OTHER_KEYRING, OutageLog, Trouble

ELSE = Trouble("the database does not answer", "start it")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, outage.__name__)
    return caplog


def test_an_outage_is_told_once_however_many_meet_it(log: pytest.LogCaptureFixture) -> None:
    told = OutageLog()
    for name in ("postman", "housekeeping", "postman"):
        told.meet(name, NO_TABLES)

    assert log.messages == ["the database has no tables yet; run `newsletter release`"]


def test_another_cause_is_told_at_once(log: pytest.LogCaptureFixture) -> None:
    told = OutageLog()
    told.meet("postman", ELSE)
    told.meet("postman", NO_TABLES)

    assert log.messages == [str(ELSE), str(NO_TABLES)]


def test_an_outage_that_lasts_is_told_again_after_a_minute(log: pytest.LogCaptureFixture) -> None:
    told = OutageLog(iter([0.0, 59.0, 60.0]).__next__)
    for _ in range(3):
        told.meet("postman", ELSE)

    assert log.messages == [str(ELSE), str(ELSE)]


def test_an_outage_is_over_when_all_that_met_it_work_again(log: pytest.LogCaptureFixture) -> None:
    told = OutageLog(iter([0.0, 1.0, 12.0]).__next__)
    told.meet("postman", ELSE)
    told.meet("heartbeat", ELSE)
    told.work("postman")
    told.work("housekeeping")
    told.work("heartbeat")

    assert log.messages == [str(ELSE), "the database is back after 12 s"]


def test_of_a_keyring_that_opens_again_nothing_is_said_about_the_database(
    log: pytest.LogCaptureFixture,
) -> None:
    told = OutageLog(iter([0.0, 12.0]).__next__)
    told.meet("postman", OTHER_KEYRING)
    told.work("postman")

    assert log.messages == [
        str(OTHER_KEYRING),
        "DATA_KEY opens this database's keyring again after 12 s",
    ]


def test_without_an_outage_nothing_is_told(log: pytest.LogCaptureFixture) -> None:
    OutageLog().work("postman")

    assert log.messages == []
