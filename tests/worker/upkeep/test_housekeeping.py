"""Housekeeping deletes requests that nobody confirmed, and quotas."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from newsletter.domain.lifecycle import Event
from newsletter.rights.data import quotas
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Letter, Quota, Subscription
from newsletter.subscriptions import ending
from newsletter.worker.upkeep import retention
from newsletter.worker.upkeep.housekeeping import Housekeeping
from sandbox.mailbox import Mailbox
from tests.conftest import Clock, Drain, both_databases
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    access,
    ask_staff,
    confirm,
    events_of,
    sign_up,
    status_of,
)

pytestmark = [both_databases, pytest.mark.usefixtures("at_work")]

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)


@pytest.fixture
def at_work(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def tidy() -> bool:
    """One round of a worker that has just started."""
    return Housekeeping().step()


def events(event: Event) -> int:
    with reading() as session:
        query = select(func.count()).select_from(LedgerRow).where(LedgerRow.event == event)
        return session.scalar(query) or 0


def count(table: type[Subscription | Letter | Quota]) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.requires("R16")
def test_a_request_that_nobody_confirmed_is_deleted_at_its_end(
    client: FlaskClient, clock: Clock
) -> None:
    sign_up(client, ADA)
    clock.shift(WEEK - SECOND)
    assert not tidy()
    assert count(Subscription) == 1

    clock.shift(SECOND)
    tidy()

    assert (count(Subscription), count(Letter), events(Event.EXPIRED)) == (0, 0, 1)


@pytest.mark.requires("R15")
def test_the_end_is_as_many_days_away_as_the_links_hold(
    environ: dict[str, Any], client: FlaskClient, clock: Clock
) -> None:
    sign_up(client, ADA)

    assert access(client, ADA)["expires_at"] == "2026-03-08T12:00:00Z"


def test_a_person_blocked_before_the_request_is_blocked_after_it(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    sign_up(client, ADA)
    clock.shift(WEEK)
    drain()

    assert access(client, ADA)["reason"] == "unsubscribed"
    assert events_of(client, ADA)[-1] == "expired"


def test_a_confirmed_person_is_kept(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)
    clock.shift(52 * WEEK)
    drain()

    assert status_of(client, ADA) == "confirmed"


def test_a_held_request_does_not_end(client: FlaskClient, clock: Clock) -> None:
    sign_up(client, ADA)
    with writing() as session:
        session.execute(update(Subscription).values(hold=True))
    clock.shift(WEEK)

    assert not tidy()
    assert count(Subscription) == 1


@pytest.fixture
def damaged(at_work: None, client: FlaskClient, clock: Clock) -> None:
    """Hedy's request cannot be read any more."""
    sign_up(client, HEDY)
    with writing() as session:
        session.execute(update(Subscription).values(address=b"damaged"))


def test_an_unreadable_row_does_not_stop_the_others(
    damaged: None, client: FlaskClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    sign_up(client, ADA)
    clock.shift(WEEK)

    tidy()

    assert events(Event.EXPIRED) == 1
    assert "could not be ended" in caplog.text


def test_whole_unreadable_batches_do_not_stop_the_others(
    damaged: None, client: FlaskClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    clock.shift(SECOND)
    sign_up(client, ADA)
    clock.shift(WEEK)
    keeping = Housekeeping()

    assert [keeping.step(), keeping.step(), keeping.step()] == [True, True, False]
    assert events(Event.EXPIRED) == 1


def test_a_full_batch_is_followed_by_the_next(
    client: FlaskClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    clock.shift(WEEK)

    assert [tidy(), tidy()] == [True, False]
    assert count(Subscription) == 0


def test_the_log_counts_ended_requests_and_names_nobody(
    client: FlaskClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for person in (ADA, GRACE):
        sign_up(client, person)
    clock.shift(WEEK)
    caplog.clear()

    tidy()

    assert [record.getMessage() for record in caplog.records] == [
        "ended 2 requests that nobody confirmed"
    ]


def ref_of(email: str, client: FlaskClient) -> str:
    return str(access(client, email)["reference"])


def test_a_request_that_was_prolonged_meanwhile_goes_on(client: FlaskClient, clock: Clock) -> None:
    sign_up(client, ADA)
    clock.shift(WEEK - SECOND)
    sign_up(client, ADA)
    clock.shift(SECOND)

    ending.expire(ref_of(ADA, client))
    ending.expire("0" * 32)

    assert status_of(client, ADA) == "pending"


def test_a_quota_is_kept_for_a_day_and_no_longer(client: FlaskClient, clock: Clock) -> None:
    sign_up(client, ADA)
    clock.shift(DAY - SECOND)
    sign_up(client, GRACE)
    assert not quotas.purge()
    assert count(Quota) == 2

    clock.shift(SECOND)

    assert not quotas.purge()
    assert count(Quota) == 1


def test_many_quotas_are_deleted_in_batches(
    client: FlaskClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "BATCH", 2)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    clock.shift(DAY)

    assert [quotas.purge(), quotas.purge()] == [True, False]
    assert count(Quota) == 0


def test_without_overdue_data_there_is_nothing_to_do() -> None:
    assert not tidy()


def test_a_step_deletes_requests_and_quotas(client: FlaskClient, clock: Clock) -> None:
    sign_up(client, ADA)
    clock.shift(WEEK)

    tidy()

    assert (count(Subscription), count(Quota)) == (0, 0)
