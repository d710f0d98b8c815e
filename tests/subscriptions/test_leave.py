"""Leaving: what a link knows, what it answers, and until when the proof is kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from newsletter.subscriptions import leave
from newsletter.subscriptions.leave import Departure, Disowned
from newsletter.subscriptions.links import Link
from tests.conftest import Join
from tests.people import ADA, GRACE, access, sign_up, webhook


def test_the_year_in_which_somebody_leaves_is_that_of_the_time_zone(
    app: Flask, client: FlaskClient, join: Join, clock: time_machine.Traveller
) -> None:
    join(ADA)
    link = Link(str(access(client, ADA)["reference"]), 1)
    last_second, midnight = "2026-12-31T22:59:59+00:00", "2026-12-31T23:00:00+00:00"  # of Berlin

    with app.app_context():
        clock.move_to(last_second)
        assert leave.proof_until(link) == date(2029, 12, 31)
        clock.move_to(midnight)
        assert leave.proof_until(link) == date(2030, 12, 31)
        departure = leave.unsubscribe(link)

    left_at = datetime.fromisoformat(midnight)
    assert departure == Departure(left_at, date(2030, 12, 31), is_permanent=False)


def test_a_link_has_the_language_of_its_sign_up(app: Flask, client: FlaskClient) -> None:
    sign_up(client, ADA, locale="en")
    sign_up(client, GRACE, locale="de")
    refs = [*(str(access(client, email)["reference"]) for email in (ADA, GRACE)), "0" * 32]

    with app.app_context():
        assert [leave.language_of(Link(ref)) for ref in refs] == ["en", "de", None]


def test_a_link_knows_whether_somebody_has_left_and_whether_its_round_is_over(
    app: Flask, client: FlaskClient, join: Join
) -> None:
    join(ADA)
    reference = str(access(client, ADA)["reference"])
    first, second = Link(reference, 1), Link(reference, 2)
    nobody = Link("0" * 32, 1)

    with app.app_context():
        assert (leave.has_left(first), leave.is_over(first), leave.is_over(second)) == (
            False,
            False,
            True,
        )
        assert (leave.has_left(nobody), leave.is_over(nobody), leave.proof_until(second)) == (
            True,
            True,
            None,
        )
        leave.unsubscribe(first)
        assert (leave.has_left(first), leave.is_over(first), leave.is_over(second)) == (
            True,
            True,
            False,
        )
        sign_up(client, ADA)
        assert (leave.has_left(first), leave.proof_until(second)) == (True, None)
        assert leave.unsubscribe(nobody) is None


def test_not_me_says_whether_a_consent_and_whether_only_staff_can_end_the_block(
    app: Flask, client: FlaskClient, join: Join
) -> None:
    join(ADA)
    sign_up(client, GRACE)
    confirmed, open_ = (str(access(client, email)["reference"]) for email in (ADA, GRACE))

    with app.app_context():
        assert leave.disown(Link(open_, 2), and_block=True) == Disowned(None, is_blocked=False)
        assert leave.disown(Link("0" * 32, 1), and_block=True) == Disowned(None, is_blocked=False)
        assert leave.disown(Link(open_, 1), and_block=True) == Disowned(None, is_blocked=True)
        done = leave.disown(Link(confirmed, 1), and_block=False)
        assert (
            (done.departure is not None and done.departure.is_permanent) is done.is_blocked is True
        )
        assert leave.disown(Link(confirmed, 1), and_block=False) == Disowned(None, is_blocked=True)


def test_after_a_bounce_staff_alone_end_the_block_for_thirty_days(
    app: Flask, client: FlaskClient, join: Join, clock: time_machine.Traveller
) -> None:
    join(ADA)
    link = Link(str(access(client, ADA)["reference"]), 1)
    webhook(client, type="cleaned", data_reason="hard", data_list_id="a1b2c3d4e5", data_email=ADA)

    with app.app_context():
        assert leave.disown(link, and_block=False) == Disowned(None, is_blocked=True)
        clock.shift(timedelta(days=30))
        assert leave.disown(link, and_block=False) == Disowned(None, is_blocked=False)


def test_whose_request_is_over_has_nothing_to_leave(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    link = Link(str(access(client, ADA)["reference"]), 1)
    clock.shift(timedelta(days=7))

    with app.app_context():
        assert leave.unsubscribe(link) is None
        assert leave.is_over(link)
