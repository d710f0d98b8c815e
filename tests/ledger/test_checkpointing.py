"""When checkpoints are written, what they contain, and what prevents writing them."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.ledger import checkpoints, sealing
from newsletter.ledger.checkpointing import EVERY, RETRY
from newsletter.ledger.checkpoints import NAME
from newsletter.storage.database import reading
from newsletter.storage.models import LedgerRow, Subscription
from newsletter.worker.run import Worker
from sandbox.mailchimp import StandIn
from tests.conftest import Drain, Join, on_sqlite
from tests.people import ADA, GRACE, HEDY, STAFF, access, ask_staff, sign_up

SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def environ(environ: dict[str, Any], folder: Path) -> dict[str, Any]:
    """With checkpoints."""
    return {**environ, "LEDGER_CHECKPOINTS": str(folder)}


def said(folder: Path) -> list[dict[str, Any]]:
    """All lines, the oldest first."""
    file = folder / NAME
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def reasons(client: FlaskClient) -> list[str]:
    given: list[str] = client.get("/ready", headers=STAFF).get_json()["reasons"]
    return [reason for reason in given if reason != "no live worker"]


@pytest.mark.requires("R39")
def test_the_first_checkpoint_is_written_after_the_first_seal(
    app: Flask, client: FlaskClient, folder: Path, drain: Drain
) -> None:
    drain()
    before = said(folder)
    ask_staff(client, "erasures", ADA)
    drain()
    [first] = said(folder)

    with app.app_context(), reading() as session:
        second = sealing.seal_at(session, first["position"])
        erased = session.scalar(select(LedgerRow.ref).where(LedgerRow.id == 1))
    assert before == []
    assert second is not None
    assert (first["row_id"], first["seal"]) == (second.row_id, second.seal.hex())
    assert (first["before"], first["restored"]) == (None, None)
    assert first["erased"] == [{"reference": erased, "keep_block": False}]
    assert first["at"] == "2026-03-01T12:00:00Z"


@on_sqlite
def test_rows_that_are_sealed_within_seconds_share_a_line(
    client: FlaskClient, folder: Path, drain: Drain, clock: time_machine.Traveller
) -> None:
    written = []
    for shift, person in [
        (0 * SECOND, ADA),
        (EVERY - SECOND, GRACE),
        (SECOND, None),
        (EVERY, None),
        (EVERY, HEDY),
    ]:
        clock.shift(shift)
        if person is not None:
            sign_up(client, person)
        drain()
        written.append(len(said(folder)))

    assert written == [1, 1, 2, 2, 3]


@on_sqlite
def test_a_clock_that_was_set_back_delays_nothing(
    client: FlaskClient, folder: Path, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    drain()
    clock.shift(-timedelta(days=1))
    sign_up(client, GRACE)
    drain()

    assert len(said(folder)) == 2


@pytest.mark.parametrize("keep_block", [False, True])
def test_an_erased_person_is_named_at_once_and_once_by_reference_number(
    client: FlaskClient,
    folder: Path,
    join: Join,
    drain: Drain,
    clock: time_machine.Traveller,
    keep_block: bool,
) -> None:
    join(ADA)
    reference = access(client, ADA)["reference"]
    ask_staff(client, "erasures", ADA, keep_block=keep_block)
    drain()
    clock.shift(EVERY)
    sign_up(client, GRACE)
    drain()

    assert [one["erased"] for one in said(folder)] == [
        [],
        [{"reference": reference, "keep_block": keep_block}],
        [],
    ]


@on_sqlite
def test_a_block_that_is_requested_after_the_erasure_is_named_at_once(
    client: FlaskClient, folder: Path, join: Join, drain: Drain, mailchimp: StandIn
) -> None:
    join(ADA)
    reference = access(client, ADA)["reference"]
    mailchimp.lose_list()
    ask_staff(client, "erasures", ADA)
    drain()
    ask_staff(client, "erasures", ADA, keep_block=True)
    drain()

    assert [one["erased"] for one in said(folder)[1:]] == [
        [{"reference": reference, "keep_block": kept}] for kept in (False, True)
    ]


@on_sqlite
def test_checkpoints_hold_nothing_personal(
    app: Flask, client: FlaskClient, folder: Path, join: Join, drain: Drain
) -> None:
    join(ADA)
    with app.app_context(), reading() as session:
        nonce, digest = session.execute(select(Subscription.nonce, Subscription.digest)).one()
    ask_staff(client, "erasures", ADA)
    drain()

    text = (folder / NAME).read_text().lower()
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert nonce is not None
    assert not [each for each in (ADA.lower(), nonce.hex(), digest.hex()) if each in text]


@on_sqlite
def test_several_workers_append_to_one_file_and_a_worker_on_another_host_to_its_own(
    app: Flask, client: FlaskClient, folder: Path, clock: time_machine.Traveller
) -> None:
    first, second = Worker(app), Worker(app)
    for worker in (first, second, first):
        sign_up(client, f"person-{len(said(folder))}@example.org")
        first.drain()  # seals
        worker.drain()
        clock.shift(EVERY)
    third = Worker(app)
    third.drain()  # finds the newest seal in the file
    for worker in (first, second, third):
        worker.close()

    assert len(said(folder)) == 3
    with app.app_context():
        assert len(list(checkpoints.backwards(folder))) == 3


@on_sqlite
def test_after_a_process_died_between_seal_and_checkpoint_the_next_one_appends_it(
    client: FlaskClient, folder: Path, join: Join, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    join(ADA)
    reference = access(client, ADA)["reference"]
    ask_staff(client, "erasures", ADA)
    with monkeypatch.context() as dying:
        dying.setattr(checkpoints, "append", die)
        with pytest.raises(KeyboardInterrupt):
            drain()
    before = len(said(folder))
    drain()

    assert before == 1
    assert [one["reference"] for one in said(folder)[-1]["erased"]] == [reference]


@on_sqlite
def test_a_missing_folder_is_logged_once_tried_again_in_time_and_stops_nothing(
    client: FlaskClient,
    folder: Path,
    join: Join,
    drain: Drain,
    clock: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder.rmdir()
    join(ADA)
    clock.shift(RETRY)
    drain()
    why = "checkpoints cannot be written: No such file or directory"
    posted = reasons(client)
    folder.mkdir()
    drain()
    too_early = said(folder)
    clock.shift(RETRY)
    drain()

    assert access(client, ADA)["mailchimp"]["status"] == "subscribed"
    assert (posted, too_early) == ([why], [])
    assert caplog.messages.count(why) == 1
    assert reasons(client) == []
    assert len(said(folder)) == 1


@on_sqlite
def test_a_full_disk_stops_nothing(
    client: FlaskClient,
    folder: Path,
    join: Join,
    drain: Drain,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as filled:
        filled.setattr(os, "fsync", full)
        join(ADA)
        posted = reasons(client)
    clock.shift(RETRY)
    drain()

    assert posted == ["checkpoints cannot be written: No space left on device"]
    assert reasons(client) == []


@on_sqlite
def test_a_file_that_is_damaged_just_before_an_append_is_reported(
    client: FlaskClient,
    folder: Path,
    drain: Drain,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    true = checkpoints.append

    def meanwhile(where: Path, document: Any, *, after: checkpoints.Checkpoint | None) -> bool:
        (folder / NAME).write_text("{}\n")
        return true(where, document, after=after)

    sign_up(client, ADA)
    drain()
    clock.shift(EVERY)
    sign_up(client, GRACE)
    monkeypatch.setattr(checkpoints, "append", meanwhile)
    drain()

    assert reasons(client) == ["checkpoints cannot be written: The last line is no checkpoint."]
