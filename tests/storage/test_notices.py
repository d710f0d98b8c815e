"""Notices for staff: posted, renewed, cleared and listed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from newsletter.domain import clock as house_clock
from newsletter.storage import notices
from newsletter.storage.models import db
from newsletter.storage.notices import Code
from tests.conftest import Clock
from tests.listening import listening

STALLED = Code.LOOP_STALLED
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def at_work(app: Flask, clock: Clock) -> Iterator[None]:
    """Every test runs inside the application, with a clock that the test moves."""
    with app.app_context():
        yield


@pytest.fixture
def said() -> Iterator[list[tuple[str, Any]]]:
    with listening(db.engine) as said:
        yield said


def writes(said: list[tuple[str, Any]]) -> list[str]:
    """The statements that change a row."""
    return [statement for statement, _ in said if not statement.startswith(("SELECT", "BEGIN"))]


def sentences() -> list[str]:
    return [posted.sentence.wrong for posted in notices.current()]


def test_a_posted_notice_is_listed_with_its_detail() -> None:
    assert notices.post(STALLED, "first", "sealer")

    assert sentences() == ["no step for a minute: sealer"]


def test_a_cleared_notice_is_no_longer_listed() -> None:
    notices.post(STALLED, "first", "sealer")
    notices.clear(STALLED, "first")

    assert sentences() == []


def test_each_owner_has_a_notice_of_its_own(clock: Clock) -> None:
    notices.post(STALLED, "first", "sealer")
    notices.post(STALLED, "second", "postman")
    notices.clear(STALLED, "first")

    assert [posted.owner for posted in notices.current()] == ["second"]
    assert notices.find(STALLED, "first") is None


def test_a_repeated_notice_keeps_its_beginning_and_writes_nothing(
    clock: Clock, said: list[tuple[str, Any]]
) -> None:
    notices.post(STALLED, "first", "sealer")
    began = house_clock.now()
    clock.shift(MINUTE)
    said.clear()

    assert not notices.post(STALLED, "first", "sealer")
    assert notices.current()[0].since == began
    assert writes(said) == []


def test_another_detail_replaces_the_earlier_one() -> None:
    notices.post(STALLED, "first", "sealer")

    assert notices.post(STALLED, "first", "postman")
    assert sentences() == ["no step for a minute: postman"]


def test_a_notice_that_nobody_renews_ends_by_itself(clock: Clock) -> None:
    notices.post(STALLED, "first", "sealer", house_clock.now() + MINUTE)
    clock.shift(MINUTE)

    assert sentences() == []
    assert notices.post(STALLED, "first", "sealer")
    assert notices.current()[0].since == house_clock.now()


def test_a_renewed_notice_keeps_the_time_when_it_was_posted(
    clock: Clock, said: list[tuple[str, Any]]
) -> None:
    began = house_clock.now()
    notices.post(STALLED, "first", "sealer", began + MINUTE)
    for _ in range(10):
        clock.shift(MINUTE / 5)
        assert not notices.post(STALLED, "first", "sealer", house_clock.now() + MINUTE)

    assert notices.current()[0].since == began
    # A renewal writes only when half of the time has passed.
    assert sum(write.startswith("INSERT") for write in writes(said)) == 1 + 3


def test_a_notice_with_a_future_since_is_listed_from_then_on(clock: Clock) -> None:
    notices.post(STALLED, "first", "sealer", since=house_clock.now() + 2 * MINUTE)
    clock.shift(MINUTE)
    before = sentences()
    clock.shift(MINUTE)

    assert (before, len(sentences())) == ([], 1)


def test_a_notice_that_is_posted_anew_for_later_is_not_listed_before(clock: Clock) -> None:
    for _ in range(3):
        notices.post(STALLED, "first", "sealer", since=house_clock.now() + 2 * MINUTE)
        clock.shift(MINUTE)

    assert sentences() == []
    assert notices.find(STALLED, "first") is not None


def test_a_notice_by_a_clock_that_was_ahead_is_listed_once_another_posts_it(clock: Clock) -> None:
    clock.shift(60 * MINUTE)
    notices.post(STALLED, detail="sealer")
    clock.shift(-60 * MINUTE)
    notices.post(STALLED, detail="sealer")

    assert notices.current()[0].since == house_clock.now()


def test_an_ended_notice_is_deleted_from_the_table(clock: Clock) -> None:
    notices.post(STALLED, "first", "sealer", house_clock.now() + MINUTE)
    clock.shift(MINUTE)
    notices.post(STALLED, "second", "sealer")

    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT owner FROM notice").scalars().all()
    assert rows == ["second"]


def test_every_code_fits_its_column_and_reads_as_a_sentence() -> None:
    for code in Code:
        assert len(code.name) <= 32
        assert "{" not in code.value.filled("detail").wrong
        assert not code.value.wrong.endswith(".")
