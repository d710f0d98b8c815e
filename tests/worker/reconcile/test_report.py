"""What `newsletter reconcile` says of what it did is true, and names what is to be mended."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.storage import holds, jobs
from newsletter.worker import backoff
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import problem, throttled
from sandbox.mailchimp.problems import internal_error, no_merge_fields
from tests.conftest import Clock, Drain, Join
from tests.people import ADA, GRACE, ask_staff, standing_of
from tests.worker.crowd import ALWAYS, is_write, join_all, place_of
from tests.worker.reconcile.conftest import Command


def test_a_partial_walk_claims_nothing_about_missing_contacts(
    mailchimp: StandIn, join: Join, command: Command
) -> None:
    join(ADA)
    assert "No drift: both sides agree." in command().output
    mailchimp.contacts.clear()

    told = command().output

    assert "No drift among these; who is missing there shows with --full." in told
    assert "agree" not in told


def test_the_report_counts_people_who_still_wait(
    app: Flask, join: Join, drain: Drain, command: Command
) -> None:
    join(ADA)
    join_all(app, GRACE)

    told = command("--full").output

    assert "No drift among these." in told
    assert "1 wait to be brought there." in told


@pytest.mark.usefixtures("clock")
def test_without_a_worker_the_command_syncs_waiting_people(
    app: Flask, client: FlaskClient, mailchimp: StandIn, command: Command
) -> None:
    join_all(app, ADA)

    result = command("--full")

    assert standing_of(mailchimp, ADA) == "subscribed"
    assert place_of(client, ADA) == ("subscribed", None)
    assert "No drift: both sides agree." in result.output


def left_here_and_there_again(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    """Grace has left at Mailchimp; Ada has left here, and stands there all the same."""
    join(ADA, GRACE)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    drain()
    mailchimp.add(ADA)
    mailchimp.unsubscribes(GRACE)


def test_calls_are_left_to_a_running_worker(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, command: Command
) -> None:
    left_here_and_there_again(client, mailchimp, join, drain)

    result = command()

    assert result.exit_code == 0
    assert "Settled 1; 1 handed to the worker." in result.output
    assert "1 wait to be brought there." in result.output


def test_without_a_worker_all_of_it_is_settled(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    clock: Clock,
) -> None:
    left_here_and_there_again(client, mailchimp, join, drain)
    clock.shift(jobs.LEASE)

    assert "Settled 2." in command().output
    assert standing_of(mailchimp, ADA) == "unsubscribed"


def test_while_mailchimp_is_on_hold_it_says_what_waits_and_why(
    app: Flask, client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, command: Command
) -> None:
    left_here_and_there_again(client, mailchimp, join, drain)
    with app.app_context():
        holds.begin("mailchimp", "merge_fields")

    for result in (command(), command("--full")):
        assert result.exit_code == 1
        assert "Mailchimp is on hold, and 1 wait to be brought there." in result.output
        assert "agree" not in result.output
        assert "MAILCHIMP_LIST_ID: the audience asks for merge fields" in result.stderr


def test_without_a_worker_the_command_probes_a_hold_itself(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    clock: Clock,
) -> None:
    left_here_and_there_again(client, mailchimp, join, drain)
    with app.app_context():
        holds.begin("mailchimp", "api_key")
    clock.shift(jobs.LEASE)

    result = command()

    assert result.exit_code == 0, result.output
    assert "Settled 2." in result.output


def test_a_hold_that_the_probe_does_not_end_is_reported(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    clock: Clock,
) -> None:
    left_here_and_there_again(client, mailchimp, join, drain)
    mailchimp.answer_next(no_merge_fields(["LNAME"]), times=ALWAYS, match=is_write)
    clock.shift(jobs.LEASE)

    result = command()

    assert result.exit_code == 1
    assert "Settled 1; 1 to be brought there." in result.output
    assert "Mailchimp is on hold, and 1 wait" in result.output


def test_it_says_that_it_waits_and_that_the_trouble_is_mailchimps_own(
    mailchimp: StandIn, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.0)
    mailchimp.answer_next(internal_error(), times=ALWAYS)

    result = command()

    assert result.exit_code == 1
    waits, why = result.stderr.splitlines()
    assert waits == "Mailchimp fails (http 500): trying again for a minute or two."
    assert why == "Error: Mailchimp: is in trouble itself (http 500); run it again later."


def test_a_short_failure_is_reported_when_it_begins(
    mailchimp: StandIn, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.0)
    mailchimp.answer_next(throttled())

    result = command()

    assert (result.exit_code, result.stderr.count("Mailchimp fails (throttled)")) == (0, 1)


def test_a_wrong_url_of_mailchimp_is_explained(mailchimp: StandIn, command: Command) -> None:
    mailchimp.answer_next(problem(404, "Resource Not Found", "It is not there."), times=ALWAYS)

    assert command().stderr.startswith("Error: MAILCHIMP_API_URL: Mailchimp knows nothing under it")


def test_a_missing_audience_is_explained(mailchimp: StandIn, command: Command) -> None:
    mailchimp.lose_list()

    assert command().stderr.startswith("Error: MAILCHIMP_LIST_ID: Mailchimp knows no such audience")
