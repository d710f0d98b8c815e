"""How letters leave: once each, and none is lost to a mail server's moods."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from newsletter.app import create_app
from newsletter.config import load
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Letter, Subscription, db
from newsletter.worker.mail.postman import Postman
from newsletter.worker.mail.smtp import SmtpPostbox, postbox_for
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, both_databases
from tests.people import ADA, GRACE, HEDY, STAFF, ask_staff, events_of, link_in, said_by, sign_up

pytestmark = both_databases

MINUTE = timedelta(minutes=1)


def reasons(client: FlaskClient) -> str:
    return str(said_by(client.get("/ready", headers=STAFF))["reasons"])


def test_a_sign_up_brings_one_letter_and_a_record_of_it(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)

    drain()
    drain()

    [letter] = mailbox.letters
    assert letter.recipients == ("Ada@example.org",)
    assert events_of(client, ADA) == ["signup", "mail_sent"]


@pytest.mark.parametrize("reply", ["450 4.2.1 later", "421 4.3.0 closing", None])
def test_a_passing_refusal_is_tried_again_within_seconds(
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
    reply: str | None,
) -> None:
    mailbox.answer_next("rcpt", reply)
    sign_up(client, ADA)
    drain()
    assert not mailbox.letters

    clock.shift(5)
    drain()

    assert len(mailbox.letters) == 1
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def test_a_letter_that_keeps_failing_waits_at_most_twice_as_long_each_time_up_to_an_hour(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    mailbox.answer_next("rcpt", "451 4.3.0 try again", times=100)
    sign_up(client, ADA)
    waits = []
    for _ in range(14):
        drain()
        waits.append(_wait(app))
        clock.shift(waits[-1])

    longest = [timedelta(seconds=min(5 * 2**tries, 3600)) for tries in range(14)]
    assert [wait for wait, limit in zip(waits, longest, strict=True) if wait > limit] == []


def _wait(app: Flask) -> timedelta:
    from newsletter.domain import clock as house_clock

    with app.app_context(), reading() as session:
        letter = session.scalars(select(Letter)).one()
        return letter.due_at - house_clock.now()


@pytest.mark.parametrize(
    ("stage", "reply"),
    [("rcpt", "550 5.1.1 unknown user"), ("rcpt", "552 5.2.2 full"), ("data", "550 5.1.1 unknown")],
)
def test_a_personal_refusal_is_final_and_frees_the_quota(
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
    stage: Any,
    reply: str,
) -> None:
    mailbox.answer_next(stage, reply, match_recipient=ADA)
    sign_up(client, ADA)
    sign_up(client, GRACE)
    drain()
    clock.shift(3600)
    drain()

    assert [letter.recipients for letter in mailbox.letters] == [(GRACE,)]
    assert events_of(client, ADA) == ["signup", "mail_failed"]
    sign_up(client, ADA)
    drain()
    assert events_of(client, ADA) == ["signup", "mail_failed", "signup", "mail_sent"]


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("mail", "530 5.7.0 authenticate first"),
        ("rcpt", "550 5.7.1 relaying denied"),
        ("rcpt", "530 5.7.0 authenticate first"),
        ("data", "554 5.7.1 looks like spam"),
        ("data", "554 no"),
    ],
)
def test_a_refusal_of_us_all_holds_everything_and_uses_nothing_up(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
    stage: Any,
    reply: str,
) -> None:
    mailbox.answer_next(stage, reply)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    drain()
    assert not mailbox.letters
    assert "mail on hold" in reasons(client)

    clock.shift(30)
    drain()

    assert len(mailbox.letters) == 3
    assert "mail on hold" not in reasons(client)
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def test_a_hold_is_probed_every_thirty_seconds_by_one_letter(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    mailbox.answer_next("mail", "550 5.7.1 blocked", times=100)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    drain()
    before = mailbox.connections
    for _ in range(60):
        clock.shift(1)
        drain()

    assert mailbox.connections - before <= 4


def test_a_mail_server_that_is_down_loses_nobody(
    environ: dict[str, Any], mailbox: Mailbox, clock: time_machine.Traveller
) -> None:
    port = int(mailbox.smtp_url.rsplit(":", 1)[1])
    app = create_app(load(environ))
    worker = Worker(app)
    mailbox.stop()
    sign_up(app.test_client(), ADA)
    worker.drain()

    mailbox.start(port)
    clock.shift(30)
    worker.drain()

    assert len(mailbox.letters) == 1
    worker.close()
    with app.app_context():
        db.engine.dispose()


def test_a_wrong_password_holds_the_mail_until_it_is_mended(
    environ: dict[str, Any], clock: time_machine.Traveller
) -> None:
    with Mailbox(auth=("muster", "right")) as guarded:
        place = guarded.smtp_url.rpartition("@")[2]
        urls = [f"smtp://muster:{word}@{place}?starttls=never" for word in ("wrong", "right")]
        wrong, right = (create_app(load({**environ, "SMTP_URL": url})) for url in urls)
        sign_up(wrong.test_client(), ADA)
        Worker(wrong).drain()
        assert not guarded.letters

        mended = Worker(right)
        mended.drain()

        # A worker that has just started probes at once.
        assert len(guarded.letters) == 1
        mended.close()
    for app in (wrong, right):
        with app.app_context():
            db.engine.dispose()


def test_a_letter_whose_request_is_gone_is_not_sent(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    ask_staff(client, "erasures", ADA)

    drain()

    assert not mailbox.letters


def test_a_second_letter_is_not_sent_to_who_has_confirmed(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    drain()
    clock.shift(11 * MINUTE)
    sign_up(client, ADA)
    client.post(link_in(mailbox.letters[0].message))
    drain()

    assert len(mailbox.letters) == 1


def test_sign_ups_during_an_outage_bring_one_letter_when_it_ends(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    mailbox.answer_next("mail", "550 5.7.1 blocked")
    sign_up(client, ADA)
    drain()
    clock.shift(11 * MINUTE)
    sign_up(client, ADA)
    drain()

    assert len(mailbox.letters) == 1


def test_a_held_person_gets_no_letter_until_released(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    hold(app, True)
    drain()
    assert not mailbox.letters

    hold(app, False)
    drain()

    assert len(mailbox.letters) == 1


def hold(app: Flask, is_held: bool) -> None:
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(hold=is_held))


class Meanwhile(SmtpPostbox):
    """A mail server during whose yes something else happens."""

    def __init__(self, inner: Any, meanwhile: Any) -> None:
        self._inner = inner
        self._meanwhile = meanwhile

    def send(self, message: Any) -> str:
        reply: str = self._inner.send(message)
        self._meanwhile()
        return reply

    def close(self) -> None:
        self._inner.close()


def test_an_erasure_beats_a_letter_in_flight(
    app: Flask, client: FlaskClient, mailbox: Mailbox
) -> None:
    sign_up(client, ADA)
    inner = postbox_for(app.extensions["settings"])
    postman = Postman(Meanwhile(inner, lambda: ask_staff(client, "erasures", ADA)), "me")
    with app.app_context():
        postman.step()
    postman.close()

    assert len(mailbox.letters) == 1
    with app.app_context(), reading() as session:
        assert session.scalars(select(Letter)).all() == []


def test_what_a_killed_process_held_is_taken_over_within_thirty_seconds(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    sign_up(client, ADA)
    take_and_die(app)
    drain()
    assert not mailbox.letters

    clock.shift(29)
    drain()

    assert len(mailbox.letters) == 1


def take_and_die(app: Flask) -> None:
    postman = Postman(postbox_for(app.extensions["settings"]), "dead")
    with app.app_context():
        assert postman._take() is not None


def test_a_heartbeat_keeps_a_letter_that_takes_its_time(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    sign_up(client, ADA)
    inner = postbox_for(app.extensions["settings"])

    def meanwhile() -> None:
        for _ in range(6):
            clock.shift(jobs.LEASE / 2)
            slow.keep_lease()
        drain()

    slow = Postman(Meanwhile(inner, meanwhile), "slow")
    with app.app_context():
        slow.step()
    slow.close()
    drain()

    assert len(mailbox.letters) == 1


def test_a_letter_whose_settling_failed_is_settled_later_and_not_sent_again(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    sign_up(client, ADA)
    inner = postbox_for(app.extensions["settings"])
    postman = Postman(Meanwhile(inner, lambda: rename("letter", "elsewhere")), "me")
    with app.app_context():
        with pytest.raises(DBAPIError):
            postman.step()
        rename("elsewhere", "letter")
        clock.shift(jobs.LEASE / 2)
        postman.keep_lease()
        drain()
        postman.step()
    postman.close()

    assert len(mailbox.letters) == 1
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def rename(table: str, name: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def test_one_refused_recipient_does_not_hold_the_others(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    mailbox.answer_next("rcpt", "554 5.7.1 access denied", times=1000, match_recipient=ADA)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    for _ in range(4):
        drain()
        clock.shift(30)

    assert {letter.recipients[0] for letter in mailbox.letters} == {GRACE, HEDY}


def test_a_resent_letter_keeps_its_message_id(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    mailbox.answer_next("data", None, keeps=True)
    sign_up(client, ADA)
    drain()
    clock.shift(5)
    drain()

    assert len(mailbox.letters) == 2
    assert len({letter.message["Message-ID"] for letter in mailbox.letters}) == 1
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def test_one_letter_that_cannot_be_written_does_not_stop_the_rest(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    sign_up(client, GRACE)
    with app.app_context(), writing() as session:
        first = session.scalars(select(Letter).order_by(Letter.due_at)).first()
        assert first is not None
        first.evidence = b"damaged"
    drain()

    assert [letter.recipients for letter in mailbox.letters] == [(GRACE,)]


def test_without_a_mail_server_letters_become_files(
    environ: dict[str, Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = create_app(load({**environ, "SMTP_URL": ""}))
    sign_up(app.test_client(), ADA)
    Worker(app).drain()

    [file] = (tmp_path / "var/mail").glob("*.eml")
    assert b"To: Ada@example.org" in file.read_bytes()
    assert "ada" not in file.name.lower()
    with app.app_context():
        db.engine.dispose()
