"""Steps of requests are counted day by day as the ledger is sealed, each once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from newsletter.domain.lifecycle import Event
from newsletter.ledger import log, sealing
from newsletter.ledger.sealing import Sealing
from newsletter.storage import daily_counts
from newsletter.storage.database import writing
from newsletter.storage.models import Step
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, Join, both_databases
from tests.people import ADA, GRACE, ask_staff, sign_up

pytestmark = both_databases

FIRST = date(2026, 3, 1)
REF = "0" * 32


def counted() -> dict[Step, int]:
    return {step: number for (_, step), number in daily_counts.since(FIRST).items()}


def append(
    event: Event, *, at: datetime, detail: str | None = None, round_: int = 1, ref: str = REF
) -> None:
    with writing() as session:
        log.append(session, ref=ref, event=event, at=at, round=round_, detail=detail)


def seal() -> None:
    sealing = Sealing()
    while sealing.step():
        pass


def test_a_request_is_counted_at_each_step(
    app: Flask, join: Join, clock: time_machine.Traveller
) -> None:
    join(ADA)

    with app.app_context():
        assert counted() == {
            Step.REQUESTED: 1,
            Step.MAILED: 1,
            Step.CONFIRMED: 1,
            Step.SUBSCRIBED: 1,
        }


def test_who_asks_twice_is_counted_once(
    app: Flask, client: FlaskClient, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    drain()
    clock.shift(timedelta(hours=1))
    sign_up(client, ADA)
    drain()

    with app.app_context():
        assert counted() == {Step.REQUESTED: 1, Step.MAILED: 1}


def test_where_requests_are_lost_is_counted(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    mailbox.answer_next("rcpt", "550 5.1.1 no such user")
    sign_up(client, ADA)
    drain()
    clock.shift(timedelta(days=8))
    drain()

    with app.app_context():
        assert counted() == {Step.REQUESTED: 1, Step.MAIL_FAILED: 1, Step.EXPIRED: 1}


def test_leaving_and_other_letters_are_no_step(
    app: Flask, client: FlaskClient, join: Join, drain: Drain, clock: time_machine.Traveller
) -> None:
    join(GRACE)
    with app.app_context():
        before = counted()
    client.post("/my-data", data={"email": GRACE})
    ask_staff(client, "blocks", GRACE, reason="unsubscribed")
    drain()

    with app.app_context():
        assert counted() == before


def test_these_events_are_steps_and_no_others(app: Flask) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with app.app_context():
        for event in Event:
            append(event, at=noon, detail="subscribed" if event is Event.SYNCED else None)
        append(Event.SYNCED, at=noon, detail="unsubscribed", round_=2)
        append(Event.MAIL_SENT, at=noon, detail="way_back", round_=2)
        append(Event.MAIL_FAILED, at=noon, detail="my_data: rcpt 550", round_=2)
        seal()

        assert counted() == {
            Step.REQUESTED: 1,
            Step.MAILED: 1,
            Step.CONFIRMED: 1,
            Step.SUBSCRIBED: 1,
            Step.EXPIRED: 1,
            Step.DISOWNED: 1,
            Step.MAIL_FAILED: 1,
            Step.REFUSED: 1,
        }


def test_a_day_is_one_in_the_time_zone(app: Flask) -> None:
    with app.app_context():
        append(Event.SIGNUP, at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
        seal()

        assert daily_counts.since(FIRST) == {(date(2026, 3, 2), Step.REQUESTED): 1}


def test_two_people_who_ask_on_one_day_are_two(app: Flask) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with app.app_context():
        for ref in (REF, "1" * 32):
            append(Event.SIGNUP, at=noon, ref=ref)
        seal()

        assert counted() == {Step.REQUESTED: 2}


def test_batches_add_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 2)
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with app.app_context():
        for round_ in (1, 2, 2, 3, 3):
            append(Event.SIGNUP, at=noon, round_=round_)
        seal()

        assert counted() == {Step.REQUESTED: 3}
