"""What waits for a quarter of an hour is told to staff: how much, since when, and why."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from newsletter.storage import backlog, jobs
from newsletter.storage.database import is_sqlite, reading
from newsletter.storage.models import Subscription, db
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import problem
from tests.commands import found_in_use
from tests.conftest import Clock, Drain, Join, both_databases, on_sqlite
from tests.listening import listening
from tests.people import ADA, GRACE, HEDY, STAFF, ask_staff, sign_up, webhook
from tests.worker.crowd import time_passes

pytestmark = both_databases

ALWAYS = 1000
BUSY = "451 4.3.0 try again"
REFUSED = problem(400, "Bad Request", "Your request could not be processed.")


@pytest.fixture(autouse=True)
def house_clock(clock: Clock) -> time_machine.Traveller:
    return clock


def reasons(app: Flask) -> list[str]:
    with app.app_context():
        jobs.beat("worker-of-the-test")
    told: list[str] = app.test_client().get("/ready", headers=STAFF).get_json()["reasons"]
    return told


#: Confirmed people at Mailchimp, as a table of some size has them.
MANY = """
INSERT INTO subscription (ref, digest, address, status, round, confirmed_round, since, locale, audience, audience_tries,
    audience_due_since, hold)
SELECT md5(n::text), sha256(n::text::bytea), 'x', 'confirmed', 1, 1, now(), 'de', 'subscribed', 0, now(), false
FROM generate_series(1, 5000) AS n
"""


def test_people_who_wait_are_found_without_a_look_at_all_who_confirmed(app: Flask) -> None:
    with app.app_context(), reading() as session:
        if not is_sqlite():
            # With a few rows, PostgreSQL reads a table from one end to the other.
            session.execute(text(MANY))
            session.execute(text("ANALYZE subscription"))
        with listening(db.engine) as said:
            session.execute(select(Subscription.ref).where(backlog.is_to_be_changed()))
        [query] = [each for each, _ in said if "audience" in each]
        explain = "EXPLAIN QUERY PLAN" if is_sqlite() else "EXPLAIN"
        plan = session.connection().exec_driver_sql(f"{explain} {query}").all()

    assert "ix_subscription_audience_due_since" in str(plan)


def test_letters_that_wait_are_told_from_a_quarter_of_an_hour_on(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("rcpt", BUSY, times=ALWAYS)
    sign_up(client, ADA)
    drain()
    time_passes(clock, drain, 899)
    assert reasons(app) == []

    clock.shift(1)
    sign_up(client, GRACE)

    told = "2, the first since 2026-03-01T12:00:00Z (1 not tried yet, 1 rcpt 451 4.3.0)"
    assert reasons(app) == [f"letters wait: {told}"]
    [finding] = found_in_use(app, "letters wait")
    assert finding.wrong == told

    mailbox.answer_normally()
    time_passes(clock, drain, 3600)
    assert reasons(app) == []


def test_a_restricted_persons_letter_is_not_said_to_wait(
    app: Flask, client: FlaskClient, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    ask_staff(client, "holds", ADA, hold=True)
    time_passes(clock, drain, 3600)

    assert reasons(app) == []


def test_people_who_wait_for_mailchimp_are_told(
    app: Flask, join: Join, client: FlaskClient, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    join(HEDY)
    mailchimp.answer_next(REFUSED, times=ALWAYS)
    join(ADA, GRACE)
    clock.shift(timedelta(minutes=1))
    ask_staff(client, "erasures", HEDY)
    time_passes(clock, drain, 10, 60, 300, 600)

    told = "since 2026-03-01T12:00:00Z (2 rejected 400)"
    erased = "1, the first since 2026-03-01T12:01:00Z (1 rejected 400)"
    assert reasons(app) == [
        f"people wait for a change at Mailchimp: 2, the first {told}",
        f"erasures wait for Mailchimp: {erased}",
    ]

    mailchimp.answer_normally()
    time_passes(clock, drain, 3600, 3600)
    assert reasons(app) == []


@on_sqlite
@pytest.mark.parametrize("act", ["profile", "hold", "release", "block"])
def test_who_has_long_been_here_waits_from_the_change_on(
    app: Flask, join: Join, client: FlaskClient, drain: Drain, clock: Clock, act: str
) -> None:
    join(ADA)
    if act == "release":
        ask_staff(client, "holds", ADA, hold=True)
        drain()
    time_passes(clock, drain, 86_400)
    match act:
        case "profile":
            list_id = app.extensions["settings"].mailchimp_list_id
            webhook(client, type="profile", data_email=ADA, data_list_id=list_id)
        case "block":
            ask_staff(client, "blocks", ADA, reason="unsubscribed")
        case _:
            ask_staff(client, "holds", ADA, hold=act == "hold")

    assert not [reason for reason in reasons(app) if "wait" in reason]
    clock.shift(900)
    assert [reason for reason in reasons(app) if "people wait" in reason]
