"""After a restored backup, Mailchimp is asked before anybody is added: nobody who left is added there again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from newsletter.app import create_app
from newsletter.config import load
from newsletter.domain import clock as the_clock
from newsletter.storage.models import db
from newsletter.subscriptions.leave import unsubscribe_url
from newsletter.worker.reconcile import walk as reconcile
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp import clock as mailchimps_clock
from tests.commands import Run, found_in_use
from tests.conftest import Clock, Drain, Join
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    access,
    ask_staff,
    press,
    sign_up,
    standing_of,
    status_of,
)
from tests.worker.crowd import is_add
from tests.worker.restore.restoring import HOUR, JOAN, Restore, complaint, reasons, work

pytestmark = pytest.mark.usefixtures("clock")


def test_without_a_mailchimp_key_the_reconciliation_is_owed_and_reported(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    mailchimp: StandIn,
    restored: Restore,
    run: Run,
    environ: dict[str, Any],
) -> None:
    result = run("retention", "--after-restore", MAILCHIMP_API_KEY="")
    keyless = create_app(load({**environ, "MAILCHIMP_API_KEY": ""}))
    work(keyless)
    told = reasons(client)
    with keyless.app_context():
        [found] = found_in_use(keyless, "reconcile")
        db.engine.dispose()
    before = len(mailchimp.calls)
    work(app)

    assert result.exit_code == 0, result.output
    assert "as soon as it is, everybody is compared with Mailchimp" in result.stdout
    assert told == [
        "everybody is still to be compared with Mailchimp, since a backup may have been restored:"
        " nobody is added there before"
    ]
    assert (found.is_hint, found.remedy.partition(",")[0]) == (True, "set MAILCHIMP_API_KEY")
    assert [call for call in mailchimp.calls[before:] if call.path.endswith("/members")]
    assert status_of(client, ADA) == "unknown"
    assert reasons(client) == []
    assert complaint(app, folder) is None


def test_where_too_much_differs_workers_refuse_to_start_until_it_is_meant(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    restored: Restore,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconcile, "FEWEST_TO_STOP", 0)
    mailchimp.unsubscribes(HEDY)
    stopped = run("retention", "--after-restore")
    refusal = work(app)
    found = found_in_use(app, "reconcile")
    done = run("retention", "--after-restore", "--yes")
    work(app)

    assert stopped.exit_code == 1
    assert "--after-restore --yes" in stopped.stderr
    assert [finding.wrong for finding in found if "stopped" in finding.wrong]
    assert refusal is not None
    assert done.exit_code == 0, done.output
    assert status_of(client, HEDY) == "blocked"
    assert reasons(client) == []


def test_a_person_who_left_after_a_backup_from_before_their_sync_is_not_added_again(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    drain: Drain,
    unsynced: Restore,
    clock: Clock,
    run: Run,
) -> None:
    drain()
    clock.shift(HOUR)
    leave(app, client, ADA)
    drain()
    clock.shift(HOUR)
    restore_later(app, client, unsynced)
    result = run("retention", "--after-restore")
    work(app)

    assert result.exit_code == 0, result.output
    assert "1 left there: blocked here" in result.stdout
    assert (status_of(client, ADA), status_of(client, HEDY)) == ("blocked", "confirmed")
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"


def restore_later(app: Flask, client: FlaskClient, restore: Restore) -> None:
    """Something more is sealed and signed, and then the backup is restored."""
    ask_staff(client, "erasures", GRACE)
    work(app)
    restore()


@pytest.fixture
def unsynced(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, join: Join, backup: Callable[[], Restore]
) -> Restore:
    """Ada has confirmed, and a backup was made before Mailchimp was told; Hedy is there already."""
    join(HEDY)
    sign_up(client, ADA)
    drain()
    assert press(client, mailbox, ADA) == 200
    return backup()


def leave(app: Flask, client: FlaskClient, email: str) -> None:
    """Use the link to unsubscribe that is in every newsletter."""
    with app.app_context():
        url = unsubscribe_url(access(client, email)["reference"])
    assert client.post(url.removeprefix("http://localhost:8000")).status_code == 200


@pytest.fixture
def unlooked(
    app: Flask, client: FlaskClient, drain: Drain, unsynced: Restore, clock: Clock, run: Run
) -> None:
    """Ada left after the backup that had not told Mailchimp of her; it was restored without a key of Mailchimp."""
    drain()
    clock.shift(HOUR)
    leave(app, client, ADA)
    drain()
    clock.shift(HOUR)
    restore_later(app, client, unsynced)
    assert run("retention", "--after-restore", MAILCHIMP_API_KEY="").exit_code == 0
    clock.shift(HOUR)


def test_an_owed_reconciliation_runs_before_anybody_is_added(
    app: Flask, client: FlaskClient, mailchimp: StandIn, unlooked: None
) -> None:
    before = len(mailchimp.calls)
    work(app)

    assert (status_of(client, ADA), status_of(client, HEDY)) == ("blocked", "confirmed")
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"
    assert not [call for call in mailchimp.calls[before:] if is_add(call)]
    assert reasons(client) == []


def test_an_owed_reconciliation_is_full_whatever_the_command_requests(
    client: FlaskClient, unlooked: None, run: Run
) -> None:
    result = run("reconcile")

    assert result.exit_code == 0, result.output
    assert "(all contacts)" in result.stdout
    assert "1 left there: blocked here" in result.stdout
    assert status_of(client, ADA) == "blocked"
    assert reasons(client) == []


def test_while_it_is_stopped_nobody_is_added_but_unsubscribing_works(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    mailbox: Mailbox,
    unlooked: None,
    clock: Clock,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconcile, "FEWEST_TO_STOP", 0)
    sign_up(client, JOAN)
    work(app)
    assert press(client, mailbox, JOAN) == 200
    leave(app, client, HEDY)
    work(app)
    clock.shift(timedelta(days=1))
    work(app)
    stopped = [standing_of(mailchimp, each) for each in (ADA, HEDY, JOAN)]
    told = reasons(client)
    done = run("reconcile", "--full", "--yes")

    assert stopped == ["unsubscribed", "unsubscribed", None]
    assert [reason.partition(":")[0] for reason in told] == [
        "everybody is still to be compared with Mailchimp, since a backup may have been restored",
        "reconciliation stopped",
        "people wait for a change at Mailchimp",
    ]
    assert done.exit_code == 0, done.output
    assert status_of(client, ADA) == "blocked"
    assert standing_of(mailchimp, JOAN) == "subscribed"
    assert reasons(client) == []


def hold(client: FlaskClient, email: str, *, is_held: bool) -> None:
    assert ask_staff(client, "holds", email, hold=is_held).status_code == 202


@pytest.fixture
def held(
    client: FlaskClient, join: Join, drain: Drain, backup: Callable[[], Restore], clock: Clock
) -> Restore:
    """Ada and Hedy stand at Mailchimp; Ada was held there before a backup, and an hour has passed since."""
    join(HEDY, ADA)
    clock.shift(HOUR)
    hold(client, ADA, is_held=True)
    drain()
    clock.shift(HOUR)
    return backup()


def bring_back(app: Flask, client: FlaskClient, restore: Restore, run: Run) -> Result:
    restore_later(app, client, restore)
    result = run("retention", "--after-restore")
    assert result.exit_code == 0, result.output
    return result


def test_a_person_released_and_gone_after_the_backup_is_not_added_when_released_again(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    drain: Drain,
    held: Restore,
    clock: Clock,
    run: Run,
) -> None:
    hold(client, ADA, is_held=False)
    drain()
    was_back = standing_of(mailchimp, ADA)
    clock.shift(HOUR)
    mailchimp.unsubscribes(ADA)
    clock.shift(HOUR)
    result = bring_back(app, client, held, run)
    hold(client, ADA, is_held=False)
    work(app)

    assert was_back == "subscribed"
    assert "1 left there: blocked here" in result.stdout
    assert status_of(client, ADA) == "blocked"
    assert standing_of(mailchimp, ADA) == "unsubscribed"


@pytest.mark.parametrize("is_told_before", [True, False])
def test_a_restriction_is_not_taken_for_an_unsubscribe_after_the_release(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    held: Restore,
    backup: Callable[[], Restore],
    clock: Clock,
    run: Run,
    is_told_before: bool,
) -> None:
    restore = held
    if is_told_before:
        # The backup knows of it, and Mailchimp was not told yet.
        hold(client, ADA, is_held=False)
        restore = backup()
        mailchimp.lose_list()
    clock.shift(HOUR)
    restore_later(app, client, restore)
    mailchimp.find_list()
    if not is_told_before:
        hold(client, ADA, is_held=False)  # staff did so anew before the command ran
    result = run("retention", "--after-restore")
    work(app)

    assert "left there" not in result.stdout
    assert (status_of(client, ADA), standing_of(mailchimp, ADA)) == ("confirmed", "subscribed")


def test_a_person_who_is_still_restricted_stays_so(
    app: Flask, client: FlaskClient, mailchimp: StandIn, held: Restore, run: Run
) -> None:
    bring_back(app, client, held, run)
    before = status_of(client, ADA), standing_of(mailchimp, ADA)
    hold(client, ADA, is_held=False)
    work(app)

    assert before == ("confirmed", "unsubscribed")
    assert standing_of(mailchimp, ADA) == "subscribed"


def test_a_person_whose_restriction_was_not_synced_in_the_backup_may_have_unsubscribed_since(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    clock: Clock,
    run: Run,
) -> None:
    join(HEDY, ADA)
    hold(client, ADA, is_held=True)
    restore = backup()
    drain()
    clock.shift(HOUR)
    bring_back(app, client, restore, run)

    assert status_of(client, ADA) == "blocked"


def test_a_person_who_unsubscribed_before_their_consent_is_added_after_a_restore(
    app: Flask, client: FlaskClient, mailchimp: StandIn, clock: Clock, unsynced: Restore, run: Run
) -> None:
    left_at = mailchimps_clock.written(the_clock.now() - HOUR)
    clock.shift(HOUR)
    restore_later(app, client, unsynced)
    mailchimp.add(ADA.lower(), "unsubscribed").last_changed = left_at
    result = run("retention", "--after-restore")
    work(app)

    assert result.exit_code == 0, result.output
    assert status_of(client, ADA) == "confirmed"
    assert mailchimp.contacts[ADA.lower()].status == "subscribed"
