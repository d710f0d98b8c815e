"""A host that did not get the newest DATA_KEY accepts nothing, says why, blocks no other host, and loses nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.app import create_app
from newsletter.config import load
from newsletter.storage import jobs, outage
from newsletter.storage.jobs import LEASE
from newsletter.storage.keys import keyring, rotation
from newsletter.storage.keys.keyring import READ_EVERY
from newsletter.storage.models import db
from newsletter.worker.run import Loop, Worker
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import COMPANY, Clock, both_databases, on_sqlite
from tests.people import ADA, STAFF, access, ask_staff, press, said_by, sign_up, standing_of

pytestmark = both_databases

NEW = "a-newer-key-of-thirty-two-characters"
REASON = "DATA_KEY: does not open this database's keyring"
WORKER_REASON = "the DATA_KEY of a worker does not open the keyring"


@pytest.fixture
def host(environ: dict[str, Any], clock: Clock) -> Iterator[Flask]:
    """A process that has the old DATA_KEY only."""
    app = create_app(load(environ))
    with app.app_context():
        keyring.check()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def elsewhere(environ: dict[str, Any], host: Flask) -> Iterator[Flask]:
    """A process on another host, which has the newest DATA_KEY."""
    app = create_app(load({**environ, "DATA_KEY": f"{NEW},{COMPANY['DATA_KEY']}"}))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def wrapped_anew(elsewhere: Flask) -> None:
    """The keys are the same, but the old DATA_KEY does not unwrap them any more."""
    with elsewhere.app_context():
        rotation.rewrap()


@pytest.fixture
def changed(wrapped_anew: None, elsewhere: Flask) -> None:
    """All keys have just been changed."""
    with elsewhere.app_context():
        rotation.new_signing_key()
        rotation.new_data_key()


@pytest.fixture
def noticed(changed: None, clock: Clock) -> None:
    """All keys were changed a minute ago."""
    clock.shift(READ_EVERY)


@pytest.fixture
def client(host: Flask) -> FlaskClient:
    return host.test_client()


@pytest.fixture
def worker(host: Flask) -> Iterator[Worker]:
    worker = Worker(host)
    yield worker
    worker.close()


@pytest.fixture
def other(elsewhere: Flask) -> Iterator[Worker]:
    """The worker of the other host."""
    worker = Worker(elsewhere)
    yield worker
    worker.close()


def take_turns(worker: Worker) -> None:
    """Each loop of a worker takes a step, and it sends a heartbeat."""
    for loop in [*worker.loops, Loop("heartbeat", worker._beat, 0.0)]:
        worker._step(loop)


def ready(app: Flask) -> tuple[str, list[str]]:
    said = said_by(app.test_client().get("/ready", headers=STAFF))
    return said["status"], said["reasons"]


@pytest.mark.usefixtures("noticed")
def test_a_sign_up_may_come_again(client: FlaskClient) -> None:
    answer = sign_up(client, ADA)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


@pytest.mark.usefixtures("noticed")
def test_it_is_unable_and_says_why(host: Flask) -> None:
    status, [reason] = ready(host)

    assert (status, reason.startswith(REASON)) == ("unable", True)


@pytest.mark.usefixtures("noticed")
def test_the_log_of_web_says_it_once_a_minute(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    for _ in range(3):
        sign_up(client, ADA)

    assert caplog.messages == [str(outage.OTHER_KEYRING)]


@on_sqlite
@pytest.mark.usefixtures("noticed")
def test_the_log_of_the_worker_says_it_once_a_minute_without_a_trace(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    for _ in range(2):
        take_turns(worker)

    assert caplog.messages == [str(outage.OTHER_KEYRING)]


@pytest.mark.usefixtures("noticed")
def test_restarted_with_the_newest_it_takes_sign_ups_again(elsewhere: Flask) -> None:
    assert sign_up(elsewhere.test_client(), ADA).status_code == 202


def test_it_signs_no_proof_with_the_earlier_key(
    client: FlaskClient, wrapped_anew: None, elsewhere: Flask
) -> None:
    sign_up(client, ADA)
    endpoint = f"/admin/proofs/{access(client, ADA)['reference']}"
    assert client.get(endpoint, headers=STAFF).status_code == 200

    with elsewhere.app_context():
        rotation.new_signing_key()

    assert client.get(endpoint, headers=STAFF).status_code == 503
    assert elsewhere.test_client().get(endpoint, headers=STAFF).status_code == 200


@pytest.mark.usefixtures("noticed")
def test_its_worker_is_not_alive_and_staff_see_why_on_the_other_hosts(
    worker: Worker, elsewhere: Flask, clock: Clock
) -> None:
    take_turns(worker)
    assert ready(elsewhere) == ("degraded", ["no live worker", WORKER_REASON])

    clock.shift(LEASE)  # it was ended
    assert ready(elsewhere) == ("degraded", ["no live worker"])


@on_sqlite
def test_other_workers_take_over_its_leases(
    worker: Worker, noticed: None, elsewhere: Flask
) -> None:
    take_turns(worker)

    with elsewhere.app_context():
        assert all(jobs.take(job, "another") for job in ("audience", "sealing", "verify"))


@dataclass(frozen=True)
class World:
    """The host that has all keys, the mailbox and Mailchimp."""

    client: FlaskClient
    worker: Worker
    mailbox: Mailbox
    mailchimp: StandIn


def a_letter(world: World) -> Callable[[], bool]:
    sign_up(world.client, ADA)
    return lambda: len(world.mailbox.letters) == 1


def a_person(world: World) -> Callable[[], bool]:
    sign_up(world.client, ADA)
    world.worker.drain()
    assert press(world.client, world.mailbox, ADA) == 200
    return lambda: standing_of(world.mailchimp, ADA) == "subscribed"


def an_erasure(world: World) -> Callable[[], bool]:
    world.mailchimp.add(ADA)
    ask_staff(world.client, "erasures", ADA)
    return lambda: ADA.lower() in world.mailchimp.forgotten


@on_sqlite
@pytest.mark.parametrize("work", [a_letter, a_person, an_erasure])
def test_rows_that_its_worker_cannot_read_are_not_postponed_for_others(
    worker: Worker,
    changed: None,
    elsewhere: Flask,
    other: Worker,
    mailbox: Mailbox,
    mailchimp: StandIn,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    work: Callable[[World], Callable[[], bool]],
) -> None:
    """It notices only when it reads a value with the new key."""
    is_done = work(World(elsewhere.test_client(), other, mailbox, mailchimp))
    clock.shift(LEASE)
    caplog.set_level(logging.WARNING)
    caplog.clear()

    take_turns(worker)

    assert (caplog.messages, is_done()) == ([str(outage.OTHER_KEYRING)], False)
    clock.shift(LEASE)
    other.drain()
    assert is_done()


@on_sqlite
@pytest.mark.usefixtures("wrapped_anew")
def test_while_the_keys_are_the_same_it_goes_on_and_staff_are_told_that_it_could_not_restart(
    host: Flask,
    worker: Worker,
    elsewhere: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    clock: Clock,
) -> None:
    clock.shift(READ_EVERY)
    sign_up(client, ADA)
    take_turns(worker)

    assert len(mailbox.letters) == 1
    assert ready(host) == ("degraded", [keyring.STALE, WORKER_REASON])
    assert ready(elsewhere) == ("degraded", [WORKER_REASON])


@on_sqlite
def test_the_notice_ends_when_the_keyring_opens_again(
    host: Flask, worker: Worker, noticed: None, elsewhere: Flask, environ: dict[str, Any]
) -> None:
    take_turns(worker)
    back = create_app(load({**environ, "DATA_KEY": f"{COMPANY['DATA_KEY']},{NEW}"}))
    with back.app_context():
        rotation.rewrap()
        db.engine.dispose()

    take_turns(worker)

    assert ready(host) == ready(elsewhere) == ("ready", [])
