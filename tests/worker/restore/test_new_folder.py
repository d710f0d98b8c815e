"""`newsletter ledger new-folder`: where checkpoints are lost for good, staff begin a new file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.app import create_app
from newsletter.config import load
from newsletter.ledger import checkpoints
from newsletter.storage.models import db
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.commands import Run
from tests.conftest import Clock, Drain, Join
from tests.people import ADA, GRACE, HEDY, ask_staff, sign_up, standing_of, status_of
from tests.worker.restore.restoring import HOUR, Restore, complaint, reasons, unmount, work

pytestmark = pytest.mark.usefixtures("clock")


def test_a_new_file_names_everybody_ever_erased_and_recognises_later_backups(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    folder: Path,
    join: Join,
    backup: Callable[[], Restore],
    drain: Drain,
    clock: Clock,
    run: Run,
) -> None:
    join(ADA, GRACE)
    restore = backup()
    ask_staff(client, "erasures", ADA)
    drain()
    clock.shift(HOUR)
    unmount(folder, leaves_it_empty=True)
    sign_up(client, HEDY)
    refusal, before = work(app), len(mailbox.letters_to(HEDY))
    begun = run("ledger", "new-folder")
    starts = work(app)
    goes_on = len(mailbox.letters_to(HEDY)), reasons(client), complaint(app, folder)
    ask_staff(client, "erasures", GRACE)
    work(app)
    restore()
    refusal_again = work(app)
    result = run("retention", "--after-restore")

    assert begun.exit_code == 0, begun.output
    assert (refusal is None, before, starts) == (False, 0, None)
    assert goes_on == (1, [], None)
    assert refusal_again is not None
    assert "Erased again: 2." in result.stdout, result.output


def test_a_folder_that_holds_checkpoints_or_is_away_is_no_new_one(
    folder: Path, join: Join, run: Run
) -> None:
    join(ADA)
    before = (folder / checkpoints.NAME).read_bytes()
    refused = run("ledger", "new-folder")
    away = run("ledger", "new-folder", LEDGER_CHECKPOINTS=f"{folder}-away")

    assert (refused.exit_code, away.exit_code) == (1, 1)
    assert "holds checkpoints.jsonl" in refused.stderr
    assert "cannot be used (No such file or directory)" in away.stderr
    assert (folder / checkpoints.NAME).read_bytes() == before


def test_another_host_may_have_a_folder_of_its_own(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    join: Join,
    clock: Clock,
    run: Run,
    environ: dict[str, str],
    tmp_path: Path,
) -> None:
    join(ADA)
    own = tmp_path / "another"
    own.mkdir()
    begun = run("ledger", "new-folder", LEDGER_CHECKPOINTS=str(own))
    other = create_app(load({**environ, "LEDGER_CHECKPOINTS": str(own)}))
    clock.shift(HOUR)
    ask_staff(client, "erasures", ADA)
    starts = work(app), work(other)
    whole = complaint(app, folder), complaint(other, own)
    with other.app_context():
        db.engine.dispose()

    assert begun.exit_code == 0, begun.output
    assert starts == (None, None)
    assert whole == (None, None)
    for each in (folder, own):
        assert checkpoints.last(each).erased  # type: ignore[union-attr]


def test_checkpoints_are_given_up_by_a_word_of_its_own(
    join: Join, run: Run, environ: dict[str, str]
) -> None:
    join(ADA)
    refused = run("retention", LEDGER_CHECKPOINTS="")
    unset, both = (
        run("ledger", "new-folder", LEDGER_CHECKPOINTS=""),
        run("ledger", "new-folder", "--none"),
    )
    given_up = run("ledger", "new-folder", "--none", LEDGER_CHECKPOINTS="")
    starts = run("retention", LEDGER_CHECKPOINTS="")

    assert [each.exit_code for each in (refused, unset, both, given_up, starts)] == [3, 1, 1, 0, 0]
    assert "--none" in unset.stderr


@pytest.mark.usefixtures("restored")
def test_a_person_whose_erasure_only_the_lost_file_named_is_not_added_again(
    app: Flask, client: FlaskClient, mailchimp: StandIn, folder: Path, run: Run
) -> None:
    unmount(folder, leaves_it_empty=True)
    done = run("ledger", "new-folder")
    work(app)
    stopped = reasons(client)
    run("reconcile", "--full", "--yes")

    assert done.exit_code == 0, done.output
    assert stopped[-1] == "reconciliation stopped: only 1 of 3 who should be there were seen"
    assert reasons(client) == []
    assert status_of(client, ADA) == "blocked"
    assert standing_of(mailchimp, ADA) is None
    assert complaint(app, folder) is None


def test_an_empty_database_that_met_an_old_folder_starts_with_one_of_its_own(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    folder: Path,
    join: Join,
    backup: Callable[[], Restore],
) -> None:
    empty = backup()
    join(ADA)
    empty()
    sign_up(client, GRACE)
    refusal = work(app)
    unmount(folder, leaves_it_empty=True)
    starts = work(app)

    assert refusal is not None
    assert starts is None
    assert len(mailbox.letters_to(GRACE)) == 1
    assert reasons(client) == []
    assert complaint(app, folder) is None
