"""A confirmation e-mail says what its row says, by an older consent text and although it was sent a day later."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from flask.testing import FlaskClient

from newsletter.app import create_core
from newsletter.config import load
from newsletter.domain.consent import ConsentText
from newsletter.storage.models import db
from newsletter.subscriptions import wording
from sandbox.mailbox import Mailbox
from tests.conftest import Clock, Drain
from tests.people import ADA, GRACE, access, confirm, link_in, sign_up, status_of

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def environ(environ: dict[str, Any]) -> dict[str, Any]:
    """A service with a name of its own, whose links hold for three days."""
    return {
        **environ,
        "PUBLIC_URL": "https://news.example.com",
        "SMTP_URL": f"{environ['SMTP_URL']}?starttls=never",
        "LINK_DAYS": "3",
    }


@pytest.fixture
def agreed(environ: dict[str, Any]) -> ConsentText:
    """The text of a form that was loaded before TOPICS changed."""
    older = create_core(load({**environ, "TOPICS": "alten Hobeln"}))
    with older.app_context():
        text = wording.current("de")
        db.engine.dispose()
    return text


@pytest.fixture
def letter(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock, agreed: ConsentText
) -> EmailMessage:
    """The answer to a sign-up on 1 March at noon (UTC), sent on 2 March."""
    sign_up(client, ADA, wording=agreed.hash)
    clock.shift(DAY)
    drain()
    return mailbox.letters_to(ADA)[0].message


def words_of(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())


def values_of(client: FlaskClient) -> dict[str, Any]:
    """What is kept of what the e-mail said."""
    [letter] = access(client, ADA)["letters"]
    values: dict[str, Any] = letter["values"]
    return values


@pytest.mark.requires("R2", "R22")
def test_it_quotes_the_text_that_was_agreed_to_and_not_the_one_of_today(
    client: FlaskClient, letter: EmailMessage, agreed: ConsentText
) -> None:
    held = access(client, ADA)

    assert "alten Hobeln" in agreed.text
    assert agreed.text in words_of(letter)
    assert "neuen Werkzeugen" not in words_of(letter)
    assert (held["wording"]["hash"], held["wording"]["text"]) == (agreed.hash, agreed.text)
    assert held["letters"][0]["wording"] == agreed.hash


@pytest.mark.requires("R22")
def test_it_says_when_the_address_was_entered(client: FlaskClient, letter: EmailMessage) -> None:
    assert "am 1. März 2026 um 13:00 Uhr (MEZ) für den Newsletter von" in words_of(letter)
    assert access(client, ADA)["events"][0]["at"] == "2026-03-01T12:00:00Z"


@pytest.mark.requires("R15", "R22")
def test_its_end_is_the_rows(client: FlaskClient, letter: EmailMessage) -> None:
    end = access(client, ADA)["expires_at"]

    assert end == "2026-03-04T12:00:00Z"
    assert values_of(client)["expires_at"] == end
    assert "bis zum 4. März 2026, 13:00 Uhr (MEZ)" in words_of(letter)


@pytest.mark.requires("R22")
def test_it_promises_to_delete_within_a_day_of_that(
    client: FlaskClient, letter: EmailMessage
) -> None:
    assert values_of(client)["deleted_by"] == "2026-03-05T12:00:00Z"
    assert "spätestens am 5. März 2026" in words_of(letter)


@pytest.mark.requires("R15")
def test_its_link_holds_to_the_last_second_that_it_names(
    client: FlaskClient, letter: EmailMessage, clock: Clock
) -> None:
    clock.shift(2 * DAY - SECOND)
    assert client.get(link_in(letter)).status_code == 200

    clock.shift(SECOND)

    assert client.get(link_in(letter)).status_code == 410
    assert confirm(client, letter).status_code == 410


@pytest.mark.requires("R16")
def test_what_was_not_confirmed_is_gone_by_the_day_that_it_names(
    client: FlaskClient, letter: EmailMessage, drain: Drain, clock: Clock
) -> None:
    clock.shift(3 * DAY - SECOND)
    drain()

    assert status_of(client, ADA) == "unknown"


@pytest.mark.requires("R33")
def test_what_is_kept_of_it_is_all_that_it_said(
    client: FlaskClient, letter: EmailMessage, agreed: ConsentText
) -> None:
    held = access(client, ADA)

    assert held["letters"][0]["reply"].startswith("250 ")
    assert values_of(client) == {
        "recipient": "Ada@example.org",
        "language": "de",
        "consent_text": agreed.text,
        "requested_at": "2026-03-01T12:00:00Z",
        "expires_at": "2026-03-04T12:00:00Z",
        "deleted_by": "2026-03-05T12:00:00Z",
        "is_correction": False,
        "from_our_form": False,
        "reference": held["reference"],
        "message_id": letter["Message-ID"],
        "sent_at": "2026-03-02T12:00:00Z",
    }


@pytest.mark.requires("R26")
def test_its_message_id_is_random_and_of_the_services_own_host(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    for person in (ADA, GRACE):
        sign_up(client, person)
    drain()

    ids = [letter.message["Message-ID"] for letter in mailbox.letters]
    assert [re.sub(r"[0-9a-f]{32}", "…", id_) for id_ in ids] == ["<…@news.example.com>"] * 2
    assert ids[0] != ids[1]
