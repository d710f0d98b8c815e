"""A service whose settings were copied with umlauts, blanks and line ends: everything still works."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import psycopg
import pytest
from flask import Flask

from newsletter.app import create_app
from newsletter.config import load
from newsletter.storage.models import db
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from tests.conftest import on_postgresql, release
from tests.people import ADA, STAFF, WEBHOOK_SECRET, sign_up

HOST = "https://xn--bcher-kva.example.com"
COPIED = {
    "PUBLIC_URL": " https://Bücher.example.com/ \r\n",
    "PRIVACY_URL": "https://www.bücher.example.com/Erklärung\r",
    "CONTACT_EMAIL": " datenschutz@bücher.example.com\r\n",
    "MAIL_FROM": "Bücher & Söhne <newsletter@bücher.example.com>\r",
    "TOPICS": "neuen Büchern. ",
}


@pytest.fixture
def app(environ: dict[str, Any]) -> Iterator[Flask]:
    everything_with_line_ends = {name: f" {value}\r\n" for name, value in environ.items()}
    app = create_app(load({**everything_with_line_ends, **COPIED}))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def letter(app: Flask, mailbox: Mailbox) -> EmailMessage:
    sign_up(app.test_client(), ADA)
    worker = Worker(app)
    worker.drain()
    worker.close()
    return mailbox.letters_to(ADA)[-1].message


def test_the_letter_leaves_and_every_link_in_it_is_ascii(letter: EmailMessage) -> None:
    part = letter.get_body(("plain",))
    assert part is not None
    text = part.get_content()
    links = [word for word in text.split() if word.startswith("https:")]

    assert f"{HOST}/confirm/" in text
    assert "https://www.xn--bcher-kva.example.com/Erkl%C3%A4rung" in links
    assert "".join(links).isascii()
    assert "mit Informationen zu neuen Büchern per E-Mail" in " ".join(text.split())
    assert letter["Reply-To"] == "datenschutz@xn--bcher-kva.example.com"
    assert letter["From"].addresses[0].addr_spec == "newsletter@xn--bcher-kva.example.com"


def test_its_link_confirms(app: Flask, letter: EmailMessage) -> None:
    part = letter.get_body(("plain",))
    assert part is not None
    [link] = [word for word in part.get_content().split() if word.startswith(f"{HOST}/confirm/")]

    assert app.test_client().post(link.removeprefix(HOST)).status_code == 200


def test_secrets_open_their_doors(app: Flask) -> None:
    client = app.test_client()

    assert client.get(f"/webhooks/mailchimp/{WEBHOOK_SECRET}").status_code == 200
    assert client.post("/admin/erasures", json={"email": ADA}, headers=STAFF).status_code == 202


@on_postgresql
def test_a_schema_is_named_as_the_refusal_says(database_url: str, environ: dict[str, Any]) -> None:
    url = f"{database_url}?options=-csearch_path%3Dnews"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute("CREATE SCHEMA news")
        app = create_app(load({**environ, "DATABASE_URL": url}))
        release(app)
        answer = sign_up(app.test_client(), ADA)
        with app.app_context():
            db.engine.dispose()
        people = server.execute("SELECT count(*) FROM news.subscription").fetchone()
        server.execute("DROP SCHEMA news CASCADE")

    assert (answer.status_code, people) == (202, (1,))
