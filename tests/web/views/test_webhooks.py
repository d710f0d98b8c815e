"""Mailchimp's webhooks."""

from __future__ import annotations

import hashlib
import hmac
import logging
from email.message import EmailMessage
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from newsletter.web.views.webhooks import fired_at, read
from tests.conftest import ClientWith, Clock
from tests.people import (
    ADA,
    GRACE,
    STAFF,
    WEBHOOK_SECRET,
    access,
    confirm,
    events_of,
    status_of,
    webhook,
)

URL = f"/webhooks/mailchimp/{WEBHOOK_SECRET}"
LIST = "a1b2c3d4e5"  #: the stand-in's audience
LATER = "2099-01-01 12:00:00"


@pytest.fixture
def ada(client: FlaskClient, letter: EmailMessage) -> FlaskClient:
    """A client of a service to which Ada is confirmed."""
    confirm(client, letter)
    return client


def hear(client: FlaskClient, kind: str, **fields: str) -> int:
    fields = {"data_list_id": LIST, "data_email": ADA, "fired_at": LATER, **fields}
    return webhook(client, type=kind, **fields).status_code


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_mailchimps_check_of_the_url_succeeds(any_client: FlaskClient, method: str) -> None:
    assert any_client.open(URL, method=method).status_code == 200


@pytest.mark.requires("R49")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("secret", ["wrong", WEBHOOK_SECRET[:-1], f"{WEBHOOK_SECRET}x", "ü", "%FF"])
def test_a_wrong_secret_finds_nothing(any_client: FlaskClient, method: str, secret: str) -> None:
    assert any_client.open(f"/webhooks/mailchimp/{secret}", method=method).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_secret_there_is_no_webhook(client_with: ClientWith, method: str) -> None:
    client = client_with(MAILCHIMP_WEBHOOK_SECRET="")

    assert client.open(URL, method=method).status_code == 404


@pytest.mark.requires("R49")
@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("unsubscribe", {"data_action": "unsub", "data_reason": "manual"}, "unsubscribed"),
        ("unsubscribe", {"data_action": "unsub"}, "unsubscribed"),
        ("unsubscribe", {}, "unsubscribed"),
        ("unsubscribe", {"data_action": "unsub", "data_reason": "abuse"}, "complaint"),
        ("unsubscribe", {"data_action": "delete", "data_reason": "abuse"}, "complaint"),
        ("unsubscribe", {"data_action": "delete"}, "removed_at_mailchimp"),
        ("cleaned", {"data_reason": "hard"}, "bounce"),
        ("cleaned", {"data_reason": "abuse"}, "complaint"),
        ("upemail", {"data_old_email": ADA, "data_new_email": GRACE}, "rectified"),
    ],
)
def test_what_happened_there_blocks_here(
    ada: FlaskClient, kind: str, fields: dict[str, str], reason: str
) -> None:
    assert hear(ada, kind, **fields) == 204
    assert access(ada, ADA)["reason"] == reason


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("subscribe", {}),
        ("profile", {}),
        ("campaign", {"data_status": "sent"}),
        ("unheard_of", {}),
        ("", {}),
        ("unsubscribe", {"data_list_id": "another"}),
        ("unsubscribe", {"data_action": "unheard_of"}),
        ("unsubscribe", {"data_email": GRACE}),
        ("unsubscribe", {"data_email": "garbled"}),
        ("cleaned", {"data_reason": "unheard_of"}),
        ("upemail", {"data_old_email": "garbled", "data_new_email": GRACE}),
    ],
)
def test_other_calls_change_nothing(ada: FlaskClient, kind: str, fields: dict[str, str]) -> None:
    assert hear(ada, kind, **fields) == 204
    assert (status_of(ada, ADA), status_of(ada, GRACE)) == ("confirmed", "unknown")


def test_a_changed_address_gets_a_letter(ada: FlaskClient) -> None:
    hear(ada, "upemail", data_old_email=ADA, data_new_email=GRACE)

    assert status_of(ada, GRACE) == "pending"


@pytest.mark.requires("R49")
def test_the_same_call_again_changes_nothing(ada: FlaskClient) -> None:
    assert [hear(ada, "unsubscribe"), hear(ada, "unsubscribe")] == [204, 204]
    assert events_of(ada, ADA).count("blocked") == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", None),
        (b"\xff\xfe&=&%zz&type=%ff", "application/x-www-form-urlencoded"),
        (b'{"type": "unsubscribe"}', "application/json"),
        (b"type=unsubscribe&" * 1000, "application/x-www-form-urlencoded; charset=x-unknown"),
        (b"x" * 1024 * 1024, "application/x-www-form-urlencoded"),
    ],
)
def test_garbage_is_harmless(
    any_client: FlaskClient, body: bytes, content_type: str | None
) -> None:
    assert any_client.post(URL, data=body, content_type=content_type).status_code == 204


def test_more_than_a_mebibyte_is_refused(any_client: FlaskClient) -> None:
    assert any_client.post(URL, data=b"x" * (1024 * 1024 + 1)).status_code == 413


def test_webhooks_are_never_limited(client_with: ClientWith) -> None:
    client = client_with(CLIENT_LIMIT="1 per hour")

    assert {webhook(client, type="profile").status_code for _ in range(3)} == {204}


def signed(body: bytes, secret: str) -> dict[str, str]:
    right = hmac.new(secret.encode(), b"1700000000." + body, hashlib.sha256).hexdigest()
    return {"X-Mailchimp-Signature": f"t=1700000000,v1={right}"}


def test_a_right_signature_of_the_raw_body_is_heard(client_with: ClientWith) -> None:
    client = client_with(MAILCHIMP_SIGNING_SECRET="shared")
    body = urlencode({"type": "profile", "data[email]": ADA}).encode()

    answer = client.post(URL, data=body, headers=signed(body, "shared"))

    assert answer.status_code == 204


@pytest.mark.parametrize("headers", [{}, signed(b"", "another"), signed(b"type=x", "shared")])
def test_a_wrong_signature_is_refused(client_with: ClientWith, headers: dict[str, str]) -> None:
    client = client_with(MAILCHIMP_SIGNING_SECRET="shared")

    answer = client.post(URL, data=b"type=profile", headers=headers)

    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"


def refuse(client: FlaskClient) -> None:
    assert client.post(URL, data=b"type=profile").status_code == 400


def complaints(client: FlaskClient) -> list[str]:
    told: list[str] = client.get("/ready", headers=STAFF).get_json()["reasons"]
    return [reason for reason in told if "MAILCHIMP_SIGNING_SECRET" in reason]


def test_a_wrong_signature_is_logged_when_it_is_the_first_for_an_hour(
    client_with: ClientWith, caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    client = client_with(MAILCHIMP_SIGNING_SECRET="shared")
    counts = []
    for seconds in (0, 59, 1, 3600):
        clock.shift(seconds)
        refuse(client)
        told = [each for each in caplog.records if each.levelno == logging.WARNING]
        counts.append(sum("MAILCHIMP_SIGNING_SECRET" in each.getMessage() for each in told))

    assert counts == [1, 1, 1, 2]
    assert "shared" not in caplog.text


def test_a_wrong_signature_is_reported_to_staff_for_an_hour(
    client_with: ClientWith, clock: Clock
) -> None:
    client = client_with(MAILCHIMP_SIGNING_SECRET="shared")
    assert complaints(client) == []

    refuse(client)
    clock.shift(3599)
    assert complaints(client) == [
        "Mailchimp's webhook calls are refused: MAILCHIMP_SIGNING_SECRET does not fit them"
    ]

    clock.shift(1)
    assert complaints(client) == []


def test_without_the_database_mailchimp_is_asked_to_call_again(client_with: ClientWith) -> None:
    client = client_with(DATABASE_URL="sqlite:////nowhere/newsletter.sqlite3")

    assert webhook(client, type="profile", data_email=ADA).status_code == 503


def test_neither_body_nor_secret_is_logged(
    any_client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    webhook(any_client, type="unsubscribe", data_email=ADA)

    assert "example.org" not in caplog.text.lower()
    assert WEBHOOK_SECRET not in caplog.text


@pytest.mark.parametrize("time", ["", "yesterday", "2026-13-01 00:00:00", "2026-01-01T00:00:00Z"])
def test_a_time_that_is_none_is_unknown(time: str) -> None:
    assert fired_at({"fired_at": time}) is None


def test_mailchimps_times_are_in_utc() -> None:
    at = fired_at({"fired_at": "2026-03-01 12:00:01"})

    assert at is not None
    assert at.isoformat() == "2026-03-01T12:00:01+00:00"


def test_the_first_of_fields_with_one_name_counts() -> None:
    assert read(b"type=unsubscribe&type=profile&data%5Bemail%5D=a%40b") == {
        "type": "unsubscribe",
        "data[email]": "a@b",
    }
