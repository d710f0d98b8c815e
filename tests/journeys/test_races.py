"""What happens at the same moment: real threads and transactions that wait for each other."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, text, update
from werkzeug.test import TestResponse

from newsletter.app import create_app
from newsletter.config import load
from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.errors import PresentWording
from newsletter.domain.lifecycle import Block, Erase, Reason
from newsletter.rights.data.quotas import purge
from newsletter.rights.proof import check
from newsletter.storage import sqlite
from newsletter.storage.database import lock, reading, writing
from newsletter.storage.models import Letter, Quota, Subscription, Wording, db
from newsletter.subscriptions import (
    corrections,
    inquiries,
    quota,
    waiting,
    wording,
    wording_registry,
)
from newsletter.subscriptions.importing import take
from newsletter.subscriptions.person import digest_of, lock_person
from newsletter.subscriptions.transition import act
from newsletter.worker.upkeep.sqlite_file import Cleaning
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, both_databases, on_postgresql, on_sqlite
from tests.journeys.service import wait_until
from tests.patience import PATIENCE
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF,
    access,
    ask_staff,
    confirm,
    events_of,
    said_by,
    sign_up,
    status_of,
)

pytestmark = both_databases

BUSY = 1.0


def somebody_waits(database_url: str, how_many: int = 1) -> bool:
    """Tell whether a transaction on PostgreSQL, or as many, wait for another's lock."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return found is not None and found[0] >= how_many


def within(app: Flask, act: Callable[[], object]) -> object:
    with app.app_context():
        return act()


@pytest.fixture
def old_quota(app: Flask, client: FlaskClient) -> None:
    """Ada's quota is due to be purged."""
    sign_up(client, ADA)
    with app.app_context(), writing() as session:
        long_ago = clock.now() - timedelta(hours=25)
        session.execute(update(Quota).values(touched_at=long_ago, letters=[]))


def quotas(app: Flask) -> int:
    with app.app_context(), reading() as session:
        return session.scalar(select(func.count()).select_from(Quota)) or 0


@on_postgresql
def test_a_quota_that_is_touched_as_it_is_purged_stays(
    app: Flask, client: FlaskClient, old_quota: None, database_url: str
) -> None:
    with ThreadPoolExecutor(1) as crowd, app.app_context(), writing() as session:
        person = lock_person(session, Address.parse(ADA))
        person.quota.save()
        purged = crowd.submit(within, app, purge)
        wait_until(lambda: somebody_waits(database_url), "the purge waits")
        session.commit()
        purged.result(PATIENCE)

    assert quotas(app) == 1


@on_postgresql
def test_a_sign_up_whose_quota_is_purged_under_it_is_taken(
    app: Flask, client: FlaskClient, old_quota: None, database_url: str
) -> None:
    with ThreadPoolExecutor(1) as crowd, app.app_context(), writing() as session:
        session.execute(delete(Quota))
        signed_up = crowd.submit(sign_up, app.test_client(), ADA)
        wait_until(lambda: somebody_waits(database_url), "the sign-up waits")
        session.commit()

        assert signed_up.result(PATIENCE).status_code == 202
    assert quotas(app) == 1
    assert events_of(client, ADA) == ["signup", "signup"]


@on_postgresql
def test_whatever_is_done_to_a_person_waits_for_who_has_locked_the_address(
    app: Flask, client: FlaskClient, database_url: str
) -> None:
    sign_up(client, ADA)
    ada, grace = Address.parse(ADA), Address.parse(GRACE)
    reference = access(client, ADA)["reference"]
    with app.app_context(), reading() as session:
        letter = session.scalars(select(Letter.id)).one()
    rows = f"email,confirmed_at\n{ADA},2020-05-01\n".encode()

    def count(how: Callable[..., None], *rest: object) -> None:
        with writing() as session:
            how(session, digest_of(ada), letter, *rest)

    done: list[Callable[[], object]] = [
        lambda: sign_up(app.test_client(), ADA),
        lambda: sign_up(app.test_client(), "ada+news@example.org"),  # the same mailbox
        lambda: count(quota.count_copy, clock.now()),
        lambda: count(quota.uncount),
        lambda: take.take(take.read(BytesIO(rows), "list.csv"), actor="dpo"),
        lambda: waiting.try_letter_now(letter),
        lambda: waiting.try_person_now(reference),
        lambda: inquiries.begin(ada, actor="dpo"),
        lambda: corrections.rectify(grace, ada, actor="dpo"),
    ]
    with ThreadPoolExecutor(len(done)) as crowd, app.app_context(), writing() as session:
        lock(session, digest_of(ada))
        begun = [crowd.submit(within, app, act) for act in done]
        wait_until(
            lambda: any(each.done() for each in begun) or somebody_waits(database_url, len(done)),
            "all wait",
        )

        assert not any(each.done() for each in begun)


@on_postgresql
def test_a_sign_up_after_the_servers_restart_is_taken(
    client: FlaskClient, database_url: str
) -> None:
    sign_up(client, ADA)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert sign_up(client, GRACE).status_code == 202


@pytest.fixture
def pair(client: FlaskClient, mailbox: Mailbox, drain: Drain) -> None:
    """Ada has confirmed and is to become Grace, who has been asked. Hedy has nothing to do with them."""
    sign_up(client, HEDY)
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters_to(ADA)[0].message)
    ask_staff(client, "rectifications", ADA, new_email=GRACE)
    drain()


def erase(app: Flask, email: str) -> int:
    return ask_staff(app.test_client(), "erasures", email).status_code


@on_postgresql
@pytest.mark.parametrize(
    "ask",
    [
        lambda client, _: ask_staff(client, "erasures", ADA),
        lambda client, _: ask_staff(client, "erasures", GRACE),
        lambda client, _: ask_staff(client, "rectifications", ADA, new_email=GRACE),
        lambda client, _: ask_staff(client, "rectifications", GRACE, new_email=ADA),
        confirm,
    ],
    ids=["erases the old", "erases the new", "corrects", "corrects back", "confirms"],
)
def test_whoever_acts_on_one_of_a_pair_locks_both_in_everybodys_order(
    app: Flask,
    mailbox: Mailbox,
    pair: None,
    database_url: str,
    ask: Callable[[FlaskClient, EmailMessage], TestResponse],
) -> None:
    letter = mailbox.letters_to(GRACE)[-1].message
    with ThreadPoolExecutor(1) as crowd, app.app_context(), writing() as session:
        first, second = sorted(digest_of(Address.parse(person)) for person in (ADA, GRACE))
        lock(session, first)
        asked = crowd.submit(ask, app.test_client(), letter)
        wait_until(lambda: somebody_waits(database_url), "the request waits")
        lock(session, second)  # is free: the request holds nothing while it waits
        session.rollback()

        assert asked.result(PATIENCE).status_code in (200, 202, 409)


@on_postgresql
def test_the_proof_of_one_of_a_pair_waits_for_what_is_done_to_the_other(
    app: Flask, client: FlaskClient, pair: None, database_url: str
) -> None:
    path = f"/admin/proofs/{access(client, ADA)['reference']}"
    with ThreadPoolExecutor(1) as crowd:
        with app.app_context(), writing() as session:
            grace = lock_person(session, Address.parse(GRACE))
            proving = crowd.submit(lambda: app.test_client().get(path, headers=STAFF).data)
            wait_until(lambda: somebody_waits(database_url), "the proof waits")
            act(grace, Block(Reason.STAFF))

        assert check.check(proving.result(PATIENCE)).failed == []


def test_all_that_is_asked_of_a_pair_at_once_is_answered(
    app: Flask, client: FlaskClient, mailbox: Mailbox, pair: None, drain: Drain
) -> None:
    letter = mailbox.letters_to(GRACE)[-1].message
    begin = threading.Barrier(3)
    asked: list[Callable[[], int]] = [
        lambda: erase(app, ADA),
        lambda: erase(app, GRACE),
        lambda: confirm(app.test_client(), letter).status_code,
    ]
    with ThreadPoolExecutor(3) as crowd:
        answers = list(crowd.map(lambda ask: (begin.wait(PATIENCE), ask())[1], asked))
    drain()

    assert answers[:2] == [202, 202]
    assert answers[2] in (200, 410)
    assert [status_of(client, person) for person in (ADA, GRACE)] == ["unknown", "unknown"]


@on_sqlite
def test_what_is_deleted_after_the_file_was_cleaned_is_not_taken_for_clean(
    app: Flask, client: FlaskClient, database_url: str
) -> None:
    log = Path(f"{database_url.removeprefix('sqlite:///')}-wal")
    sign_up(client, ADA)
    begun = ask_staff(client, "erasures", ADA)
    with ThreadPoolExecutor(1) as crowd, app.app_context(), writing() as session:
        cleaning = crowd.submit(
            within, app, Cleaning().step
        )  # its last step waits for our turn to end
        wait_until(lambda: log.stat().st_size == 0, "the file is clean")
        act(lock_person(session, Address.parse(ADA)), Erase(), actor="dpo")
        session.commit()
    cleaning.result(PATIENCE)

    places = said_by(client.get(begun.location, headers=STAFF))["places"]
    assert [place["state"] for place in places if place["place"] == "database file"] == ["waiting"]


@pytest.fixture
def impatient(environ: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A web process on SQLite that waits half a second for its turn to write."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", BUSY)
    app = create_app(load(environ))
    app.test_client().get("/")  # the consent texts are published before somebody else writes
    yield app
    with app.app_context():
        db.engine.dispose()


@on_sqlite
def test_who_waits_in_vain_for_a_writer_of_this_process_is_told_so(impatient: Flask) -> None:
    with ThreadPoolExecutor(1) as crowd, impatient.app_context(), writing():
        answer = crowd.submit(sign_up, impatient.test_client(), ADA).result(PATIENCE)

    assert answer.status_code == 503
    assert said_by(answer)["type"].endswith("/problems#unavailable")
    assert "Retry-After" in answer.headers


@on_sqlite
def test_many_who_wait_in_vain_for_another_process_do_not_wait_one_after_the_other(
    impatient: Flask, database_url: str
) -> None:
    def timed(number: int) -> tuple[int, float]:
        began = time.monotonic()
        status = sign_up(impatient.test_client(), f"ada-{number}@example.org").status_code
        return status, time.monotonic() - began

    file = database_url.removeprefix("sqlite:///")
    with ThreadPoolExecutor(24) as crowd, closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers = list(crowd.map(timed, range(24)))

    assert {status for status, _ in answers} == {503}
    # Two seconds at most, but on a slow machine: one may get the turn at its very end, and then waits for the other.
    assert max(seconds for _, seconds in answers) < 20 * BUSY


@on_postgresql
def test_a_row_that_breaks_a_rule_is_not_shown_in_the_log(
    app: Flask, client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_up(client, ADA)
    with app.app_context(), writing() as session:
        nonce, digest = session.execute(select(Subscription.nonce, Subscription.digest)).one()
        rule = "ADD CONSTRAINT nobody_leaves CHECK (status <> 'blocked') NOT VALID"
        session.execute(text(f"ALTER TABLE subscription {rule}"))
    app.testing = False
    answer = ask_staff(client, "blocks", ADA, reason="complaint")
    logged = capsys.readouterr().err

    assert answer.status_code == 500
    assert "nobody_leaves" in logged
    assert "DETAIL: [redacted]" in logged
    assert not [value for value in (nonce, digest) if value and value.hex() in logged]


@on_postgresql
def test_of_two_who_withdraw_what_each_others_forms_show_one_is_refused(
    app: Flask, environ: dict[str, Any], database_url: str
) -> None:
    other = create_app(load({**environ, "TOPICS": "Kursen für Tischler"}))
    with other.app_context():
        new = wording.current("de").hash
    with app.app_context():
        old = wording.current("de").hash

    def withdraw_old() -> None:
        with other.app_context():
            wording_registry.withdraw(old)

    with ThreadPoolExecutor(1) as crowd, app.app_context(), writing() as session:
        withdrawn = update(Wording).where(Wording.hash == new)
        session.execute(withdrawn.values(withdrawn_at=clock.now()))
        second = crowd.submit(withdraw_old)
        wait_until(lambda: second.done() or somebody_waits(database_url), "the second one waits")
        session.commit()

        with pytest.raises(PresentWording):
            second.result(PATIENCE)
    with other.app_context():
        assert wording.current("de").hash == old
        db.engine.dispose()
