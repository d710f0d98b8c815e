"""Rows are sealed in order, also while others write, and no writer waits for the sealer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update

from newsletter.domain import clock as the_clock
from newsletter.domain.lifecycle import Event
from newsletter.ledger import sealing
from newsletter.ledger.sealing import Sealing
from newsletter.ledger.verifying import Verification
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Seal
from newsletter.worker.upkeep.sealer import Sealer
from tests.attacker import attacking
from tests.conftest import Drain, Join, both_databases, on_postgresql, on_sqlite
from tests.journeys.service import wait_until
from tests.journeys.test_races import somebody_waits
from tests.patience import PATIENCE
from tests.people import ADA, GRACE, STAFF, sign_up

pytestmark = both_databases

REF = "0" * 32


@pytest.fixture
def at_work(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


def append(count: int) -> None:
    """Append events."""
    now = the_clock.now()
    rows = [{"at": now, "ref": f"{n:032}", "event": Event.SIGNUP} for n in range(count)]
    with writing() as session:
        session.connection().execute(insert(LedgerRow), rows)


def sealed_rows() -> list[int]:
    """The ids of the sealed rows, in order of their seals."""
    with reading() as session:
        return list(session.scalars(select(Seal.row_id).order_by(Seal.position)))


def all_rows() -> list[int]:
    with reading() as session:
        return list(session.scalars(select(LedgerRow.id).order_by(LedgerRow.id)))


def seal_all() -> None:
    step = Sealing().step
    while step():
        pass


def is_whole() -> bool:
    walk = Verification()
    while walk.step():
        pass
    return walk.fault is None


def test_events_are_sealed_while_a_worker_runs(
    app: Flask, client: FlaskClient, join: Join, drain: Drain
) -> None:
    join(ADA)
    sign_up(client, GRACE)
    drain()

    with app.app_context():
        assert sealed_rows() == all_rows()
        assert len(all_rows()) == 6
        assert is_whole()


def test_positions_of_seals_have_no_gaps(at_work: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 3)
    append(5)
    seal_all()
    append(2)
    seal_all()

    with reading() as session:
        assert list(session.scalars(select(Seal.position).order_by(Seal.position))) == [
            *range(1, 8)
        ]
    assert sealed_rows() == all_rows()
    assert is_whole()


def test_rows_are_sealed_in_batches(at_work: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 3)
    append(4)
    step = Sealing().step

    assert [(step(), len(sealed_rows())) for _ in range(3)] == [(True, 3), (True, 4), (False, 4)]


def test_without_rows_nothing_is_sealed(at_work: Flask) -> None:
    assert not Sealing().step()
    assert sealed_rows() == []


@on_sqlite
def test_where_all_is_sealed_a_step_waits_for_no_writer(at_work: Flask, database_url: str) -> None:
    append(2)
    seal_all()
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as writer:
        writer.execute("BEGIN IMMEDIATE")

        assert not Sealing().step()


def open_transaction(url: str) -> psycopg.Connection:
    """A transaction that has inserted a row and is not committed."""
    writer = psycopg.connect(url)
    writer.execute(
        "INSERT INTO ledger_row (at, ref, event) VALUES (now(), repeat('1', 32), 'signup')"
    )
    return writer


@on_postgresql
def test_a_row_that_is_committed_after_a_later_one_is_sealed_before_it(
    at_work: Flask, database_url: str
) -> None:
    step = Sealing().step
    with open_transaction(database_url) as writer:
        append(1)
        assert [step(), step(), sealed_rows()] == [False, False, []]
        writer.commit()

        assert step()
    assert sealed_rows() == all_rows() == [1, 2]
    assert is_whole()


@on_postgresql
def test_a_rolled_back_id_leaves_no_gap_between_seals(at_work: Flask, database_url: str) -> None:
    step = Sealing().step
    with open_transaction(database_url) as writer:
        append(1)
        assert not step()
        writer.rollback()

        assert step()
    assert sealed_rows() == [2]
    assert is_whole()


@on_postgresql
def test_a_transaction_that_began_later_delays_no_seal(at_work: Flask, database_url: str) -> None:
    step = Sealing().step
    with open_transaction(database_url) as first:
        append(1)
        assert not step()
        with open_transaction(database_url) as second:
            first.commit()
            assert [step(), step()] == [True, False]
            assert sealed_rows() == [1, 2]
            append(1)
            assert not step()
            second.commit()
    assert step()
    assert sealed_rows() == all_rows() == [1, 2, 3, 4]
    assert is_whole()


@on_postgresql
def test_writers_and_sealer_do_not_wait_for_each_other(at_work: Flask, database_url: str) -> None:
    append(1)
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT * FROM ledger_row, pg_locks")

        assert Sealing().step()
    assert sealed_rows() == [1]


@on_postgresql
def test_rows_of_many_writers_at_once_are_all_sealed_in_order(
    at_work: Flask, database_url: str
) -> None:
    ended = threading.Event()

    def write() -> None:
        with psycopg.connect(database_url) as writer:
            for _ in range(50):
                writer.execute(
                    "INSERT INTO ledger_row (at, ref, event)"
                    " VALUES (now(), repeat('1', 32), 'signup')"
                )
                writer.commit()

    def seal() -> None:
        with at_work.app_context():
            sealing = Sealing()
            while not ended.is_set():
                sealing.step()

    with ThreadPoolExecutor(6) as crowd:
        sealers = [crowd.submit(seal) for _ in range(2)]
        writers = [crowd.submit(write) for _ in range(4)]
        try:
            for writer in writers:
                writer.result(PATIENCE)
        finally:
            ended.set()
        for sealer in sealers:
            sealer.result(PATIENCE)
    seal_all()

    assert sealed_rows() == all_rows()
    assert len(all_rows()) == 200
    assert is_whole()


def test_two_sealers_make_one_chain(at_work: Flask) -> None:
    append(30)
    begin = threading.Barrier(2)

    def seal() -> None:
        with at_work.app_context():
            begin.wait(10)
            seal_all()

    with ThreadPoolExecutor(2) as crowd:
        for sealer in [crowd.submit(seal) for _ in range(2)]:
            sealer.result(30)

    assert sealed_rows() == all_rows()
    assert is_whole()


@on_postgresql
def test_a_sealer_whose_position_was_taken_tries_again(at_work: Flask, database_url: str) -> None:
    append(2)
    with psycopg.connect(database_url) as faster:
        faster.execute(
            "INSERT INTO seal (position, row_id, seal, sealed_at) VALUES (1, 1, '', now())"
        )
        with ThreadPoolExecutor(1) as crowd:
            second = crowd.submit(_step_in, at_work)
            wait_until(lambda: somebody_waits(database_url), "the second sealer waits")
            faster.commit()
            assert second.result(30)

    assert sealed_rows() == [1]


def test_a_seal_that_was_moved_by_an_attacker_is_not_tried_again_at_once(at_work: Flask) -> None:
    append(2)
    seal_all()
    append(1)
    with attacking(at_work) as connection:
        moved = update(Seal).where(Seal.position == 1)
        connection.execute(moved.values(position=3))

    assert [Sealing().step() for _ in range(2)] == [False, False]
    assert not is_whole()


def _step_in(app: Flask) -> bool:
    with app.app_context():
        return Sealing().step()


def test_one_worker_at_a_time_seals(at_work: Flask, clock: time_machine.Traveller) -> None:
    append(1)

    assert Sealer("first").step()
    append(1)
    assert not Sealer("second").step()
    clock.shift(timedelta(seconds=21))
    assert Sealer("second").step()
    assert sealed_rows() == all_rows()


@on_sqlite
def test_a_row_that_is_unsealed_for_a_minute_is_reported(
    at_work: Flask, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    append(1)
    clock.shift(timedelta(seconds=59))
    before = client.get("/ready", headers=STAFF).get_json()["reasons"]
    clock.shift(timedelta(seconds=1))
    after = client.get("/ready", headers=STAFF).get_json()["reasons"]
    seal_all()

    assert before == ["no live worker"]
    assert after == [*before, "ledger not sealed since 2026-03-01T12:00:00Z"]
    assert sealing.overdue() is None

    append(1)
    clock.shift(timedelta(minutes=1))

    assert sealing.overdue() == "ledger not sealed since 2026-03-01T12:01:00Z"


def test_every_sealed_row_is_counted_once(at_work: Flask) -> None:
    append(3)
    seal_all()
    seal_all()

    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Seal)) == 3
