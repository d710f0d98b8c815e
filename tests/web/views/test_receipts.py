"""The receipt from the success page."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from newsletter.rights.proof import check
from newsletter.storage.database import reading
from newsletter.storage.models import LedgerRow
from sandbox.mailbox import Mailbox
from tests.conftest import Clock, Drain, sealing
from tests.people import ADA, ask_staff, confirm, link_in, press, said_by, sign_up
from tests.web.callers import BROWSER

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

pytestmark = [pytest.mark.usefixtures("clock"), sealing]


@pytest.fixture
def path(client: FlaskClient, letter: EmailMessage) -> str:
    """Where Ada, who has just confirmed, gets her receipt."""
    return urlsplit(str(said_by(confirm(client, letter))["receipt"])).path


def receipt_from(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    assert check.check(answer.data).failed == []
    return said_by(answer)


@pytest.mark.requires("R42")
@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("de", "Einwilligungsbeleg herunterladen (JSON)"),
        ("en", "Download consent receipt (JSON)"),
    ],
)
def test_the_success_page_offers_it(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, locale: str, words: str
) -> None:
    sign_up(client, ADA, locale=locale)
    drain()

    page = client.post(link_in(mailbox.letters_to(ADA)[0].message), headers=BROWSER).text

    before, _, _ = page.partition(f" download>{words}</a>")
    link = before.rpartition('href="')[2].rstrip('"')
    assert receipt_from(client.get(urlsplit(link).path, headers=BROWSER))["language"] == locale


def test_it_is_a_file_that_nothing_keeps(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="consent-receipt.json"'
    assert answer.headers["Cache-Control"] == "no-store, no-transform"


@pytest.mark.requires("R42")
def test_it_says_what_was_agreed_to_and_when(client: FlaskClient, path: str) -> None:
    receipt = receipt_from(client.get(path))

    [told], [text] = receipt["rounds"], receipt["wordings"]
    assert (receipt["kind"], receipt["schema"]) == ("receipt", "doi-consent/1")
    assert receipt["principal"] == {"id": receipt["record_id"], "email": "Ada@example.org"}
    assert [step["event"] for step in told["steps"]] == ["signup", "mail_sent", "confirmed"]
    assert {step["at"] for step in told["steps"]} == {"2026-03-01T12:00:00Z"}
    assert (told["wording"], "Tischler" in text["text"]) == (text["hash"], True)
    assert receipt["controller"]["contact"] == "datenschutz@example.com"
    assert len(receipt["privacy_rights"]) == 8


def test_it_contains_the_unsubscribe_link(client: FlaskClient, path: str) -> None:
    leave = receipt_from(client.get(path))["purposes"][0]["withdrawal_method"][0]

    assert client.post(urlsplit(leave).path).status_code == 200
    assert client.get(path).status_code == 410


def test_it_shows_the_seals_that_there_are(client: FlaskClient, drain: Drain, path: str) -> None:
    before = receipt_from(client.get(path))["ledger"]
    drain()
    after = receipt_from(client.get(path))["ledger"]

    assert [entry["row"]["event"] for entry in before if entry["seal"] is None] == ["confirmed"]
    assert [entry["seal"]["position"] for entry in after] == [1, 2, 3, 4]


def test_taking_it_is_not_logged(client: FlaskClient, app: Flask, path: str) -> None:
    def count() -> int:
        with app.app_context(), reading() as session:
            return session.scalar(select(func.count()).select_from(LedgerRow)) or 0

    before = count()
    assert client.get(path).status_code == 200

    assert count() == before


def test_its_link_holds_for_an_hour(client: FlaskClient, path: str, clock: Clock) -> None:
    clock.shift(HOUR)
    assert client.get(path).status_code == 200

    clock.shift(SECOND)
    late = client.get(path, headers=BROWSER)

    assert (late.status_code, late.mimetype) == (410, "text/html")
    assert 'href="/my-data?locale=de"' in late.text


def test_confirming_again_within_an_hour_brings_a_fresh_link(
    client: FlaskClient, letter: EmailMessage, path: str, clock: Clock
) -> None:
    clock.shift(HOUR)
    again = urlsplit(said_by(confirm(client, letter))["receipt"]).path
    clock.shift(SECOND)

    assert (client.get(path).status_code, client.get(again).status_code) == (410, 200)


def test_after_an_hour_an_old_email_gives_no_receipt(
    client: FlaskClient, letter: EmailMessage, path: str, clock: Clock
) -> None:
    clock.shift(HOUR + SECOND)
    again = confirm(client, letter)

    assert (again.status_code, "receipt" in said_by(again)) == (200, False)


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("de", "Meine Daten einsehen, berichtigen oder löschen"),
        ("en", "See, correct or delete my data"),
    ],
)
def test_after_an_hour_the_page_leads_to_ones_own_data_instead(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock, locale: str, words: str
) -> None:
    sign_up(client, ADA, locale=locale)
    drain()
    link = link_in(mailbox.letters_to(ADA)[0].message)
    client.post(link)
    clock.shift(HOUR + SECOND)

    page = client.post(link, headers=BROWSER).text

    assert "/receipts/" not in page
    assert f'<a href="/my-data?locale={locale}">{words}</a>' in page


def test_an_earlier_my_data_email_does_not_change_it(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    """Sent while Ada was blocked and there was no nonce: the row of that letter is bound to nothing."""
    sign_up(client, ADA)
    drain()
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    clock.shift(10 * 60)
    client.post("/my-data", json={"email": ADA})
    drain()
    clock.shift(10 * 60)
    sign_up(client, ADA)
    drain()
    said = said_by(confirm(client, mailbox.letters_to(ADA)[-1].message))

    receipt = receipt_from(client.get(urlsplit(said["receipt"]).path))

    assert [entry["row"]["detail"] for entry in receipt["ledger"]].count("my_data") == 1


def test_it_is_gone_with_the_person(client: FlaskClient, path: str) -> None:
    ask_staff(client, "erasures", ADA)

    assert client.get(path).status_code == 410


def test_it_is_for_one_round(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, path: str, clock: Clock
) -> None:
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    clock.shift(10 * 60)
    sign_up(client, ADA)
    drain()
    press(client, mailbox, ADA)

    assert client.get(path).status_code == 410


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "%00", "ü", "x" * 5000])
def test_a_link_that_is_not_ours_is_not_found(client: FlaskClient, token: str) -> None:
    answer = client.get(f"/receipts/{token}")

    assert answer.status_code == 404
    assert answer.get_json()["type"].endswith("/problems#unknown-link")


def test_a_link_for_something_else_gives_none(client: FlaskClient, letter: EmailMessage) -> None:
    assert client.get(link_in(letter).replace("/confirm/", "/receipts/")).status_code == 404
