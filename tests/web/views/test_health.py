"""/health and /ready."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from newsletter.storage import holds, jobs
from newsletter.storage.database import writing
from newsletter.storage.models import Keyring
from tests.conftest import ClientWith, both_databases, on_sqlite
from tests.people import ADA, GRACE, STAFF, ask_staff, confirm, said_by, sign_up

pytestmark = both_databases

AWAY = {"DATABASE_URL": "sqlite:////nowhere/newsletter.sqlite3"}


def reasons(client: FlaskClient) -> list[str]:
    told: list[str] = client.get("/ready", headers=STAFF).get_json()["reasons"]
    return told


@pytest.fixture
def with_worker(app: Flask) -> Flask:
    """An application beside which a worker lives."""
    with app.app_context():
        jobs.beat("worker-of-the-test")
    return app


def test_a_process_is_alive_without_its_database(client_with: ClientWith) -> None:
    answer = client_with(**AWAY).get("/health")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "alive"})


def test_with_all_in_order_it_is_ready(with_worker: Flask) -> None:
    answer = with_worker.test_client().get("/ready", headers=STAFF)

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ready", "reasons": []})


@pytest.mark.requires("R18", "R78")
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_reasons_are_for_staff(any_client: FlaskClient, headers: dict[str, str]) -> None:
    answer = any_client.get("/ready", headers=headers)

    assert (answer.status_code, answer.get_json()) == (200, {"status": "degraded"})


def test_without_a_worker_it_is_degraded(client: FlaskClient) -> None:
    assert reasons(client) == ["no live worker"]


@pytest.mark.requires("R78")
@pytest.mark.parametrize("side", ["mail", "mailchimp"])
def test_what_is_on_hold_degrades_and_says_why(with_worker: Flask, side: holds.Side) -> None:
    with with_worker.app_context():
        holds.begin(side, "refused_login")

    answer = with_worker.test_client().get("/ready", headers=STAFF)

    assert answer.status_code == 200
    assert answer.get_json()["reasons"] == [f"{side} on hold: refused_login"]


def test_without_a_key_a_mailchimp_hold_is_not_reported(client_with: ClientWith) -> None:
    keyless = client_with()
    with keyless.application.app_context():
        holds.begin("mailchimp", "api_key")

    assert reasons(keyless) == ["no live worker"]


def test_without_a_key_it_is_degraded_from_the_first_confirmed_person_on(
    client: FlaskClient, letter: EmailMessage, client_with: ClientWith, database_url: str
) -> None:
    keyless = client_with(DATABASE_URL=database_url)
    before = reasons(keyless)

    confirm(client, letter)

    assert before == ["no live worker"]
    assert reasons(keyless) == [*before, "no MAILCHIMP_API_KEY, and somebody is confirmed"]


def test_without_a_key_an_erasure_that_waits_for_mailchimp_is_reported(
    client_with: ClientWith,
) -> None:
    keyless = client_with()
    begun = said_by(ask_staff(keyless, "erasures", ADA))

    [waits] = [place for place in begun["places"] if place["place"] == "mailchimp"]
    assert (waits["state"], waits["reason"]) == ("waiting", "no MAILCHIMP_API_KEY")
    assert "no MAILCHIMP_API_KEY, and an erasure waits for it" in reasons(keyless)


@on_sqlite
def test_a_deleted_or_replaced_database_file_accepts_no_sign_up(
    client: FlaskClient, database_url: str
) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    assert sign_up(client, ADA).status_code == 202
    backup = file.with_name("backup")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
    for beside in file.parent.glob(f"{file.name}*"):
        beside.unlink()

    assert sign_up(client, GRACE).status_code == 503
    assert client.get("/ready").status_code == 503
    assert not file.exists()
    backup.rename(file)
    assert sign_up(client, GRACE).status_code == 202

    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM subscription").fetchone() == (2,)


def test_an_untrusted_proxy_is_reported(client_with: ClientWith) -> None:
    client = client_with(CLIENT_LIMIT="20 per 10 minutes")
    client.get("/health", headers={"X-Forwarded-For": "203.0.113.7"})

    assert any(reason.startswith("CLIENT_LIMIT not applied") for reason in reasons(client))


def test_without_the_database_it_is_unable(client_with: ClientWith) -> None:
    answer = client_with(**AWAY).get("/ready", headers=STAFF)

    assert answer.status_code == 503
    assert answer.get_json()["status"] == "unable"
    assert len(answer.get_json()["reasons"]) == 1


def test_a_database_that_does_not_answer_is_reported(client_with: ClientWith) -> None:
    away = client_with(DATABASE_URL="postgresql://muster:s3cretword@127.0.0.1:9/news")

    [reason] = reasons(away)

    assert reason.startswith("the database does not answer; start it")


def test_a_database_before_its_release_is_reported(client_with: ClientWith, tmp_path: Path) -> None:
    unreleased = client_with(DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")

    assert reasons(unreleased) == ["the database has no tables yet; run `newsletter release`"]


def test_a_database_without_a_keyring_is_reported(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), writing() as session:
        session.execute(delete(Keyring))

    assert reasons(client) == ["the database has no keyring yet; run `newsletter release`"]
