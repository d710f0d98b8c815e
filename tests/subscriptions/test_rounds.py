"""Rounds: whether a link is valid after an unsubscribe, a new sign-up or its end; and the limits of letters."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import EmailMessage

import psycopg
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Erase
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Quota, Subscription
from newsletter.subscriptions import ending, links
from newsletter.subscriptions.links import Link, Purpose
from newsletter.subscriptions.person import lock_person
from newsletter.subscriptions.transition import act
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import Drain, on_postgresql, on_sqlite
from tests.journeys.service import wait_until
from tests.patience import PATIENCE
from tests.people import (
    ADA,
    GRACE,
    JSON,
    access,
    ask_staff,
    confirm,
    events_of,
    link_in,
    said_by,
    sign_up,
    status_of,
    webhook,
)

Ask = Callable[..., EmailMessage]
Way = Callable[[FlaskClient, EmailMessage], object]

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
PAUSE = 10 * MINUTE

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def ask(client: FlaskClient, mailbox: Mailbox, drain: Drain) -> Ask:
    """Sign up, and return the letter."""

    def ask(email: str = ADA, **fields: str) -> EmailMessage:
        before = len(mailbox.letters_to(email))
        sign_up(client, email, **fields)
        drain()
        [letter] = mailbox.letters_to(email)[before:]
        return letter.message

    return ask


def letters_for(client: FlaskClient, mailbox: Mailbox, drain: Drain, email: str = ADA) -> int:
    """How many letters one more sign-up causes."""
    before = len(mailbox.letters_to(email))
    assert sign_up(client, email).status_code == 202
    drain()
    return len(mailbox.letters_to(email)) - before


def disown(client: FlaskClient, letter: EmailMessage, **fields: str) -> TestResponse:
    return client.post(link_in(letter, "not-me"), data=fields, headers=JSON)


def unsubscribe(client: FlaskClient, letter: EmailMessage) -> TestResponse:
    """Unsubscribe by the link on the success page."""
    url: str = said_by(confirm(client, letter))["unsubscribe"]
    return client.post(url.removeprefix("http://localhost:8000"), headers=JSON)


def blocked_by_staff(reason: str) -> Way:
    return lambda client, _: ask_staff(client, "blocks", ADA, reason=reason)


def told(kind: str, **fields: str) -> Way:
    """Mailchimp's webhook reports it."""
    whose = {"data_list_id": "a1b2c3d4e5", "data_email": ADA}
    return lambda client, _: webhook(client, type=kind, **whose, **fields)


def round_of(app: Flask) -> int:
    with app.app_context(), reading() as session:
        return session.scalars(select(Subscription.round)).one()


SOFT_WAYS_OUT = [
    pytest.param(unsubscribe, id="link"),
    pytest.param(blocked_by_staff("unsubscribed"), id="staff"),
    pytest.param(told("unsubscribe"), id="mailchimp"),
    pytest.param(told("unsubscribe", data_action="delete"), id="removed"),
]
HARD_WAYS_OUT = [
    pytest.param(disown, id="not-me"),
    pytest.param(blocked_by_staff("staff"), id="never-again"),
    pytest.param(told("unsubscribe", data_reason="abuse"), id="complaint"),
    pytest.param(told("cleaned", data_reason="hard"), id="bounce"),
]


@on_sqlite
@pytest.mark.parametrize("leave", [*SOFT_WAYS_OUT, *HARD_WAYS_OUT])
def test_the_round_rises_when_a_subscriber_leaves(
    app: Flask, client: FlaskClient, ask: Ask, leave: Way
) -> None:
    letter = ask()
    confirm(client, letter)
    assert round_of(app) == 1

    leave(client, letter)

    assert status_of(client, ADA) == "blocked"
    assert round_of(app) == 2


@pytest.mark.parametrize(
    "leave",
    [
        pytest.param(blocked_by_staff("unsubscribed"), id="staff"),
        pytest.param(lambda client, letter: disown(client, letter, block="1"), id="not-me"),
        pytest.param(told("cleaned", data_reason="hard"), id="bounce"),
    ],
)
def test_the_round_rises_when_a_request_is_blocked(
    app: Flask, client: FlaskClient, ask: Ask, leave: Way
) -> None:
    leave(client, ask())

    assert status_of(client, ADA) == "blocked"
    assert round_of(app) == 2


@pytest.mark.parametrize(
    ("leave", "reason"),
    [
        pytest.param(disown, "unsubscribed", id="not-me"),
        pytest.param(
            lambda client, letter: disown(client, letter, block="1"), "not_me", id="block"
        ),
        pytest.param(blocked_by_staff("complaint"), "complaint", id="staff"),
    ],
)
def test_the_round_rises_when_a_returning_person_is_blocked_again(
    app: Flask, client: FlaskClient, ask: Ask, leave: Way, reason: str
) -> None:
    unsubscribe(client, ask())
    letter = ask()
    leave(client, letter)

    assert access(client, ADA)["reason"] == reason
    assert round_of(app) == 3
    assert confirm(client, letter).status_code == 410


def test_the_round_rises_when_the_request_of_a_returning_person_expires(
    app: Flask, client: FlaskClient, ask: Ask, drain: Drain, clock: time_machine.Traveller
) -> None:
    unsubscribe(client, ask())
    letter = ask()
    clock.shift(WEEK)
    drain()

    assert (status_of(client, ADA), round_of(app)) == ("blocked", 3)
    assert confirm(client, letter).status_code == 410


def test_asking_again_or_a_weaker_block_does_not_raise_the_round(
    app: Flask, client: FlaskClient, ask: Ask, clock: time_machine.Traveller
) -> None:
    ask()
    clock.shift(PAUSE)
    ask()
    assert round_of(app) == 1

    for reason in ("complaint", "bounce", "complaint"):
        ask_staff(client, "blocks", ADA, reason=reason)

    assert round_of(app) == 2


@pytest.mark.requires("R47")
@on_sqlite
@pytest.mark.parametrize("leave", [*SOFT_WAYS_OUT, *HARD_WAYS_OUT])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_old_link_never_lifts_a_block(
    client: FlaskClient, ask: Ask, leave: Way, method: str
) -> None:
    letter = ask()
    confirm(client, letter)
    leave(client, letter)
    before = access(client, ADA)["reason"]

    assert client.open(link_in(letter), method=method, headers=JSON).status_code == 410
    assert (status_of(client, ADA), access(client, ADA)["reason"]) == ("blocked", before)


def test_a_link_never_lifts_a_block_of_the_request_that_made_it(
    client: FlaskClient, ask: Ask
) -> None:
    letter = ask()
    ask_staff(client, "blocks", ADA, reason="staff")
    assert confirm(client, letter).status_code == 410

    ask_staff(client, "lifts", ADA)

    assert confirm(client, letter).status_code == 410
    assert status_of(client, ADA) == "blocked"


@pytest.mark.requires("R14", "R53")
@on_sqlite
@pytest.mark.parametrize("leave", SOFT_WAYS_OUT)
def test_only_the_link_of_the_present_round_brings_somebody_back(
    client: FlaskClient, ask: Ask, leave: Way
) -> None:
    old = ask()
    confirm(client, old)
    leave(client, old)
    new = ask()

    assert confirm(client, old).status_code == 410
    assert status_of(client, ADA) == "returning"
    assert confirm(client, new).status_code == 200
    assert status_of(client, ADA) == "confirmed"


def test_a_link_of_an_earlier_round_is_outdated_also_for_a_person_who_is_confirmed_again(
    client: FlaskClient, ask: Ask
) -> None:
    old = ask()
    unsubscribe(client, old)
    confirm(client, ask())

    assert confirm(client, old).status_code == 410
    assert client.get(link_in(old)).status_code == 410
    assert status_of(client, ADA) == "confirmed"


@pytest.mark.parametrize("fields", [{}, {"block": "1"}])
def test_not_me_of_an_earlier_round_shows_success_and_changes_nothing(
    app: Flask, client: FlaskClient, ask: Ask, fields: dict[str, str]
) -> None:
    old = ask()
    unsubscribe(client, old)
    assert said_by(disown(client, old, **fields)) == {"status": "disowned"}
    assert access(client, ADA)["reason"] == "unsubscribed"

    confirm(client, ask())

    assert disown(client, old, **fields).status_code == 200
    assert (status_of(client, ADA), round_of(app)) == ("confirmed", 2)


def test_not_me_without_a_subscription_shows_success_and_creates_none(
    client: FlaskClient, ask: Ask
) -> None:
    letter = ask()
    disown(client, letter)

    assert said_by(disown(client, letter, block="1")) == {"status": "disowned"}
    assert status_of(client, ADA) == "unknown"


@pytest.mark.requires("R51")
def test_the_unsubscribe_link_is_valid_in_every_round(client: FlaskClient, ask: Ask) -> None:
    first = said_by(confirm(client, ask()))["unsubscribe"]
    path = first.removeprefix("http://localhost:8000")
    client.post(path)
    again = said_by(confirm(client, ask()))["unsubscribe"]

    assert again == first
    assert client.post(path).status_code == 200
    assert access(client, ADA)["reason"] == "unsubscribed"


def is_waiting(database_url: str) -> bool:
    with psycopg.connect(database_url) as connection:
        counted = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return counted is not None and counted[0] > 0


@on_postgresql
def test_unsubscribing_during_an_erasure_succeeds(
    app: Flask, client: FlaskClient, ask: Ask, database_url: str
) -> None:
    url: str = said_by(confirm(client, ask()))["unsubscribe"]
    path = url.removeprefix("http://localhost:8000")
    with ThreadPoolExecutor(1) as crowd:
        with app.app_context(), writing() as session:
            act(lock_person(session, Address.parse(ADA)), Erase(), actor="dpo")
            left = crowd.submit(app.test_client().post, path)
            wait_until(lambda: is_waiting(database_url), "the person waits")

        assert left.result(PATIENCE).status_code == 200
    assert status_of(client, ADA) == "erasing"


def test_the_unsubscribe_link_reveals_no_request_and_changes_none(
    app: Flask, client: FlaskClient, ask: Ask
) -> None:
    ask()
    reference = access(client, ADA)["reference"]
    with app.app_context():
        url = links.url_for(Purpose.UNSUBSCRIBE, Link(reference))

    assert client.post(url.removeprefix("http://localhost:8000")).status_code == 200
    assert status_of(client, ADA) == "pending"


def test_the_link_of_the_first_letter_is_valid_after_a_second_sign_up(
    client: FlaskClient, ask: Ask, clock: time_machine.Traveller
) -> None:
    first = ask()
    clock.shift(PAUSE)
    ask()

    assert client.get(link_in(first)).status_code == 200
    assert confirm(client, first).status_code == 200
    assert status_of(client, ADA) == "confirmed"


def test_both_letters_lead_to_the_same_confirmation(
    client: FlaskClient, ask: Ask, clock: time_machine.Traveller
) -> None:
    first = ask()
    clock.shift(PAUSE)
    second = ask()

    answers = [confirm(client, letter) for letter in (second, first, second)]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert events_of(client, ADA).count("confirmed") == 1


def test_either_letter_can_be_disowned(
    client: FlaskClient, ask: Ask, clock: time_machine.Traveller
) -> None:
    first = ask()
    clock.shift(PAUSE)
    second = ask()

    disown(client, first)

    assert status_of(client, ADA) == "unknown"
    assert confirm(client, second).status_code == 410


def test_asking_again_extends_the_time_of_the_earlier_link(
    client: FlaskClient, ask: Ask, clock: time_machine.Traveller
) -> None:
    first = ask()
    clock.shift(6 * DAY)
    ask()
    clock.shift(WEEK - SECOND)

    assert confirm(client, first).status_code == 200


def test_a_sign_up_within_the_pause_neither_extends_the_request_nor_is_logged(
    client: FlaskClient, mailbox: Mailbox, ask: Ask, drain: Drain, clock: time_machine.Traveller
) -> None:
    ask()
    before = access(client, ADA)["expires_at"]
    clock.shift(PAUSE - SECOND)

    assert letters_for(client, mailbox, drain) == 0
    assert access(client, ADA)["expires_at"] == before
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def test_a_sign_up_within_the_pause_does_not_change_the_language(
    client: FlaskClient, ask: Ask
) -> None:
    ask(locale="en")
    sign_up(client, ADA, locale="de")

    assert access(client, ADA)["language"] == "en"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_ends_in_time_also_before_housekeeping_ran(
    client: FlaskClient, ask: Ask, clock: time_machine.Traveller, method: str
) -> None:
    letter = ask()
    clock.shift(WEEK - SECOND)
    assert client.get(link_in(letter)).status_code == 200

    clock.shift(SECOND)

    assert client.open(link_in(letter), method=method, headers=JSON).status_code == 410
    assert "confirmed" not in events_of(client, ADA)


def test_viewing_an_overdue_request_does_not_end_it(
    client: FlaskClient, ask: Ask, clock: time_machine.Traveller
) -> None:
    ask()
    clock.shift(WEEK)

    assert [status_of(client, ADA), status_of(client, ADA)] == ["pending", "pending"]
    assert "expired" not in events_of(client, ADA)


@pytest.mark.parametrize("fields", [{}, {"block": "1"}])
def test_an_expired_request_cannot_be_disowned_any_more(
    client: FlaskClient, ask: Ask, clock: time_machine.Traveller, fields: dict[str, str]
) -> None:
    letter = ask()
    clock.shift(WEEK)

    assert said_by(disown(client, letter, **fields)) == {"status": "disowned"}
    assert status_of(client, ADA) == "unknown"


def test_a_returning_person_whose_request_expired_is_blocked_again(
    client: FlaskClient, ask: Ask, drain: Drain, clock: time_machine.Traveller
) -> None:
    unsubscribe(client, ask())
    letter = ask()
    clock.shift(WEEK)

    assert confirm(client, letter).status_code == 410
    drain()
    held = access(client, ADA)
    assert (held["status"], held["reason"]) == ("blocked", "unsubscribed")
    assert events_of(client, ADA)[-1] == "expired"


def test_a_sign_up_over_an_expired_request_begins_anew(
    client: FlaskClient, ask: Ask, clock: time_machine.Traveller
) -> None:
    old = ask()
    before = access(client, ADA)["reference"]
    clock.shift(WEEK)
    new = ask()

    assert access(client, ADA)["reference"] != before
    assert events_of(client, ADA) == ["signup", "mail_sent"]
    assert confirm(client, old).status_code == 410
    assert confirm(client, new).status_code == 200


def test_a_returning_person_who_signs_up_after_an_expired_request_keeps_their_proof(
    client: FlaskClient, ask: Ask, clock: time_machine.Traveller
) -> None:
    unsubscribe(client, ask())
    old = ask()
    clock.shift(WEEK)
    new = ask()

    assert events_of(client, ADA)[-3:] == ["expired", "signup", "mail_sent"]
    assert confirm(client, old).status_code == 410
    assert confirm(client, new).status_code == 200


def test_a_confirmed_round_is_the_same_success_after_its_date(
    client: FlaskClient, ask: Ask, clock: time_machine.Traveller
) -> None:
    letter = ask()
    first = confirm(client, letter)
    clock.shift(52 * WEEK)
    again = confirm(client, letter)

    # All but the link to the receipt, which is there for an hour.
    said = {name: value for name, value in said_by(first).items() if name != "receipt"}
    assert (again.status_code, said_by(again)) == (200, said)
    assert said_by(client.get(link_in(letter), headers=JSON))["status"] == "confirmed"
    assert events_of(client, ADA).count("confirmed") == 1


@pytest.mark.parametrize(("clicked", "language"), [(0, "de"), (1, "en")])
def test_the_consent_is_to_the_words_of_the_letter_that_was_clicked(
    client: FlaskClient,
    mailchimp: StandIn,
    ask: Ask,
    drain: Drain,
    clock: time_machine.Traveller,
    clicked: int,
    language: str,
) -> None:
    letters = [ask(locale="de")]
    clock.shift(PAUSE)
    letters.append(ask(locale="en"))
    shown = said_by(client.get(link_in(letters[clicked]), headers=JSON))
    confirm(client, letters[clicked])
    drain()

    held = access(client, ADA)
    confirmed = next(event for event in held["events"] if event["event"] == "confirmed")
    assert (shown["language"], held["wording"]["language"]) == (language, language)
    assert shown["consent"] == held["wording"]["text"]
    assert confirmed["wording"] == held["wording"]["hash"]
    assert mailchimp.contacts[ADA.lower()].language == language


def test_a_held_request_can_be_neither_confirmed_nor_asked_for_again(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    ask: Ask,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    letter = ask()
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(hold=True))
    clock.shift(PAUSE)

    assert client.get(link_in(letter)).status_code == 410
    assert confirm(client, letter).status_code == 410
    assert letters_for(client, mailbox, drain) == 0
    assert (status_of(client, ADA), access(client, ADA)["hold"]) == ("pending", True)


def test_a_restricted_person_can_unsubscribe(app: Flask, client: FlaskClient, ask: Ask) -> None:
    letter = ask()
    confirm(client, letter)
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(hold=True))

    assert unsubscribe(client, letter).status_code == 200
    assert access(client, ADA)["reason"] == "unsubscribed"


@pytest.mark.requires("R67")
def test_an_address_is_written_three_letters_a_day(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    brought = []
    for _ in range(6):
        brought.append(letters_for(client, mailbox, drain))
        clock.shift(PAUSE)

    assert brought == [1, 1, 1, 0, 0, 0]


def test_the_day_is_counted_from_each_letter(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    for _ in range(3):
        assert letters_for(client, mailbox, drain) == 1
        clock.shift(PAUSE)
    clock.shift(DAY - 3 * PAUSE - SECOND)
    assert letters_for(client, mailbox, drain) == 0

    clock.shift(SECOND)

    assert letters_for(client, mailbox, drain) == 1
    assert letters_for(client, mailbox, drain) == 0


def test_everybody_has_a_quota_of_their_own(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    assert letters_for(client, mailbox, drain, ADA) == 1
    assert letters_for(client, mailbox, drain, GRACE) == 1
    assert letters_for(client, mailbox, drain, ADA.upper()) == 0


def test_a_letter_may_fail_after_its_quota_has_ended(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    for reply in ("450 4.2.1 later", "450 4.2.1 later", "550 5.1.1 unknown"):
        mailbox.answer_next("rcpt", reply)
        drain()
        clock.shift(DAY)

    assert events_of(client, ADA) == ["signup", "mail_failed"]


@pytest.fixture
def exhausted(ask: Ask, clock: time_machine.Traveller) -> EmailMessage:
    """The last of the three letters that Ada may get in a day."""
    for _ in range(2):
        ask()
        clock.shift(PAUSE)
    last = ask()
    clock.shift(PAUSE)
    return last


def test_disowning_does_not_reset_the_quota(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, exhausted: EmailMessage
) -> None:
    disown(client, exhausted)

    assert letters_for(client, mailbox, drain) == 0
    assert status_of(client, ADA) == "unknown"


def test_disowning_does_not_end_the_ten_minutes(
    client: FlaskClient,
    mailbox: Mailbox,
    ask: Ask,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    disown(client, ask())
    assert letters_for(client, mailbox, drain) == 0

    clock.shift(PAUSE)

    assert letters_for(client, mailbox, drain) == 1


def test_expiring_leaves_the_quota(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    reference = access(client, ADA)["reference"]
    clock.shift(WEEK)
    with app.app_context():
        ending.expire(reference)

        with reading() as session:
            assert session.scalars(select(Subscription)).all() == []
            assert session.scalars(select(Quota)).one().letters


def test_erasing_resets_the_quota(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, exhausted: EmailMessage
) -> None:
    ask_staff(client, "erasures", ADA)

    assert letters_for(client, mailbox, drain) == 1


@on_sqlite
@pytest.mark.parametrize("leave", SOFT_WAYS_OUT)
def test_the_first_sign_up_after_a_block_need_not_wait(
    client: FlaskClient, mailbox: Mailbox, ask: Ask, drain: Drain, leave: Way
) -> None:
    letter = ask()
    confirm(client, letter)
    leave(client, letter)

    assert letters_for(client, mailbox, drain) == 1
    assert letters_for(client, mailbox, drain) == 0
    assert status_of(client, ADA) == "returning"


def test_after_a_block_too_there_are_three_letters_a_day(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, exhausted: EmailMessage
) -> None:
    unsubscribe(client, exhausted)
    before = events_of(client, ADA)

    assert letters_for(client, mailbox, drain) == 0
    assert status_of(client, ADA) == "blocked"
    assert events_of(client, ADA) == before


def test_unsubscribing_and_signing_up_in_turns_causes_three_letters_a_day(
    client: FlaskClient, mailbox: Mailbox, ask: Ask, drain: Drain
) -> None:
    for _ in range(3):
        unsubscribe(client, ask())

    assert letters_for(client, mailbox, drain) == 0
