"""The letter to whom Mailchimp does not let us add: when it is written, how often, and what it gives away."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from newsletter.app import create_app
from newsletter.config import Locale, load
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import TakeOver
from newsletter.storage.database import writing
from newsletter.storage.models import Subscription, db
from newsletter.subscriptions.person import Unknown, lock_person
from newsletter.subscriptions.transition import act
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import Clock, Drain, Join, environment
from tests.listening import listening
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    access,
    ask_staff,
    events_of,
    link_in,
    press,
    sign_up,
    status_of,
    webhook,
)

FORM = "https://muster.us1.list-manage.com/subscribe?u=1f2e3d&id=4c5b6a"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LATER = "451 4.3.0 try again"


@pytest.fixture
def environ(database_url: str, mailbox: Mailbox, mailchimp: StandIn) -> dict[str, Any]:
    """As ever, and Mailchimp's own form is known."""
    return {**environment(database_url, mailbox, mailchimp), "MAILCHIMP_SIGNUP_URL": FORM}


@pytest.fixture
def forgotten(mailchimp: StandIn, clock: Clock) -> None:
    """Mailchimp once deleted Ada for good."""
    mailchimp.forgotten.add(ADA.lower())


def words_of(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def told(mailbox: Mailbox, email: str = ADA) -> list[EmailMessage]:
    """The letters to somebody that name the way back."""
    letters = [letter.message for letter in mailbox.letters_to(email)]
    return [letter for letter in letters if FORM in words_of(letter)]


@pytest.fixture
def awaited(client: FlaskClient, mailchimp: StandIn, join: Join, clock: Clock) -> None:
    """Ada left at Mailchimp and confirmed here again: Mailchimp asks her once more."""
    join(ADA)
    mailchimp.unsubscribes(ADA)
    unsubscribed = {"data_action": "unsub", "data_reason": "manual", "data_email": ADA}
    webhook(client, type="unsubscribe", data_list_id=mailchimp.list_id, **unsubscribed)
    join(ADA)
    assert access(client, ADA)["mailchimp"]["status"] == "awaiting"


@pytest.mark.usefixtures("forgotten")
def test_a_permanently_deleted_person_gets_the_letter_at_once(
    client: FlaskClient, mailbox: Mailbox, join: Join
) -> None:
    join(ADA)

    assert len(told(mailbox)) == 1
    assert events_of(client, ADA) == [
        *("signup", "mail_sent", "confirmed", "sync_failed", "mail_sent")
    ]
    assert status_of(client, ADA) == "confirmed"


@pytest.mark.usefixtures("forgotten")
def test_the_record_says_which_letter_it_was_and_keeps_no_link_of_the_persons_own(
    client: FlaskClient, join: Join
) -> None:
    join(ADA)

    held = access(client, ADA)
    sent = [event for event in held["events"] if event["event"] == "mail_sent"]
    assert [each.get("detail") for each in sent] == [None, "way_back"]
    asked, letter = held["letters"]
    assert (asked["kind"], letter["kind"]) == ("confirmation", "way_back")
    assert letter["template"] not in (None, asked["template"])
    assert letter["values"]["signup_url"] == FORM
    assert "unsubscribe_url" not in letter["values"]


@pytest.mark.usefixtures("forgotten")
def test_the_letter_says_when_they_confirmed_however_late_it_leaves(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    drain()
    clock.shift(MINUTE)
    press(client, mailbox, ADA)
    mailbox.answer_next("rcpt", LATER)
    drain()
    clock.shift(DAY)
    drain()

    [letter] = told(mailbox)
    held = access(client, ADA)
    assert held["letters"][1]["values"] == {
        "recipient": "Ada@example.org",
        "language": "de",
        "confirmed_at": "2026-03-01T12:01:00Z",
        "signup_url": FORM,
        "reference": held["reference"],
        "message_id": letter["Message-ID"],
        "sent_at": "2026-03-02T12:01:00Z",
    }
    assert letter["Date"].datetime.isoformat() == "2026-03-02T12:01:00+00:00"


@pytest.mark.usefixtures("forgotten")
def test_the_letter_lets_them_withdraw_the_consent(
    client: FlaskClient, mailbox: Mailbox, join: Join
) -> None:
    join(ADA)
    [letter] = told(mailbox)

    assert client.post(link_in(letter, "unsubscribe")).status_code == 200

    assert status_of(client, ADA) == "blocked"


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("locale", "subject"), [("de", "Ihre Newsletter-Anmeldung"), ("en", "Your newsletter request")]
)
def test_the_letter_is_in_the_language_of_the_consent(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, locale: str, subject: str
) -> None:
    sign_up(client, ADA, locale=locale)
    drain()
    press(client, mailbox, ADA)
    drain()

    [letter] = told(mailbox)
    assert letter["Subject"].startswith(subject)
    assert letter["Content-Language"] == locale


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("locale", ["de", "en"])
def test_who_was_taken_over_gets_it_in_their_language_once_they_sign_up(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, locale: Locale
) -> None:
    with app.app_context(), writing() as session:
        nobody = lock_person(session, Address.parse(ADA))
        assert isinstance(nobody, Unknown)
        nobody.locale = locale
        act(nobody, TakeOver(evidence="{}"), actor="dpo")
    drain()
    assert mailbox.letters == []

    sign_up(client, ADA)
    drain()

    [letter] = told(mailbox)
    assert letter["Content-Language"] == locale


@pytest.mark.usefixtures("forgotten")
def test_they_get_the_letter_once_in_thirty_days_however_often_they_sign_up(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    for _ in range(59):
        clock.shift(DAY / 2)
        sign_up(client, ADA)
        drain()
    assert len(told(mailbox)) == 1

    clock.shift(DAY / 2)
    sign_up(client, ADA)
    drain()
    clock.shift(DAY)
    sign_up(client, ADA)
    drain()

    assert len(told(mailbox)) == 2
    assert events_of(client, ADA)[-2:] == ["mail_sent", "mail_sent"]


@pytest.mark.usefixtures("forgotten")
def test_leaving_and_coming_back_causes_no_second_letter(
    client: FlaskClient, mailbox: Mailbox, join: Join, clock: Clock
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    clock.shift(DAY)

    join(ADA)

    assert access(client, ADA)["mailchimp"] == {"status": "refused", "error": "forgotten"}
    assert len(told(mailbox)) == 1


@pytest.mark.usefixtures("awaited")
def test_a_person_whom_mailchimp_asks_again_gets_the_letter_only_after_a_new_sign_up(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    assert told(mailbox) == []
    for _ in range(29):
        clock.shift(DAY)
        sign_up(client, ADA)
        drain()

    assert len(told(mailbox)) == 1


@pytest.mark.usefixtures("awaited")
def test_after_a_new_sign_up_the_letter_keeps_the_pause_of_ten_minutes(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    clock.shift(9 * MINUTE)
    sign_up(client, ADA)
    drain()
    assert told(mailbox) == []

    clock.shift(MINUTE)
    sign_up(client, ADA)
    drain()

    assert len(told(mailbox)) == 1


def test_it_is_not_written_as_the_fourth_letter_of_a_day_to_a_mailbox_but_when_they_ask_again(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    tagged = "ada+news@example.org"
    mailchimp.forgotten.add(tagged)
    for email in (ADA, ADA, tagged):
        sign_up(client, email)
        drain()
        clock.shift(10 * MINUTE)
    press(client, mailbox, tagged)
    drain()
    assert (len(mailbox.letters), told(mailbox, tagged)) == (3, [])

    clock.shift(DAY)
    sign_up(client, tagged)
    drain()

    assert len(told(mailbox, tagged)) == 1


@pytest.mark.usefixtures("forgotten")
def test_it_counts_as_one_of_the_three_letters_of_a_day(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    for _ in range(2):
        ask_staff(client, "blocks", ADA, reason="unsubscribed")
        clock.shift(10 * MINUTE)
        sign_up(client, ADA)
        drain()

    assert len(mailbox.letters) == 3


def test_without_mailchimps_form_nobody_gets_the_letter(
    environ: dict[str, Any], mailbox: Mailbox, mailchimp: StandIn, clock: Clock
) -> None:
    mailchimp.forgotten.add(ADA.lower())
    app = create_app(load({**environ, "MAILCHIMP_SIGNUP_URL": ""}))
    client, worker = app.test_client(), Worker(app)
    sign_up(client, ADA)
    worker.drain()
    press(client, mailbox, ADA)
    worker.drain()
    clock.shift(DAY)
    sign_up(client, ADA)
    worker.drain()

    assert len(mailbox.letters) == 1
    worker.close()
    with app.app_context():
        db.engine.dispose()


def test_a_person_whose_address_looks_fake_gets_no_letter(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, clock: Clock
) -> None:
    fake = "ada@mailinator.com"
    join(fake)
    assert access(client, fake)["mailchimp"]["status"] == "refused"
    clock.shift(DAY)
    sign_up(client, fake)
    drain()

    assert len(mailbox.letters) == 1


def test_a_person_who_is_subscribed_at_mailchimp_gets_no_letter(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    clock.shift(DAY)
    sign_up(client, ADA)
    drain()

    assert len(mailbox.letters) == 1


@pytest.mark.usefixtures("awaited")
def test_a_returning_person_gets_a_confirmation_e_mail_instead(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    clock.shift(DAY)
    sign_up(client, ADA)
    drain()

    assert status_of(client, ADA) == "returning"
    assert (len(mailbox.letters), told(mailbox)) == (3, [])


@pytest.mark.usefixtures("forgotten")
def test_a_restricted_person_gets_no_letter(
    app: Flask, client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(hold=True))
    clock.shift(31 * DAY)
    sign_up(client, ADA)
    drain()

    assert len(told(mailbox)) == 1


@pytest.fixture
def waiting(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, forgotten: None, clock: Clock
) -> None:
    """Ada is to be told, and the mail server does not take the letter yet."""
    sign_up(client, ADA)
    drain()
    press(client, mailbox, ADA)
    mailbox.answer_next("rcpt", LATER)
    drain()
    clock.shift(5)
    assert [letter["sent_at"] is None for letter in access(client, ADA)["letters"]] == [False, True]


@pytest.mark.usefixtures("waiting")
def test_a_letter_that_waits_is_sent_later(mailbox: Mailbox, drain: Drain) -> None:
    drain()

    assert len(told(mailbox)) == 1


@pytest.mark.usefixtures("waiting")
def test_an_erasure_drops_a_letter_that_waits(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    ask_staff(client, "erasures", ADA)

    drain()

    assert told(mailbox) == []


@pytest.mark.usefixtures("waiting")
def test_leaving_drops_a_letter_that_waits(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    ask_staff(client, "blocks", ADA, reason="unsubscribed")

    drain()

    assert told(mailbox) == []


@pytest.mark.usefixtures("waiting")
def test_a_dropped_letter_does_not_count(
    client: FlaskClient, mailbox: Mailbox, join: Join, clock: Clock
) -> None:
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    clock.shift(DAY)

    join(ADA)

    assert len(told(mailbox)) == 1


@pytest.mark.usefixtures("waiting")
def test_a_person_whom_mailchimp_has_added_meanwhile_gets_no_letter(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, drain: Drain
) -> None:
    mailchimp.signs_up_at_mailchimp(ADA)
    webhook(client, type="subscribe", data_list_id=mailchimp.list_id, data_email=ADA)

    drain()

    assert access(client, ADA)["mailchimp"]["status"] == "subscribed"
    assert told(mailbox) == []


@pytest.mark.usefixtures("forgotten")
def test_an_undelivered_letter_does_not_count(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    drain()
    press(client, mailbox, ADA)
    mailbox.answer_next("rcpt", "552 5.2.2 full")
    drain()
    failed = access(client, ADA)["events"][-2]
    assert (failed["event"], failed["detail"]) == ("mail_failed", "way_back: rcpt 552 5.2.2")

    clock.shift(10 * MINUTE)
    sign_up(client, ADA)
    drain()

    assert len(told(mailbox)) == 1


@pytest.mark.usefixtures("forgotten")
def test_the_answer_to_a_sign_up_does_not_reveal_who_gets_the_letter(
    app: Flask, client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA, GRACE)
    clock.shift(30 * DAY)
    for first in ("first@example.net", "second@example.net"):
        # A process reads its keyring anew each minute, and after each new connection, whoever asks.
        sign_up(client, first)
    answers, trips = [], []
    for person in (ADA, GRACE, HEDY):
        with app.app_context(), listening(db.engine) as said:
            answer = sign_up(client, person)
        answers.append((answer.status_code, answer.get_data(), sorted(dict(answer.headers))))
        trips.append(said)
    drain()

    assert [len(mailbox.letters_to(person)) for person in (ADA, GRACE, HEDY)] == [3, 1, 1]
    assert answers[0] == answers[1] == answers[2]
    assert len(trips[0]) == len(trips[1]) == len(trips[2])
