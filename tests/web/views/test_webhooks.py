"""Mailchimp's webhooks; what comes of their calls is in test_webhooks_meaning.py."""

from __future__ import annotations

import logging

import pytest
from flask.testing import FlaskClient

from newsletter.web.views.webhooks import LOOK_UP, NOTHING, apply, fired_at, read
from tests.conftest import ClientWith, Clock
from tests.people import (
    ADA,
    GRACE,
    STAFF,
    WEBHOOK_SECRET,
    webhook,
)

URL = f"/webhooks/mailchimp/{WEBHOOK_SECRET}"
LIST = "a1b2c3d4e5"  #: the stand-in's audience


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
    ("kind", "fields", "meaning"),
    [
        ("unsubscribe", {"action": "unsub", "reason": "manual"}, "unsubscribed"),
        ("unsubscribe", {"action": "unsub"}, "unsubscribed"),
        ("unsubscribe", {}, "unsubscribed"),
        ("unsubscribe", {"action": "unsub", "reason": "abuse"}, "complaint"),
        ("unsubscribe", {"action": "delete", "reason": "abuse"}, "complaint"),
        ("unsubscribe", {"action": "delete"}, "removed_at_mailchimp"),
        ("unsubscribe", {"action": "unheard_of"}, LOOK_UP),
        ("unsubscribe", {"list_id": "another"}, NOTHING),
        ("unsubscribe", {"list_id": ""}, LOOK_UP),
        ("unsubscribe", {"email": "garbled"}, NOTHING),
        ("cleaned", {"reason": "hard"}, "bounce"),
        ("cleaned", {"reason": "abuse"}, "complaint"),
        ("cleaned", {"reason": "unheard_of"}, LOOK_UP),
        ("upemail", {"old_email": ADA, "new_email": GRACE}, "rectified"),
        ("upemail", {"old_email": "garbled", "new_email": GRACE}, NOTHING),
        ("subscribe", {}, LOOK_UP),
        ("profile", {}, LOOK_UP),
        ("campaign", {"status": "sent"}, NOTHING),
        ("unheard_of", {}, NOTHING),
        ("", {}, NOTHING),
    ],
)
def test_a_call_means_this(
    client_with: ClientWith, kind: str, fields: dict[str, str], meaning: str
) -> None:
    data = {"list_id": LIST, "email": ADA, **fields}
    with client_with(MAILCHIMP_API_KEY="key-us1", MAILCHIMP_LIST_ID=LIST).application.app_context():
        said = apply({"type": kind, **{f"data[{name}]": value for name, value in data.items()}})

    assert said == meaning


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
