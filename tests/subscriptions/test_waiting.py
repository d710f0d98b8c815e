"""Staff have one e-mail tried or given up, and no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter.domain import clock
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Letter
from newsletter.subscriptions import waiting
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, Join
from tests.people import ADA, GRACE, access, sign_up


def test_of_two_letters_that_wait_only_the_chosen_one_is_given_up_and_does_not_count(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    for email in (ADA, GRACE):
        sign_up(client, email)
    with app.app_context():
        with reading() as session:
            _, second = session.scalars(select(Letter.id).order_by(Letter.number))
        assert waiting.give_up_letter(second, actor="dpo")
    drain()
    assert (len(mailbox.letters_to(ADA)), len(mailbox.letters_to(GRACE))) == (1, 0)

    sign_up(client, GRACE)
    drain()
    assert len(mailbox.letters_to(GRACE)) == 1


@pytest.mark.parametrize(
    ("column", "from_now"), [("sent_at", timedelta()), ("leased_until", jobs.LEASE)]
)
def test_a_letter_that_was_sent_or_is_being_sent_is_neither_tried_nor_given_up(
    app: Flask, client: FlaskClient, column: str, from_now: timedelta
) -> None:
    sign_up(client, ADA)
    with app.app_context():
        with writing() as session:
            session.execute(update(Letter).values({column: clock.now() + from_now}))
            letter = session.scalars(select(Letter.id)).one()

        assert not waiting.try_letter_now(letter)
        assert not waiting.give_up_letter(letter, actor="dpo")


def test_somebody_who_is_subscribed_at_mailchimp_stays_so_when_tried(
    app: Flask, client: FlaskClient, join: Join
) -> None:
    join(ADA)
    with app.app_context():
        assert waiting.try_person_now(access(client, ADA)["reference"])

    assert access(client, ADA)["mailchimp"]["status"] == "subscribed"
