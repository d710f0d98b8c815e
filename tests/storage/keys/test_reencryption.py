"""Every value is re-encrypted with the newest data key, while the service goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import LargeBinary, inspect, select, text, update

from newsletter.app import create_core
from newsletter.config import load
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring, reencryption, rotation
from newsletter.storage.keys.reencryption import ENCRYPTED, Walk
from newsletter.storage.models import Erasure, Letter, Model, Subscription, db
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, Join, both_databases, on_postgresql
from tests.patience import PATIENCE
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF,
    access,
    ask_staff,
    press,
    said_by,
    sign_up,
    status_of,
)

pytestmark = both_databases

#: What is as random as a key, or a digest that only the digest key makes, or wrapped by DATA_KEY itself.
NOT_ENCRYPTED = {
    "subscription.digest",
    "subscription.nonce",
    "ledger_row.commitment",
    "seal.seal",
    "erasure.digest",
    "inquiry.digest",
    "quota.digest",
    "keyring.wrapped",
}


@pytest.fixture
def people(client: FlaskClient, mailbox: Mailbox, drain: Drain, join: Join) -> None:
    """Ada has confirmed, Grace has been written to, and Hedy is being erased."""
    join(ADA)
    sign_up(client, GRACE)
    sign_up(client, HEDY)
    drain()
    ask_staff(client, "erasures", HEDY)


@pytest.fixture
def elsewhere(environ: dict[str, Any]) -> Iterator[Flask]:
    """The process in which an operator changes the keys."""
    app = create_core(load(environ))
    yield app
    with app.app_context():
        db.engine.dispose()


def rotate(app: Flask) -> Walk:
    """Make a new data key, and re-encrypt everything."""
    with app.app_context():
        assert rotation.new_data_key()
        return walk()


def walk() -> Walk:
    walking = Walk()
    while walking.step():
        pass
    return walking


def left(app: Flask) -> int:
    with app.app_context():
        return reencryption.left(max(keyring.current().data))


def rows_of(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """All rows without their encrypted columns."""
    with app.app_context(), reading() as session:
        return {
            model.__tablename__: sorted(map(tuple, session.execute(select(*shown_of(model)))))
            for model in (Subscription, Letter, Erasure)
        }


def shown_of(model: type[Model]) -> list[Any]:
    encrypted = {each.column.key for each in ENCRYPTED if each.column.class_ is model}
    keys = [each.key for each in inspect(model).column_attrs if each.key not in encrypted]
    return [getattr(model, key) for key in sorted(keys, key=lambda key: key not in ("ref", "id"))]


def test_the_list_of_encrypted_columns_is_complete() -> None:
    octets = {
        f"{table.name}.{column.name}"
        for table in Model.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }

    assert octets - NOT_ENCRYPTED == {encrypted.name for encrypted in ENCRYPTED}
    assert octets >= NOT_ENCRYPTED


def test_every_value_is_encrypted_with_the_newest_key_and_can_be_read(
    app: Flask, client: FlaskClient, people: None, elsewhere: Flask
) -> None:
    assert left(elsewhere) == 0

    walked = rotate(elsewhere)

    assert (walked.seen, walked.unreadable, left(elsewhere)) == (5, 0, 0)
    assert access(client, ADA)["email"] == "Ada@example.org"
    assert access(client, GRACE)["letters"][0]["message_id"]


def test_an_erasure_under_way_is_carried_out_afterwards(
    client: FlaskClient, people: None, drain: Drain, elsewhere: Flask
) -> None:
    under_way = said_by(ask_staff(client, "erasures", HEDY))
    rotate(elsewhere)
    drain()

    erasure = said_by(client.get(f"/admin/erasures/{under_way['id']}", headers=STAFF))
    assert erasure["places"][1]["state"] == "done"


def test_a_queued_letter_is_sent_afterwards(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, elsewhere: Flask
) -> None:
    sign_up(client, ADA)
    rotate(elsewhere)
    drain()

    assert press(client, mailbox, ADA) == 200


def test_only_encrypted_columns_change(people: None, app: Flask, elsewhere: Flask) -> None:
    before = rows_of(app)

    rotate(elsewhere)

    assert rows_of(app) == before


def test_a_walk_takes_batch_after_batch(
    people: None, elsewhere: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencryption, "BATCH", 1)

    assert rotate(elsewhere).seen == 5
    assert left(elsewhere) == 0


def test_an_interrupted_walk_is_finished_by_another(
    people: None, elsewhere: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencryption, "BATCH", 1)
    with elsewhere.app_context():
        rotation.new_data_key()
        assert Walk().step()

        assert walk().seen == 4


def test_a_value_with_the_newest_key_is_not_encrypted_again(people: None, elsewhere: Flask) -> None:
    rotate(elsewhere)

    with elsewhere.app_context():
        assert walk().seen == 0


def damage(app: Flask) -> None:
    """Damage Ada's encrypted address, but not the id of its key."""
    with app.app_context(), writing() as session:
        key = keyring.prefix(max(keyring.current().data))
        session.execute(update(Subscription).values(address=key + bytes(40)))


def test_an_unreadable_value_stays_as_it_is_and_does_not_stop_the_walk(
    app: Flask, client: FlaskClient, elsewhere: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    sign_up(client, ADA)
    damage(app)

    walked = rotate(elsewhere)

    assert (walked.seen, walked.unreadable, left(elsewhere)) == (2, 1, 1)
    assert "a value of subscription.address cannot be read: ref=" in caplog.text


@on_postgresql
def test_a_locked_row_is_skipped_and_its_change_is_not_overwritten(
    client: FlaskClient, database_url: str, elsewhere: Flask
) -> None:
    sign_up(client, ADA)
    with psycopg.connect(database_url) as holding:
        holding.execute("UPDATE letter SET evidence = evidence || '\\x00'")
        walked = rotate(elsewhere)
        holding.commit()

    assert (walked.seen, left(elsewhere)) == (2, 1)
    with elsewhere.app_context(), reading() as session:
        evidence = session.scalar(select(Letter.evidence))
    assert evidence is not None
    assert evidence.endswith(b"\x00")


@on_postgresql
def test_a_letter_can_be_written_to_somebody_whose_address_is_being_encrypted(
    client: FlaskClient, database_url: str, elsewhere: Flask
) -> None:
    """Inserting a letter locks the row of its subscription (foreign key), which a walk must not block."""
    sign_up(client, ADA)
    with psycopg.connect(database_url) as other, elsewhere.app_context(), writing() as session:
        query = select(Subscription.ref).with_for_update(skip_locked=True, key_share=True)
        assert session.scalar(query)
        other.execute("SET lock_timeout = '2s'")
        other.execute("SELECT 1 FROM subscription FOR KEY SHARE").fetchall()


def test_people_sign_up_during_a_walk(
    app: Flask, drain: Drain, mailbox: Mailbox, elsewhere: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencryption, "BATCH", 2)
    enough, at_work = threading.Event(), threading.Semaphore(0)

    def queue(name: str) -> list[int]:
        client, answers = app.test_client(), []
        for number in count():
            answers.append(sign_up(client, f"{name}-{number}@example.com").status_code)
            at_work.release()
            if enough.is_set():
                return answers
        raise AssertionError

    with ThreadPoolExecutor(2) as crowd:
        queues = [crowd.submit(queue, name) for name in ("left", "right")]
        for _ in range(10):
            at_work.acquire()
        rotate(elsewhere)
        for _ in range(10):
            at_work.acquire()
        enough.set()
    answers = [answer for each in queues for answer in each.result(PATIENCE)]
    with elsewhere.app_context():
        walk()
    drain()

    assert set(answers) == {202}
    assert left(elsewhere) == 0
    assert len(mailbox.letters) == len(answers)


def test_a_walk_over_an_empty_database_finds_nothing(elsewhere: Flask, client: FlaskClient) -> None:
    assert rotate(elsewhere).seen == 0
    assert status_of(client, ADA) == "unknown"


def test_after_a_rotation_no_value_names_the_old_key(people: None, elsewhere: Flask) -> None:
    with elsewhere.app_context():
        before = max(keyring.current().data)
    rotate(elsewhere)

    with elsewhere.app_context(), reading() as session:
        assert not reencryption.uses(session, before)
        assert session.scalar(text("SELECT count(*) FROM subscription")) == 2
