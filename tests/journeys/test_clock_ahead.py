"""A worker whose clock was an hour ahead ends: whatever it held or put off, the others go on with at once."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.storage import jobs
from newsletter.storage.database import reading
from newsletter.storage.models import LedgerRow, Seal
from newsletter.worker.run import Worker
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import throttled
from tests.conftest import Clock, Join
from tests.people import ADA, HEDY, ask_staff, sign_up, standing_of

HOUR = timedelta(hours=1)


def work_an_hour_ahead(app: Flask, clock: Clock) -> None:
    """A worker works until it is killed; then the clock of its host is put right."""
    clock.shift(HOUR)
    worker = Worker(app)
    worker.drain()
    worker.close()
    clock.shift(-HOUR)


def work(app: Flask) -> None:
    worker = Worker(app)
    worker.drain()
    worker.close()


def test_a_person_whom_it_put_off_is_brought_to_mailchimp_at_once(
    app: Flask, client: FlaskClient, join: Join, mailchimp: StandIn, clock: Clock
) -> None:
    join(HEDY)
    clock.shift(jobs.LEASE)
    ask_staff(client, "blocks", HEDY, reason="unsubscribed")
    mailchimp.answer_next(throttled())
    work_an_hour_ahead(app, clock)
    assert standing_of(mailchimp, HEDY) == "subscribed"

    work(app)

    assert standing_of(mailchimp, HEDY) == "unsubscribed"


def test_an_erasure_that_it_put_off_is_carried_out_at_once(
    app: Flask, client: FlaskClient, join: Join, mailchimp: StandIn, clock: Clock
) -> None:
    join(HEDY)
    clock.shift(jobs.LEASE)
    ask_staff(client, "erasures", HEDY)
    mailchimp.answer_next(throttled())
    work_an_hour_ahead(app, clock)

    work(app)

    assert HEDY in mailchimp.forgotten


def test_the_ledger_is_sealed_by_the_next_worker_at_once(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    work_an_hour_ahead(app, clock)
    sign_up(client, ADA)

    work(app)

    with app.app_context(), reading() as session:
        rows = session.scalar(select(func.max(LedgerRow.id)))
        assert session.scalar(select(func.max(Seal.row_id))) == rows
