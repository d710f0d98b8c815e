"""A host that was left out of a key change: it takes nothing, says why, and loses nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from newsletter import create_app, create_core, keyring, outage, rotation
from newsletter.config import load
from newsletter.delivery.worker import Worker
from newsletter.keyring import READ_EVERY
from newsletter.models import db
from tests.conftest import COMPANY, on_sqlite
from tests.people import ADA, STAFF, sign_up

NEW = "a-newer-key-of-thirty-two-characters"
REASON = "DATA_KEY: does not open this database's keyring"


@pytest.fixture
def left_out(environ: dict[str, Any], clock: time_machine.Traveller) -> Iterator[Flask]:
    """A process on the old DATA_KEY, beside which all keys were changed a minute ago."""
    app = create_app(load(environ))
    with app.app_context():
        keyring.check()
    elsewhere = create_core(load({**environ, "DATA_KEY": f"{NEW},{COMPANY['DATA_KEY']}"}))
    with elsewhere.app_context():
        rotation.rewrap()
        rotation.new_signing_key()
        rotation.new_data_key()
        db.engine.dispose()
    clock.shift(READ_EVERY)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(left_out: Flask) -> FlaskClient:
    return left_out.test_client()


def test_a_sign_up_may_come_again(client: FlaskClient) -> None:
    answer = sign_up(client, ADA)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


def test_it_is_unable_and_says_why(client: FlaskClient) -> None:
    answer = client.get("/ready", headers=STAFF)

    assert (answer.status_code, answer.get_json()["status"]) == (503, "unable")
    [reason] = answer.get_json()["reasons"]
    assert reason.startswith(REASON)


def test_the_log_of_web_says_it_once_a_minute(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    for _ in range(3):
        sign_up(client, ADA)

    assert caplog.messages == [str(outage.OTHER_KEYRING)]


@on_sqlite
def test_the_log_of_the_worker_says_it_once_a_minute_without_a_trace(
    left_out: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    worker = Worker(left_out)

    for loop in [*worker.loops, *worker.loops]:
        worker._step(loop)
    worker.close()

    assert caplog.messages == [str(outage.OTHER_KEYRING)]


def test_restarted_with_the_newest_it_takes_sign_ups_again(
    left_out: Flask, environ: dict[str, Any]
) -> None:
    app = create_app(load({**environ, "DATA_KEY": f"{NEW},{COMPANY['DATA_KEY']}"}))

    assert sign_up(app.test_client(), ADA).status_code == 202
    with app.app_context():
        db.engine.dispose()
