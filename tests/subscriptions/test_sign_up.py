"""What a sign-up does: for everybody the same work, so that neither answer nor time tells who is known."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from newsletter.storage.models import db
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, Join
from tests.listening import listening
from tests.people import ask_staff, sign_up

DAY = timedelta(days=1)
EVERYBODY = [f"{number}@example.org" for number in range(11)]
NEW, PENDING, JUST_WRITTEN, CONFIRMED, LEFT, SHUT_OUT = EVERYBODY[:6]
RETURNING, HELD, ERASED, BEING_ERASED, KEPT_OUT = EVERYBODY[6:]


@pytest.fixture
def everybody(client: FlaskClient, join: Join, drain: Drain, clock: time_machine.Traveller) -> None:
    """People of every kind, long enough after their last e-mail, but for one."""
    for person in (CONFIRMED, LEFT, RETURNING, HELD, ERASED):
        join(person)
    sign_up(client, PENDING)
    for person in (LEFT, RETURNING):
        ask_staff(client, "blocks", person, reason="unsubscribed")
    ask_staff(client, "blocks", SHUT_OUT, reason="staff")
    sign_up(client, RETURNING)
    ask_staff(client, "holds", HELD, hold=True)
    ask_staff(client, "erasures", ERASED)
    ask_staff(client, "erasures", KEPT_OUT, keep_block=True)
    drain()
    clock.shift(DAY)
    ask_staff(client, "erasures", BEING_ERASED)
    sign_up(client, JUST_WRITTEN)


def written(said: list[tuple[str, Any]]) -> set[str]:
    """The tables that these write to."""
    found = (re.match(r"(?:INSERT INTO|UPDATE) (\w+)", statement) for statement, _ in said)
    return {match[1] for match in found if match}


@pytest.mark.requires("R18")
def test_whoever_signs_up_makes_the_same_work(
    app: Flask, client: FlaskClient, everybody: None
) -> None:
    heard = []
    for person in EVERYBODY:
        with app.app_context(), listening(db.engine) as said:
            assert sign_up(client, person).status_code == 202
        heard.append(said)

    assert [written(said) for said in heard] == [
        {"ledger_row", "subscription", "letter", "quota"}
    ] * len(EVERYBODY)
    # Where somebody known gets a letter, those that wait are taken back.
    answered = {PENDING, LEFT, RETURNING}
    assert [len(said) for said in heard] == [6 + (person in answered) for person in EVERYBODY]


def test_whoever_signs_up_again_in_another_spelling_is_written_to_as_before(
    client: FlaskClient, drain: Drain, mailbox: Mailbox, clock: time_machine.Traveller
) -> None:
    for spelling in ("Ada@example.org", "ada@example.org"):
        sign_up(client, spelling)
        drain()
        clock.shift(timedelta(minutes=11))

    assert [letter.message["To"] for letter in mailbox.letters] == ["Ada@example.org"] * 2
