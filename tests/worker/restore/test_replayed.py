"""`newsletter retention --after-restore`: whom the checkpoints name is erased again, and workers start again."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter.domain.lifecycle import Event
from newsletter.ledger.checkpoints import NAME
from newsletter.ledger.sealing import Sealing
from newsletter.storage.database import reading
from newsletter.storage.keys import signing
from newsletter.storage.models import LedgerRow, Subscription
from newsletter.worker.restore import finish
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.attacker import attacking, rewrite
from tests.commands import Run
from tests.conftest import Clock, Drain, Join
from tests.people import ADA, GRACE, HEDY, access, ask_staff, press, sign_up, status_of
from tests.worker.restore.restoring import HOUR, Restore, complaint, reasons, unmount, work

pytestmark = pytest.mark.usefixtures("clock")


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


@pytest.mark.requires("R64")
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
    with app.app_context(), reading() as session:
        known = session.scalars(select(Subscription.status)).all()
    assert sorted(known) == ["blocked", "confirmed", "confirmed", "pending"]


@pytest.mark.usefixtures("restored")
def test_ledger_and_the_next_checkpoint_record_the_restore(
    app: Flask, folder: Path, run: Run
) -> None:
    before = lines(folder)
    run("retention", "--after-restore")
    after = lines(folder)

    with app.app_context(), reading() as session:
        events = list(session.scalars(select(LedgerRow.event).order_by(LedgerRow.id)))
    assert events.count(Event.RESTORED) == 1
    assert after[:-1] == before
    assert len(after[-1]["erased"]) == 2
    assert after[-1]["restored"]["position"] < after[-1]["position"]
    assert after[-1]["restored"]["after"] in [one["before"] for one in before]


def test_where_nothing_was_restored_it_says_so(join: Join, run: Run) -> None:
    join(ADA)
    result = run("retention", "--after-restore")

    assert (result.exit_code, result.stdout) == (
        0,
        "Nothing changed: the database has everything that the checkpoints name.\n",
    )
    assert run("retention", "--yes").exit_code == 2
    assert run("retention", "--after-restore", LEDGER_CHECKPOINTS="").exit_code == 1


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    ("module", "name", "times"),
    [
        ("worker.restore.replay", "_erase", 0),
        ("worker.restore.replay", "_erase", 1),
        ("storage.runs.reconciliation", "end", 0),
        ("worker.restore.finish", "finish", 0),
        ("worker.restore.finish", "_sealed", 0),
        ("ledger.checkpoints", "_write", 0),
        ("ledger.restored", "check", 0),
    ],
)
def test_a_command_that_dies_is_simply_run_again(
    app: Flask,
    client: FlaskClient,
    folder: Path,
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

    with monkeypatch.context() as dying:
        dying.setattr(where, name, die)
        run("retention", "--after-restore")
    result = run("retention", "--after-restore")
    starts = work(app)

    assert result.exit_code == 0, result.output
    assert starts is None
    assert [status_of(client, person) for person in (ADA, GRACE, HEDY)] == [
        "unknown",
        "blocked",
        "confirmed",
    ]
    assert reasons(client) == []
    assert complaint(app, folder) is None


def test_a_rewritten_ledger_is_not_taken_for_a_backup(app: Flask, join: Join, run: Run) -> None:
    join(ADA)
    rewrite(app, 1)
    refusal = work(app)
    result = run("retention", "--after-restore")

    assert refusal is not None
    assert result.exit_code == 1
    assert "the ledger was rewritten" in result.stderr


def test_a_backup_with_a_changed_row_is_refused(
    app: Flask, client: FlaskClient, restored: Restore, run: Run
) -> None:
    with attacking(app) as connection:
        connection.execute(update(LedgerRow).where(LedgerRow.id == 2).values(actor="nobody"))
    result = run("retention", "--after-restore")

    assert result.exit_code == 1
    assert "Position 2, row 2" in result.stderr
    assert status_of(client, ADA) == "confirmed"


def test_it_may_be_restored_twice_and_further_back(
    app: Flask, client: FlaskClient, folder: Path, restored: Restore, run: Run, clock: Clock
) -> None:
    run("retention", "--after-restore")
    ask_staff(client, "erasures", HEDY)
    work(app)
    clock.shift(HOUR)
    restored()
    refusal = work(app)
    result = run("retention", "--after-restore")
    work(app)

    assert refusal is not None
    assert "Erased again: 3." in result.stdout
    assert [status_of(client, person) for person in (ADA, GRACE, HEDY)] == [
        "unknown",
        "blocked",
        "unknown",
    ]
    assert reasons(client) == []
    assert complaint(app, folder) is None


def test_the_wrong_backup_may_be_followed_by_a_newer_one(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    run: Run,
    clock: Clock,
) -> None:
    join(ADA)
    older = backup()
    clock.shift(HOUR)
    join(GRACE, HEDY)
    clock.shift(HOUR)
    ask_staff(client, "erasures", "joan@example.com")
    drain()
    newer = backup()
    clock.shift(HOUR)
    ask_staff(client, "erasures", ADA)
    drain()
    older()
    wrong = run("retention", "--after-restore", "--yes")
    clock.shift(HOUR)
    newer()
    refusal = work(app)
    right = run("retention", "--after-restore", "--yes")
    starts = work(app)

    assert (wrong.exit_code, right.exit_code) == (0, 0), wrong.output + right.output
    assert refusal is not None
    assert starts is None
    assert [status_of(client, person) for person in (ADA, GRACE)] == ["unknown", "confirmed"]
    assert complaint(app, folder) is None


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
    refusal = work(app)
    result = run("retention", "--after-restore")
    work(app)

    assert refusal is not None
    assert result.exit_code == 0, result.output
    assert reasons(client) == []
    assert complaint(app, folder) is None


def test_a_block_that_was_asked_for_after_the_backup_is_kept(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    clock: Clock,
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


def test_a_block_that_was_asked_for_just_before_the_loss_is_kept(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    backup: Callable[[], Restore],
    clock: Clock,
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


def test_an_open_transaction_that_never_ends_is_reported(
    app: Flask, restored: Restore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finish, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(Sealing, "step", lambda _: False)
    result = run("retention", "--after-restore")

    assert result.exit_code == 1
    assert "keeps the ledger from being sealed" in result.stderr


@pytest.fixture
def foreign(folder: Path, restored: Restore) -> str:
    """All checkpoints were signed by a key that came after the backup; its fingerprint."""
    key, before, signed = Ed25519PrivateKey.generate(), None, []
    for document in lines(folder):
        line = signing.canonical(signing.sign({**document, "before": before}, key))
        before = hashlib.sha256(line).hexdigest()
        signed.append(line)
    (folder / NAME).write_bytes(b"\n".join([*signed, b""]))
    return signing.fingerprint(key.public_key())


def test_a_key_from_after_the_backup_must_be_named(
    app: Flask, client: FlaskClient, folder: Path, foreign: str, run: Run
) -> None:
    refusal = work(app)
    refused = run("retention", "--after-restore")
    done = run("retention", "--after-restore", "--key", foreign)
    starts = work(app)

    assert refusal is not None
    assert "signed by a key that this database does not have" in refusal
    assert refused.exit_code == 1
    assert f"--key {foreign}" in refused.stderr
    assert done.exit_code == 0, done.output
    assert starts is None
    assert status_of(client, ADA) == "unknown"
    assert complaint(app, folder) is None


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    ("number", "why"),
    [(-1, "The last line: Its signature does not fit"), (-2, "lines were changed, inserted or")],
)
def test_a_changed_line_restores_nothing(folder: Path, run: Run, number: int, why: str) -> None:
    written = (folder / NAME).read_text().splitlines()
    written[number] = (
        written[number]
        .replace('"keep_block":', '"keep_block" :', 1)
        .replace('"erased":[]', '"erased":[0]')
        .replace("true", "false")
    )
    (folder / NAME).write_text("\n".join([*written, ""]))
    result = run("retention", "--after-restore")

    assert result.exit_code == 1
    assert f"{NAME}: " in result.stderr
    assert why in result.stderr


@pytest.mark.usefixtures("restored")
def test_with_an_empty_folder_it_is_unknown_what_was_lost(folder: Path, run: Run) -> None:
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


@pytest.mark.usefixtures("restored")
def test_where_the_file_changes_meanwhile_nothing_is_signed(
    app: Flask, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = finish._sealed

    def meanwhile() -> Any:
        *kept, _ = (folder / NAME).read_bytes().splitlines(keepends=True)
        (folder / NAME).write_bytes(b"".join(kept))
        return true()

    monkeypatch.setattr(finish, "_sealed", meanwhile)
    result = run("retention", "--after-restore")

    assert result.exit_code == 1
    assert "run it again" in result.stderr
