"""A letter that a newer one replaces is deleted, and what became of one is bound to its address."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from newsletter.domain import clock as our_clock
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Event
from newsletter.ledger import log
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Letter, Subscription
from newsletter.storage.moments import CLOCKS_DIFFER
from tests.conftest import Drain
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


def test_that_a_letter_was_sent_is_recorded_with_its_texts_and_bound_to_its_address(
    app: Flask, client: FlaskClient, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()

    with app.app_context(), reading() as session:
        row = session.scalars(select(Subscription)).one()
        sent = log.newest_of(session, row.ref, Event.MAIL_SENT)
        assert row.nonce is not None
        assert sent is not None
        assert (sent.round, sent.wording) == (1, row.wording)
        assert sent.template is not None
        assert sent.commitment == log.commitment(row.nonce, Address.parse(ADA))
