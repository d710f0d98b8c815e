"""A backup restored over newer erasures: nobody comes back, and nobody is mailed in between."""

from __future__ import annotations

import importlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import time_machine
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from psycopg.sql import SQL, Identifier
from sqlalchemy import func, select, update

from newsletter.app import create_app, create_core
from newsletter.cli import application, main
from newsletter.cli.check import reconciliation
from newsletter.config import Settings, load
from newsletter.domain import clock as the_clock
from newsletter.domain.lifecycle import Event
from newsletter.ledger import checkpoints, comparison, head
from newsletter.ledger import restored as restoring
from newsletter.ledger.checkpointing import RETRY, Checkpointing
from newsletter.ledger.sealing import Sealing
from newsletter.ledger.verifying import Verification
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import signing
from newsletter.storage.models import LedgerRow, Seal, Subscription, db
from newsletter.subscriptions.leave import unsubscribe_url
from newsletter.worker.reconcile import walk as reconcile
from newsletter.worker.restore import finish
from newsletter.worker.run import Worker
from newsletter.worker.upkeep.standstill import FRESH_SECONDS, Standstill
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp import clock as mailchimps_clock
from tests import postgres
from tests.attacker import attacking, rewrite
from tests.conftest import Drain, Join, on_sqlite
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF,
    access,
    ask_staff,
    press,
    sign_up,
    standing_of,
    status_of,
)
from tests.worker.crowd import is_add

HOUR = timedelta(hours=1)
JOAN = "joan@example.com"

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def environ(environ: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The service writes checkpoints."""
    return {**environ, "LEDGER_CHECKPOINTS": str(folder)}


def drop_on_server(url: str, name: str) -> None:
    with psycopg.connect(f"{url.rsplit('/', 1)[0]}/postgres", autocommit=True) as server:
        server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def copy_on_server(url: str, template: str, name: str) -> None:
    with psycopg.connect(f"{url.rsplit('/', 1)[0]}/postgres", autocommit=True) as server:
        postgres.copy(server, template, name)


@pytest.fixture
def backup(
    app: Flask, database_url: str, tmp_path: Path
) -> Iterator[Callable[[], Callable[[], None]]]:
    """Make a backup of the database; what is given back restores it."""
    copies: list[str] = []
    own = database_url.rsplit("/", 1)[1]

    def close() -> None:
        with app.app_context():
            db.engine.dispose()

    def on_postgresql() -> Callable[[], None]:
        close()
        copies.append(f"backup_{uuid.uuid4().hex}")
        copy_on_server(database_url, own, copies[-1])
        copy = copies[-1]

        def restore() -> None:
            close()
            drop_on_server(database_url, own)
            copy_on_server(database_url, copy, own)

        return restore

    def on_sqlite() -> Callable[[], None]:
        close()
        file = Path(database_url.removeprefix("sqlite:///"))
        copy = tmp_path / f"backup-{uuid.uuid4().hex}"
        shutil.copy(file, copy)

        def restore() -> None:
            close()
            for beside in file.parent.glob(f"{file.name}-*"):
                beside.unlink()
            shutil.copy(copy, file)

        return restore

    yield on_sqlite if database_url.startswith("sqlite") else on_postgresql
    for copy in copies:
        drop_on_server(database_url, copy)


def work(app: Flask) -> None:
    """A worker starts, does all that it may, and ends."""
    worker = Worker(app)
    worker.drain()
    worker._leave()


@pytest.fixture
def run(environ: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command as a process of its own would."""
    apps: list[Flask] = []

    def create(settings: Settings) -> Flask:
        apps.append(create_core(settings))
        return apps[-1]

    def run(*words: str, **variables: str) -> Result:
        result = CliRunner().invoke(main, words, env={**environ, **variables})
        with apps[-1].app_context():
            db.engine.dispose()
        return result

    monkeypatch.setattr(application, "create_core", create)
    return run


Run = Callable[..., Result]
Restore = Callable[[], None]


@pytest.fixture
def restored(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    clock: time_machine.Traveller,
) -> Restore:
    """Ada and Grace were erased after a backup, Grace with her block kept, and the backup was restored; Hedy stands."""
    for person in (ADA, GRACE, HEDY):
        join(person)
    clock.shift(HOUR)
    sign_up(client, JOAN)  # her letter waits in the backup
    restore = backup()
    drain()
    ask_staff(client, "erasures", ADA)
    ask_staff(client, "erasures", GRACE, keep_block=True)
    drain()
    clock.shift(HOUR)
    restore()
    return restore


def reasons(client: FlaskClient) -> list[str]:
    told: list[str] = client.get("/ready", headers=STAFF).get_json()["reasons"]
    return [reason for reason in told if reason != "no live worker"]


def how_many_seals(app: Flask) -> int | None:
    with app.app_context(), reading() as session:
        return session.scalar(select(func.count()).select_from(Seal))


def complaint(app: Flask, folder: Path) -> str | None:
    with app.app_context():
        walk = Verification()
        while walk.step():
            pass
        return str(walk.wrong) if walk.wrong else comparison.complaint(folder)


def test_until_the_command_has_run_nobody_is_mailed_and_nothing_is_erased_or_sealed(
    app: Flask, client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, restored: Restore
) -> None:
    before = len(mailbox.letters), len(mailchimp.calls)
    seals = how_many_seals(app)
    taken = sign_up(client, "new@example.org").status_code
    ask_staff(client, "erasures", HEDY)
    work(app)

    assert taken == 202
    assert (len(mailbox.letters), len(mailchimp.calls)) == before
    assert how_many_seals(app) == seals
    [told] = reasons(client)
    assert told.startswith("a backup was restored")
    assert "newsletter retention --after-restore" in told


def test_afterwards_the_erased_are_gone_and_letters_flow_again(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    folder: Path,
    restored: Restore,
    run: Run,
) -> None:
    work(app)
    result = run("retention", "--after-restore")
    assert result.exit_code == 0, result.output
    assert "Erased again: 2." in result.stdout
    sign_up(client, "new@example.org")
    work(app)

    assert status_of(client, ADA) == "unknown"
    assert [access(client, GRACE)[name] for name in ("status", "email")] == ["blocked", None]
    assert status_of(client, HEDY) == "confirmed"
    assert not {ADA.lower(), GRACE} & set(mailchimp.contacts)
    assert len(mailbox.letters_to("new@example.org")) == 1
    assert press(client, mailbox, "new@example.org") == 200
    work(app)
    assert "new@example.org" in mailchimp.contacts
    assert reasons(client) == []
    assert complaint(app, folder) is None
    assert run("ledger", "verify", "--checkpoints").exit_code == 0


def test_the_restoring_is_written_down_and_signed(
    app: Flask, folder: Path, restored: Restore, run: Run
) -> None:
    work(app)
    before = checkpoints.names(folder)
    run("retention", "--after-restore")

    with app.app_context(), reading() as session:
        events = list(session.scalars(select(LedgerRow.event).order_by(LedgerRow.id)))
    [new] = set(checkpoints.names(folder)) - set(before)
    said = json.loads((folder / new).read_text())
    lost = [checkpoints.read(folder / name) for name in before[1:]]
    assert events.count(Event.RESTORED) == 1
    assert said["restorations"] == 1
    assert [one["digest"] for one in said["restored"]["lost"]] == [one.digest for one in lost]
    assert said["restored"]["kept"]["position"] < said["position"]
    assert len(said["erased"]) == 2


def test_the_command_says_where_nothing_was_restored(
    app: Flask, client: FlaskClient, folder: Path, join: Join, run: Run
) -> None:
    join(ADA)
    result = run("retention", "--after-restore")

    assert (result.exit_code, result.stdout) == (
        0,
        "The database has all that the checkpoints tell of: nothing was to be done.\n",
    )
    assert run("retention", "--yes").exit_code == 2
    assert run("retention", "--after-restore", LEDGER_CHECKPOINTS="").exit_code == 1


@on_sqlite
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("replaying", "_read"),
        ("replaying", "_forget"),
        ("resuming", "finish"),
        ("resuming", "_sealed"),
        ("checkpointing", "content"),
        ("checkpoints", "write"),
        ("whole_files", "put"),
        ("restoring", "release"),
        ("reconciliations", "owe"),
        ("reconciliations", "end"),
    ],
)
@pytest.mark.parametrize("times", [0, 1])
def test_a_command_that_dies_is_simply_run_again(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    restored: Restore,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    name: str,
    times: int,
) -> None:
    where = importlib.import_module(f"newsletter.{module}")
    true, left = getattr(where, name), [None] * times

    def die(*given: Any, **named: Any) -> Any:
        if left:
            left.pop()
            return true(*given, **named)
        raise KeyboardInterrupt

    work(app)
    with monkeypatch.context() as dying:
        dying.setattr(where, name, die)
        run("retention", "--after-restore")
    work(app)
    result = run("retention", "--after-restore")
    work(app)

    assert result.exit_code == 0, result.output
    assert [status_of(client, person) for person in (ADA, GRACE, HEDY)] == [
        "unknown",
        "blocked",
        "confirmed",
    ]
    assert reasons(client) == []
    assert complaint(app, folder) is None


def test_without_a_key_of_mailchimp_comparing_with_it_is_owed_and_said(
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
        [found] = reconciliation.findings(keyless)
        db.engine.dispose()
    before = len(mailchimp.calls)
    work(app)

    assert result.exit_code == 0, result.output
    assert "as soon as it is, everybody is compared with Mailchimp" in result.stdout
    assert told == [
        "everybody is still to be compared with Mailchimp, since a backup may have been restored:"
        " nobody is added there before"
    ]
    assert (found.is_hint, found.remedy.partition(":")[0]) == (True, "set MAILCHIMP_API_KEY")
    assert [call for call in mailchimp.calls[before:] if call.path.endswith("/members")]
    assert status_of(client, ADA) == "unknown"
    assert reasons(client) == []
    assert complaint(app, folder) is None


def test_where_too_much_differs_the_workers_stand_still_until_it_is_meant(
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
    work(app)
    held = reasons(client)
    [found] = reconciliation.findings(app)
    done = run("retention", "--after-restore", "--yes")
    work(app)

    assert stopped.exit_code == 1
    assert "--after-restore --yes" in stopped.stderr
    assert "`newsletter retention --after-restore --yes`" in found.remedy
    assert [reason for reason in held if reason.startswith("a backup was restored")]
    assert done.exit_code == 0, done.output
    assert status_of(client, HEDY) == "blocked"
    assert reasons(client) == []


def seal_on(app: Flask, client: FlaskClient) -> None:
    """A worker that sees no checkpoints has sealed on after the backup was restored."""
    for number in range(20):
        sign_up(client, f"filler-{number}@example.org")
    with app.app_context():
        while Sealing().step():
            pass


@on_sqlite
def test_a_backup_is_recognised_though_the_ledger_grew_on(
    app: Flask, client: FlaskClient, folder: Path, restored: Restore, run: Run
) -> None:
    seal_on(app, client)
    work(app)
    held = reasons(client)
    result = run("retention", "--after-restore")
    work(app)

    assert len(held) == 1
    assert result.exit_code == 0, result.output
    assert status_of(client, ADA) == "unknown"
    assert complaint(app, folder) is None


@on_sqlite
def test_a_rewritten_ledger_is_not_taken_for_a_backup(
    app: Flask, client: FlaskClient, folder: Path, join: Join, run: Run
) -> None:
    join(ADA)
    rewrite(app, 1)
    work(app)
    result = run("retention", "--after-restore")

    assert result.exit_code == 1
    assert "the ledger was rewritten" in result.stderr
    assert len(reasons(client)) == 1


@pytest.fixture
def behind(
    client: FlaskClient,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    clock: time_machine.Traveller,
) -> None:
    """Grace signed up after a backup, for which no checkpoint was due, and the backup was restored."""
    join(ADA)
    restore = backup()
    clock.shift(timedelta(seconds=5))
    sign_up(client, GRACE)
    drain()
    clock.shift(timedelta(minutes=1))
    restore()


@pytest.mark.usefixtures("behind")
def test_a_backup_newer_than_all_checkpoints_misses_the_signed_head_until_the_command_says_so(
    app: Flask, client: FlaskClient, folder: Path, run: Run
) -> None:
    signed = head.read(folder)
    assert signed is not None
    sign_up(client, HEDY)
    work(app)
    held, found = reasons(client), complaint(app, folder)
    left = head.read(folder)
    result = run("retention", "--after-restore")
    before = complaint(app, folder)
    work(app)
    newest, again = checkpoints.newest(folder), head.read(folder)

    assert "an earlier backup was restored" in (found or "") or "was rewritten" in (found or "")
    assert [reason.partition(":")[0] for reason in held] == ["the signed head cannot be written"]
    assert left == signed
    assert result.exit_code == 0, result.output
    assert f"Lost: up to position {signed.position}," in result.stdout
    assert newest is not None
    assert again is not None
    said = json.loads((folder / newest.name).read_text())["restored"]
    assert said["head"] == {"position": signed.position, "seal": signed.seal}
    assert (newest.restorations, again.restorations) == (1, 1)
    assert (before, complaint(app, folder), reasons(client)) == (None, None, [])
    assert run("ledger", "verify", "--checkpoints").exit_code == 0


@on_sqlite
def test_a_tail_rewritten_after_the_newest_checkpoint_is_not_taken_for_a_backup(
    app: Flask, client: FlaskClient, folder: Path, join: Join, drain: Drain, run: Run
) -> None:
    join(ADA)
    sign_up(client, GRACE)
    drain()
    signed = head.read(folder)
    assert signed is not None
    rewrite(app, signed.position)
    result = run("retention", "--after-restore")

    assert result.exit_code == 1
    assert f"Position {signed.position} was sealed otherwise before" in result.stderr


@on_sqlite
@pytest.mark.usefixtures("behind")
def test_a_head_signed_by_a_key_that_came_after_the_backup_is_asked_for(
    app: Flask, folder: Path, run: Run
) -> None:
    key = Ed25519PrivateKey.generate()
    file = folder / head.NAME
    file.write_text(json.dumps(signing.sign(json.loads(file.read_text()), key)))
    name = signing.fingerprint(key.public_key())
    refused = run("retention", "--after-restore")
    done = run("retention", "--after-restore", "--key", name)
    work(app)

    assert refused.exit_code == 1
    assert f"--key {name}" in refused.stderr
    assert done.exit_code == 0, done.output
    assert complaint(app, folder) is None


@on_sqlite
def test_a_backup_with_a_changed_row_is_refused(
    app: Flask, client: FlaskClient, restored: Restore, run: Run
) -> None:
    with attacking(app) as connection:
        connection.execute(update(LedgerRow).where(LedgerRow.id == 2).values(actor="nobody"))
    result = run("retention", "--after-restore")

    assert result.exit_code == 1
    assert "Position 2, row 2" in result.stderr
    assert status_of(client, ADA) == "confirmed"


@on_sqlite
def test_it_may_be_restored_twice_and_further_back(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    restored: Restore,
    run: Run,
    clock: time_machine.Traveller,
) -> None:
    run("retention", "--after-restore")
    ask_staff(client, "erasures", HEDY)
    work(app)
    clock.shift(HOUR)
    restored()
    work(app)
    held = reasons(client)
    result = run("retention", "--after-restore")
    work(app)

    assert len(held) == 1
    assert "Erased again: 3." in result.stdout
    assert [status_of(client, person) for person in (ADA, GRACE, HEDY)] == [
        "unknown",
        "blocked",
        "unknown",
    ]
    assert reasons(client) == []
    assert complaint(app, folder) is None


@on_sqlite
def test_a_backup_from_before_the_first_seal_is_restored(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    run: Run,
) -> None:
    restore = backup()
    join(ADA)
    restore()
    work(app)
    held = reasons(client)
    result = run("retention", "--after-restore")
    work(app)

    assert len(held) == 1
    assert result.exit_code == 0, result.output
    assert reasons(client) == []
    assert complaint(app, folder) is None


@on_sqlite
def test_a_worker_that_does_not_see_the_folder_stands_still_too(
    app: Flask, client: FlaskClient, environ: dict[str, Any], mailbox: Mailbox, restored: Restore
) -> None:
    work(app)
    blind = create_app(load({**environ, "LEDGER_CHECKPOINTS": ""}))
    before = len(mailbox.letters)
    work(blind)
    with blind.app_context():
        db.engine.dispose()

    assert len(mailbox.letters) == before
    assert len(reasons(client)) == 1


@on_sqlite
def test_the_command_wants_the_folder_for_which_the_workers_stand_still(
    app: Flask, restored: Restore, run: Run, tmp_path: Path
) -> None:
    work(app)
    (tmp_path / "another").mkdir()
    result = run("retention", "--after-restore", LEDGER_CHECKPOINTS=str(tmp_path / "another"))

    assert result.exit_code == 1
    assert "is not in this folder" in result.stderr


@pytest.fixture
def foreign(folder: Path, restored: Restore) -> str:
    """All checkpoints were signed by a key that came after the backup; its fingerprint."""
    key, before = Ed25519PrivateKey.generate(), None
    for name in checkpoints.names(folder):
        document = signing.sign({**json.loads((folder / name).read_text()), "before": before}, key)
        before = checkpoints.digest_of(document)
        (folder / name).write_text(json.dumps(document))
    return signing.fingerprint(key.public_key())


@on_sqlite
def test_a_key_from_after_the_backup_must_be_named(
    app: Flask, client: FlaskClient, folder: Path, foreign: str, run: Run
) -> None:
    work(app)
    held = reasons(client)
    refused = run("retention", "--after-restore")
    done = run("retention", "--after-restore", "--key", foreign)
    work(app)

    assert held[0].startswith("LEDGER_CHECKPOINTS holds the checkpoints of another keyring")
    assert refused.exit_code == 1
    assert f"--key {foreign}" in refused.stderr
    assert done.exit_code == 0, done.output
    assert status_of(client, ADA) == "unknown"
    assert reasons(client) == []
    assert complaint(app, folder) is None


@on_sqlite
def test_a_changed_checkpoint_restores_nothing(
    app: Flask, client: FlaskClient, folder: Path, restored: Restore, run: Run
) -> None:
    file = folder / checkpoints.names(folder)[-1]
    file.write_text(file.read_text().replace('"keep_block": true', '"keep_block": false'))
    result = run("retention", "--after-restore")

    assert result.exit_code == 1
    assert f"{file.name}: Its signature does not fit" in result.stderr


@on_sqlite
def test_a_worker_looks_at_its_start_and_every_few_seconds(
    app: Flask, client: FlaskClient, join: Join, backup: Callable[[], Restore], drain: Drain
) -> None:
    seconds = [0.0]
    still = Standstill("this worker", lambda: seconds[0])
    join(ADA)
    restore = backup()
    with app.app_context():
        first = still.is_on()
    ask_staff(client, "erasures", ADA)
    drain()
    restore()
    seen = []
    for shift in (FRESH_SECONDS - 0.1, 0.1):
        seconds[0] += shift
        with app.app_context():
            seen.append(still.is_on())

    assert (first, seen) == (False, [False, True])


def test_the_folder_is_listed_again_only_when_it_has_changed(
    app: Flask, folder: Path, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(ADA)
    true, listed, seconds = checkpoints.names, list[Path](), [0.0]

    def names(folder: Path) -> list[str]:
        listed.append(folder)
        return true(folder)

    monkeypatch.setattr(checkpoints, "names", names)
    still, seen = Standstill("this worker", lambda: seconds[0]), []
    for is_changed in (False, False, True, False):
        seconds[0] += FRESH_SECONDS
        if is_changed:
            (folder / "anything").touch()
        with app.app_context():
            still.is_on()
        seen.append(len(listed))

    assert seen == [1, 1, 2, 2]


def unmount(folder: Path, *, leaves_it_empty: bool) -> Callable[[], None]:
    """Take the folder away, or leave only the place where it was mounted; what is given back mounts it again."""
    away = folder.rename(folder.with_name("away"))
    if leaves_it_empty:
        folder.mkdir()

    def mount() -> None:
        if leaves_it_empty:
            folder.rmdir()
        away.rename(folder)

    return mount


either_away_or_empty = pytest.mark.parametrize("leaves_it_empty", [False, True])


@on_sqlite
@either_away_or_empty
def test_a_worker_that_starts_without_the_checkpoints_stands_still_until_it_sees_them(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    folder: Path,
    restored: Restore,
    caplog: pytest.LogCaptureFixture,
    leaves_it_empty: bool,
) -> None:
    mount = unmount(folder, leaves_it_empty=leaves_it_empty)
    before, seconds = len(mailbox.letters), [0.0]
    work(app)
    still, seen, told = Standstill("this worker", lambda: seconds[0]), [], []
    for is_back in (False, False, True):
        if is_back:
            mount()
        seconds[0] += FRESH_SECONDS
        with app.app_context():
            seen.append(still.is_on())
        told.append(reasons(client)[0][:34])

    assert len(mailbox.letters) == before
    assert seen == [True, True, True]
    assert told == ["LEDGER_CHECKPOINTS cannot be read,"] * 2 + [
        "a backup was restored: nothing is "
    ]
    assert "or run `newsletter ledger new-folder`" in caplog.text
    assert len(checkpoints.names(folder)) > 1


@on_sqlite
@either_away_or_empty
@pytest.mark.parametrize("words", ["reconcile", "retention", "keys rotate --data"])
def test_commands_change_nothing_either_where_the_checkpoints_are_not_seen(
    folder: Path, mailchimp: StandIn, restored: Restore, run: Run, leaves_it_empty: bool, words: str
) -> None:
    unmount(folder, leaves_it_empty=leaves_it_empty)
    before = len(mailchimp.calls)
    result = run(*words.split())

    assert (result.exit_code, len(mailchimp.calls)) == (1, before)
    assert "a backup may have been restored" in result.stderr


@on_sqlite
def test_an_empty_folder_cannot_tell_what_was_lost(
    client: FlaskClient, folder: Path, restored: Restore, run: Run
) -> None:
    mount = unmount(folder, leaves_it_empty=True)
    refused, verified = (
        run("retention", "--after-restore"),
        run("ledger", "verify", "--checkpoints"),
    )
    mount()
    done = run("retention", "--after-restore")

    assert (refused.exit_code, verified.exit_code) == (1, 1)
    assert "LEDGER_CHECKPOINTS holds no checkpoint" in refused.stderr
    assert "no checkpoint to compare the ledger with" in verified.stderr
    assert "Erased again: 2." in done.stdout


def test_it_goes_on_once_the_folder_is_there_and_all_is_well(
    app: Flask, client: FlaskClient, folder: Path, join: Join
) -> None:
    join(ADA)
    away = folder.rename(folder.with_name("away"))
    still = Standstill("this worker", iter([0.0, FRESH_SECONDS]).__next__)
    with app.app_context():
        first, told = still.is_on(), reasons(client)
        away.rename(folder)

        assert (first, len(told)) == (True, 1)
        assert not still.is_on()
    assert reasons(client) == []


@on_sqlite
@either_away_or_empty
def test_a_folder_that_goes_away_later_stops_nobody_and_a_backup_is_recognised_all_the_same(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    join: Join,
    backup: Callable[[], Restore],
    drain: Drain,
    leaves_it_empty: bool,
) -> None:
    join(ADA)
    restore = backup()
    ask_staff(client, "erasures", ADA)
    drain()
    still = Standstill("this worker", iter([0.0, FRESH_SECONDS, 2 * FRESH_SECONDS]).__next__)
    with app.app_context():
        first = still.is_on()
        unmount(folder, leaves_it_empty=leaves_it_empty)
        second = still.is_on()
    restore()
    with app.app_context():
        third = still.is_on()

    assert (first, second, third) == (False, False, True)


@on_sqlite
@pytest.mark.parametrize("has_seen_them", [True, False])
def test_no_new_checkpoints_begin_where_the_folder_is_not_mounted(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    join: Join,
    clock: time_machine.Traveller,
    has_seen_them: bool,
) -> None:
    join(ADA)
    sealer = Checkpointing()
    with app.app_context():
        if has_seen_them:
            sealer.step()
        mount = unmount(folder, leaves_it_empty=True)
        ask_staff(client, "erasures", ADA)
        while Sealing().step():
            pass
        sealer.step()
        told, begun = reasons(client), list(folder.iterdir())
        mount()
        clock.shift(RETRY)
        written = sealer.step()

    assert begun == []
    assert len(told) == 1
    assert told[0].startswith("checkpoints cannot be written: ")
    assert "`newsletter ledger new-folder`" in told[0]
    assert written
    assert reasons(client) == []
    assert complaint(app, folder) is None


def test_a_new_folder_begins_by_staffs_word_and_recognises_later_backups(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    folder: Path,
    join: Join,
    backup: Callable[[], Restore],
    drain: Drain,
    clock: time_machine.Traveller,
    run: Run,
) -> None:
    join(ADA)
    join(GRACE)
    restore = backup()
    ask_staff(client, "erasures", ADA)
    drain()
    clock.shift(HOUR)
    unmount(folder, leaves_it_empty=True)
    sign_up(client, HEDY)
    work(app)
    before = len(mailbox.letters_to(HEDY))
    begun = run("ledger", "new-folder")
    work(app)
    goes_on = len(mailbox.letters_to(HEDY)), reasons(client), complaint(app, folder)
    ask_staff(client, "erasures", GRACE)
    work(app)
    restore()
    work(app)
    held = reasons(client)
    result = run("retention", "--after-restore")

    assert begun.exit_code == 0, begun.output
    assert begun.stdout.startswith("Signed: checkpoint-0000-")
    assert before == 0
    assert goes_on == (1, [], None)
    assert held[0].startswith("a backup was restored")
    assert "Erased again: 2." in result.stdout


@on_sqlite
def test_a_folder_that_holds_checkpoints_is_no_new_one(folder: Path, join: Join, run: Run) -> None:
    join(ADA)
    before = list(folder.iterdir())
    refused = run("ledger", "new-folder")
    unset = run("ledger", "new-folder", LEDGER_CHECKPOINTS="")
    away = run("ledger", "new-folder", LEDGER_CHECKPOINTS=f"{folder}-away")

    assert (refused.exit_code, unset.exit_code, away.exit_code) == (1, 1, 1)
    assert "holds checkpoints" in refused.stderr
    assert "cannot be used (No such file or directory)" in away.stderr
    assert list(folder.iterdir()) == before


@on_sqlite
def test_while_a_backup_waits_for_its_erasures_a_new_folder_is_begun_only_if_they_are_lost(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    folder: Path,
    restored: Restore,
    run: Run,
) -> None:
    work(app)
    unmount(folder, leaves_it_empty=True)
    refused = run("ledger", "new-folder")
    held = reasons(client)
    done = run("ledger", "new-folder", "--yes")
    work(app)
    stopped = reasons(client)
    run("reconcile", "--full", "--yes")

    assert refused.exit_code == 1
    assert "--yes" in refused.stderr
    assert held[0].startswith("a backup was restored")
    assert done.exit_code == 0, done.output
    assert reasons(client) == []
    # They are not erased again, but were at Mailchimp: they are known to be missing there, and not brought back.
    assert stopped[0] == "reconciliation stopped: only 1 of 3 who should be there were seen"
    assert status_of(client, ADA) == "blocked"
    assert standing_of(mailchimp, ADA) is None
    assert complaint(app, folder) is None


@on_sqlite
def test_an_empty_database_that_met_an_old_folder_begins_with_one_of_its_own(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    folder: Path,
    join: Join,
    backup: Callable[[], Restore],
    run: Run,
) -> None:
    empty = backup()
    join(ADA)
    empty()
    sign_up(client, GRACE)
    work(app)
    unmount(folder, leaves_it_empty=True)
    work(app)
    before = len(mailbox.letters_to(GRACE))
    done = run("ledger", "new-folder", "--yes")
    work(app)

    assert done.exit_code == 0, done.output
    assert (before, len(mailbox.letters_to(GRACE))) == (0, 1)
    assert reasons(client) == []
    assert complaint(app, folder) is None


@on_sqlite
@pytest.mark.parametrize("is_there", [True, False])
def test_a_new_installation_begins_whether_its_folder_is_empty_or_not_there_yet(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    folder: Path,
    is_there: bool,
) -> None:
    if not is_there:
        folder.rmdir()
    sign_up(client, ADA)
    work(app)
    work(app)

    assert len(mailbox.letters_to(ADA)) == 1


@on_sqlite
def test_a_block_that_was_asked_for_after_the_backup_is_kept(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    clock: time_machine.Traveller,
    run: Run,
) -> None:
    join(ADA)
    mailchimp.lose_list()
    ask_staff(client, "erasures", ADA)
    drain()
    restore = backup()
    ask_staff(client, "erasures", ADA, keep_block=True)
    clock.shift(HOUR)
    drain()
    restore()
    work(app)
    result = run("retention", "--after-restore", MAILCHIMP_API_KEY="")

    assert result.exit_code == 0, result.output
    assert access(client, ADA)["status"] == "blocked"


@pytest.fixture
def unsynced(
    client: FlaskClient,
    mailbox: Mailbox,
    drain: Drain,
    join: Join,
    backup: Callable[[], Restore],
) -> Restore:
    """Ada has confirmed, and a backup was made before Mailchimp was told; Hedy stands there already."""
    join(HEDY)
    sign_up(client, ADA)
    drain()
    assert press(client, mailbox, ADA) == 200
    return backup()


def restore_later(app: Flask, client: FlaskClient, restore: Restore) -> None:
    """Something more is sealed and signed, and then the backup is restored."""
    ask_staff(client, "erasures", GRACE)
    work(app)
    restore()
    work(app)


def test_whoever_left_after_the_backup_that_had_not_told_mailchimp_of_them_is_not_added_again(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    drain: Drain,
    unsynced: Restore,
    clock: time_machine.Traveller,
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


def leave(app: Flask, client: FlaskClient, email: str) -> None:
    """Use the link to unsubscribe that is in every newsletter."""
    with app.app_context():
        url = unsubscribe_url(access(client, email)["reference"])
    assert client.post(url.removeprefix("http://localhost:8000")).status_code == 200


@pytest.fixture
def unlooked(
    app: Flask,
    client: FlaskClient,
    drain: Drain,
    unsynced: Restore,
    clock: time_machine.Traveller,
    run: Run,
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


def test_what_is_owed_is_done_before_anybody_is_brought_to_mailchimp(
    app: Flask, client: FlaskClient, mailchimp: StandIn, unlooked: None
) -> None:
    before = len(mailchimp.calls)
    work(app)

    assert (status_of(client, ADA), status_of(client, HEDY)) == ("blocked", "confirmed")
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"
    assert not [call for call in mailchimp.calls[before:] if is_add(call)]
    assert reasons(client) == []


@on_sqlite
def test_a_command_does_what_is_owed_whatever_it_was_asked_to_walk(
    client: FlaskClient, unlooked: None, run: Run
) -> None:
    result = run("reconcile")

    assert result.exit_code == 0, result.output
    assert "(all contacts)" in result.stdout
    assert "1 left there: blocked here" in result.stdout
    assert status_of(client, ADA) == "blocked"
    assert reasons(client) == []


def test_while_it_is_stopped_nobody_is_added_and_whoever_leaves_is_unsubscribed(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    mailbox: Mailbox,
    unlooked: None,
    clock: time_machine.Traveller,
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
        "reconciliation stopped",
        "everybody is still to be compared with Mailchimp, since a backup may have been restored",
    ]
    assert done.exit_code == 0, done.output
    assert status_of(client, ADA) == "blocked"
    assert standing_of(mailchimp, JOAN) == "subscribed"
    assert reasons(client) == []


def hold(client: FlaskClient, email: str, *, is_held: bool) -> None:
    assert ask_staff(client, "holds", email, hold=is_held).status_code == 202


@pytest.fixture
def held(
    client: FlaskClient,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    clock: time_machine.Traveller,
) -> Restore:
    """Ada and Hedy stand at Mailchimp; Ada was held there before a backup, and an hour has passed since."""
    join(HEDY)
    join(ADA)
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


def test_whoever_was_released_and_left_after_the_backup_is_not_added_when_released_again(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    drain: Drain,
    held: Restore,
    clock: time_machine.Traveller,
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


@on_sqlite
@pytest.mark.parametrize("is_told_before", [True, False])
def test_whoever_was_released_did_not_leave_by_having_been_held(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    held: Restore,
    backup: Callable[[], Restore],
    clock: time_machine.Traveller,
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


@on_sqlite
def test_whoever_is_still_held_stays_so(
    app: Flask, client: FlaskClient, mailchimp: StandIn, held: Restore, run: Run
) -> None:
    bring_back(app, client, held, run)
    before = status_of(client, ADA), standing_of(mailchimp, ADA)
    hold(client, ADA, is_held=False)
    work(app)

    assert before == ("confirmed", "unsubscribed")
    assert standing_of(mailchimp, ADA) == "subscribed"


@on_sqlite
def test_whose_hold_had_not_been_carried_out_in_the_backup_may_have_left_since(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    clock: time_machine.Traveller,
    run: Run,
) -> None:
    join(HEDY)
    join(ADA)
    hold(client, ADA, is_held=True)
    restore = backup()
    drain()
    clock.shift(HOUR)
    bring_back(app, client, restore, run)

    assert status_of(client, ADA) == "blocked"


@on_sqlite
def test_whoever_left_before_their_consent_is_added_after_a_restore(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    clock: time_machine.Traveller,
    unsynced: Restore,
    run: Run,
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


@on_sqlite
def test_a_block_that_was_asked_for_just_before_the_loss_is_kept(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    clock: time_machine.Traveller,
    run: Run,
) -> None:
    join(ADA)
    restore = backup()
    mailchimp.lose_list()
    ask_staff(client, "erasures", ADA)
    drain()
    clock.shift(timedelta(minutes=1))
    ask_staff(client, "erasures", ADA, keep_block=True)
    drain()
    restore()
    work(app)
    result = run("retention", "--after-restore", MAILCHIMP_API_KEY="")

    assert result.exit_code == 0, result.output
    assert access(client, ADA)["status"] == "blocked"


@on_sqlite
def test_a_fresh_checkpoint_of_another_worker_is_no_alarm(
    app: Flask, client: FlaskClient, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(ADA)
    true = checkpoints.newest

    def meanwhile(folder: Path) -> checkpoints.Checkpoint | None:
        newest = true(folder)
        monkeypatch.setattr(checkpoints, "newest", true)
        ask_staff(client, "erasures", ADA)
        work(app)
        return newest

    monkeypatch.setattr(checkpoints, "newest", meanwhile)
    with app.app_context():
        assert not restoring.stand_still()


@on_sqlite
def test_an_open_transaction_that_never_ends_is_told(
    app: Flask, restored: Restore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(Sealing, "step", lambda _: False)
    result = run("retention", "--after-restore")

    assert result.exit_code == 1
    assert "keeps the ledger from being sealed" in result.stderr


def test_nobody_else_is_forgotten(
    app: Flask, client: FlaskClient, restored: Restore, run: Run
) -> None:
    run("retention", "--after-restore")

    with app.app_context(), writing() as session:
        known = session.scalars(select(Subscription.status)).all()
    assert sorted(known) == ["blocked", "confirmed", "pending"]
