"""What is kept of a letter: as it was sent, small, and without any link that opens something."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.config import Locale
from newsletter.storage.database import reading
from newsletter.storage.keys import keyring
from newsletter.storage.models import Letter, LetterKind
from newsletter.subscriptions.letters import EVIDENCE_COLUMN, open_evidence, seal_evidence
from newsletter.texts import letters
from newsletter.texts.letters import ConfirmationValues, LetterValues
from newsletter.web.samples.rendering import letter as sample_of
from newsletter.web.samples.rendering import sample_app
from newsletter.worker.mail import leases
from newsletter.worker.mail.contents import evidence_of, values_of
from newsletter.worker.mail.leases import Leased
from sandbox.mailbox import Mailbox
from tests.conftest import Clock, Drain
from tests.people import ADA, access, link_in, sign_up

ID = "0" * 32
TOKEN = "apaXUG8dDJ5bekg4osTh8J07emXJZxqHRtbQ0kdfH2wB"


@pytest.fixture
def at_work(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


def test_the_hour_of_a_my_data_link_begins_when_it_is_sent(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    drain()
    reference = access(client, ADA)["reference"]
    clock.shift(timedelta(hours=1))
    client.post("/my-data", json={"email": ADA})
    clock.shift(timedelta(days=1))
    drain()

    letter = mailbox.letters_to(ADA)[-1].message
    part = letter.get_body(("plain",))
    assert part is not None
    text = " ".join(part.get_content().split())
    assert "am 1. März 2026 um 14:00 Uhr (MEZ)" in text
    assert "gilt bis zum 2. März 2026, 15:00 Uhr (MEZ)" in text
    assert f"Vorgangsnummer: {reference} " in text
    assert re.fullmatch("<[0-9a-f]{32}@localhost>", letter["Message-ID"])
    assert letter["Date"].datetime.isoformat() == "2026-03-02T13:00:00+00:00"
    assert client.get(link_in(letter, "my-data")).status_code == 200
    clock.shift(timedelta(hours=1))
    assert client.get(link_in(letter, "my-data")).status_code == 410


def leased() -> Leased:
    [letter] = leases.lease("me", 1)
    return letter


def test_a_request_needs_its_letter_to_its_last_second(at_work: Flask, clock: Clock) -> None:
    sign_up(at_work.test_client(), ADA)
    asked = leased()
    clock.shift(timedelta(days=7) - timedelta(seconds=1))
    before = values_of(asked)
    clock.shift(1)

    assert before is not None
    assert values_of(asked) is None


def test_whoever_confirmed_needs_no_letter_to_confirm(at_work: Flask, clock: Clock) -> None:
    client = at_work.test_client()
    sign_up(client, ADA)
    values = values_of(leased())
    assert isinstance(values, ConfirmationValues)
    assert client.post(urlsplit(values.confirm_url).path).status_code == 200

    clock.shift(30)
    assert values_of(leased()) is None


def kept_as(evidence: dict[str, object]) -> Letter:
    return Letter(id=ID, evidence=seal_evidence(ID, evidence))


@pytest.mark.parametrize("evidence", [{"message_id": "<a@b>"}, {"text": "Größe " * 200}])
def test_evidence_is_read_as_it_was_written(at_work: Flask, evidence: dict[str, object]) -> None:
    assert open_evidence(kept_as(evidence)) == evidence


def test_evidence_that_was_not_packed_is_read_too(at_work: Flask) -> None:
    evidence = {"message_id": "<a@b>", "reply": "250 OK", "values": {"text": "x" * 1000}}
    plain = keyring.current().encrypt(json.dumps(evidence), ref=ID, column=EVIDENCE_COLUMN)

    assert open_evidence(Letter(id=ID, evidence=plain)) == evidence


def test_a_letter_is_kept_in_less_than_its_plain_text_takes(at_work: Flask, drain: Drain) -> None:
    sign_up(at_work.test_client(), ADA)
    drain()

    with reading() as session:
        letter = session.scalars(select(Letter)).one()
    evidence = open_evidence(letter)
    assert len(letter.evidence) < len(evidence["text"].encode()) * 1.1
    assert evidence.keys() == {"message_id", "reply", "values", "subject", "text"}


def test_its_date_is_when_it_leaves_and_not_when_it_was_written(
    clock: Clock, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    clock.shift(3600)
    drain()

    [arrived] = mailbox.letters_to(ADA)
    assert arrived.message["Date"].datetime == datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("language", ["de", "en"])
def test_no_letter_keeps_a_link_that_opens(app: Flask, kind: LetterKind, language: Locale) -> None:
    shown = sample_app(app.extensions["settings"])
    values = with_token(sample_of(shown, language, kind).values)

    with shown.app_context():
        letter = letters.finish(values, app.extensions["settings"])
    evidence = evidence_of(values, letter, "250 OK")

    assert TOKEN in letter.text
    assert TOKEN not in json.dumps(evidence)
    assert values.reference in evidence["text"]


def with_token(values: LetterValues) -> LetterValues:
    urls: dict[str, Any] = {name: f"https://example.com/{name}/{TOKEN}" for name in values.opening}
    return replace(values, **urls)


@pytest.mark.parametrize(
    "written", ["{0}", "<{0}>", "example.com/confirm/{1}", "{1}", "{0}?utm=x", "Code: {1}."]
)
def test_a_link_is_not_kept_however_a_template_writes_it(app: Flask, written: str) -> None:
    evidence = evidence_of_text(
        app, written.format(f"https://example.com/confirm_url/{TOKEN}", TOKEN)
    )

    assert TOKEN not in evidence["text"]
    assert "[link not kept]" in evidence["text"]


@pytest.mark.parametrize("gap", ["\n", " ", "\n  "])
def test_where_a_template_breaks_a_link_no_text_is_kept(app: Flask, gap: str) -> None:
    evidence = evidence_of_text(app, f"{TOKEN[:30]}{gap}{TOKEN[30:]}")

    assert evidence.keys() == {"message_id", "reply", "values"}


def evidence_of_text(app: Flask, text: str) -> dict[str, str]:
    """What is kept of a letter whose plain text a template wrote so."""
    shown = sample_app(app.extensions["settings"])
    values = with_token(sample_of(shown, "en", LetterKind.CONFIRMATION).values)
    with shown.app_context():
        letter = letters.finish(values, app.extensions["settings"])
    return evidence_of(values, replace(letter, text=f"Hello,\n\n{text}\n"), "250 OK")
