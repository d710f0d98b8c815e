"""Staff have one e-mail tried or given up, and no other."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.storage.database import reading
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


def test_somebody_who_is_subscribed_at_mailchimp_stays_so_when_tried(
    app: Flask, client: FlaskClient, join: Join
) -> None:
    join(ADA)
    with app.app_context():
        assert waiting.try_person_now(access(client, ADA)["reference"])

    assert access(client, ADA)["mailchimp"]["status"] == "subscribed"
