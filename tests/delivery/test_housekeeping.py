"""What the worker tidies: requests past their end, quotas, and the file."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from newsletter import database, subscriptions
from newsletter.database import reading, writing
from newsletter.delivery import housekeeping
from newsletter.delivery.housekeeping import Housekeeping, clean_file, purge_quotas
from newsletter.lifecycle import Event
from newsletter.models import LedgerRow, Letter, Quota, Subscription
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, on_postgresql, on_sqlite
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF,
    access,
    ask_staff,
    confirm,
    events_of,
    said_by,
    sign_up,
    status_of,
)

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


def test_a_request_that_nobody_confirmed_is_forgotten_at_its_end(
    at_work: None, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    clock.shift(WEEK - SECOND)
    assert not tidy()
    assert count(Subscription) == 1

    clock.shift(SECOND)
    tidy()

    assert (count(Subscription), count(Letter), events(Event.EXPIRED)) == (0, 0, 1)


def test_the_end_is_as_many_days_away_as_the_links_hold(
    environ: dict[str, Any], at_work: None, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)

    assert access(client, ADA)["expires_at"] == "2026-03-08T12:00:00Z"


def test_who_was_blocked_before_the_request_is_so_after_it(
    at_work: None,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
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


def test_whoever_confirmed_stays(
    at_work: None,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)
    clock.shift(52 * WEEK)
    drain()

    assert status_of(client, ADA) == "confirmed"


def test_a_held_request_does_not_end(
    at_work: None, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    with writing() as session:
        session.execute(update(Subscription).values(hold=True))
    clock.shift(WEEK)

    assert not tidy()
    assert count(Subscription) == 1


@pytest.fixture
def damaged(at_work: None, client: FlaskClient, clock: time_machine.Traveller) -> None:
    """Hedy's request cannot be read any more."""
    sign_up(client, HEDY)
    with writing() as session:
        session.execute(update(Subscription).values(address=b"damaged"))


def test_a_row_that_cannot_be_read_does_not_keep_the_rest(
    damaged: None,
    client: FlaskClient,
    clock: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sign_up(client, ADA)
    clock.shift(WEEK)

    tidy()

    assert events(Event.EXPIRED) == 1
    assert "could not be ended" in caplog.text


def test_whole_batches_that_cannot_be_read_do_not_keep_the_rest(
    damaged: None,
    client: FlaskClient,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 1)
    clock.shift(SECOND)
    sign_up(client, ADA)
    clock.shift(WEEK)
    keeping = Housekeeping()

    assert [keeping.step(), keeping.step(), keeping.step()] == [True, True, False]
    assert events(Event.EXPIRED) == 1


def test_a_full_batch_is_followed_by_the_next(
    at_work: None,
    client: FlaskClient,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    clock.shift(WEEK)

    assert [tidy(), tidy()] == [True, False]
    assert count(Subscription) == 0


def test_what_was_ended_is_counted_and_not_named(
    at_work: None,
    client: FlaskClient,
    clock: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
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


def test_a_request_that_was_asked_for_again_meanwhile_goes_on(
    at_work: None, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    clock.shift(WEEK - SECOND)
    sign_up(client, ADA)
    clock.shift(SECOND)

    subscriptions.expire(ref_of(ADA, client))
    subscriptions.expire("0" * 32)

    assert status_of(client, ADA) == "pending"


def test_a_quota_is_kept_for_a_day_and_no_longer(
    at_work: None, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    clock.shift(DAY - SECOND)
    sign_up(client, GRACE)
    assert not purge_quotas()
    assert count(Quota) == 2

    clock.shift(SECOND)

    assert not purge_quotas()
    assert count(Quota) == 1


def test_many_quotas_are_deleted_in_batches(
    at_work: None,
    client: FlaskClient,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(housekeeping, "QUOTA_BATCH", 2)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    clock.shift(DAY)

    assert [purge_quotas(), purge_quotas()] == [True, False]
    assert count(Quota) == 0


def test_with_nothing_to_tidy_nothing_is_tidied(at_work: None) -> None:
    assert not tidy()


def test_a_round_of_tidying_does_all_of_it(
    at_work: None, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    clock.shift(WEEK)

    tidy()

    assert (count(Subscription), count(Quota)) == (0, 0)


def places(client: FlaskClient, id_: str) -> dict[str, str]:
    body = said_by(client.get(f"/admin/erasures/{id_}", headers=STAFF))
    return {place["place"]: place["state"] for place in body["places"]}


@on_sqlite
def test_an_erasure_reaches_the_file(at_work: None, client: FlaskClient) -> None:
    erasure = said_by(ask_staff(client, "erasures", ADA))
    assert places(client, erasure["id"])["database file"] == "waiting"

    assert clean_file()

    assert places(client, erasure["id"])["database file"] == "done"
    assert not clean_file()


@on_postgresql
def test_where_there_is_no_file_none_is_cleaned(at_work: None, client: FlaskClient) -> None:
    erasure = said_by(ask_staff(client, "erasures", ADA))

    assert not clean_file()
    assert set(places(client, erasure["id"])) == {"database", "mailchimp"}


def held_by(client: FlaskClient) -> bytes:
    with reading() as session:
        row = session.scalars(select(Subscription)).one()
    assert row.address is not None
    return row.address


def content(file: Path) -> bytes:
    return b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))


@on_sqlite
def test_a_cleaned_file_holds_nothing_of_the_erased(at_work: None, client: FlaskClient) -> None:
    file = database.file()
    assert file is not None
    sign_up(client, ADA)
    encrypted = held_by(client)
    ask_staff(client, "erasures", ADA)
    assert encrypted in content(file)

    clean_file()

    assert encrypted not in content(file)


@on_sqlite
def test_the_file_is_cleaned_later_while_somebody_reads_it(
    at_work: None, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    file = database.file()
    assert file is not None
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM erasure").fetchone()
        erasure = said_by(ask_staff(client, "erasures", ADA))
        assert not clean_file()
        assert places(client, erasure["id"])["database file"] == "waiting"

    assert clean_file()


@on_sqlite
def test_what_is_deleted_for_an_erasure_while_the_file_is_cleaned_is_cleaned_next(
    at_work: None,
    client: FlaskClient,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect = sqlite3.connect

    def meanwhile(*args: Any, **options: Any) -> Any:
        monkeypatch.undo()
        sign_up(client, ADA)
        ask_staff(client, "erasures", ADA)
        return connect(*args, **options)

    erasure = said_by(ask_staff(client, "erasures", ADA))
    clock.shift(SECOND)
    monkeypatch.setattr(sqlite3, "connect", meanwhile)
    clean_file()
    assert places(client, erasure["id"])["database file"] == "waiting"

    clean_file()

    assert places(client, erasure["id"])["database file"] == "done"


@on_sqlite
def test_an_erasure_is_completed_when_mailchimp_and_the_file_have_forgotten(
    at_work: None, client: FlaskClient, drain: Drain
) -> None:
    erasure = said_by(ask_staff(client, "erasures", ADA))
    clean_file()
    drain()

    body = said_by(client.get(f"/admin/erasures/{erasure['id']}", headers=STAFF))
    assert body["status"] == "completed"
    assert body["completed_at"] >= body["requested_at"]
