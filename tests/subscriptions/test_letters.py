"""A letter that a newer one replaces is deleted, but not while the postman sends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from newsletter.domain import clock as our_clock
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Letter
from newsletter.storage.moments import CLOCKS_DIFFER
from tests.people import ADA, sign_up

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("leased_for", "is_kept"),
    [
        (-SECOND, False),
        (SECOND, True),
        (jobs.LEASE, True),
        (jobs.LEASE + CLOCKS_DIFFER + SECOND, False),
    ],
    ids=["it ended", "it is sent now", "it begins", "the clock was set back"],
)
def test_a_second_letter_replaces_a_queued_one_unless_that_is_being_sent(
    app: Flask,
    client: FlaskClient,
    clock: time_machine.Traveller,
    leased_for: timedelta,
    is_kept: bool,
) -> None:
    sign_up(client, ADA)
    clock.shift(timedelta(hours=1))
    with app.app_context(), writing() as session:
        session.execute(update(Letter).values(leased_until=our_clock.now() + leased_for))
    sign_up(client, ADA)

    with app.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(Letter)) == 1 + is_kept
