"""What waits is shown with its reason, and is tried now or given up from the page."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from newsletter.storage import holds
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import problem
from tests.conftest import Clock, Drain, Join, both_databases, sealing
from tests.people import ADA, access, press, sign_up, standing_of
from tests.web.desk.visitor import Visitor

pytestmark = sealing

BUSY = "451 4.3.0 try again"


def path_in(page: str, kind: str) -> str:
    found = re.search(rf'action="(/desk/waiting/{kind}/[^"]+)"', page)
    assert found, page
    return found[1]


@pytest.fixture
def busy(client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock) -> None:
    """Ada's mail server took her letter not yet."""
    mailbox.answer_next("rcpt", BUSY)
    sign_up(client, ADA)
    drain()


@pytest.mark.usefixtures("busy")
def test_a_letter_is_shown_with_its_reason_and_without_its_address(
    staff: Visitor, client: FlaskClient
) -> None:
    page = staff.opens("/desk/waiting")

    assert "Der Mailserver bittet, es später wieder zu versuchen." in page
    assert "rcpt 451 4.3.0" in page
    assert str(access(client, ADA)["reference"]) in page
    assert "example.org" not in page


@both_databases
@pytest.mark.usefixtures("busy")
def test_a_letter_is_tried_now(staff: Visitor, mailbox: Mailbox, drain: Drain) -> None:
    drain()
    assert mailbox.letters_to(ADA) == []
    page = staff.opens("/desk/waiting")

    assert "Es wird sofort versucht." in staff.presses(path_in(page, "letters"), action="try")
    drain()
    assert len(mailbox.letters_to(ADA)) == 1


@both_databases
@pytest.mark.usefixtures("busy")
def test_a_letter_is_given_up(
    staff: Visitor, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    path = path_in(staff.opens("/desk/waiting"), "letters")

    page = staff.presses(path, action="give-up")
    assert "Die E-Mail wird nicht mehr gesendet." in page
    assert "Aufgegebene E-Mails: 1" in page
    assert "von selbst" not in page
    assert "Nichts geändert" in staff.presses(path, action="give-up")
    clock.shift(86_400)
    drain()
    assert mailbox.letters_to(ADA) == []
    [failed] = [e for e in access(client, ADA)["events"] if e["event"] == "mail_failed"]
    assert (failed["actor"], failed["detail"]) == ("dpo", "rcpt 451 4.3.0")
    sign_up(client, ADA)
    drain()
    assert len(mailbox.letters_to(ADA)) == 1


def test_somebody_whom_mailchimp_refused_is_tried_again(
    staff: Visitor, client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    press(client, mailbox, ADA)
    mailchimp.answer_next(problem(400, "Invalid Resource", "ada@example.org looks fake or invalid"))
    drain()
    page = staff.opens("/desk/waiting")
    assert "Mailchimp hält die Adresse für falsch." in page

    assert "Nichts geändert" not in staff.presses(path_in(page, "people"))
    drain()
    assert standing_of(mailchimp, ADA) == "subscribed"


def test_a_hold_is_on_top_with_its_reason(staff: Visitor) -> None:
    with staff.client.application.app_context():
        holds.begin("mail", "auth 535 5.7.8")

    page = staff.opens("/desk/waiting")
    assert "Der E-Mail-Versand ruht" in page
    assert "SMTP_URL und den Mailserver prüfen" in page


@pytest.mark.parametrize("path", ["letters/nobody", "people/nobody"])
def test_what_is_gone_is_said_to_be(staff: Visitor, path: str) -> None:
    assert "Nichts geändert" in staff.presses(f"/desk/waiting/{path}", action="try")


def test_another_action_is_none(staff: Visitor) -> None:
    assert staff.sends("/desk/waiting/letters/x", action="delete").status_code == 404


@pytest.mark.usefixtures("busy")
def test_the_kind_of_an_email_is_a_headline_in_both_languages(staff: Visitor) -> None:
    assert "<h3>Bitte um Bestätigung</h3>" in staff.opens("/desk/waiting")
    assert "<h3>Request to confirm</h3>" in staff.opens("/desk/waiting?locale=en")


def test_today_shows_the_funnel(staff: Visitor, join: Join) -> None:
    join(ADA)

    page = staff.opens("/desk?locale=en")
    assert re.search(r"<dt>Requested</dt>\s*<dd>1</dd>", page)
    assert re.search(r"<dt>At Mailchimp</dt>\s*<dd>1</dd>", page)
    assert "less than a minute" in page
    assert page.count("<polyline") == 2
    assert page.count("<tr>") == 31
