"""The form and the sign-ups from it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.mailbox import Mailbox
from tests.conftest import ClientWith, Drain
from tests.people import ADA, GRACE, JSON, ask_staff, confirm, sign_up, status_of
from tests.web.callers import BROWSER, EVIL, SITE
from tests.web.snippets import Document


def test_the_form_is_a_page_that_needs_no_script(any_client: FlaskClient) -> None:
    page = any_client.get("/").text

    assert 'name="email"' in page
    assert "Muster &amp; Söhne GmbH" in page
    assert "<script" not in page


def test_the_json_answer_has_the_consent_text_for_a_form(any_client: FlaskClient) -> None:
    form = any_client.get("/", headers=JSON).get_json()

    assert "Mailchimp" in form["consent"]
    assert sign_up(any_client, ADA, wording=form["wording"]).status_code == 202


def test_a_form_leads_to_the_inbox_page(client: FlaskClient) -> None:
    answer = client.post("/subscriptions", data={"email": ADA})

    assert answer.status_code == 303
    inbox = Document(client.get(answer.location).text)
    assert "/?locale=de" in [link.attributes["href"] for link in inbox.named("a")]
    assert status_of(client, ADA) == "pending"


def test_json_is_accepted(client: FlaskClient) -> None:
    answer = sign_up(client, ADA)

    assert (answer.status_code, answer.json) == (202, {"status": "accepted"})
    assert status_of(client, ADA) == "pending"


def test_multipart_is_taken_too(any_client: FlaskClient) -> None:
    answer = any_client.post(
        "/subscriptions", data={"email": ADA}, content_type="multipart/form-data"
    )

    assert answer.status_code == 303
    assert status_of(any_client, ADA) == "pending"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"email=ada%40m%FCller.de", "application/x-www-form-urlencoded"),
        (b"email=ada%40m%26%23252%3Bller.de%A0", "application/x-www-form-urlencoded"),
        (b"email=%E2%80%8Bada%40m%C3%BCller.de%0D%0A", "application/x-www-form-urlencoded"),
        ('{"email": "\\ufeffada@müller.de\\n"}'.encode(), "application/json"),
    ],
)
def test_an_address_is_the_same_as_typed_from_any_page(
    client: FlaskClient, body: bytes, content_type: str
) -> None:
    client.post("/subscriptions", data=body, content_type=content_type)

    assert status_of(client, "ada@xn--mller-kva.de") == "pending"


@pytest.mark.parametrize("headers", [BROWSER, JSON])
def test_a_reserved_domain_is_named_as_the_reason(
    any_client: FlaskClient, headers: dict[str, str]
) -> None:
    answer = any_client.post("/subscriptions", data={"email": "ada@firma.test"}, headers=headers)

    assert answer.status_code == 422
    assert "ist reserviert" in answer.text


@pytest.mark.parametrize("query", ["", "?locale=en"])
def test_the_address_of_the_answer_opened_again_leads_to_the_form(
    any_client: FlaskClient, query: str
) -> None:
    """A form that was shown again bears this address; a browser's reload or bookmark gets it."""
    answer = any_client.get(f"/subscriptions{query}", headers=BROWSER)

    assert answer.location == f"/{query}"
    assert any_client.options("/subscriptions").status_code == 200


def test_a_form_that_prefers_json_is_answered_in_json(any_client: FlaskClient) -> None:
    answer = any_client.post("/subscriptions", data={"email": ADA}, headers=JSON)

    assert (answer.status_code, answer.json) == (202, {"status": "accepted"})


@pytest.mark.requires("R18", "R53")
def test_everybody_gets_the_same_answer(
    client: FlaskClient, drain: Drain, mailbox: Mailbox
) -> None:
    fresh = sign_up(client, ADA)
    pending = sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)
    confirmed = sign_up(client, ADA)
    ask_staff(client, "blocks", ADA, reason="staff")
    blocked = sign_up(client, ADA)

    answers = [
        (a.status_code, a.data, list(a.headers)) for a in (fresh, pending, confirmed, blocked)
    ]
    assert answers == [answers[0]] * 4


@pytest.mark.parametrize("email", ["", "ada", "ada@", "a b@example.com", "ada@example.com\r\nX: y"])
def test_what_is_no_address_is_refused_with_a_reason(any_client: FlaskClient, email: str) -> None:
    answer = sign_up(any_client, email)

    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["type"].endswith("/problems#invalid-address")


def test_a_refusal_does_not_repeat_the_address(any_client: FlaskClient) -> None:
    assert "ada.lovelace" not in sign_up(any_client, "ada.lovelace@@example.org").text


def test_a_person_gets_the_form_again_with_what_they_typed(any_client: FlaskClient) -> None:
    fields = {"email": '"ada@', "locale": "en"}
    answer = any_client.post("/subscriptions", data=fields, headers=BROWSER)

    assert answer.status_code == 422
    assert answer.mimetype == "text/html"
    assert 'value="&#34;ada@"' in answer.text
    assert "Yes, I would like to receive the newsletter" in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_a_form_without_an_address_is_shown_again(any_client: FlaskClient) -> None:
    assert any_client.post("/subscriptions", data={}, headers=BROWSER).status_code == 422


@pytest.mark.parametrize("body", [[], None, "x", {"email": 1}, {"email": None}, {}])
def test_json_of_another_shape_is_invalid(any_client: FlaskClient, body: Any) -> None:
    answer = any_client.post(
        "/subscriptions", data=json.dumps(body), content_type="application/json"
    )

    assert answer.status_code == 422
    assert answer.get_json()["type"].endswith("/problems#invalid-request")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b'"' + b"x" * 16 * 1024 + b'"', "application/json", 413),
        (b"email=" + b"x" * 16 * 1024, "application/x-www-form-urlencoded", 413),
        (b"ada@example.org", "text/plain", 415),
    ],
)
def test_what_cannot_be_read_is_refused(
    any_client: FlaskClient, body: bytes, content_type: str, status: int
) -> None:
    answer = any_client.post("/subscriptions", data=body, content_type=content_type)

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


def test_a_body_of_just_16_kib_is_read(any_client: FlaskClient) -> None:
    body = json.dumps({"email": ADA, "note": ""}).encode()
    body = body.replace(b'"note": ""', b'"note": "' + b"x" * (16 * 1024 - len(body)) + b'"')

    answer = any_client.post("/subscriptions", data=body, content_type="application/json")

    assert (len(body), answer.status_code) == (16 * 1024, 202)


@pytest.mark.requires("R2")
@pytest.mark.parametrize("wording", ["0" * 64, "nonsense", "\0", "\ud800", "' OR 1=1"])
def test_a_wording_that_is_unknown_is_refused(client: FlaskClient, wording: str) -> None:
    answer = sign_up(client, ADA, wording=wording)

    assert answer.status_code == 422
    assert answer.get_json()["type"].endswith("/problems#unknown-wording")
    assert status_of(client, ADA) == "unknown"


def test_a_blank_wording_is_none(any_client: FlaskClient) -> None:
    assert sign_up(any_client, ADA, wording="").status_code == 202


@pytest.mark.requires("R69")
def test_a_filled_honeypot_gets_the_same_answer_and_nothing_happens(client: FlaskClient) -> None:
    human = client.post("/subscriptions", data={"email": GRACE, "homepage": ""})
    machine = client.post("/subscriptions", data={"email": ADA, "homepage": "https://x.example"})

    assert (machine.status_code, machine.location) == (human.status_code, human.location)
    assert status_of(client, ADA) == "unknown"


@pytest.mark.parametrize("fields", [{"email": "no address"}, {"email": ADA, "wording": "0" * 64}])
def test_a_machines_mistakes_get_the_same_answer_as_a_persons(
    any_client: FlaskClient, fields: dict[str, str]
) -> None:
    machine, human = sign_up(any_client, **fields, homepage="x"), sign_up(any_client, **fields)

    assert (machine.status_code, machine.data) == (human.status_code, human.data)


@pytest.mark.parametrize(
    ("locale", "language"), [("en", "en"), ("de", "de"), ("fr", "de"), ("\0", "de"), ("", "de")]
)
def test_a_language_not_offered_falls_back(
    any_client: FlaskClient, locale: str, language: str
) -> None:
    answer = any_client.post("/subscriptions", data={"email": ADA, "locale": locale})

    assert answer.location.endswith(f"?locale={language}")
    assert f'<html lang="{language}"' in any_client.get(answer.location).text


@pytest.mark.requires("R25")
def test_the_letter_is_in_the_forms_language(
    client: FlaskClient, drain: Drain, mailbox: Mailbox
) -> None:
    sign_up(client, ADA, locale="en")
    drain()

    assert "Please confirm" in mailbox.letters[0].message["Subject"]


def test_the_next_page_on_an_allowed_site_is_gone_to(client_with: ClientWith) -> None:
    client = client_with(ALLOWED_ORIGINS=SITE)

    answer = client.post("/subscriptions", data={"email": ADA, "next": f"{SITE}/thanks?a=1"})

    assert (answer.status_code, answer.location) == (303, f"{SITE}/thanks?a=1")


@pytest.mark.parametrize(
    "page", [EVIL, f"{SITE}@evil.example", f"{SITE}.evil.example/", "//www.example.com/", "/x", ""]
)
def test_any_other_next_page_is_not(client_with: ClientWith, page: str) -> None:
    client = client_with(ALLOWED_ORIGINS=SITE)

    answer = client.post("/subscriptions", data={"email": ADA, "next": page})

    assert answer.location.startswith("/inbox")


def test_the_form_keeps_only_an_allowed_next_page(client_with: ClientWith) -> None:
    client = client_with(ALLOWED_ORIGINS=SITE)

    assert f'value="{SITE}/thanks"' in client.get(f"/?next={SITE}/thanks").text
    assert EVIL not in client.get(f"/?next={EVIL}/thanks").text


def test_an_address_in_the_url_is_not_read(any_client: FlaskClient) -> None:
    answer = any_client.post(f"/subscriptions?email={ADA}", data={}, headers=JSON)

    assert answer.status_code == 422


@pytest.mark.requires("R1")
def test_other_fields_leave_no_trace(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    sign_up(client, ADA, name="Lovelace", phone="0123456")

    held = ask_staff(client, "access", ADA).text
    assert "Lovelace" not in held + caplog.text
    assert "0123456" not in held + caplog.text


def test_the_form_is_not_there_without_the_database(client_with: ClientWith) -> None:
    client = client_with(DATABASE_URL="sqlite:////nowhere/newsletter.sqlite3")

    answer = sign_up(client, ADA)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
