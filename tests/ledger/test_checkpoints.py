"""The ledger's signed heads: when they are written, what they say, and what they tell of whoever owns the database."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from newsletter.ledger import checkpointing, checkpoints, comparison, sealing
from newsletter.ledger import files as whole_files
from newsletter.ledger.checkpointing import Checkpointing
from newsletter.ledger.sealing import Sealing
from newsletter.ledger.verifying import Verification
from newsletter.storage.database import reading
from newsletter.storage.keys import keyring, signing
from newsletter.storage.models import LedgerRow, Seal, Subscription
from newsletter.worker.restore import replay
from newsletter.worker.run import Worker
from tests.attacker import attacking, rewrite
from tests.conftest import Drain, Join
from tests.people import ADA, GRACE, HEDY, STAFF, access, ask_staff, sign_up

HOUR = timedelta(hours=1)


@pytest.fixture
def environ(environ: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The service writes checkpoints."""
    return {**environ, "LEDGER_CHECKPOINTS": str(folder)}


def said(folder: Path) -> list[dict[str, Any]]:
    """What all checkpoints say, oldest first."""
    return [json.loads((folder / name).read_text()) for name in checkpoints.names(folder)]


def complaint(app: Flask, folder: Path) -> str | None:
    """What `newsletter ledger verify --checkpoints` finds."""
    with app.app_context():
        walk = Verification()
        while walk.step():
            pass
        assert walk.wrong is None
        return comparison.complaint(folder)


def test_the_first_is_written_as_soon_as_anything_is_sealed(
    app: Flask, client: FlaskClient, folder: Path, drain: Drain, clock: time_machine.Traveller
) -> None:
    drain()
    before = said(folder)
    sign_up(client, ADA)
    drain()
    [first] = said(folder)

    with app.app_context(), reading() as session:
        head = session.scalars(select(Seal).order_by(Seal.position.desc())).first()
    assert before == []
    assert head is not None
    assert {name: first[name] for name in ("position", "rows", "row_id", "seal")} == {
        "position": head.position,
        "rows": head.position,
        "row_id": head.row_id,
        "seal": head.seal.hex(),
    }
    assert (first["before"], first["restored"], first["erased"]) == (None, None, [])
    assert first["at"] == first["sealed_at"] == "2026-03-01T12:00:00Z"


def test_another_is_written_an_hour_later_if_anything_has_happened(
    client: FlaskClient, folder: Path, drain: Drain, clock: time_machine.Traveller
) -> None:
    written = []
    for shift, person in [(0, ADA), (59, GRACE), (1, None), (60, None), (60, HEDY)]:
        clock.shift(timedelta(minutes=shift))
        if person is not None:
            sign_up(client, person)
        drain()
        written.append(len(said(folder)))

    assert written == [1, 1, 2, 2, 3]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("keep_block", [False, True])
def test_whoever_is_erased_is_named_at_once_by_reference(
    client: FlaskClient, folder: Path, join: Join, drain: Drain, keep_block: bool
) -> None:
    join(ADA)
    reference = access(client, ADA)["reference"]
    ask_staff(client, "erasures", ADA, keep_block=keep_block)
    drain()

    first, second = said(folder)
    assert first["erased"] == []
    assert second["erased"] == [{"reference": reference, "keep_block": keep_block}]
    assert second["before"] == checkpoints.digest_of(first)


def test_a_block_that_is_asked_for_later_is_told_at_once(
    client: FlaskClient,
    folder: Path,
    join: Join,
    drain: Drain,
    mailchimp: Any,
    clock: time_machine.Traveller,
) -> None:
    join(ADA)
    reference = access(client, ADA)["reference"]
    mailchimp.lose_list()
    ask_staff(client, "erasures", ADA)
    drain()
    clock.shift(timedelta(minutes=1))
    ask_staff(client, "erasures", ADA, keep_block=True)
    drain()

    assert [one["erased"] for one in said(folder)[1:]] == [
        [{"reference": reference, "keep_block": kept}] for kept in (False, True)
    ]


def test_nothing_personal_is_in_them_and_only_their_owner_reads_them(
    app: Flask, client: FlaskClient, folder: Path, join: Join, drain: Drain
) -> None:
    join(ADA)
    with app.app_context(), reading() as session:
        nonce, digest = session.execute(select(Subscription.nonce, Subscription.digest)).one()
    ask_staff(client, "erasures", ADA)
    drain()

    files = [path for path in folder.iterdir() if path.is_file()]
    text = "".join(f"{path.name} {path.read_text()}" for path in files).lower()
    assert len(files) == 3
    assert nonce is not None
    assert not [each for each in (ADA.lower(), nonce.hex(), digest.hex()) if each in text]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_the_public_key_lies_beside_what_it_signed(
    app: Flask, client: FlaskClient, folder: Path, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    [file] = folder.glob("key-*.pem")
    key = load_pem_public_key(file.read_bytes())

    assert signing.verify(said(folder)[0]) == key
    assert file.name == f"key-{signing.fingerprint(signing.verify(said(folder)[0]))}.pem"
    assert b"PRIVATE" not in file.read_bytes()


def die(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("clock")
def test_a_process_that_dies_between_seal_and_checkpoint_is_made_up_for(
    app: Flask,
    client: FlaskClient,
    folder: Path,
    join: Join,
    drain: Drain,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    join(ADA)
    reference = access(client, ADA)["reference"]
    ask_staff(client, "erasures", ADA)
    with monkeypatch.context() as dying:
        dying.setattr(checkpoints, "write", die)
        with pytest.raises(KeyboardInterrupt):
            drain()
    before = len(said(folder))
    Worker(app).close()
    drain()

    assert before == 1
    assert [one["reference"] for one in said(folder)[-1]["erased"]] == [reference]
    assert complaint(app, folder) is None


def test_what_was_left_half_written_is_no_checkpoint(
    app: Flask, client: FlaskClient, folder: Path, drain: Drain
) -> None:
    (folder / ".tmpx.tmp").write_text("{")
    sign_up(client, ADA)
    drain()

    assert len(said(folder)) == 1
    assert complaint(app, folder) is None


def reasons(client: FlaskClient) -> list[str]:
    told: list[str] = client.get("/ready", headers=STAFF).get_json()["reasons"]
    return [reason for reason in told if reason != "no live worker"]


def test_a_folder_that_is_away_stops_nothing_and_is_told_once(
    client: FlaskClient,
    folder: Path,
    join: Join,
    drain: Drain,
    clock: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder.rmdir()
    join(ADA)
    clock.shift(HOUR)
    drain()
    told = "checkpoints cannot be written: No such file or directory"

    assert access(client, ADA)["mailchimp"]["status"] == "subscribed"
    assert reasons(client) == [told]
    assert caplog.text.count(told) == 1

    folder.mkdir()
    clock.shift(HOUR)
    drain()
    assert reasons(client) == []
    assert len(said(folder)) == 1


def test_a_full_disk_stops_nothing_and_leaves_nothing_behind(
    client: FlaskClient,
    folder: Path,
    join: Join,
    drain: Drain,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    join(ADA)

    assert reasons(client) == ["checkpoints cannot be written: No space left on device"]
    assert list(folder.iterdir()) == []


@pytest.fixture
def lived(
    client: FlaskClient, join: Join, drain: Drain, clock: time_machine.Traveller, folder: Path
) -> None:
    """People came and went over three checkpoints."""
    join(ADA)
    join(GRACE)
    clock.shift(HOUR)
    join(HEDY)
    ask_staff(client, "erasures", ADA)
    drain()
    assert len(said(folder)) == 3


@pytest.mark.usefixtures("lived")
def test_a_whole_ledger_is_what_its_checkpoints_say(app: Flask, folder: Path) -> None:
    assert complaint(app, folder) is None


def cut(app: Flask, after: int) -> None:
    """Cut off the tail."""
    with attacking(app) as connection:
        row_id = connection.scalar(select(Seal.row_id).where(Seal.position == after))
        connection.execute(delete(Seal).where(Seal.position > after))
        connection.execute(delete(LedgerRow).where(LedgerRow.id > row_id))


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("less", [1, 3])
def test_a_tail_that_was_cut_off_is_found(app: Flask, folder: Path, less: int) -> None:
    last = said(folder)[-1]["position"]
    cut(app, last - less)

    told = complaint(app, folder)
    assert told is not None
    assert told.startswith(f"Position {last - less} is the last, though there were {last},")


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_ledger_rewritten_with_all_of_its_seals_is_found(
    app: Flask, folder: Path, number: int
) -> None:
    first, second, third = said(folder)
    rewrite(app, {1: 1, 2: first["position"] + 1, 3: third["position"]}[number])
    named = [first, second, third][number - 1]

    told = complaint(app, folder)
    assert told is not None
    assert told.startswith(f"Position {named['position']}, row {named['row_id']}:")


@pytest.mark.usefixtures("lived")
def test_a_tail_that_grew_again_is_found(app: Flask, client: FlaskClient, folder: Path) -> None:
    cut(app, 3)
    for number in range(12):
        sign_up(client, f"filler-{number}@example.org")
    with app.app_context():
        while Sealing().step():
            pass

    told = complaint(app, folder)
    assert told is not None
    assert "rewritten" in told


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("name", ["position", "seal", "at", "row_id", "erased", "before", "rows"])
def test_a_changed_checkpoint_is_found(app: Flask, folder: Path, name: str) -> None:
    file = folder / checkpoints.names(folder)[1]
    document = json.loads(file.read_text())
    document[name] = [] if name == "erased" and document[name] else "0" * 64
    if name == "erased":
        document[name] = [{"reference": "0" * 32, "keep_block": False}]
    file.write_text(json.dumps(document))

    assert complaint(app, folder) == f"{file.name}: Its signature does not fit what it says."


@pytest.mark.usefixtures("lived")
def test_a_checkpoint_by_another_key_does_not_count(app: Flask, folder: Path) -> None:
    file = folder / checkpoints.names(folder)[-1]
    forged = signing.sign(json.loads(file.read_text()), Ed25519PrivateKey.generate())
    file.write_text(json.dumps(forged))

    assert complaint(app, folder) == f"{file.name}: It is signed by a key that is not ours."


@pytest.mark.usefixtures("lived")
def test_what_an_earlier_key_signed_counts_where_a_later_checkpoint_names_it(
    app: Flask, folder: Path
) -> None:
    earlier, before = Ed25519PrivateKey.generate(), None
    with app.app_context():
        ours = keyring.current().signing_key
    for name, key in zip(checkpoints.names(folder), (earlier, earlier, ours), strict=True):
        document = signing.sign({**json.loads((folder / name).read_text()), "before": before}, key)
        before = checkpoints.digest_of(document)
        (folder / name).write_text(json.dumps(document))

    assert complaint(app, folder) is None


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize("content", ["", "{}", "[]", "nonsense", '{"kind": 1}'])
def test_what_is_no_checkpoint_is_told(app: Flask, folder: Path, content: str) -> None:
    file = folder / checkpoints.names(folder)[-1]
    file.write_text(content)

    assert complaint(app, folder) == f"{file.name}: It is no checkpoint."


@pytest.mark.usefixtures("lived")
def test_a_checkpoint_under_anothers_name_is_found(app: Flask, folder: Path) -> None:
    *_, last = checkpoints.names(folder)
    (folder / last).rename(folder / checkpoints.name_of(0, 99))

    assert complaint(app, folder) == f"{checkpoints.name_of(0, 99)}: Its name is another's."


@pytest.mark.usefixtures("lived")
def test_one_taken_out_of_the_middle_is_missed(app: Flask, folder: Path) -> None:
    _, second, third = checkpoints.names(folder)
    (folder / second).unlink()

    assert complaint(app, folder) == f"{third}: The checkpoint before it is missing."


@pytest.mark.usefixtures("lived")
def test_the_oldest_may_end(app: Flask, folder: Path) -> None:
    (folder / checkpoints.names(folder)[0]).unlink()

    assert complaint(app, folder) is None


@pytest.mark.usefixtures("lived")
def test_a_folder_without_any_vouches_for_nothing(app: Flask, folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()

    assert complaint(app, folder) == "There is no checkpoint to compare the ledger with."


def seal() -> None:
    while Sealing().step():
        pass


def test_a_late_writer_replaces_no_checkpoint_that_others_name(
    app: Flask, client: FlaskClient, folder: Path, clock: time_machine.Traveller
) -> None:
    faster = Checkpointing()
    sign_up(client, ADA)
    with app.app_context():
        seal()
        with reading() as session:
            late = checkpointing.content(session, sealing.head(session), None)
        clock.shift(timedelta(minutes=1))
        assert faster.step()
        clock.shift(HOUR)
        sign_up(client, GRACE)
        seal()
        assert faster.step()
        first, _ = said(folder)

        stands = checkpoints.write(folder, late)

    assert stands.digest == checkpoints.digest_of(first)
    assert said(folder)[0] == first
    assert not list(folder.glob(".*"))
    assert complaint(app, folder) is None


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_without_links_takes_checkpoints_and_replaces_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    def link(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    name = checkpoints.name_of(0, 1)
    if is_there:
        (folder / name).write_text("another's")
        with pytest.raises(FileExistsError):
            whole_files.put(folder / name, "ours")
    else:
        whole_files.put(folder / name, "ours")

    assert [path.name for path in folder.iterdir()] == [name]
    assert (folder / name).read_text() == ("another's" if is_there else "ours")


def test_what_stands_in_a_checkpoints_place_and_is_none_is_told_and_left(
    app: Flask, client: FlaskClient, folder: Path, clock: time_machine.Traveller
) -> None:
    file, sealer = folder / checkpoints.name_of(0, 1), Checkpointing()
    file.write_text("nonsense")
    sign_up(client, ADA)
    with app.app_context():
        seal()
        assert not sealer.step()
        told = reasons(client)
        clock.shift(HOUR)
        sign_up(client, GRACE)
        seal()
        assert sealer.step()

    assert told == ["checkpoints cannot be written: It is no checkpoint."]
    assert file.read_text() == "nonsense"
    assert reasons(client) == []


@pytest.mark.usefixtures("lived")
def test_checkpoints_are_told_apart_by_their_digests_alone(
    app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(*_: object) -> bool:
        raise AssertionError("each was compared with every other")

    monkeypatch.setattr(checkpoints.Checkpoint, "__eq__", compare)

    assert complaint(app, folder) is None
    with app.app_context():
        assert replay.plan(folder) is None
