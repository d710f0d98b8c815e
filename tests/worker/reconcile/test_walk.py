"""Reconciling: drift of every kind is found and settled, a wrong list stops, and nobody else is touched."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from newsletter.app import create_core
from newsletter.cli import application
from newsletter.config import load
from newsletter.domain import clock as house_clock
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.storage import holds, jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Subscription, db
from newsletter.storage.runs import reconciliation
from newsletter.storage.runs.reconciliation import Scope
from newsletter.worker import backoff
from newsletter.worker.mailchimp.listing import MailchimpMembers
from newsletter.worker.reconcile import known, walk
from newsletter.worker.reconcile.settle import find, settle
from newsletter.worker.reconcile.walk import Reconciliation
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import DROPPED, throttled
from tests.checkout import command
from tests.commands import noticed
from tests.conftest import Clock, Drain, Join
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF,
    access,
    ask_staff,
    events_of,
    said_by,
    sign_up,
    standing_of,
    status_of,
)
from tests.worker.crowd import join_all, numbered, place_of
from tests.worker.reconcile.conftest import Command

KEY = ADA.lower()
HOUR = timedelta(hours=1)


def leave(client: FlaskClient, email: str, **fields: str) -> None:
    answer = ask_staff(client, "blocks", email, reason="unsubscribed", **fields)
    assert answer.status_code == 202


def know(app: Flask, **values: object) -> None:
    """What is known here is something else than was written down, as after a restored backup."""
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(**values))


def reason_of(client: FlaskClient, email: str) -> str:
    return str(access(client, email)["reason"])


def agreed(result: Result) -> bool:
    is_said = any(words in result.output for words in ("No drift: both", "No drift among these"))
    return result.exit_code == 0 and is_said


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        (StandIn.unsubscribes, "unsubscribed"),
        (StandIn.is_unsubscribed_by_staff, "unsubscribed"),
        (StandIn.complains, "complaint"),
        (StandIn.hard_bounces, "bounce"),
        (StandIn.is_archived, "removed_at_mailchimp"),
        (StandIn.is_deleted, "removed_at_mailchimp"),
    ],
)
def test_a_person_whose_unsubscribe_there_was_not_reported_is_blocked_here(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    happened: Callable[[StandIn, str], object],
    reason: str,
) -> None:
    join(ADA)
    happened(mailchimp, ADA)

    result = command()
    drain()

    assert result.exit_code == 0, result.output
    assert (status_of(client, ADA), reason_of(client, ADA)) == ("blocked", reason)
    assert events_of(client, ADA)[-1] == "blocked"
    assert access(client, ADA)["reference"] in result.output
    assert standing_of(mailchimp, ADA) in ("unsubscribed", "cleaned", "archived", None)
    assert agreed(command("--full"))


def test_a_block_that_a_restored_backup_does_not_know_of_wins(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    database_url: str,
    tmp_path: Path,
) -> None:
    join(ADA)
    drain()
    file, backup = database_url.removeprefix("sqlite:///"), tmp_path / "backup.sqlite3"
    with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(backup)) as kept:
        live.backup(kept)
        leave(client, ADA)
        drain()
        kept.backup(live)
    drain()
    assert status_of(client, ADA) == "confirmed"

    command("--full")
    drain()

    assert status_of(client, ADA) == "blocked"
    assert standing_of(mailchimp, ADA) == "unsubscribed"


def test_a_person_who_left_here_and_is_subscribed_there_is_unsubscribed_there(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, command: Command
) -> None:
    join(ADA)
    leave(client, ADA)
    drain()
    mailchimp.add(ADA)

    assert "1 still subscribed there" in command().output
    drain()

    assert standing_of(mailchimp, ADA) == "unsubscribed"
    assert status_of(client, ADA) == "blocked"
    assert agreed(command("--full"))


def test_a_block_of_which_only_the_digest_is_kept_wins_too(
    app: Flask, client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, command: Command
) -> None:
    join(ADA)
    assert ask_staff(client, "erasures", ADA, keep_block=True).status_code == 202
    drain()
    assert access(client, ADA)["email"] is None
    mailchimp.add(ADA)

    command()
    drain()

    assert standing_of(mailchimp, ADA) == "unsubscribed"
    assert status_of(client, ADA) == "blocked"


def test_a_person_who_confirmed_at_mailchimp_too_is_synced(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, command: Command
) -> None:
    join(ADA)
    leave(client, ADA)
    drain()
    mailchimp.in_compliance.add(KEY)
    join(ADA)
    assert place_of(client, ADA)[0] == "awaiting"
    assert agreed(command())
    mailchimp.confirms_at_mailchimp(ADA)

    command()
    drain()

    assert place_of(client, ADA)[0] == "subscribed"
    assert events_of(client, ADA)[-1] == "synced"
    assert agreed(command("--full"))


@pytest.mark.parametrize("place", [MailchimpStatus.AWAITING, MailchimpStatus.REFUSED])
def test_refused_and_awaiting_people_who_are_not_there_are_left_alone(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    place: MailchimpStatus,
) -> None:
    join(ADA)
    know(app, audience=place, synced_round=None)
    mailchimp.contacts.clear()

    assert agreed(command("--full"))
    drain()

    assert status_of(client, ADA) == "confirmed"
    assert place_of(client, ADA)[0] == place
    assert not mailchimp.contacts


@pytest.mark.parametrize("status", [None, "unsubscribed"])
def test_a_person_who_was_never_added_in_this_round_is_added(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    status: str | None,
) -> None:
    join(ADA)
    know(app, synced_round=None)
    mailchimp.contacts.clear()
    if status is not None:
        mailchimp.add(ADA, status)

    command("--full")
    drain()

    assert standing_of(mailchimp, ADA) == "subscribed"
    assert status_of(client, ADA) == "confirmed"
    assert agreed(command("--full"))


def test_an_unknown_contact_is_counted_and_neither_changed_nor_stored(
    app: Flask, mailchimp: StandIn, drain: Drain, command: Command
) -> None:
    for email, status in ((ADA, "subscribed"), (GRACE, "unsubscribed"), (HEDY, "archived")):
        mailchimp.add(email, status)

    result = command("--full")
    drain()

    assert agreed(result)
    assert "Unknown here, and left alone: 3." in result.output
    assert {call.method for call in mailchimp.calls} == {"GET"}
    with app.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(Subscription)) == 0


def test_an_unconfirmed_request_is_not_sent_to_mailchimp(
    client: FlaskClient, mailchimp: StandIn, drain: Drain, command: Command
) -> None:
    sign_up(client, ADA)
    mailchimp.add(ADA)

    assert agreed(command("--full"))
    drain()

    assert status_of(client, ADA) == "pending"
    assert standing_of(mailchimp, ADA) == "subscribed"


def test_output_log_and_stored_counts_hold_no_address(
    app: Flask, mailchimp: StandIn, join: Join, command: Command, caplog: pytest.LogCaptureFixture
) -> None:
    join(ADA)
    mailchimp.unsubscribes(ADA)
    mailchimp.add(GRACE)
    contact = mailchimp.add("someone", "subscribed")
    contact.email_address = "no address"

    result = command()

    told = f"{result.output}{caplog.text}".lower()
    assert "Without an address or a status that can be read: 1." in result.output
    assert not [name for name in (KEY, GRACE, "no address") if name in told]


def few_may_change(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(walk, "FEWEST_TO_STOP", count)


def test_a_wrong_list_changes_nobody(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few_may_change(monkeypatch, 1)
    join(ADA, GRACE)
    calls = len(mailchimp.calls)
    mailchimp.contacts.clear()

    result = command("--full")
    drain()

    assert result.exit_code == 1
    assert "Stopped: 2 changes are more than 1; none of the changes was made." in result.output
    assert "--yes" in result.stderr
    assert [status_of(client, email) for email in (ADA, GRACE)] == ["confirmed", "confirmed"]
    assert {call.method for call in mailchimp.calls[calls:]} == {"GET"}


def test_more_changes_than_that_are_made_when_they_are_asked_for(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few_may_change(monkeypatch, 1)
    for email in (ADA, GRACE, HEDY):
        join(email)
    mailchimp.unsubscribes(ADA)
    mailchimp.is_deleted(GRACE)
    mailchimp.is_archived(HEDY)
    assert command("--full").exit_code == 1
    assert said_by(client.get("/ready", headers=STAFF))["reasons"].count(
        "reconciliation stopped: 3 changes are more than 1"
    )

    result = command("--full", "--yes")
    drain()

    assert result.exit_code == 0
    assert "Settled 3." in result.output
    assert {status_of(client, email) for email in (ADA, GRACE, HEDY)} == {"blocked"}
    assert agreed(command("--full"))
    ready = said_by(client.get("/ready", headers=STAFF))
    assert not [reason for reason in ready.get("reasons", []) if "reconciliation" in reason]


def test_just_as_many_changes_as_the_limit_are_made(
    app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain, command: Command
) -> None:
    people = numbered(51)
    join_all(app, *people)
    drain()
    for person in people[1:]:
        mailchimp.unsubscribes(person)

    result = command()

    assert "Settled 50." in result.output
    assert [status_of(client, person) for person in people[:2]] == ["confirmed", "blocked"]


def test_only_what_changed_since_the_last_time_is_walked_with_an_overlap(
    mailchimp: StandIn, join: Join, command: Command, clock: Clock
) -> None:
    join(ADA)
    command()
    clock.shift(timedelta(days=1))
    mailchimp.calls.clear()

    assert agreed(command())

    asked = {call.query["since_last_changed"] for call in mailchimp.calls}
    assert asked == {"2026-03-01T11:00:00+00:00"}


def test_all_is_walked_when_that_was_never_done_once_a_week_and_when_it_is_asked_for(
    mailchimp: StandIn, command: Command, clock: Clock
) -> None:
    is_full = []
    for days, options in ((0, []), (1, []), (1, ["--full"]), (6, []), (1, []), (1, [])):
        clock.shift(timedelta(days=days))
        is_full.append("(all contacts)" in command(*options).output)

    assert is_full == [True, False, True, False, True, False]


def test_a_time_that_was_stopped_does_not_count_as_the_last(
    mailchimp: StandIn, join: Join, command: Command, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(ADA)
    command()
    clock.shift(timedelta(days=1))
    mailchimp.unsubscribes(ADA)
    few_may_change(monkeypatch, 0)
    assert command().exit_code == 1
    clock.shift(timedelta(days=2))
    few_may_change(monkeypatch, 1)

    assert "Settled 1." in command().output


def test_a_person_with_a_call_under_way_is_left_alone(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    clock: Clock,
) -> None:
    join(ADA)
    mailchimp.answer_next(DROPPED)
    leave(client, ADA)
    drain()
    mailchimp.contacts[KEY].status = "unsubscribed"

    assert agreed(command())
    clock.shift(HOUR)
    drain()

    assert status_of(client, ADA) == "blocked"
    assert standing_of(mailchimp, ADA) == "unsubscribed"


def test_a_person_with_a_call_of_unknown_outcome_is_counted_as_busy(
    app: Flask, client: FlaskClient, mailchimp: StandIn, join: Join, command: Command, clock: Clock
) -> None:
    join(ADA)
    mailchimp.unsubscribes(ADA)
    with app.app_context():
        know(app, audience_settles_at=house_clock.now() + timedelta(minutes=1))

    assert "Left alone this time, since something else is under way: 1." in command().output
    assert status_of(client, ADA) == "confirmed"


def test_a_person_who_is_being_erased_is_left_alone(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    clock: Clock,
) -> None:
    join(ADA)
    mailchimp.answer_next(throttled(), times=10, match=lambda call: "delete-permanent" in call.path)
    ask_staff(client, "erasures", ADA)
    drain()
    clock.shift(timedelta(minutes=11))
    sign_up(client, ADA)
    drain()

    assert agreed(command("--full"))


def under_way(members: MailchimpMembers, *, until: str) -> Reconciliation:
    """A reconciliation that has come to its phase of that name."""
    going = Reconciliation(members, reconciliation.scope(full=True))
    while going._phases[0].__name__ != until:
        phase = going._phases[0]
        if not phase():
            going._phases.popleft()
            going._last = b""
    return going


def test_a_person_who_changed_before_their_turn_is_left_alone(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    members: MailchimpMembers,
    join: Join,
    clock: Clock,
) -> None:
    for email in (ADA, GRACE, HEDY):
        join(email)
    mailchimp.hard_bounces(ADA)
    mailchimp.is_deleted(GRACE)
    leave(client, HEDY)
    know(app, audience=MailchimpStatus.SUBSCRIBED)
    with app.app_context():
        going = under_way(members, until="_settle")
        assert going.report.changes == 2
        for email in (ADA, GRACE):
            leave(client, email)
        while going.step():
            pass

        assert going.report.settled == 0
        assert reason_of(client, ADA) == "unsubscribed"
        assert list(going.report.lines())[-1].startswith("Settled 0; 2 had moved on")


def test_a_person_missing_in_a_walk_is_looked_up_before_they_count_as_gone(
    app: Flask, client: FlaskClient, mailchimp: StandIn, members: MailchimpMembers, join: Join
) -> None:
    join(ADA)
    contact = mailchimp.contacts.pop(KEY)
    with app.app_context():
        going = under_way(members, until="_settle")
        mailchimp.contacts[KEY] = contact
        while going.step():
            pass

    assert going.report.found.total() == 1
    assert going.report.settled == 0
    assert status_of(client, ADA) == "confirmed"


def test_a_page_that_was_read_before_a_person_was_added_blocks_nobody(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    members: MailchimpMembers,
    join: Join,
    clock: Clock,
) -> None:
    join(ADA)
    with app.app_context():
        before = house_clock.now() - HOUR
        mailchimp.unsubscribes(ADA)
        [listed] = members.page(0, since=None, archived=False).contacts
        with reading() as session:
            digest = session.scalars(select(Subscription.digest)).one()
        [person] = known.by_digest([digest])
        change = find(person, None, listed.member, before)
        assert change is not None

        assert not settle(members, change)

    assert status_of(client, ADA) == "confirmed"


def test_without_a_worker_the_command_makes_all_changes(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    command: Command,
    clock: Clock,
) -> None:
    join(ADA)
    leave(client, ADA)
    drain()
    mailchimp.add(ADA)
    clock.shift(jobs.LEASE)

    command()

    assert standing_of(mailchimp, ADA) == "unsubscribed"
    with client.application.app_context():
        assert jobs.take("audience", "another")


def test_on_a_terminal_it_shows_how_far_it_is(environ: dict[str, Any], mailchimp: StandIn) -> None:
    mailchimp.add(ADA)
    terminal, end = pty.openpty()
    words = [command("newsletter"), "reconcile"]
    done = subprocess.run(words, env=environ, stdout=end, stderr=subprocess.PIPE, check=True)
    os.close(end)

    shown = os.read(terminal, 65536)
    os.close(terminal)
    assert b"100%" in shown
    assert b"Walked 1 contacts" in shown
    assert ADA.encode() not in shown + done.stderr


def test_two_do_not_reconcile_at_once(
    app: Flask, mailchimp: StandIn, command: Command, clock: Clock
) -> None:
    with app.app_context():
        assert jobs.take(jobs.RECONCILIATION, "another")

    result = command()

    assert result.exit_code == 1
    assert result.stderr == "Error: Another reconciliation is under way: wait for its end.\n"
    assert not mailchimp.calls


def test_a_temporary_failure_is_retried(
    mailchimp: StandIn, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.0)
    mailchimp.answer_next(throttled(), times=5)

    assert agreed(command())


def test_a_lasting_temporary_failure_is_reported(
    app: Flask, mailchimp: StandIn, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.0)
    mailchimp.answer_next(throttled(), times=6)

    result = command()

    assert result.exit_code == 1
    assert "throttled" in result.stderr
    again = command()
    assert agreed(again)
    assert "(all contacts)" in again.output


def test_a_refused_key_is_reported_and_causes_no_hold(
    app: Flask, mailchimp: StandIn, command: Command
) -> None:
    mailchimp.refuse_key()

    result = command()

    assert result.exit_code == 1
    assert "MAILCHIMP_API_KEY: Mailchimp refuses it" in result.stderr
    with app.app_context():
        assert holds.reason_of("mailchimp") is None
        assert noticed() == []


def test_without_a_key_there_is_nothing_to_compare(
    command: Command, environ: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_core(load({**environ, "MAILCHIMP_API_KEY": ""}))
    monkeypatch.setattr(application, "create_core", lambda _: app)

    result = command()
    with app.app_context():
        db.engine.dispose()

    assert result.exit_code == 1
    assert result.stderr == "Error: MAILCHIMP_API_KEY: is not set.\n"


def test_a_walk_of_a_scope_finds_what_changed_in_it(
    app: Flask, mailchimp: StandIn, members: MailchimpMembers, join: Join
) -> None:
    join(ADA)
    mailchimp.unsubscribes(ADA)
    with app.app_context():
        now = house_clock.now()
        later = Reconciliation(members, Scope(now, now + HOUR))
        while later.step():
            pass

    assert later.report.changes == 0
    assert later.report.contacts == 0
