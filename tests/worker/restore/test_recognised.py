"""A restored backup is recognised: whatever sends or changes anything ends with exit status 3 before it does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.app import create_app
from newsletter.config import load
from newsletter.domain.errors import RestoredDatabase
from newsletter.ledger import checkpoints
from newsletter.ledger import restored as restoring
from newsletter.ledger.sealing import Sealing
from newsletter.storage.database import reading
from newsletter.storage.models import Seal, db
from newsletter.worker.run import Worker
from newsletter.worker.upkeep.checkpoints import CHECK_SECONDS, Checkpoints
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.checkout import command
from tests.commands import Run
from tests.conftest import Clock, Drain, Join
from tests.people import ADA, HEDY, ask_staff, sign_up
from tests.worker.restore.restoring import HOUR, Restore, reasons, unmount, work

COMMAND = command("newsletter")
BEHIND = "LEDGER_CHECKPOINTS: the database is older than the last checkpoint"
MISSING = "LEDGER_CHECKPOINTS: the folder cannot be read, or holds no checkpoint"

pytestmark = pytest.mark.usefixtures("clock")

either_away_or_empty = pytest.mark.parametrize("leaves_it_empty", [False, True])


def how_many_seals(app: Flask) -> int | None:
    with app.app_context(), reading() as session:
        return session.scalar(select(func.count()).select_from(Seal))


@pytest.mark.requires("R64")
@pytest.mark.usefixtures("restored")
def test_nobody_is_mailed_and_nothing_is_erased_or_sealed_but_sign_ups_are_taken(
    app: Flask, client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn
) -> None:
    before = len(mailbox.letters), len(mailchimp.calls)
    seals = how_many_seals(app)
    taken = sign_up(client, "new@example.org").status_code
    ask_staff(client, "erasures", HEDY)
    refusal = work(app)

    assert taken == 202
    assert (len(mailbox.letters), len(mailchimp.calls)) == before
    assert how_many_seals(app) == seals
    assert refusal is not None
    assert refusal.startswith(BEHIND)
    assert "`newsletter retention --after-restore`" in reasons(client)[0]


@pytest.mark.usefixtures("restored")
def test_a_worker_process_says_why_and_ends_with_status_three(
    environ: dict[str, Any], tmp_path: Path
) -> None:
    ended = subprocess.run(
        [COMMAND, "worker"],
        env={**os.environ, **environ},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 3
    assert f"Error: {BEHIND}" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.usefixtures("restored")
def test_a_backup_is_recognised_though_its_ledger_grew_on(app: Flask, client: FlaskClient) -> None:
    for number in range(20):
        sign_up(client, f"filler-{number}@example.org")
    with app.app_context():
        while Sealing().step():
            pass
    refusal = work(app)

    assert refusal is not None
    assert refusal.startswith(BEHIND)


@pytest.mark.usefixtures("restored")
def test_a_worker_that_was_not_given_the_folder_refuses_too(environ: dict[str, Any]) -> None:
    blind = create_app(load({**environ, "LEDGER_CHECKPOINTS": ""}))
    refusal = work(blind)
    with blind.app_context():
        db.engine.dispose()

    assert refusal is not None
    assert refusal.startswith(MISSING)


@either_away_or_empty
@pytest.mark.usefixtures("restored")
def test_a_worker_that_does_not_see_the_checkpoints_refuses_until_it_does(
    app: Flask, mailbox: Mailbox, folder: Path, leaves_it_empty: bool
) -> None:
    mount = unmount(folder, leaves_it_empty=leaves_it_empty)
    before = len(mailbox.letters)
    unseen, again = work(app), work(app)
    mount()
    seen = work(app)

    assert len(mailbox.letters) == before
    assert [refusal and refusal.startswith(MISSING) for refusal in (unseen, again)] == [True, True]
    assert seen is not None
    assert seen.startswith(BEHIND)


@either_away_or_empty
def test_it_starts_once_the_folder_is_back_and_no_file_was_begun_in_between(
    app: Flask, client: FlaskClient, folder: Path, join: Join, leaves_it_empty: bool
) -> None:
    join(ADA)
    mount = unmount(folder, leaves_it_empty=leaves_it_empty)
    ask_staff(client, "erasures", ADA)
    refusal, posted = work(app), reasons(client)
    mount()

    assert refusal is not None
    assert len(posted) == 1
    assert work(app) is None
    assert reasons(client) == []


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    "words", ["reconcile", "reconcile --full --yes", "retention", "keys rotate --data"]
)
@pytest.mark.parametrize("is_away", [False, True])
def test_commands_change_nothing_and_end_with_status_three(
    folder: Path, mailchimp: StandIn, run: Run, words: str, is_away: bool
) -> None:
    if is_away:
        unmount(folder, leaves_it_empty=True)
    before = len(mailchimp.calls)
    result = run(*words.split())

    assert (result.exit_code, result.stdout, len(mailchimp.calls)) == (3, "", before)
    assert result.stderr.startswith(f"Error: {MISSING if is_away else BEHIND}")


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("words", ["retention --dry-run", "keys list", "keys rotate"])
def test_reading_and_rewrapping_the_keyring_still_work(run: Run, words: str) -> None:
    assert run(*words.split()).exit_code == 0


def test_a_worker_checks_at_its_start_and_once_a_minute(
    app: Flask,
    client: FlaskClient,
    join: Join,
    backup: Callable[[], Restore],
    drain: Drain,
    clock: Clock,
) -> None:
    seconds = [0.0]
    looking = Checkpoints(lambda: seconds[0])
    join(ADA)
    clock.shift(HOUR)
    with app.app_context():
        looking.check_at_start()
        looking.step()
    restore = backup()
    ask_staff(client, "erasures", ADA)
    drain()
    restore()
    with app.app_context():
        seconds[0] += CHECK_SECONDS - 0.1
        looking.check_at_start()
        looking.step()
        seconds[0] += 0.1
        with pytest.raises(RestoredDatabase):
            looking.step()


def test_a_running_worker_signs_nothing_of_a_database_that_was_replaced(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    join: Join,
    backup: Callable[[], Restore],
    drain: Drain,
) -> None:
    join(ADA)
    restore = backup()
    ask_staff(client, "erasures", ADA)
    drain()
    restore()
    before = (folder / checkpoints.NAME).read_bytes()
    sign_up(client, HEDY)

    with pytest.raises(RestoredDatabase):
        drain()
    assert (folder / checkpoints.NAME).read_bytes() == before


def test_a_running_worker_ends_where_its_folder_goes_away(
    app: Flask, join: Join, folder: Path
) -> None:
    join(ADA)
    worker = Worker(app)
    worker.drain()
    unmount(folder, leaves_it_empty=False)
    worker._checkpoints._seconds = lambda: float("inf")  # a minute has passed
    has_ended = worker.run()

    assert has_ended
    assert str(worker.restored).startswith(MISSING)


def test_a_checkpoint_that_another_worker_appends_meanwhile_is_no_alarm(
    app: Flask, client: FlaskClient, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(ADA)
    true = checkpoints.last

    def meanwhile(folder: Path) -> checkpoints.Checkpoint | None:
        last = true(folder)
        monkeypatch.setattr(checkpoints, "last", true)
        ask_staff(client, "erasures", ADA)
        work(app)
        return last

    monkeypatch.setattr(checkpoints, "last", meanwhile)
    with app.app_context():
        assert restoring.check() is not None


def test_a_last_line_that_was_changed_lets_nothing_start(
    app: Flask, client: FlaskClient, join: Join, folder: Path
) -> None:
    join(ADA)
    file = folder / checkpoints.NAME
    file.write_text(file.read_text().replace('"erased":[]', '"erased":0'))

    assert (
        work(app)
        == f"LEDGER_CHECKPOINTS: {checkpoints.NAME} was changed, or is damaged: see docs/ledger.md"
    )


@pytest.mark.parametrize("is_there", [True, False])
def test_a_new_installation_begins_whether_its_folder_is_empty_or_not_there_yet(
    app: Flask, client: FlaskClient, mailbox: Mailbox, folder: Path, is_there: bool
) -> None:
    if not is_there:
        folder.rmdir()
    sign_up(client, ADA)
    work(app)
    work(app)

    assert len(mailbox.letters_to(ADA)) == 1
