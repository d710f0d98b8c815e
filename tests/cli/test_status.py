"""`newsletter status` shows how it goes and what waits, to people and to programs, without addresses."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from sandbox.mailbox import Mailbox
from tests.commands import Run
from tests.conftest import Clock, Drain, Join, every_loop
from tests.people import ADA, GRACE, HEDY, ask_staff, press, sign_up

pytestmark = every_loop


def test_a_new_service_has_nothing_to_show(run: Run) -> None:
    answer = run("status")

    assert answer.exit_code == 0
    assert "         0  requested\n" in answer.stdout
    assert "Ledger verified: never\n" in answer.stdout
    assert "E-mails that wait: none\n" in answer.stdout


@pytest.fixture
def busy(client: FlaskClient, join: Join, mailbox: Mailbox, drain: Drain, clock: Clock) -> None:
    """Hedy took ten minutes to confirm, Ada's mailbox is not there, Grace's mail server is busy."""
    sign_up(client, HEDY)
    drain()
    clock.shift(timedelta(minutes=10))
    assert press(client, mailbox, HEDY) == 200
    mailbox.answer_next("rcpt", "550 5.1.1 no such user")
    sign_up(client, ADA)
    drain()
    mailbox.answer_next("rcpt", "451 4.3.0 try again")
    sign_up(client, GRACE)
    drain()


@pytest.mark.usefixtures("busy")
def test_it_shows_the_funnel_and_why_something_waits(run: Run) -> None:
    told = run("status").stdout

    assert "         3  requested\n" in told
    assert "         1  lost: e-mail failed\n" in told
    assert "From request to confirmation (median): 10 min\n" in told
    assert "E-mails that wait: 1\n" in told
    assert "The mail server asks to try again later. (rcpt 451 4.3.0)" in told
    assert "E-mails given up: 1\n" in told
    assert "There is no such mailbox. (rcpt 550 5.1.1) To do: ask the person" in told
    assert "example" not in told


@pytest.mark.usefixtures("busy")
def test_programs_get_the_same_as_json(run: Run, client: FlaskClient) -> None:
    ask_staff(client, "erasures", HEDY)

    told = json.loads(run("status", "--json").stdout)

    assert told["today"]["totals"]["requested"] == 3
    assert len(told["today"]["days"]) == 30
    assert told["today"]["days"][-1]["confirmed"] == 1
    assert told["today"]["median_seconds_to_confirm"] == 600
    assert told["today"]["open_erasures"] == {"number": 1, "since": "2026-03-01T12:10:00Z"}
    [letter] = told["waiting"]["letters"]
    assert (letter["error"], letter["tries"], letter["kind"]) == (
        "rcpt 451 4.3.0",
        1,
        "confirmation",
    )
    assert letter["why"] == "The mail server asks to try again later."


def test_the_nightly_runs_are_dated(run: Run, join: Join, drain: Drain, clock: Clock) -> None:
    join(ADA)
    clock.shift(timedelta(days=1))
    drain()

    told = run("status").stdout
    assert "Ledger verified: 2 March 2026" in told
    assert "Reconciled with Mailchimp: 2 March 2026, 13:00 (CET), everybody: 0 differed\n" in told
    assert "; next: 3 March 2026, 03:00 (CET)\n" in told
