"""Counts of calls, in memory and in the table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from newsletter.storage import call_counts
from newsletter.storage.call_counts import CallCounter
from newsletter.storage.database import writing
from tests.conftest import both_databases


@pytest.fixture(autouse=True)
def _in_app(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@both_databases
def test_workers_add_up_and_a_number_is_stored_once() -> None:
    one, other = CallCounter("mail"), CallCounter("mail")
    for calls, times in ((one, 2), (other, 3)):
        for _ in range(times):
            calls.count("sent")
        calls.store()
    other.count("put_off")
    other.store()
    one.store()

    assert call_counts.totals("mail") == {"sent": 5, "put_off": 1}
    assert call_counts.totals("mailchimp") == {}


def test_what_could_not_be_stored_is_stored_the_next_time() -> None:
    calls = CallCounter("mailchimp")
    calls.count("200")
    with writing() as session:
        session.execute(text("ALTER TABLE call_count RENAME TO away"))
    with suppress(OperationalError):
        calls.store()
    with writing() as session:
        session.execute(text("ALTER TABLE away RENAME TO call_count"))

    calls.store()

    assert call_counts.totals("mailchimp") == {"200": 1}
