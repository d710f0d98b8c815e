"""A wrong list blocks nobody, and mending it unsubscribes nobody, however few people there are."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Job
from newsletter.worker.mailchimp.client import client_for
from newsletter.worker.mailchimp.listing import MailchimpMembers
from newsletter.worker.mailchimp_loop import MailchimpLoop
from newsletter.worker.reconcile import walk
from newsletter.worker.reconcile.nightly import NightlyReconciliation
from sandbox.mailchimp import Contact, StandIn
from tests.commands import found_in_use
from tests.conftest import Clock, Drain, Join
from tests.people import ADA, GRACE, HEDY, STAFF, ask_staff, said_by, status_of
from tests.worker.crowd import is_write, join_all, numbered
from tests.worker.reconcile.conftest import Command

DAY = timedelta(days=1)
OTHER = "f0f0f0f0f0"
RENAMED = "MAILCHIMP_LIST_ID names another audience than before, and 1 people would change"

NameList = Callable[[str], dict[str, Contact]]


@pytest.fixture
def name_list(app: Flask, mailchimp: StandIn) -> NameList:
    """Set MAILCHIMP_LIST_ID, and have that audience; whom the one before had."""
    lists: dict[str, dict[str, Contact]] = {}

    def name(list_id: str) -> dict[str, Contact]:
        before = lists[mailchimp.audience.list_id] = dict(mailchimp.contacts)
        mailchimp.audience.list_id = list_id
        mailchimp.contacts.clear()
        mailchimp.contacts.update(lists.get(list_id, {}))
        settings = app.extensions["settings"]
        app.extensions["settings"] = settings.model_copy(update={"mailchimp_list_id": list_id})
        return before

    return name


def reasons(client: FlaskClient) -> list[str]:
    told: list[str] = said_by(client.get("/ready", headers=STAFF))["reasons"]
    return [reason for reason in told if "reconciliation" in reason]


def kept_audience(app: Flask) -> str | None:
    with app.app_context(), reading() as session:
        cursor = session.scalar(select(Job.cursor).where(Job.name == jobs.RECONCILIATION))
    audience: str | None = json.loads(cursor or "{}").get("audience")
    return audience


def a_night_passes(app: Flask, clock: Clock) -> None:
    """A worker that has begun with the present settings does what it does in a night."""
    clock.shift(DAY)
    with app.app_context():
        members = client_for(app.extensions["settings"], MailchimpMembers)
        assert members is not None
        mailchimp_loop = MailchimpLoop(
            members, "of the night", NightlyReconciliation(members, "of the night")
        )
        while mailchimp_loop.step():
            pass
        jobs.leave("of the night")
        members.close()


def test_with_another_audience_every_change_needs_confirmation(
    app: Flask, client: FlaskClient, join: Join, command: Command, name_list: NameList
) -> None:
    join(ADA)
    command()
    name_list(OTHER)

    stopped = command()

    assert stopped.exit_code == 1
    assert f"Stopped: {RENAMED}; none of the changes was made." in stopped.output
    assert "`newsletter reconcile --full --yes`" in stopped.stderr
    assert status_of(client, ADA) == "confirmed"
    assert reasons(client) == [f"reconciliation stopped: {RENAMED}"]
    assert kept_audience(app) != OTHER


def test_of_another_audience_it_is_done_when_it_is_asked_for(
    app: Flask, client: FlaskClient, join: Join, command: Command, name_list: NameList
) -> None:
    join(ADA)
    command()
    name_list(OTHER)

    done = command("--yes")

    assert done.exit_code == 0, done.output
    assert status_of(client, ADA) == "blocked"
    assert kept_audience(app) == OTHER


def test_correcting_the_setting_unsubscribes_nobody(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    command: Command,
    name_list: NameList,
) -> None:
    join(ADA)
    command()
    right = mailchimp.list_id
    name_list(OTHER)
    command("--yes")
    name_list(right)
    calls = len(mailchimp.calls)

    assert command().exit_code == 1

    assert mailchimp.contacts[ADA.lower()].status == "subscribed"
    assert not list(filter(is_write, mailchimp.calls[calls:]))


def test_another_audience_that_agrees_is_taken(
    app: Flask, mailchimp: StandIn, join: Join, command: Command, name_list: NameList
) -> None:
    join(ADA)
    command()
    mailchimp.contacts.update(name_list(OTHER))

    assert "No drift: both sides agree." in command().output
    assert kept_audience(app) == OTHER


def test_the_worker_stops_at_another_audience_too(
    app: Flask, client: FlaskClient, join: Join, clock: Clock, name_list: NameList
) -> None:
    join(ADA)
    a_night_passes(app, clock)
    name_list(OTHER)

    for _ in range(2):
        a_night_passes(app, clock)
        assert reasons(client) == [f"reconciliation stopped: {RENAMED}"]

    assert status_of(client, ADA) == "confirmed"


def test_the_audience_is_recorded_at_the_workers_first_check(
    app: Flask, mailchimp: StandIn, drain: Drain
) -> None:
    drain()

    assert kept_audience(app) == mailchimp.list_id


def test_an_audience_is_no_other_where_none_was_kept(
    app: Flask, mailchimp: StandIn, join: Join, command: Command, drain: Drain
) -> None:
    join(ADA)
    with app.app_context(), writing() as session:
        jobs.row(session, jobs.RECONCILIATION).cursor = json.dumps({"audience": None})
    mailchimp.unsubscribes(ADA)

    assert command().exit_code == 0
    assert kept_audience(app) == mailchimp.list_id


@pytest.mark.parametrize(("there", "seen"), [(0, "only 0 of 3"), (1, "only 1 of 3")])
def test_a_list_in_which_fewer_than_half_are_seen_changes_nobody(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    drain: Drain,
    command: Command,
    there: int,
    seen: str,
) -> None:
    people = numbered(3)
    join_all(app, *people)
    drain()
    for person in people[there:]:
        mailchimp.is_deleted(person)

    stopped = command("--full")
    done = command("--yes")

    assert stopped.exit_code == 1
    assert f"Stopped: {seen} who should be there were seen" in stopped.output
    assert done.exit_code == 0, done.output
    blocked = [person for person in people if status_of(client, person) == "blocked"]
    assert blocked == people[there:]


def test_a_list_in_which_nobody_is_seen_changes_nobody_though_most_have_left(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, command: Command
) -> None:
    for email in (ADA, GRACE, HEDY):
        join(email)
    for email in (GRACE, HEDY):
        ask_staff(client, "blocks", email, reason="unsubscribed")
    drain()
    mailchimp.contacts.clear()

    stopped = command("--full")

    assert "Stopped: only 0 of 3 who should be there were seen" in stopped.output
    assert status_of(client, ADA) == "confirmed"


def test_of_very_few_people_all_may_have_been_deleted(
    client: FlaskClient, mailchimp: StandIn, join: Join, command: Command
) -> None:
    for email in (ADA, GRACE):
        join(email)
        mailchimp.is_deleted(email)

    assert "Settled 2." in command("--full").output
    assert {status_of(client, email) for email in (ADA, GRACE)} == {"blocked"}


def test_a_full_walk_that_was_stopped_is_walked_in_full_again(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    command: Command,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    join(ADA)
    command()
    mailchimp.is_deleted(ADA)
    monkeypatch.setattr(walk, "FEWEST_TO_STOP", 0)
    clock.shift(DAY)
    assert "newsletter reconcile --full --yes" in command("--full").stderr

    again = command()

    assert again.exit_code == 1
    assert "(all contacts)" in again.output
    assert reasons(client) == ["reconciliation stopped: 1 changes are more than 0"]
    [finding] = found_in_use(app, "reconcile")
    assert "`newsletter reconcile --full --yes`" in finding.remedy
