"""LETTERS_PER_HOUR: what all letters together may be, whoever sends them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.worker.mail import leases
from sandbox.mailbox import Mailbox
from tests.conftest import Clock, Drain, both_databases
from tests.people import ADA, GRACE, HEDY, STAFF, said_by, sign_up

MINUTE = timedelta(minutes=1)
TOLD = "2 letters were sent within an hour, as many as LETTERS_PER_HOUR allows: the rest waits"

pytestmark = [both_databases, pytest.mark.usefixtures("clock")]


@pytest.fixture
def environ(environ: dict[str, Any]) -> dict[str, Any]:
    return {**environ, "LETTERS_PER_HOUR": "2"}


def recipients(mailbox: Mailbox) -> list[str]:
    return [letter.recipients[0] for letter in mailbox.letters]


def test_letters_above_the_limit_wait_and_ready_says_so(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
        drain()
        clock.shift(MINUTE)
    assert recipients(mailbox) == ["Ada@example.org", GRACE]
    assert TOLD in said_by(client.get("/ready", headers=STAFF))["reasons"]

    clock.shift(56 * MINUTE)
    drain()
    assert len(mailbox.letters) == 2

    clock.shift(MINUTE)
    drain()
    assert recipients(mailbox) == ["Ada@example.org", GRACE, HEDY]


def test_ready_says_so_no_longer_once_nothing_waits_for_it(
    client: FlaskClient, drain: Drain, clock: Clock
) -> None:
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    drain()
    clock.shift(60 * MINUTE)
    drain()
    clock.shift(2 * MINUTE)

    assert TOLD not in said_by(client.get("/ready", headers=STAFF))["reasons"]


@pytest.mark.parametrize("reply", ["451 4.3.0 later", "550 5.1.1 unknown user"])
def test_a_letter_that_did_not_leave_does_not_count(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, reply: str
) -> None:
    mailbox.answer_next("rcpt", reply)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    drain()

    assert recipients(mailbox) == [GRACE, HEDY]


def test_a_letter_that_may_have_arrived_counts(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    mailbox.answer_next("data", None)
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)
    drain()

    assert len(mailbox.letters) == 1


def test_several_workers_take_no_more_together(app: Flask, client: FlaskClient) -> None:
    for person in (ADA, GRACE, HEDY):
        sign_up(client, person)

    with app.app_context():
        taken = [len(leases.lease(worker, 1)) for worker in ("one", "two", "three")]

    assert taken == [1, 1, 0]
