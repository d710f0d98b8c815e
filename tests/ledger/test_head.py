"""The newest signed head: what was sealed since the newest checkpoint can be cut off or rewritten no more, either."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from newsletter.app import create_core
from newsletter.cli import application, main
from newsletter.config import Settings
from newsletter.ledger import checkpoints, files, sealing
from newsletter.ledger import head as signed_head
from newsletter.ledger.head_keeping import AGAIN_AFTER, HeadKeeping
from newsletter.ledger.sealing import Sealing
from newsletter.storage.database import reading
from newsletter.storage.keys import signing
from newsletter.storage.models import LedgerRow, Seal, db
from newsletter.worker.upkeep.sealer import BUSY_SECONDS, Sealer
from tests.attacker import attacking, rewrite
from tests.conftest import Drain, Join, on_sqlite
from tests.people import ADA, GRACE, HEDY, STAFF, sign_up

pytestmark = pytest.mark.usefixtures("clock")

SECONDS = timedelta(seconds=5)
DAY = timedelta(days=1)
NAME = "head/head.json"
NO_FIT = (
    f"the signed head cannot be written: {NAME}: It names a seal that the ledger does not have;"
    " `newsletter ledger verify --checkpoints` tells more."
)


@pytest.fixture
def environ(environ: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The service writes checkpoints."""
    return {**environ, "LEDGER_CHECKPOINTS": str(folder)}


Run = Callable[..., Result]


@pytest.fixture
def run(environ: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as a process of its own would."""
    apps: list[Flask] = []

    def create(settings: Settings) -> Flask:
        apps.append(create_core(settings))
        return apps[-1]

    def run(*words: str) -> Result:
        result = CliRunner().invoke(main, words, env=environ)
        with apps[-1].app_context():
            db.engine.dispose()
        return result

    monkeypatch.setattr(application, "create_core", create)
    return run


@pytest.fixture
def lived(join: Join, drain: Drain, client: FlaskClient, clock: time_machine.Traveller) -> int:
    """Ada joined, and Grace signed up seconds later, for which no checkpoint was due; up to where all is sealed."""
    join(ADA)
    clock.shift(SECONDS)
    sign_up(client, GRACE)
    drain()
    return 6


def said(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / NAME).read_text())
    return document


def head_of(app: Flask) -> tuple[int, str]:
    with app.app_context(), reading() as session:
        head = sealing.head(session)
    return head.position, head.seal.hex()


def found(run: Run) -> str:
    """What `newsletter ledger verify --checkpoints` finds; "" for nothing."""
    result = run("ledger", "verify", "--checkpoints")
    assert result.exit_code == (1 if result.stderr else 0), result.output
    return result.stderr.removeprefix("Error: ").strip()


def reasons(client: FlaskClient) -> list[str]:
    told: list[str] = client.get("/ready", headers=STAFF).get_json()["reasons"]
    return [reason for reason in told if reason != "no live worker"]


def cut(app: Flask, after: int) -> None:
    """Cut off the tail."""
    with attacking(app) as connection:
        row_id = connection.scalar(select(Seal.row_id).where(Seal.position == after))
        connection.execute(delete(Seal).where(Seal.position > after))
        connection.execute(delete(LedgerRow).where(LedgerRow.id > row_id))


def test_whatever_is_sealed_is_signed_though_no_checkpoint_is_due(
    app: Flask, folder: Path, lived: int, run: Run
) -> None:
    signed = said(folder)

    assert len(checkpoints.names(folder)) == 1
    assert (signed["position"], signed["seal"]) == head_of(app)
    assert (signed["position"], signed["restorations"]) == (lived, 0)
    assert signed["at"] == "2026-03-01T12:00:05Z"
    assert (folder / f"key-{signing.fingerprint(signing.verify(signed))}.pem").is_file()
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    assert ADA.lower() not in (folder / NAME).read_text().lower()
    assert found(run) == ""


@on_sqlite
def test_where_nothing_was_sealed_nothing_is_written_and_the_checkpoints_folder_stays_untouched(
    app: Flask, client: FlaskClient, folder: Path, lived: int, drain: Drain
) -> None:
    head, around = (folder / NAME).stat(), folder.stat().st_mtime_ns
    drain()
    same = (folder / NAME).stat()
    sign_up(client, HEDY)
    drain()

    assert (same.st_ino, same.st_mtime_ns) == (head.st_ino, head.st_mtime_ns)
    assert said(folder)["position"] == lived + 2
    assert folder.stat().st_mtime_ns == around


def test_a_tail_that_is_cut_off_seconds_later_is_found(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    lived: int,
    drain: Drain,
    run: Run,
    clock: time_machine.Traveller,
) -> None:
    cut(app, lived - 1)
    told = found(run)
    clock.shift(DAY)
    drain()  # the worker verifies, and what it seals now replaces nothing
    sign_up(client, HEDY)
    sign_up(client, "another@example.org")
    drain()

    assert told == (
        f"Position {lived - 1} is the last, though there were {lived}, as the head of 2026-03-01T12:00:05Z says:"
        " the tail was cut off, or an earlier backup was restored."
    )
    assert reasons(client) == [NO_FIT, f"ledger wrong: {told}"]
    assert said(folder)["position"] == lived
    assert found(run).startswith(f"Position {lived}, row ")


@pytest.mark.parametrize("is_all", [False, True])
def test_a_tail_that_is_rewritten_with_its_seals_is_found(
    app: Flask, folder: Path, lived: int, run: Run, is_all: bool
) -> None:
    newest = checkpoints.newest(folder)
    assert newest is not None
    rewrite(app, newest.position + 1 if is_all else lived)

    told = found(run)
    assert told.startswith(f"Position {lived}, row ")
    assert "as the head of 2026-03-01T12:00:05Z says" in told
    assert "was rewritten" in told


@on_sqlite
@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda text: "", "It is no signed head."),
        (lambda text: text.replace("head", "checkpoint", 1), "It is no signed head."),
        (lambda text: "[]", "It is no signed head."),
        (lambda text: text.replace('"position": 6', '"position": 5'), "Its signature does not fit"),
    ],
)
def test_a_damaged_file_is_named_and_left_and_checkpoints_go_on(
    client: FlaskClient,
    folder: Path,
    lived: int,
    run: Run,
    drain: Drain,
    clock: time_machine.Traveller,
    damage: Callable[[str], str],
    why: str,
) -> None:
    damaged = damage((folder / NAME).read_text())
    (folder / NAME).write_text(damaged)
    told = found(run)
    clock.shift(timedelta(hours=1))
    sign_up(client, HEDY)
    drain()
    drain()

    assert told.startswith(f"{NAME}: {why}")
    assert reasons(client)[0].startswith(f"the signed head cannot be written: {NAME}: {why}")
    assert (folder / NAME).read_text() == damaged
    assert len(checkpoints.names(folder)) == 2

    (folder / NAME).unlink()  # staff have looked at it
    clock.shift(AGAIN_AFTER)
    drain()
    assert (found(run), reasons(client)) == ("", [])


@on_sqlite
def test_one_that_somebody_else_signed_is_found_and_not_replaced(
    client: FlaskClient, folder: Path, lived: int, run: Run, drain: Drain
) -> None:
    forged = signing.sign(said(folder), Ed25519PrivateKey.generate())
    (folder / NAME).write_text(json.dumps(forged))
    sign_up(client, HEDY)
    drain()

    assert found(run) == f"{NAME}: It is signed by a key that is not ours."
    assert said(folder) == forged
    assert reasons(client)[0].endswith("It is signed by a key that is not ours.")


@on_sqlite
def test_a_copy_of_the_checkpoints_alone_is_whole_but_says_what_it_does_not_tell(
    folder: Path, lived: int, run: Run, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy", ignore=lambda *_: ["head"])
    result = run("ledger", "verify", "--checkpoints", "--folder", str(copy))

    assert result.exit_code == 0, result.output
    assert "head/head.json is not there: what was sealed after position 2 could be" in result.stdout


@on_sqlite
def test_a_folder_that_holds_a_head_alone_is_no_new_one(
    folder: Path, lived: int, run: Run, drain: Drain
) -> None:
    for name in checkpoints.names(folder):
        (folder / name).unlink()
    result = run("ledger", "new-folder")
    drain()

    assert result.exit_code == 1
    assert "or a head" in result.stderr
    assert checkpoints.names(folder) == []


@on_sqlite
def test_one_that_is_missing_is_made_anew(folder: Path, lived: int, run: Run, drain: Drain) -> None:
    shutil.rmtree(folder / "head")  # as after an upgrade
    drain()

    assert said(folder)["position"] == lived
    assert found(run) == ""


@on_sqlite
def test_a_full_disk_stops_nothing_and_is_told_once(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    lived: int,
    drain: Drain,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    clock: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    told = "the signed head cannot be written: No space left on device"
    with monkeypatch.context() as filled:
        filled.setattr(os, "fsync", full)
        sign_up(client, HEDY)
        drain()
        clock.shift(AGAIN_AFTER)
        drain()

    assert reasons(client) == [told]
    assert caplog.text.count(told) == 1
    assert head_of(app)[0] == lived + 2
    assert (said(folder)["position"], found(run)) == (lived, "")
    assert [path.name for path in (folder / "head").iterdir()] == ["head.json"]

    clock.shift(AGAIN_AFTER)
    drain()
    assert (said(folder)["position"], reasons(client)) == (lived + 2, [])


@on_sqlite
def test_a_process_that_dies_before_the_renaming_leaves_nothing_that_confuses(
    client: FlaskClient,
    folder: Path,
    lived: int,
    drain: Drain,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    sign_up(client, HEDY)
    with monkeypatch.context() as dying:
        dying.setattr(Path, "replace", die)
        dying.setattr(Path, "unlink", die)  # killed, it does not tidy up
        with pytest.raises(KeyboardInterrupt):
            drain()
    left = [path.name for path in (folder / "head").iterdir()]
    before = said(folder)["position"], found(run)
    drain()

    assert len(left) == 2
    assert before == (lived, "")
    assert (said(folder)["position"], found(run)) == (lived + 2, "")


def seal() -> None:
    while Sealing().step():
        pass


@on_sqlite
@pytest.mark.usefixtures("lived")
def test_who_is_late_replaces_no_newer_head(
    app: Flask, client: FlaskClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, faster = HeadKeeping(), HeadKeeping()
    true = signing.sign

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr(signing, "sign", true)
        sign_up(client, "another@example.org")
        seal()
        assert faster.step(folder, 0) is None
        return true(*given)

    with app.app_context():
        sign_up(client, HEDY)
        seal()
        monkeypatch.setattr(signing, "sign", overtaken)
        assert late.step(folder, 0) is None

    assert (said(folder)["position"], said(folder)["seal"]) == head_of(app)


@on_sqlite
def test_an_older_head_that_a_late_one_has_put_there_all_the_same_is_replaced(
    app: Flask, client: FlaskClient, folder: Path, lived: int, drain: Drain
) -> None:
    older = (folder / NAME).read_text()
    sign_up(client, HEDY)
    drain()
    files.replace(folder / NAME, older, seen=signed_head.identity(folder))
    drain()

    assert said(folder)["position"] == lived + 2


@on_sqlite
def test_one_from_before_a_restored_backup_gives_way_to_one_from_after_it_and_not_the_other_way(
    app: Flask, folder: Path, lived: int
) -> None:
    with app.app_context():
        after = HeadKeeping().step(folder, 1)
        before = HeadKeeping().step(folder, 0)

    assert after is None
    assert before is not None
    assert (said(folder)["restorations"], said(folder)["position"]) == (1, lived)


@on_sqlite
def test_it_is_signed_once_a_second_where_sealing_never_ends(
    app: Flask, client: FlaskClient, folder: Path
) -> None:
    seconds, seen = [0.0], list[int]()
    sealer = Sealer("this worker", lambda: seconds[0])
    with app.app_context():
        sign_up(client, ADA)
        while sealer.step():
            pass
        for pause in (0.1, 0.1, BUSY_SECONDS, 0.1):
            sign_up(client, f"busy-{len(seen)}@example.org")
            seconds[0] += pause
            assert sealer.step()
            seen.append(said(folder)["position"])

    assert seen == [1, 1, 4, 4]
