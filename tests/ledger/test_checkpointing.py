"""When checkpoints are written, what they say, and what keeps them from being written."""

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
from newsletter.storage.models import Subscription
from newsletter.worker.run import Worker
from sandbox.mailchimp import StandIn
from tests.conftest import Drain, Join, on_sqlite
from tests.people import ADA, GRACE, HEDY, STAFF, access, ask_staff, sign_up

SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def environ(environ: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The service writes checkpoints."""
    return {**environ, "LEDGER_CHECKPOINTS": str(folder)}


def said(folder: Path) -> list[dict[str, Any]]:
    """What all lines say, oldest first."""
    file = folder / NAME
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def reasons(client: FlaskClient) -> list[str]:
    given: list[str] = client.get("/ready", headers=STAFF).get_json()["reasons"]
    return [reason for reason in given if reason != "no live worker"]


def test_the_first_is_written_as_soon_as_anything_is_sealed(
    app: Flask, client: FlaskClient, folder: Path, drain: Drain
) -> None:
    drain()
    before = said(folder)
    sign_up(client, ADA)
    drain()
    [first] = said(folder)

    with app.app_context(), reading() as session:
        second = sealing.seal_at(session, first["position"])
    assert before == []
    assert second is not None
    assert (first["row_id"], first["seal"]) == (second.row_id, second.seal.hex())
    assert (first["before"], first["restored"], first["erased"]) == (None, None, [])
    assert first["at"] == "2026-03-01T12:00:00Z"


@on_sqlite
def test_what_is_sealed_within_seconds_shares_a_line(
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
def test_who_is_erased_is_named_at_once_by_reference(
    client: FlaskClient, folder: Path, join: Join, drain: Drain, keep_block: bool
) -> None:
    join(ADA)
    reference = access(client, ADA)["reference"]
    ask_staff(client, "erasures", ADA, keep_block=keep_block)
    drain()

    first, second = said(folder)
    assert first["erased"] == []
    assert second["erased"] == [{"reference": reference, "keep_block": keep_block}]


@on_sqlite
def test_a_block_that_is_asked_for_later_is_named_at_once(
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
def test_nothing_personal_is_in_them(
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
def test_several_workers_append_to_one_file_and_one_of_another_host_to_its_own(
    app: Flask, client: FlaskClient, folder: Path, clock: time_machine.Traveller
) -> None:
    first, second = Worker(app), Worker(app)
    for worker in (first, second, first):
        sign_up(client, f"person-{len(said(folder))}@example.org")
        first.drain()  # seals
        worker.drain()
        clock.shift(EVERY)
    first.close()
    second.close()

    assert len(said(folder)) == 3
    with app.app_context():
        assert len(list(checkpoints.backwards(folder))) == 3


@on_sqlite
def test_a_process_that_dies_between_seal_and_checkpoint_is_made_up_for(
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
def test_a_folder_that_is_not_there_yet_stops_nothing_and_is_logged_once(
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
    clock.shift(RETRY)
    drain()

    assert access(client, ADA)["mailchimp"]["status"] == "subscribed"
    assert posted == [why]
    assert caplog.text.count(why) == 1
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
