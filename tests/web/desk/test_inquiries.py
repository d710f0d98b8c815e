"""Of somebody who is unknown here Mailchimp is asked by the worker, and the page shows its answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.worker.upkeep.mail_servers import MailServers
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import problem
from tests.conftest import ClientWith, Clock, Drain, both_databases
from tests.people import ADA, GRACE, standing_of, status_of
from tests.web.conftest import Stored
from tests.web.desk.visitor import Visitor

KNOWN_THERE_ALONE = "Nur Mailchimp speichert Daten zu dieser Adresse."
KNOWN_NOWHERE = "Über diese Adresse ist also nichts gespeichert"


def asks(staff: Visitor, email: str = ADA) -> str:
    """Look for somebody; the path of the page about them."""
    staff.opens("/desk/people")
    location = staff.sends("/desk/people", who=email).headers["Location"]
    assert location.startswith("/desk/inquiries/")
    assert "@" not in location
    return location


@both_databases
@pytest.mark.parametrize(
    ("place", "told"),
    [("subscribed", "eingetragen"), ("unsubscribed", "abgemeldet"), ("cleaned", "abgemeldet")],
)
def test_somebody_known_to_mailchimp_alone_is_found_there(
    staff: Visitor, mailchimp: StandIn, drain: Drain, place: str, told: str
) -> None:
    mailchimp.add(ADA, place)
    path = asks(staff)
    assert "wird gefragt" in staff.opens(path)

    drain()
    page = staff.opens(path)
    assert (told in page, KNOWN_THERE_ALONE in page, KNOWN_NOWHERE in page) == (True, True, False)


def test_somebody_known_nowhere_is_said_to_be(staff: Visitor, drain: Drain) -> None:
    path = asks(staff)
    drain()

    page = staff.opens(path)
    assert KNOWN_NOWHERE in page
    assert "Bei Mailchimp löschen" not in page


def test_asking_again_goes_on_with_the_same_inquiry_and_each_is_recorded(
    staff: Visitor, stored: Stored
) -> None:
    assert asks(staff) == asks(staff, ADA.upper())

    rows = stored()
    assert len(rows["inquiry"]) == 1
    assert len(rows["ledger_row"]) == 2
    assert all("viewed" in str(row) and "dpo" in row for row in rows["ledger_row"])


def test_the_address_is_kept_encrypted_and_for_a_day(
    clock: Clock, staff: Visitor, stored: Stored, drain: Drain
) -> None:
    path = asks(staff)
    assert "example.org" not in str(stored()).lower()

    clock.shift(timedelta(hours=24))
    drain()
    assert stored()["inquiry"] == []
    staff.signs_in()
    staff.opens(path, status=404)


def test_while_mailchimp_fails_the_reason_is_shown_and_it_is_tried_again(
    clock: Clock, staff: Visitor, mailchimp: StandIn, drain: Drain
) -> None:
    mailchimp.answer_next(problem(500, "Internal", "Internal"), times=1)
    path = asks(staff)
    drain()
    assert "Mailchimp ist überlastet oder gestört." in staff.opens(path)

    clock.shift(timedelta(minutes=1))
    drain()
    assert KNOWN_NOWHERE in staff.opens(path)


def test_a_key_that_is_refused_holds_the_inquiry_too(
    clock: Clock, staff: Visitor, mailchimp: StandIn, drain: Drain
) -> None:
    mailchimp.refuse_key()
    path = asks(staff)
    drain()
    assert "Mailchimp lehnt alle Aufrufe ab" in staff.opens(path)

    mailchimp.accept_key()
    clock.shift(timedelta(minutes=2))
    drain()
    drain()
    assert KNOWN_NOWHERE in staff.opens(path)


def test_a_domain_without_mail_server_is_pointed_out(
    app: Flask, staff: Visitor, drain: Drain
) -> None:
    path = asks(staff, "ada@exmaple.com")
    assert "keinen Mailserver" not in staff.opens(path)

    with app.app_context():
        MailServers(lambda _: False).step()
    assert "Für exmaple.com gibt es keinen Mailserver" in staff.opens(path)


def test_the_web_process_asks_nobody_itself(client_with: ClientWith) -> None:
    visitor = Visitor(client_with())
    visitor.signs_in()

    assert "nicht angebunden" in visitor.opens(asks(visitor))


@both_databases
def test_a_contact_at_mailchimp_alone_is_deleted_after_a_question(
    staff: Visitor, client: FlaskClient, mailchimp: StandIn, drain: Drain, stored: Stored
) -> None:
    mailchimp.add(GRACE)
    path = asks(staff, GRACE)
    drain()
    assert "Bei Mailchimp löschen" in staff.opens(path)
    assert "Diesen Kontakt löschen?" in staff.opens(f"{path}/erase")

    assert "Hier ist alles gelöscht." in staff.presses(f"{path}/erase", keep_block="1")
    assert stored()["inquiry"] == []
    drain()
    assert standing_of(mailchimp, GRACE) is None
    assert status_of(client, GRACE) == "blocked"


def test_an_inquiry_that_is_none_is_not_found(staff: Visitor) -> None:
    staff.opens("/desk")
    for path in ("/desk/inquiries/x", "/desk/inquiries/x/erase"):
        staff.opens(path, status=404)
    assert staff.sends("/desk/inquiries/x/erase").status_code == 404
