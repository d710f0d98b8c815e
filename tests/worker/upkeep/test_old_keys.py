"""An hour after a new data key was made, the worker deletes the old one once no value needs it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from newsletter.storage import jobs
from newsletter.storage.database import writing
from newsletter.storage.keys import keyring, reencryption, rotation
from newsletter.storage.models import Subscription
from newsletter.worker.upkeep.old_keys import AGAIN_AFTER, OldKeys
from tests.conftest import Clock
from tests.people import ADA, access, sign_up

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def at_work(app: Flask, clock: Clock) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def keeping() -> OldKeys:
    return OldKeys("this worker")


@pytest.fixture
def rotating(client: FlaskClient, clock: Clock) -> None:
    """There is a new data key, and Ada is still under the old one."""
    sign_up(client, ADA)
    rotation.new_data_key()


def finish(keeping: OldKeys) -> int:
    """Take steps until nothing is left to do now; how many there were."""
    steps = 1
    while keeping.step():
        steps += 1
    return steps


def data_keys() -> int:
    rotation.discard_cached()
    return len(keyring.current().data)


def left() -> int:
    return reencryption.left(max(keyring.current().data))


def test_without_a_rotation_there_is_nothing_to_do(keeping: OldKeys, clock: Clock) -> None:
    clock.shift(1000 * HOUR)

    assert (finish(keeping), data_keys()) == (1, 1)


def test_before_the_hour_is_over_nothing_is_done(
    keeping: OldKeys, rotating: None, clock: Clock
) -> None:
    clock.shift(HOUR - SECOND)

    assert (finish(keeping), data_keys(), left()) == (1, 2, 2)


def test_after_an_hour_the_rest_is_re_encrypted_and_the_old_key_deleted(
    keeping: OldKeys, rotating: None, client: FlaskClient, clock: Clock
) -> None:
    clock.shift(HOUR)

    finish(keeping)

    assert (data_keys(), left()) == (1, 0)
    assert access(client, ADA)["email"] == "Ada@example.org"


def test_a_worker_with_all_its_loops_ends_a_rotation(
    rotating: None, drain: object, clock: Clock
) -> None:
    assert callable(drain)
    clock.shift(HOUR)
    drain()

    assert data_keys() == 1


def test_only_one_worker_does_it(keeping: OldKeys, rotating: None, clock: Clock) -> None:
    clock.shift(HOUR)
    jobs.take("keys", "another worker")

    assert (finish(keeping), data_keys(), left()) == (1, 2, 2)


def test_another_worker_finishes_after_one_was_killed(
    keeping: OldKeys, rotating: None, clock: Clock
) -> None:
    clock.shift(HOUR)
    OldKeys("a worker that is killed").step()
    clock.shift(jobs.LEASE + SECOND)

    finish(keeping)

    assert (data_keys(), left()) == (1, 0)


def test_the_lease_ends_when_the_work_is_done(
    keeping: OldKeys, rotating: None, clock: Clock
) -> None:
    clock.shift(HOUR)
    finish(keeping)

    assert jobs.take("keys", "another worker")


@pytest.fixture
def damaged(rotating: None) -> None:
    """Ada's address cannot be read any more, though it names the old key."""
    with writing() as session:
        key = keyring.prefix(min(keyring.current().data))
        session.execute(update(Subscription).values(address=key + bytes(40)))


def test_an_unreadable_value_keeps_its_key_and_is_logged_once_an_hour(
    keeping: OldKeys, damaged: None, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.shift(HOUR)
    finish(keeping)
    assert data_keys() == 2
    assert "1 old data keys stay" in caplog.text
    clock.shift(AGAIN_AFTER - SECOND)
    assert finish(keeping) == 1

    clock.shift(SECOND)

    assert finish(keeping) > 1


def test_the_log_counts_values_and_names_nobody(
    keeping: OldKeys, rotating: None, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock.shift(HOUR)
    finish(keeping)

    assert "encrypted 2 values with the new data key" in caplog.text
    assert "example.org" not in caplog.text.lower()
