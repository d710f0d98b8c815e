"""An hour after a new data key, the worker takes the old one away, once nothing needs it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from newsletter.storage import jobs
from newsletter.storage.database import writing
from newsletter.storage.keys import keyring, reencryption, rotation
from newsletter.storage.models import Subscription
from newsletter.worker.upkeep.old_keys import AGAIN_AFTER, OldKeys
from tests.people import ADA, access, sign_up

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def at_work(app: Flask, clock: time_machine.Traveller) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def keeping() -> OldKeys:
    return OldKeys("this worker")


@pytest.fixture
def rotating(client: FlaskClient, clock: time_machine.Traveller) -> None:
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


def test_without_a_rotation_there_is_nothing_to_do(
    keeping: OldKeys, clock: time_machine.Traveller
) -> None:
    clock.shift(1000 * HOUR)

    assert (finish(keeping), data_keys()) == (1, 1)


def test_before_the_hour_is_over_nothing_is_done(
    keeping: OldKeys, rotating: None, clock: time_machine.Traveller
) -> None:
    clock.shift(HOUR - SECOND)

    assert (finish(keeping), data_keys(), left()) == (1, 2, 2)


def test_after_an_hour_the_rest_is_encrypted_anew_and_the_old_key_taken_away(
    keeping: OldKeys, rotating: None, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    clock.shift(HOUR)

    finish(keeping)

    assert (data_keys(), left()) == (1, 0)
    assert access(client, ADA)["email"] == "Ada@example.org"


def test_a_worker_with_all_its_loops_ends_a_rotation(
    rotating: None, drain: object, clock: time_machine.Traveller
) -> None:
    assert callable(drain)
    clock.shift(HOUR)
    drain()

    assert data_keys() == 1


def test_one_worker_alone_does_it(
    keeping: OldKeys, rotating: None, clock: time_machine.Traveller
) -> None:
    clock.shift(HOUR)
    jobs.take("keys", "another worker")

    assert (finish(keeping), data_keys(), left()) == (1, 2, 2)


def test_what_a_killed_worker_left_another_finishes(
    keeping: OldKeys, rotating: None, clock: time_machine.Traveller
) -> None:
    clock.shift(HOUR)
    OldKeys("a worker that is killed").step()
    clock.shift(jobs.LEASE + SECOND)

    finish(keeping)

    assert (data_keys(), left()) == (1, 0)


def test_whoever_has_done_it_lets_go_of_it(
    keeping: OldKeys, rotating: None, clock: time_machine.Traveller
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


def test_a_value_that_cannot_be_read_keeps_its_key_and_is_told_once_an_hour(
    keeping: OldKeys,
    damaged: None,
    clock: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock.shift(HOUR)
    finish(keeping)
    assert data_keys() == 2
    assert "1 old data keys stay" in caplog.text
    clock.shift(AGAIN_AFTER - SECOND)
    assert finish(keeping) == 1

    clock.shift(SECOND)

    assert finish(keeping) > 1


def test_what_was_done_is_counted_and_nobody_named(
    keeping: OldKeys,
    rotating: None,
    clock: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock.shift(HOUR)
    finish(keeping)

    assert "encrypted 2 values by the new data key" in caplog.text
    assert "example.org" not in caplog.text.lower()
