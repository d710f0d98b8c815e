"""What costs the same for ten people and for a million: no statement of the four ways through scans a table."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from newsletter.storage.database import writing
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import Clock, Drain, Join, both_databases
from tests.people import ADA, GRACE, access, ask_staff, press, sign_up, webhook
from tests.plans import scans
from tests.web.desk.visitor import PAGES, Visitor

pytestmark = both_databases


def test_no_way_through_and_no_idle_worker_scans_a_table(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    drain: Drain,
    clock: Clock,
) -> None:
    drain()  # what a worker does once when it starts
    with app.app_context(), scans() as found:
        for person in (ADA, GRACE):
            sign_up(client, person)
            drain()
            assert press(client, mailbox, person) == 200
            drain()
        sign_up(client, ADA)
        mailchimp.unsubscribes(ADA)
        left = {"type": "unsubscribe", "data_email": ADA, "data_list_id": mailchimp.list_id}
        assert webhook(client, **left).status_code == 204
        drain()
        assert ask_staff(client, "access", ADA).status_code == 200
        assert ask_staff(client, "erasures", GRACE).status_code == 202
        drain()
        clock.shift(timedelta(minutes=5))
        drain()

    assert found.sent > 50
    assert found == []


def test_neither_sign_up_nor_confirmation_walks_through_the_letters_that_wait(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    """A planner takes their index for empty where nothing waited when it last counted."""
    sign_up(client, ADA)
    drain()
    with app.app_context():
        with writing() as session:
            session.execute(text("DROP INDEX ix_letter_ref"))  # it would have to take theirs now
        with scans() as found:
            sign_up(client, GRACE)
            assert press(client, mailbox, ADA) == 200

    assert "FROM letter" in found.plans
    assert "ix_letter_due_at" not in found.plans


def test_no_page_of_the_desk_scans_a_table(app: Flask, client: FlaskClient, join: Join) -> None:
    join(ADA, GRACE)
    person = str(access(client, ADA)["reference"])
    erasure = ask_staff(client, "erasures", GRACE).get_json()["id"]
    staff = Visitor(client)
    staff.signs_in()

    with app.app_context(), scans() as found:
        for page in PAGES:
            staff.opens(f"/desk{page}")
        for who in (ADA, person, erasure, "nobody@example.org"):
            staff.opens("/desk/people")
            staff.presses("/desk/people", who=who)
        for page in ("/access", "/proof", "/block", "/erase"):
            staff.opens(f"/desk/people/{person}{page}")

    assert found.sent > 30
    assert found == []
