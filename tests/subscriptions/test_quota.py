"""The limits of letters to a mailbox, in any spelling, and of the duration of a request."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.storage.database import reading
from newsletter.storage.models import Quota
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, on_sqlite
from tests.people import ADA, access, ask_staff, events_of, press, sign_up, status_of

PAUSE = timedelta(minutes=10)
DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("clock")

SPELLINGS = {
    "tags": [f"ada+{number}@example.org" for number in range(10)] + ["ada@example.org"],
    "dots at Gmail": [
        "adal@gmail.com",
        "a.dal@gmail.com",
        "ad.a.l@googlemail.com",
        "Ada.L+x@Gmail.com",
    ],
}


@pytest.mark.parametrize("spellings", SPELLINGS.values(), ids=SPELLINGS)
def test_a_mailbox_gets_three_letters_a_day_in_any_spelling(
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    clock: time_machine.Traveller,
    spellings: list[str],
) -> None:
    for spelling in spellings:
        assert sign_up(client, spelling).status_code == 202
        clock.shift(PAUSE)
    drain()

    assert [len(mailbox.letters_to(spelling)) for spelling in spellings[:4]] == [1, 1, 1, 0]
    assert len(mailbox.letters) == 3


@on_sqlite
def test_two_spellings_are_two_people(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, "ada@example.org")
    clock.shift(PAUSE)
    sign_up(client, "ada+news@example.org")
    drain()

    assert press(client, mailbox, "ada+news@example.org") == 200

    assert status_of(client, "ada@example.org") == "pending"


@on_sqlite
def test_at_other_providers_dots_distinguish_mailboxes(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    for spelling in ("a.da@example.org", "ad.a@example.org"):
        sign_up(client, spelling)
    drain()

    assert len(mailbox.letters) == 2


def test_a_letter_to_a_spelling_that_fails_for_good_does_not_count(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, "ada+news@example.org")
    mailbox.answer_next("rcpt", "550 5.1.1 unknown")
    drain()

    assert events_of(client, "ada+news@example.org") == ["signup", "mail_failed"]
    with app.app_context(), reading() as session:
        assert session.scalars(select(Quota.letters)).one() == []


@on_sqlite
def test_erasing_one_spelling_leaves_no_count(app: Flask, client: FlaskClient) -> None:
    sign_up(client, "ada+news@example.org")
    ask_staff(client, "erasures", "ada+news@example.org")

    with app.app_context(), reading() as session:
        assert session.scalars(select(Quota)).all() == []


def test_a_stranger_who_signs_somebody_up_every_day_causes_five_letters(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    drain()
    first = access(client, ADA)
    for _ in range(10):
        clock.shift(DAY)
        sign_up(client, ADA)
        drain()

    held = access(client, ADA)
    assert len(mailbox.letters_to(ADA)) == 5
    assert held["reference"] == first["reference"]
    assert [event["event"] for event in held["events"]].count("signup") == 5


def test_a_stranger_who_asks_for_the_data_each_day_causes_no_more(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    drain()
    for _ in range(6):
        clock.shift(DAY / 2)
        client.post("/my-data", json={"email": ADA})
        drain()
        clock.shift(DAY / 2)
        sign_up(client, ADA)
        drain()

    assert len(mailbox.letters_to(ADA)) == 5
    assert status_of(client, ADA) == "pending"


def test_whoever_confirmed_gets_a_link_to_their_data_however_many_letters_there_were(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    for _ in range(5):
        sign_up(client, ADA)
        drain()
        clock.shift(DAY)
    assert press(client, mailbox, ADA) == 200
    client.post("/my-data", json={"email": ADA})
    drain()

    assert len(mailbox.letters_to(ADA)) == 6


def test_a_request_ends_fourteen_days_after_its_first_sign_up_at_the_latest(
    client: FlaskClient, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    first = datetime.fromisoformat(access(client, ADA)["since"])
    for _ in range(2):
        clock.shift(6 * DAY)
        sign_up(client, ADA)
        drain()

    assert datetime.fromisoformat(access(client, ADA)["expires_at"]) == first + 14 * DAY
    clock.shift(2 * DAY)
    drain()
    assert status_of(client, ADA) == "unknown"


@on_sqlite
def test_the_next_request_has_five_letters_of_its_own(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    for _ in range(16):  # the first request ends a week after its fifth letter
        sign_up(client, ADA)
        drain()
        clock.shift(DAY)

    assert len(mailbox.letters_to(ADA)) == 10
