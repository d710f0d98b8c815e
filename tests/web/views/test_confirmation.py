"""The confirmation link."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.app import create_app
from newsletter.config import load
from sandbox.mailbox import Mailbox
from tests.conftest import Clock, Drain
from tests.people import (
    ADA,
    JSON,
    access,
    ask_staff,
    confirm,
    events_of,
    link_in,
    said_by,
    sign_up,
    status_of,
)
from tests.web.callers import BROWSER, statuses_of
from tests.web.conftest import Stored
from tests.web.snippets import Document


@pytest.mark.requires("R11", "R44")
def test_opening_the_link_changes_nothing(
    client: FlaskClient, letter: EmailMessage, stored: Stored
) -> None:
    before = stored()

    assert statuses_of(client, link_in(letter)) == {200}
    assert stored() == before
    assert len(before["ledger_row"]) == 2


@pytest.mark.requires("R12")
def test_the_page_has_one_button_and_the_words_agreed_to(
    client: FlaskClient, letter: EmailMessage
) -> None:
    page = client.get(link_in(letter), headers=BROWSER).text

    assert page.count("<button") == 1
    assert "für Tischler" in page
    assert "/not-me/" in page
    assert ADA.lower() not in page.lower()


def test_the_json_answer_has_the_consent_to_confirm(
    client: FlaskClient, letter: EmailMessage
) -> None:
    asked = client.get(link_in(letter), headers=JSON).get_json()

    assert asked["status"] == "open"
    assert "Mailchimp" in asked["consent"]
    assert "expires_at" in asked


def test_every_link_is_short_and_looks_like_no_file(
    clock: Clock, client: FlaskClient, mailbox: Mailbox, letter: EmailMessage, drain: Drain
) -> None:
    """Common proxies answer 403 to a path that begins with a dot; filters take a dot for the ending of a file."""
    named = said_by(confirm(client, letter))
    clock.shift(timedelta(minutes=10))
    client.post("/my-data", json={"email": ADA})
    drain()
    to_data = link_in(mailbox.letters_to(ADA)[-1].message, "my-data")
    offered = [urlsplit(named[name]).path for name in ("unsubscribe", "receipt")]

    for path in (link_in(letter), link_in(letter, "not-me"), to_data, *offered):
        assert re.fullmatch(r"/[a-z-]+/[A-Za-z0-9_-]+", path)
        assert len("https://newsletter.example.com" + path) <= 120
        assert client.get(path).status_code == 200


def test_pressing_the_button_confirms(client: FlaskClient, letter: EmailMessage) -> None:
    answer = client.post(link_in(letter), headers=BROWSER)

    assert answer.status_code == 200
    assert "/unsubscribe/" in answer.text
    assert status_of(client, ADA) == "confirmed"


def test_the_success_page_leads_back_to_the_companys_website(
    environ: dict[str, str], letter: EmailMessage
) -> None:
    app = create_app(load({**environ, "HOME_URL": "https://www.example.com/"}))
    page = app.test_client().post(link_in(letter), headers=BROWSER).text

    link = Document(page).one("a", href="https://www.example.com/")
    assert link.words == "Zurück zur Website von Muster & Söhne GmbH"


def test_the_success_page_leads_nowhere_without_one(
    client: FlaskClient, letter: EmailMessage
) -> None:
    assert "Zurück zur" not in client.post(link_in(letter), headers=BROWSER).text


@pytest.mark.requires("R41")
@pytest.mark.parametrize("locale", ["de", "en"])
def test_the_success_page_has_the_reference_number(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, locale: str
) -> None:
    sign_up(client, ADA, locale=locale)
    drain()

    page = Document(client.post(link_in(mailbox.letters[0].message), headers=BROWSER).text)

    assert page.one("dd", **{"class": "reference"}).words == access(client, ADA)["reference"]


def link_to_data(page: str) -> str:
    """The path to which the success page's link to the data leads."""
    (link,) = (
        each for each in Document(page).named("a") if each.words.startswith("Meine Daten einsehen")
    )
    return urlsplit(link.attributes["href"] or "").path


def test_the_success_page_opens_the_data_directly_for_an_hour(
    clock: Clock, client: FlaskClient, letter: EmailMessage
) -> None:
    path = link_to_data(client.post(link_in(letter), headers=BROWSER).text)
    assert "Ada@example.org" in client.get(path, headers=BROWSER).text

    clock.shift(timedelta(minutes=50))
    again = link_to_data(client.post(link_in(letter), headers=BROWSER).text)
    clock.shift(timedelta(minutes=10))

    assert again == path
    assert client.get(path, headers=BROWSER).status_code == 410
    assert link_to_data(client.post(link_in(letter), headers=BROWSER).text) == "/my-data"


def test_nothing_but_the_success_page_names_the_link_to_the_data(
    client: FlaskClient, letter: EmailMessage
) -> None:
    opened = client.get(link_in(letter), headers=BROWSER)
    confirmed = confirm(client, letter)
    looked_at = client.get(link_in(letter), headers=BROWSER)

    assert ["/my-data/" in each.text for each in (opened, confirmed, looked_at)] == [False] * 3


def test_what_few_look_for_is_folded_below(client: FlaskClient, letter: EmailMessage) -> None:
    page = Document(client.post(link_in(letter), headers=BROWSER).text)

    folded = [each.text for each in page.named("a", "dd") if page.one("details") in each.within]
    assert len(folded) == 3
    assert "open" not in page.one("details").attributes


@pytest.mark.requires("R14")
def test_a_program_gets_reference_and_the_way_out(
    client: FlaskClient, letter: EmailMessage
) -> None:
    answer = confirm(client, letter)

    assert answer.status_code == 200
    assert answer.get_json()["status"] == "confirmed"
    assert re.fullmatch("[0-9a-f]{32}", answer.get_json()["reference"])
    assert answer.get_json()["unsubscribe"].startswith("http://localhost:8000/unsubscribe/")


@pytest.mark.requires("R13")
def test_confirming_again_is_the_same_success(client: FlaskClient, letter: EmailMessage) -> None:
    first, again = confirm(client, letter), confirm(client, letter)

    # The link to the receipt holds for an hour, and is a new one each time.
    said = [{**said_by(each), "receipt": ""} for each in (first, again)]
    assert (again.status_code, said[1]) == (first.status_code, said[0])
    assert events_of(client, ADA).count("confirmed") == 1


def test_after_a_confirmation_the_page_has_no_button(
    client: FlaskClient, letter: EmailMessage
) -> None:
    confirm(client, letter)

    assert client.get(link_in(letter), headers=JSON).get_json()["status"] == "confirmed"
    assert "<button" not in client.get(link_in(letter)).text


@pytest.mark.requires("R15")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "%00", "ü", "x" * 5000])
def test_a_link_that_is_not_ours_is_not_found(
    any_client: FlaskClient, method: str, token: str
) -> None:
    answer = any_client.open(f"/confirm/{token}", method=method)

    assert answer.status_code == 404
    assert answer.get_json()["type"].endswith("/problems#unknown-link")
    assert "http://localhost:8000/" in answer.get_json()["detail"]


def test_a_link_for_something_else_does_not_confirm(
    client: FlaskClient, letter: EmailMessage
) -> None:
    path = link_in(letter, "not-me").replace("/not-me/", "/confirm/")

    assert client.post(path).status_code == 404


@pytest.mark.requires("R15")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_expired_link_says_how_to_sign_up_again(
    client: FlaskClient, letter: EmailMessage, method: str
) -> None:
    with time_machine.travel("2099-01-01T00:00:00+00:00"):
        answer = client.open(link_in(letter), method=method, headers=JSON)

    assert answer.status_code == 410
    assert "http://localhost:8000/" in answer.get_json()["detail"]


@pytest.mark.requires("R15")
def test_a_person_gets_the_way_back_as_a_page(client: FlaskClient, letter: EmailMessage) -> None:
    ask_staff(client, "erasures", ADA)

    answer = client.get(link_in(letter), headers=BROWSER)

    assert (answer.status_code, answer.mimetype) == (410, "text/html")
    assert 'href="/?locale=de"' in answer.text


def test_the_answer_to_an_expired_link_is_in_the_language_of_its_email(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA, locale="en")
    drain()
    link = link_in(mailbox.letters_to(ADA)[0].message)

    with time_machine.travel("2099-01-01T00:00:00+00:00"):
        answer = client.post(link, headers={"Accept": "text/html", "Accept-Language": "de"})

    assert (answer.status_code, "no longer valid" in answer.text) == (410, True)
