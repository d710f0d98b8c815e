"""Several letters at once: leased, sent and recorded together, over one connection or more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.storage import holds
from newsletter.storage.database import reading
from newsletter.storage.models import Letter, db
from newsletter.worker.mail import connections
from newsletter.worker.mail.postman import Postman
from newsletter.worker.mail.smtp import postbox_for
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, both_databases, on_sqlite
from tests.patience import PATIENCE
from tests.people import ADA, GRACE, HEDY, events_of, sign_up

pytestmark = both_databases


@pytest.fixture
def crowd(client: FlaskClient) -> list[str]:
    """Fifty people who have signed up."""
    return sign_up_crowd(client)


def sign_up_crowd(client: FlaskClient) -> list[str]:
    people = [f"person-{number}@example.org" for number in range(50)]
    for person in people:
        sign_up(client, person)
    return people


def postman_of(app: Flask, name: str, *, connections: int = 1) -> Postman:
    return Postman([postbox_for(app.extensions["settings"]) for _ in range(connections)], name)


@pytest.fixture
def postman(app: Flask) -> Iterator[Postman]:
    """One with a single connection."""
    postman = postman_of(app, "me")
    yield postman
    postman.close()


def run(app: Flask, postman: Postman) -> None:
    """Send all letters."""
    with app.app_context():
        while postman.step():
            pass
    postman.close()


def sent_and_free(app: Flask) -> tuple[int, int]:
    """How many letters are recorded as sent, and how many wait and may be leased by anybody."""
    with app.app_context(), reading() as session:
        free = (Letter.sent_at.is_(None), Letter.leased_by.is_(None), Letter.copies == 0)
        sent = session.scalar(select(func.count()).where(Letter.sent_at.is_not(None)))
        return sent or 0, session.scalar(select(func.count()).where(*free)) or 0


def test_several_connections_send_each_letter_once(
    app: Flask, mailbox: Mailbox, crowd: list[str]
) -> None:
    run(app, postman_of(app, "me", connections=4))

    assert sorted(letter.recipients[0] for letter in mailbox.letters) == sorted(crowd)
    assert sent_and_free(app) == (50, 0)
    assert 1 < mailbox.connections <= 4


def test_several_workers_send_each_letter_once(
    app: Flask, mailbox: Mailbox, crowd: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.worker.mail.postman.MOST_LEASED", 10)
    workers = [postman_of(app, name, connections=2) for name in ("one", "two")]
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda worker: run(app, worker), workers))

    assert sorted(letter.recipients[0] for letter in mailbox.letters) == sorted(crowd)
    assert sent_and_free(app) == (50, 0)


def test_a_server_that_limits_connections_gets_all_letters_over_those_it_accepts(
    app: Flask, client: FlaskClient, mailbox: Mailbox
) -> None:
    postman = postman_of(app, "me", connections=4)
    sign_up(client, GRACE)
    with app.app_context():
        assert postman.step()
    mailbox.answer_next("connect", "421 4.7.0 too many connections", times=1000)
    crowd = sign_up_crowd(client)
    run(app, postman)

    assert sorted(letter.recipients[0] for letter in mailbox.letters) == sorted([GRACE, *crowd])
    assert sent_and_free(app) == (51, 0)
    with app.app_context():
        assert holds.reason_of("mail") is None


def test_a_letter_is_recorded_while_the_server_lets_the_next_one_wait(
    app: Flask, client: FlaskClient, mailbox: Mailbox, postman: Postman
) -> None:
    stall = mailbox.stall("rcpt", match_recipient=GRACE)
    sign_up(client, ADA)
    sign_up(client, GRACE)
    with app.app_context():
        postman.step()
    assert events_of(client, ADA) == ["signup", "mail_sent"]

    stall.set()
    run(app, postman)
    assert events_of(client, GRACE) == ["signup", "mail_sent"]


def test_letters_that_are_not_begun_are_for_other_workers_if_the_server_takes_its_time(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    postman: Postman,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.1)
    stall = mailbox.stall("rcpt", match_recipient=ADA)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    with app.app_context():
        postman.step()
    drain()
    assert [letter.recipients[0] for letter in mailbox.letters] == [GRACE, HEDY]

    stall.set()
    run(app, postman)
    assert len(mailbox.letters) == 3


def test_letters_that_are_not_begun_when_all_are_put_on_hold_are_as_they_were(
    app: Flask, mailbox: Mailbox, crowd: list[str]
) -> None:
    mailbox.answer_next("mail", "550 5.7.1 blocked", times=100)
    run(app, postman_of(app, "me"))

    assert mailbox.connections == 1
    assert sent_and_free(app) == (0, 50)


def test_a_worker_that_ends_begins_no_further_letter(
    app: Flask, mailbox: Mailbox, crowd: list[str], postman: Postman
) -> None:
    stall = mailbox.stall("rcpt")
    with app.app_context():
        with ThreadPoolExecutor(1) as loop:
            step = loop.submit(run, app, postman)
            mailbox.wait_for(lambda: mailbox.connections == 1)
            postman.hurry()
            stall.set()
            step.result(PATIENCE)
        postman.finish()

    sent, free = sent_and_free(app)
    assert sent <= 1
    assert sent + free == 50


@on_sqlite
def test_a_letter_that_cannot_be_recorded_causes_no_other_to_be_sent_again(
    app: Flask, mailbox: Mailbox, crowd: list[str]
) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER unrecordable BEFORE UPDATE OF sent_at ON letter WHEN NEW.number = 2"
            " BEGIN SELECT RAISE(ABORT, 'unrecordable'); END"
        )
    run(app, postman_of(app, "me"))

    assert sent_and_free(app) == (49, 0)
