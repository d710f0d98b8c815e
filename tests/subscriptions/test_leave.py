"""Leaving: until when the proof is kept."""

from __future__ import annotations

from datetime import date, datetime

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from newsletter.subscriptions import leave
from newsletter.subscriptions.leave import Departure
from newsletter.subscriptions.links import Link
from tests.conftest import Join
from tests.people import ADA, access


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
