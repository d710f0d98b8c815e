"""The limits of letters to a mailbox, in any spelling, and of the duration of a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.storage.database import reading, writing
from newsletter.storage.models import Quota
from newsletter.subscriptions import quota
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


BOX = bytes(32)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def counted_at(app: Flask, *hours: int) -> list[tuple[str, datetime]]:
    """Copies of letters "a", "b" … that were counted so many hours from now, and what is counted."""
    with app.app_context():
        for letter, hour in zip("abcd", hours, strict=False):
            with writing() as session:
                quota.count_copy(session, BOX, letter, NOW + hour * HOUR)
        return counted()


def counted() -> list[tuple[str, datetime]]:
    with reading() as session:
        row = session.scalars(select(Quota)).one()
        assert row.digest == BOX
        return [(letter, datetime.fromisoformat(at)) for at, letter in row.letters]


def test_a_copy_counts_beside_what_was_counted(app: Flask) -> None:
    assert counted_at(app, 0, 1) == [("a", NOW), ("b", NOW + HOUR)]
    with app.app_context(), reading() as session:
        assert session.scalars(select(Quota.touched_at)).one() == NOW + HOUR


def test_a_letter_is_taken_back_as_far_as_it_was_counted_since(app: Flask) -> None:
    counted_at(app, 0, 1)
    with app.app_context(), writing() as session:
        for hour in (2, 3):
            quota.count_copy(session, BOX, "a", NOW + hour * HOUR)

    with app.app_context():
        with writing() as session:
            quota.uncount(session, BOX, "a", since=NOW + 2 * HOUR)
        assert counted() == [("a", NOW), ("b", NOW + HOUR)]
        with writing() as session:
            quota.uncount(session, BOX, "a")
            quota.uncount(session, bytes([1]) * 32, "b")  # of nobody: nothing to take back
        assert counted() == [("b", NOW + HOUR)]


@pytest.mark.parametrize(
    ("hours", "earliest", "room_from"),
    [
        ((), 0, 0),
        ((0, 1), 2, 2),
        ((0, 1, 2), 3, 24),
        ((0, 1, 2), 25, 25),
        ((2, 0, 1), 3, 24),
        ((0, 1, 2, 3), 4, 25),
    ],
)
def test_the_next_letter_has_room_when_one_of_the_last_three_counts_no_more(
    app: Flask, hours: tuple[int, ...], earliest: int, room_from: int
) -> None:
    if hours:
        counted_at(app, *hours)

    with app.app_context(), reading() as session:
        moment = quota.has_room_from(session, BOX, NOW + earliest * HOUR)
    assert moment == NOW + room_from * HOUR
