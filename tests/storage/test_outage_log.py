"""How often an outage of the database is logged."""

from __future__ import annotations

import logging

import pytest

from newsletter.storage import outage_log
from newsletter.storage.outage import NO_TABLES, OTHER_KEYRING, Trouble
from newsletter.storage.outage_log import OutageLog

ELSE = Trouble("the database does not answer", "start it")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, outage_log.__name__)
    return caplog


def test_an_outage_that_several_threads_meet_is_logged_once(log: pytest.LogCaptureFixture) -> None:
    outages = OutageLog()
    for name in ("postman", "housekeeping", "postman"):
        outages.record_failure(name, NO_TABLES)

    assert log.messages == ["the database has no tables yet; run `newsletter release`"]


def test_another_cause_is_logged_at_once(log: pytest.LogCaptureFixture) -> None:
    outages = OutageLog()
    outages.record_failure("postman", ELSE)
    outages.record_failure("postman", NO_TABLES)

    assert log.messages == [str(ELSE), str(NO_TABLES)]


def test_an_outage_that_lasts_is_logged_again_after_a_minute(log: pytest.LogCaptureFixture) -> None:
    outages = OutageLog(iter([0.0, 59.0, 60.0]).__next__)
    for _ in range(3):
        outages.record_failure("postman", ELSE)

    assert log.messages == [str(ELSE), str(ELSE)]


def test_an_outage_is_over_when_all_failing_threads_succeed_again(
    log: pytest.LogCaptureFixture,
) -> None:
    outages = OutageLog(iter([0.0, 1.0, 12.0]).__next__)
    outages.record_failure("postman", ELSE)
    outages.record_failure("heartbeat", ELSE)
    outages.record_success("postman")
    outages.record_success("housekeeping")
    outages.record_success("heartbeat")

    assert log.messages == [str(ELSE), "the database is back after 12 s"]


def test_the_end_of_a_keyrings_outage_is_not_logged_as_the_databases(
    log: pytest.LogCaptureFixture,
) -> None:
    outages = OutageLog(iter([0.0, 12.0]).__next__)
    outages.record_failure("postman", OTHER_KEYRING)
    outages.record_success("postman")

    assert log.messages == [
        str(OTHER_KEYRING),
        "DATA_KEY opens this database's keyring again after 12 s",
    ]


def test_without_an_outage_nothing_is_logged(log: pytest.LogCaptureFixture) -> None:
    OutageLog().record_success("postman")

    assert log.messages == []
