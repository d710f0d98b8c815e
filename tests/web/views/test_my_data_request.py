"""Requests for a link to one's own data: who gets an e-mail, and that the answer reveals nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.storage.database import reading
from newsletter.storage.models import Letter, Subscription
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import ClientWith, Clock, Drain, Join
from tests.people import ADA, GRACE, HEDY, JSON, access, ask_staff, events_of, link_in, sign_up
from tests.web.callers import BROWSER

PAUSE, DAY = timedelta(minutes=10), timedelta(days=1)
LATER, UNKNOWN_THERE = "451 4.3.0 try again", "550 5.1.1 no such user"

pytestmark = pytest.mark.usefixtures("clock")


def ask(client: FlaskClient, email: str = ADA) -> int:
    return client.post("/my-data", json={"email": email}).status_code


def links_to(mailbox: Mailbox, email: str = ADA) -> list[str]:
    """The links to their data that somebody was sent."""
    letters = [letter.message for letter in mailbox.letters_to(email)]
    return [link_in(it, "my-data") for it in letters if "Daten" in it["Subject"]]


@pytest.fixture
def known(client: FlaskClient, mailbox: Mailbox, join: Join, clock: Clock) -> None:
    """Ada has confirmed, some time ago."""
    join(ADA)
    clock.shift(PAUSE)


@pytest.mark.usefixtures("known")
def test_a_known_address_gets_a_link(client: FlaskClient, mailbox: Mailbox, drain: Drain) -> None:
    assert ask(client) == 202
    drain()

    [link] = links_to(mailbox)
    assert client.get(link).status_code == 200


@pytest.mark.requires("R55")
@pytest.mark.usefixtures("known")
def test_an_unknown_address_gets_the_same_answer_and_no_email(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    answers = [client.post("/my-data", json={"email": email}) for email in (ADA, GRACE)]
    drain()

    assert answers[0].data == answers[1].data
    assert dict(answers[0].headers) == dict(answers[1].headers)
    assert not mailbox.letters_to(GRACE)


@pytest.mark.usefixtures("known")
def test_a_form_leads_everybody_to_the_same_page(client: FlaskClient) -> None:
    answers = [
        client.post("/my-data", data={"email": email}, headers=BROWSER) for email in (ADA, GRACE)
    ]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert client.get(answers[0].location).status_code == 200


@pytest.mark.usefixtures("known")
def test_a_request_only_records_that_an_email_was_sent(client: FlaskClient, drain: Drain) -> None:
    before = events_of(client, ADA)
    ask(client)
    drain()

    told = access(client, ADA)["events"][len(before) :]
    [sent] = [it for it in told if it["event"] != "viewed"]
    assert (sent["event"], sent["detail"], sent.get("wording")) == ("mail_sent", "my_data", None)


@pytest.mark.usefixtures("known")
def test_a_sent_email_is_deleted_except_for_its_ledger_row(
    app: Flask, client: FlaskClient, drain: Drain
) -> None:
    ask(client)
    drain()

    with app.app_context(), reading() as session:
        kinds = {letter.kind for letter in session.scalars(select(Letter))}
    assert kinds == {"confirmation"}


@pytest.mark.usefixtures("known")
def test_its_emails_count_towards_the_daily_limit(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    for _ in range(5):
        assert ask(client) == 202
        drain()
        clock.shift(PAUSE)
    assert len(links_to(mailbox)) == 2  # and the letter that asked to confirm

    clock.shift(DAY)
    ask(client)
    drain()

    assert len(links_to(mailbox)) == 3


def test_the_pause_applies_even_after_unsubscribing(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")

    assert ask(client) == 202
    drain()

    assert links_to(mailbox) == []


@pytest.mark.usefixtures("known")
def test_its_emails_count_for_sign_ups(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    clock.shift(DAY)
    for _ in range(3):
        ask(client)
        drain()
        clock.shift(PAUSE)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    sign_up(client, ADA)
    drain()

    assert len(mailbox.letters_to(ADA)) == 4
    assert access(client, ADA)["status"] == "blocked"


def test_an_undeliverable_email_is_recorded_and_does_not_count(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    clock.shift(PAUSE)
    mailbox.answer_next("rcpt", UNKNOWN_THERE)
    ask(client)
    drain()

    [failed] = [it for it in access(client, ADA)["events"] if it["event"] == "mail_failed"]
    assert failed["detail"].startswith("my_data: ")

    ask(client)
    drain()
    assert len(links_to(mailbox)) == 1


WRITTEN_NO_MORE: dict[str, Callable[[FlaskClient], object]] = {
    "restricted": lambda client: ask_staff(client, "holds", ADA, hold=True),
    "blocked by staff": lambda client: ask_staff(client, "blocks", ADA, reason="staff"),
    "after a complaint": lambda client: ask_staff(client, "blocks", ADA, reason="complaint"),
    "after a bounce": lambda client: ask_staff(client, "blocks", ADA, reason="bounce"),
    "being erased": lambda client: ask_staff(client, "erasures", ADA),
    "erased with a block": lambda client: ask_staff(client, "erasures", ADA, keep_block=True),
}


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("happened", WRITTEN_NO_MORE.values(), ids=WRITTEN_NO_MORE)
def test_whoever_is_to_get_no_letter_gets_none(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, happened: Callable[[FlaskClient], object]
) -> None:
    happened(client)

    assert ask(client) == 202
    drain()

    assert links_to(mailbox) == []


@pytest.mark.usefixtures("known")
def test_after_not_me_an_address_gets_no_email(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    client.post(link_in(mailbox.letters_to(ADA)[0].message, "not-me"))

    assert ask(client) == 202
    drain()

    assert links_to(mailbox) == []


@pytest.mark.usefixtures("known")
def test_a_waiting_email_survives_unsubscribing_and_signing_up_again(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    ask(client)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    sign_up(client, ADA)
    drain()

    [link] = links_to(mailbox)
    assert client.get(link).status_code == 200


@pytest.mark.parametrize("locale", ["de", "en"])
def test_the_letter_is_in_the_persons_own_language(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock, locale: str
) -> None:
    sign_up(client, ADA, locale=locale)
    drain()
    clock.shift(PAUSE)
    client.post("/my-data", json={"email": ADA, "locale": "en"})
    drain()

    letter = mailbox.letters_to(ADA)[-1].message
    assert letter["Content-Language"] == locale
    page = client.get(link_in(letter, "my-data"), headers=BROWSER).text
    assert f'<html lang="{locale}">' in page


# Where a digest alone is left


@pytest.fixture
def bare(client: FlaskClient, drain: Drain, clock: Clock) -> None:
    """Ada was blocked before she confirmed, and unblocked: only her digest is stored."""
    sign_up(client, ADA)
    ask_staff(client, "blocks", ADA, reason="staff")
    ask_staff(client, "lifts", ADA)
    clock.shift(PAUSE)
    assert access(client, ADA)["email"] is None


@pytest.mark.usefixtures("bare")
def test_the_address_is_stored_again_only_until_the_email_is_sent(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    ask(client)
    assert access(client, ADA)["email"] == "Ada@example.org"

    drain()

    assert len(links_to(mailbox)) == 1
    assert access(client, ADA)["email"] is None
    assert access(client, ADA)["letters"] == []


@pytest.mark.usefixtures("bare")
def test_the_address_is_deleted_if_the_email_is_undeliverable(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    mailbox.answer_next("rcpt", UNKNOWN_THERE)
    ask(client)
    drain()

    assert access(client, ADA)["email"] is None


@pytest.mark.usefixtures("bare")
def test_the_address_is_stored_while_the_email_waits(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, drain: Drain
) -> None:
    mailbox.answer_next("rcpt", LATER)
    ask(client)
    drain()

    assert access(client, ADA)["email"] == "Ada@example.org"


@pytest.mark.usefixtures("bare")
def test_another_block_does_not_delete_the_address_while_the_email_waits(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    ask(client)
    ask_staff(client, "blocks", ADA, reason="complaint")
    drain()

    assert len(links_to(mailbox)) == 1
    assert access(client, ADA)["email"] is None


# The endpoint


@pytest.mark.parametrize("email", ["", "garbled", "ä@example.com"])
def test_an_invalid_address_is_refused(any_client: FlaskClient, email: str) -> None:
    assert ask(any_client, email) == 422

    page = any_client.post("/my-data", data={"email": email}, headers=BROWSER)
    assert (page.status_code, page.mimetype) == (422, "text/html")
    assert 'aria-invalid="true"' in page.text


def test_the_form_is_a_plain_one(any_client: FlaskClient) -> None:
    page = any_client.get("/my-data", headers=BROWSER)

    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "<script" not in page.text
    assert any_client.get("/my-data", headers=JSON).status_code == 200


def test_a_machine_gets_the_same_answer_and_nothing_happens(
    app: Flask, client: FlaskClient, known: None, drain: Drain, mailbox: Mailbox
) -> None:
    answer = client.post("/my-data", json={"email": ADA, "homepage": "https://spam.example"})
    drain()

    assert (answer.status_code, answer.get_json()) == (202, {"status": "accepted"})
    assert links_to(mailbox) == []


def test_client_limit_applies(client_with: ClientWith) -> None:
    client = client_with(CLIENT_LIMIT="2 per 10 minutes")
    here = {"REMOTE_ADDR": "198.51.100.7"}

    statuses = [
        client.post("/my-data", json={"email": email}, environ_overrides=here).status_code
        for email in (ADA, GRACE, HEDY)
    ]

    assert statuses == [202, 202, 429]


def test_a_request_creates_no_subscription(app: Flask, client: FlaskClient, drain: Drain) -> None:
    ask(client)
    drain()

    with app.app_context(), reading() as session:
        assert session.scalars(select(Subscription)).all() == []
        assert session.scalars(select(Letter)).all() == []
