"""A database that answers but cannot be used: what requests and /ready answer, and that it recovers by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from newsletter.storage import deadline, outage, readiness, sqlite
from newsletter.storage.database import reading, writing
from newsletter.storage.models import db
from newsletter.worker.run import Worker
from tests import postgres
from tests.cli.check.test_database import findings_at
from tests.conftest import Drain, on_postgresql
from tests.people import ADA, GRACE, STAFF, sign_up


def reason(client: FlaskClient) -> str:
    """The only reason that /ready names to staff."""
    answer = client.get("/ready", headers=STAFF)
    assert answer.status_code == 503
    [told] = answer.get_json()["reasons"]
    return str(told)


def assert_is_refused(client: FlaskClient) -> None:
    answer = sign_up(client, ADA)
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.get_json()["type"].endswith("unavailable")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture(autouse=True)
def tested_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """/ready repeats the write test each time."""
    monkeypatch.setattr(readiness, "WRITABLE_SECONDS", 0.0)
    monkeypatch.setattr(readiness, "UNWRITABLE_SECONDS", 0.0)


@contextmanager
def each_connection(app: Flask, pragma: str) -> Iterator[None]:
    """Set a pragma, which SQLite has for each connection, on all connections of an application."""

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    with app.app_context():
        db.engine.dispose()
        event.listen(db.engine, "connect", prepare)
        yield
        event.remove(db.engine, "connect", prepare)
        db.engine.dispose()


def test_a_read_only_sqlite_file(app: Flask, client: FlaskClient) -> None:
    assert client.get("/").status_code == 200
    with each_connection(app, "query_only=ON"):
        assert_is_refused(client)
        assert "the SQLite file is read-only" in reason(client)
        assert client.get("/").status_code == 200

    assert sign_up(client, ADA).status_code == 202
    assert client.get("/ready").status_code == 200


def test_a_sqlite_file_that_cannot_grow(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), reading() as session:
        pages = session.scalar(text("PRAGMA page_count"))
    with each_connection(app, f"max_page_count={pages}"):
        assert "the disk of the SQLite file is full; make room" in reason(client)

    assert sign_up(client, ADA).status_code == 202
    assert client.get("/ready").status_code == 200


def test_a_full_disk_beside_a_sqlite_file(
    client: FlaskClient, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "LEAST_FREE", 1 << 60)

    assert "the disk of the SQLite file is full; make room" in reason(client)
    assert any("is full" in finding for finding in findings_at(database_url))


def test_a_sqlite_file_that_another_program_has_locked(
    client: FlaskClient, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_is_refused(client)
        assert "another program holds the SQLite file locked" in reason(client)

    assert sign_up(client, ADA).status_code == 202
    assert client.get("/ready").status_code == 200


def test_a_file_that_is_no_database(client: FlaskClient, database_url: str) -> None:
    with client.application.app_context():
        db.engine.dispose()
    file = Path(database_url.removeprefix("sqlite:///"))
    for beside in file.parent.glob(f"{file.name}-*"):
        beside.unlink()
    file.write_bytes(b"something else entirely" * 1000)

    assert_is_refused(client)
    assert "the file is no SQLite database" in reason(client)


def test_a_write_test_leaves_no_row(app: Flask) -> None:
    with app.app_context(), reading() as session:
        before = session.execute(text("SELECT count(*) FROM job")).scalar()
    with app.app_context():
        assert readiness.trouble() is None
    with app.app_context(), reading() as session:
        assert session.execute(text("SELECT count(*) FROM job")).scalar() == before


@pytest.fixture
def on_server(database_url: str) -> Callable[[str], None]:
    """Execute SQL in PostgreSQL as its superuser, outside of the application."""

    def do(statement: str) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(statement.encode())

    return do


@on_postgresql
def test_connections_to_a_read_only_server_are_replaced_by_ones_to_the_primary(
    client: FlaskClient, worker: Worker, database_url: str, on_server: Callable[[str], None]
) -> None:
    assert sign_up(client, ADA).status_code == 202
    name = database_url.rpartition("/")[2]
    on_server(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    with client.application.app_context():
        db.engine.dispose()

    assert_is_refused(client)
    assert "the database is read-only" in reason(client)
    assert client.get("/").status_code == 200
    with pytest.raises(SQLAlchemyError) as raised:
        worker.drain()
    assert outage.is_outage(raised.value)

    # Nobody closes the connections: those that only let us read are given up by themselves.
    on_server(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    assert sign_up(client, GRACE).status_code == 202
    assert client.get("/ready").status_code == 200


@on_postgresql
@pytest.mark.parametrize("code", ["53100", "58030", "57P03", "XX001", "55000"])
def test_every_error_about_the_servers_state_is_503(
    client: FlaskClient, on_server: Callable[[str], None], code: str
) -> None:
    on_server(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE 'no room for ada@example.com' USING ERRCODE = '{code}'; END $$;"
        " CREATE TRIGGER fail BEFORE INSERT ON subscription EXECUTE FUNCTION fail()"
    )

    assert_is_refused(client)
    if code == "53100":
        assert "the disk of the database server is full" in reason(client)
    on_server("DROP FUNCTION fail CASCADE")
    assert sign_up(client, ADA).status_code == 202
    assert client.get("/ready").status_code == 200


@on_postgresql
def test_a_server_that_hangs_blocks_no_request_beyond_its_deadline(
    client: FlaskClient,
    worker: Worker,
    drain: Drain,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert sign_up(client, ADA).status_code == 202
    monkeypatch.setattr(deadline, "LONGEST_WAIT", 1.0)
    with postgres.stopped(database_url):
        assert_is_refused(client)
        assert "the database does not answer in time" in reason(client)
        with pytest.raises(OperationalError):
            worker.drain()
        [found, *_] = findings_at(database_url)
        assert found.startswith("DATABASE_URL: the database does not answer in time")

    assert sign_up(client, GRACE).status_code == 202
    assert client.get("/ready").status_code == 200
    drain()


@on_postgresql
def test_a_commit_without_an_answer_leaves_no_lock(app: Flask, database_url: str) -> None:
    def hang() -> None:
        with writing() as session:
            session.execute(text("SELECT pg_advisory_xact_lock(1)"))
            with postgres.stopped(database_url), deadline.within(0.5):
                session.execute(text("SELECT 1"))

    with app.app_context():
        with pytest.raises(OperationalError):
            hang()
        with writing() as session:
            assert session.scalar(text("SELECT pg_advisory_xact_lock(1) IS NOT NULL"))
