"""What the tests of the doors stand on beside the rest: other settings, a letter that was sent, a link to data."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request_finished
from flask.testing import FlaskClient

from newsletter import create_app, tokens
from newsletter.config import load
from newsletter.models import db
from newsletter.tokens import Link, Purpose
from sandbox.mailbox import Mailbox
from tests.conftest import COMPANY, Drain, Join
from tests.people import ADA, access, sign_up
from tests.web.described import departure_from, description_of

ClientWith = Callable[..., FlaskClient]
PathOf = Callable[..., str]


@pytest.fixture(scope="session")
def description() -> dict[str, Any]:
    """What the service says of its doors."""
    return description_of(create_app(load(COMPANY)))


@pytest.fixture(autouse=True)
def every_answer_is_described(description: dict[str, Any]) -> Iterator[None]:
    """Whatever a test calls, it is answered as the description says."""
    departures: list[str | None] = []

    def compare(app: Flask, response: Response) -> None:
        departures.append(departure_from(app, response, description))

    with request_finished.connected_to(compare):
        yield
    assert [departure for departure in departures if departure] == []


@pytest.fixture
def client_with(sqlite_template: Path, tmp_path: Path) -> Iterator[ClientWith]:
    """A client of a web process with other settings, on SQLite, where the database does not matter."""
    file = tmp_path / "other.sqlite3"
    shutil.copy(sqlite_template, file)
    apps: list[Flask] = []

    def make(**variables: str) -> FlaskClient:
        app = create_app(load({**COMPANY, "DATABASE_URL": f"sqlite:///{file}", **variables}))
        apps.append(app)
        return app.test_client()

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def door(client_with: ClientWith) -> FlaskClient:
    """A client where neither settings nor database matter."""
    return client_with()


@pytest.fixture
def letter(client: FlaskClient, drain: Drain, mailbox: Mailbox) -> EmailMessage:
    """The letter that Ada got after signing up."""
    sign_up(client, ADA)
    drain()
    return mailbox.letters_to(ADA)[-1].message


@pytest.fixture
def path_of(app: Flask, client: FlaskClient) -> PathOf:
    """The path of the link that somebody's letter has."""

    def path_of(email: str = ADA) -> str:
        reference = str(access(client, email)["reference"])
        with app.app_context():
            url = tokens.url_for(Purpose.MY_DATA, Link(reference, 0))
        return url.removeprefix("http://localhost:8000")

    return path_of


@pytest.fixture
def path(join: Join, path_of: PathOf) -> str:
    """The link of Ada, who has confirmed."""
    join(ADA)
    return path_of()
