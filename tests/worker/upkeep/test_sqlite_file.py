"""SQLite's file keeps nothing of erased people: it is overwritten at once, and rewritten at night."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.storage import database
from newsletter.storage.database import reading
from newsletter.storage.models import Letter, Subscription
from newsletter.storage.runs import retention as retention_runs
from newsletter.worker.upkeep import sqlite_file
from newsletter.worker.upkeep.sqlite_file import Cleaning
from tests.commands import found_in_use, noticed
from tests.conftest import Clock, Drain, Join, on_postgresql
from tests.people import ADA, HEDY, STAFF, ask_staff, said_by, sign_up

SECOND = timedelta(seconds=1)
FULL = "the disk of the SQLite file is full; make room"


@pytest.fixture
def at_work(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def file(at_work: None) -> Path:
    file = database.file()
    assert file is not None
    return file


def erase(client: FlaskClient, email: str = ADA) -> str:
    return str(said_by(ask_staff(client, "erasures", email))["id"])


def let_a_night_pass() -> None:
    """Retention has run."""
    retention_runs.begin()
    retention_runs.end({}, 0)


def places(client: FlaskClient, id_: str) -> dict[str, str]:
    body = said_by(client.get(f"/admin/erasures/{id_}", headers=STAFF))
    return {place["place"]: place["state"] for place in body["places"]}


def in_file(client: FlaskClient, id_: str) -> str:
    return places(client, id_)["database file"]


def content(file: Path) -> bytes:
    return b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))


def freed_pages(file: Path) -> int:
    with closing(sqlite3.connect(file)) as own:
        return int(own.execute("PRAGMA freelist_count").fetchone()[0])


def fill(file: Path) -> None:
    """Leave free pages behind, as much that was deleted does."""
    with closing(sqlite3.connect(file, isolation_level=None)) as own:
        own.execute("PRAGMA secure_delete=ON")
        own.execute("CREATE TABLE ballast (octets BLOB)")
        own.execute("INSERT INTO ballast VALUES (randomblob(100000))")
        own.execute("DROP TABLE ballast")


def test_an_erasure_reaches_the_file(at_work: None, client: FlaskClient) -> None:
    erasure, worker = erase(client), Cleaning()
    assert in_file(client, erasure) == "waiting"
    let_a_night_pass()

    assert worker.step()

    assert in_file(client, erasure) == "done"
    assert not worker.step()


def test_erased_data_is_overwritten_before_the_night(
    file: Path, client: FlaskClient, clock: Clock
) -> None:
    fill(file)
    let_a_night_pass()
    clock.shift(SECOND)
    sign_up(client, ADA)
    with reading() as session:
        address = session.scalars(select(Subscription.address)).one()
    assert address is not None
    erasure, worker = erase(client), Cleaning()
    assert not worker.step()
    # What the open erasure still needs is encrypted anew.
    assert (address in content(file), freed_pages(file) > 0) == (False, True)
    assert in_file(client, erasure) == "waiting"

    let_a_night_pass()

    assert worker.step()
    assert (freed_pages(file), in_file(client, erasure)) == (0, "done")


def test_a_rewritten_file_waits_only_for_readers(
    file: Path, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE_SECONDS", 0.1)
    worker = Cleaning()
    erase(client)
    worker.step()
    let_a_night_pass()
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM erasure").fetchone()
        assert not worker.step()

    assert worker.step()


@on_postgresql
def test_on_postgresql_no_file_is_cleaned(at_work: None, client: FlaskClient) -> None:
    erasure = erase(client)

    assert not Cleaning().step()
    assert set(places(client, erasure)) == {"database", "mailchimp"}
    assert noticed() == []


@pytest.mark.requires("R37")
def test_nothing_of_an_erased_person_is_left_in_the_files(
    file: Path, client: FlaskClient, join: Join, drain: Drain
) -> None:
    join(ADA)
    with reading() as session:
        row = session.scalars(select(Subscription)).one()
        evidence = session.scalars(select(Letter.evidence)).one()
    traces = (row.digest, row.address, row.nonce, evidence)
    assert all(trace is not None and trace in content(file) for trace in traces)

    erase(client)
    drain()

    held = content(file)
    assert not [trace for trace in traces if trace is not None and trace in held]
    assert ADA.lower().encode() not in held.lower()


def test_the_file_keeps_only_ledger_and_record_of_an_erased_person(
    file: Path, client: FlaskClient, join: Join, drain: Drain
) -> None:
    join(ADA)
    reference = said_by(ask_staff(client, "erasures", ADA))["reference"]
    drain()

    with closing(sqlite3.connect(file)) as own:
        tables = [
            name for (name,) in own.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        naming = {
            name
            for name in tables
            for row in own.execute(f"SELECT * FROM {name}")
            if reference in row
        }
    assert naming == {"ledger_row", "erasure"}


def test_a_cleaned_file_has_no_free_page(file: Path, client: FlaskClient) -> None:
    fill(file)
    assert freed_pages(file)
    erase(client)
    let_a_night_pass()

    assert Cleaning().step()

    assert freed_pages(file) == 0


def test_the_file_is_cleaned_later_while_somebody_reads_it(
    file: Path, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE_SECONDS", 0.1)
    worker = Cleaning()
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM erasure").fetchone()
        erasure = erase(client)
        let_a_night_pass()
        assert not worker.step()
        assert in_file(client, erasure) == "waiting"

    assert worker.step()


def test_the_file_is_cleaned_later_while_somebody_writes_to_it(
    file: Path, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE_SECONDS", 0.1)
    erase(client)
    let_a_night_pass()
    worker = Cleaning()
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert not worker.step()
    assert noticed() == []

    assert worker.step()


def test_rows_deleted_while_the_file_is_cleaned_are_cleaned_next(
    at_work: None, client: FlaskClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect

    def meanwhile(*args: Any, **options: Any) -> Any:
        monkeypatch.undo()
        sign_up(client, ADA)
        erase(client)
        return connect(*args, **options)

    erasure, worker = erase(client), Cleaning()
    let_a_night_pass()
    clock.shift(SECOND)
    monkeypatch.setattr(sqlite3, "connect", meanwhile)
    worker.step()
    assert in_file(client, erasure) == "waiting"

    let_a_night_pass()
    worker.step()

    assert in_file(client, erasure) == "done"


def test_an_erasure_is_completed_after_mailchimp_and_the_file(
    at_work: None, client: FlaskClient, drain: Drain
) -> None:
    erasure = erase(client)
    drain()
    let_a_night_pass()
    drain()

    body = said_by(client.get(f"/admin/erasures/{erasure}", headers=STAFF))
    assert body["status"] == "completed"
    assert body["completed_at"] >= body["requested_at"]


# What keeps it from being cleaned


class Cramped(sqlite3.Connection):
    """A connection that finds no room for another copy of the file: SQLite's own error, by a limit of pages."""

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if statement == "VACUUM":
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as tiny:
                tiny.execute("PRAGMA max_page_count=4")
                tiny.execute("CREATE TABLE ballast AS SELECT zeroblob(100000)")
        return super().execute(statement, *values)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A disk without room for another copy of the file."""
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Cramped))
    return monkeypatch


def test_a_full_disk_is_logged_and_reported_and_tried_again_later(
    file: Path,
    client: FlaskClient,
    clock: Clock,
    full: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    erasure, worker = erase(client), Cleaning()
    let_a_night_pass()
    assert not worker.step()
    assert f"the database file could not be cleaned: {FULL}" in caplog.text
    assert FULL in str(noticed())
    full.undo()
    assert not worker.step()

    clock.shift(timedelta(hours=1))

    assert worker.step()
    assert (in_file(client, erasure), noticed()) == ("done", [])


def test_ready_and_check_name_a_full_disk(
    app: Flask, file: Path, client: FlaskClient, full: pytest.MonkeyPatch
) -> None:
    erase(client)
    let_a_night_pass()
    Cleaning().step()

    reasons = client.get("/ready", headers=STAFF).get_json()["reasons"]
    assert f"the database file cannot be cleaned of what was erased: {FULL}" in reasons
    assert [FULL in finding.wrong for finding in found_in_use(app, "DATABASE_URL")] == [True]


def test_a_full_disk_stops_nothing_else(
    file: Path, client: FlaskClient, join: Join, drain: Drain, full: pytest.MonkeyPatch
) -> None:
    erasure = erase(client, HEDY)
    join(ADA)

    assert places(client, erasure) == {
        "database": "done",
        "mailchimp": "done",
        "database file": "waiting",
    }


def test_a_file_that_was_not_cleaned_for_two_days_is_reported(
    file: Path, client: FlaskClient, clock: Clock
) -> None:
    erase(client)
    Cleaning().step()
    clock.shift(timedelta(hours=48) - SECOND)
    before = noticed()
    clock.shift(SECOND)

    assert (before, noticed()) == (
        [],
        ["the database file was not cleaned of what was erased for 48 hours"],
    )


def test_the_log_names_nobody(
    file: Path, client: FlaskClient, full: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    erase(client)
    let_a_night_pass()
    Cleaning().step()

    assert "example.org" not in caplog.text.lower()
