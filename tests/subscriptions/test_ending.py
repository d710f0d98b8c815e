"""A request and a proof end once, when their time is over, and not before."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.domain.lifecycle import Event
from newsletter.ledger import log
from newsletter.storage.database import reading
from newsletter.storage.models import Erasure
from newsletter.subscriptions import ending
from tests.conftest import Join
from tests.people import ADA, access, ask_staff, sign_up, status_of

NOBODY = "0" * 32


def reference_of(client: FlaskClient, email: str = ADA) -> str:
    return str(access(client, email)["reference"])


def test_a_request_ends_once_when_its_time_is_over(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    reference = reference_of(client)

    with app.app_context():
        assert ending.expire(NOBODY) is ending.expire(reference) is False
        clock.shift(timedelta(days=7))
        assert ending.expire(reference) is True
        assert ending.expire(reference) is False
        with reading() as session:  # of whom Mailchimp knows nothing, nothing is to be erased there
            assert session.scalars(select(Erasure)).all() == []


@pytest.mark.parametrize("reason", ["unsubscribed", "staff"])
def test_a_proof_ends_once_when_its_period_is_over(
    app: Flask, client: FlaskClient, join: Join, clock: time_machine.Traveller, reason: str
) -> None:
    join(ADA)
    reference = reference_of(client)
    ask_staff(client, "blocks", ADA, reason=reason)

    with app.app_context():
        clock.move_to("2029-12-31T22:59:59+00:00")  # 23:59:59 in Berlin
        assert ending.retire(NOBODY) is ending.retire(reference) is False
        clock.move_to("2029-12-31T23:00:00+00:00")
        assert ending.retire(reference) is True
        assert ending.retire(reference) is False
        with reading() as session:
            last = log.events_of(session, reference)[-1]
    assert (last.event, last.actor) == (Event.ERASED, "retention")


@pytest.mark.parametrize("reason", ["unsubscribed", "staff"])
def test_a_sign_up_ends_a_proof_whose_period_is_over_but_no_hard_block(
    app: Flask, client: FlaskClient, join: Join, clock: time_machine.Traveller, reason: str
) -> None:
    join(ADA)
    reference = reference_of(client)
    ask_staff(client, "blocks", ADA, reason=reason)
    clock.move_to("2029-12-31T23:00:00+00:00")
    sign_up(client, ADA)

    is_ended = reason == "unsubscribed"
    assert (reference_of(client) != reference) is is_ended
    assert status_of(client, ADA) == ("pending" if is_ended else "blocked")
    with app.app_context(), reading() as session:
        erased = log.newest_of(session, reference, Event.ERASED)
    assert (erased is not None and erased.actor == "retention") is is_ended
