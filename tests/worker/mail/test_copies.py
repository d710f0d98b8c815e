"""A letter that may have arrived: each copy is counted, and none leaves that nobody wants any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.worker.mail import leases, sending
from newsletter.worker.mail.postman import Postman
from newsletter.worker.mail.smtp import postbox_for
from sandbox.mailbox import Mailbox
from tests.conftest import Clock, Drain, both_databases
from tests.people import ADA, GRACE, HEDY, ask_staff, events_of, sign_up
from tests.worker.mail.test_postman import IMPATIENT, Meanwhile

pytestmark = both_databases


def send_and_die(app: Flask) -> None:
    """A worker is killed right after the mail server has accepted a letter."""
    with app.app_context():
        for leased in leases.lease("dying", 1):
            postbox = postbox_for(app.extensions["settings"])
            assert isinstance(sending.send(postbox, leased), sending.Sent | sending.Failed)
            postbox.close()


def test_a_letter_whose_workers_are_killed_is_sent_three_times_at_most(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    for seconds in (0, 30, 3600, 3600, 3600):
        clock.shift(seconds)
        send_and_die(app)
    clock.shift(30)
    drain()

    assert len(mailbox.letters) == 3
    assert len({letter.message["Message-ID"] for letter in mailbox.letters}) == 1
    assert events_of(client, ADA) == ["signup", "mail_failed"]
    sign_up(client, ADA)
    drain()
    assert len(mailbox.letters) == 3  # as many as a day may bring


def test_a_second_copy_of_a_killed_worker_is_not_sent_again_at_once(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    send_and_die(app)
    clock.shift(30)
    send_and_die(app)
    clock.shift(timedelta(minutes=29))
    drain()

    assert len(mailbox.letters) == 2


def test_a_letter_whose_worker_is_killed_while_the_server_does_not_reply_waits_for_its_reply(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    answers = mailbox.stall("data")
    sign_up(client, ADA)
    dying = Postman([postbox_for(app.extensions["settings"], patience=IMPATIENT)], "dying")
    with app.app_context():
        dying.step()
    answers.set()
    mailbox.wait_for(1)
    clock.shift(timedelta(minutes=14))
    drain()
    assert len(mailbox.letters) == 1

    clock.shift(timedelta(minutes=1))
    drain()
    assert len(mailbox.letters) == 2
    dying.close()


def run(app: Flask, meanwhile: Callable[[], object], *, before: bool) -> None:
    """Send all letters; something happens right before the first can be accepted, or right after."""
    postbox = Meanwhile(postbox_for(app.extensions["settings"]), meanwhile, before=before)
    postman = Postman([postbox], "me")
    with app.app_context():
        while postman.step():
            pass
    postman.close()


DEEDS = pytest.mark.parametrize(
    ("endpoint", "fields"),
    [("erasures", {}), ("blocks", {"reason": "complaint"}), ("holds", {"hold": True})],
)


@DEEDS
def test_what_is_done_to_a_person_before_the_final_dot_beats_the_letter(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: Clock,
    endpoint: str,
    fields: dict[str, object],
) -> None:
    sign_up(client, ADA)
    run(app, lambda: ask_staff(client, endpoint, ADA, **fields), before=True)
    clock.shift(60)
    drain()

    assert mailbox.letters == []


@DEEDS
def test_what_is_done_to_a_person_beats_a_letter_that_was_leased_with_others(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: Clock,
    endpoint: str,
    fields: dict[str, object],
) -> None:
    sign_up(client, HEDY)
    sign_up(client, GRACE)
    run(app, lambda: ask_staff(client, endpoint, GRACE, **fields), before=False)
    clock.shift(60)
    drain()

    assert [letter.recipients for letter in mailbox.letters] == [(HEDY,)]
    assert events_of(client, HEDY) == ["signup", "mail_sent"]
