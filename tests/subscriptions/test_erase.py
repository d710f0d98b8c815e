"""Erasing somebody once more while an erasure is open: the same erasure, and the block that is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import BOUNCE_IS_HARD_FOR, Event, Reason
from newsletter.ledger import log
from newsletter.storage.database import reading
from newsletter.storage.models import Erasure, LedgerRow, Subscription
from newsletter.subscriptions import erase, reported, staff
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, Join
from tests.people import ADA, GRACE, ask_staff, press, sign_up

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def at_work(app: Flask, clock: time_machine.Traveller) -> Iterator[None]:
    with app.app_context():
        yield


def erased(email: str = ADA, *, keep_block: bool, actor: str = "dpo") -> str:
    return erase.erase(Address.parse(email), actor=actor, keep_block=keep_block)


def erasures() -> Sequence[Erasure]:
    with reading() as session:
        return session.scalars(select(Erasure)).all()


def rows() -> Sequence[Subscription]:
    with reading() as session:
        return session.scalars(select(Subscription)).all()


def logged() -> list[tuple[str, str, datetime, str | None]]:
    with reading() as session:
        found = session.scalars(select(LedgerRow).order_by(LedgerRow.id))
        return [(row.event, row.ref, row.at, row.actor) for row in found]


def test_a_block_that_is_asked_for_later_is_kept_and_logged(
    clock: time_machine.Traveller,
) -> None:
    first = erased(keep_block=False, actor="retention")
    clock.shift(MINUTE)
    second = erased(keep_block=True)

    [erasure], [block] = erasures(), rows()
    assert len(erasure.ref) == 32
    assert (first, second, erasure.keep_block) == (erasure.id, erasure.id, True)
    assert (block.reason, block.address) == (Reason.STAFF, None)
    assert logged() == [
        ("erased", erasure.ref, NOW, "retention"),
        ("erased", erasure.ref, NOW + MINUTE, "dpo"),
        ("blocked", block.ref, NOW + MINUTE, None),
    ]


def test_a_block_that_an_open_erasure_keeps_is_not_erased_with_it() -> None:
    first = erased(keep_block=True)
    before = logged()

    assert erased(keep_block=False) == first
    assert len(rows()) == 1
    assert logged() == before


def test_whoever_was_let_in_again_and_signed_up_is_erased_like_anybody(client: FlaskClient) -> None:
    first = erased(keep_block=True)
    staff.lift(Address.parse(ADA), actor="dpo")
    sign_up(client, ADA)
    [returning] = rows()
    assert returning.address is not None
    with reading() as session:
        signup = log.newest_of(session, returning.ref, Event.SIGNUP)
    assert signup is not None
    assert signup.commitment is not None

    assert erased(keep_block=False) == first
    assert [row.address for row in rows()] == [None]


def test_an_open_erasure_of_nobody_is_not_begun_again() -> None:
    first = erased(keep_block=False)
    before = logged()

    assert erased(keep_block=False) == first
    assert (len(erasures()), logged()) == (1, before)


def test_who_signed_up_again_is_erased_under_the_open_erasure(client: FlaskClient) -> None:
    first = erased(keep_block=False)
    sign_up(client, ADA)

    assert erased(keep_block=False) == first
    assert (len(erasures()), rows()) == (2, [])


def test_both_addresses_of_a_correction_are_one_case_of_one_actor(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    ask_staff(client, "rectifications", ADA, new_email=GRACE)
    drain()
    press(client, mailbox, GRACE)

    id_ = erased(GRACE, keep_block=True)

    both = erasures()
    assert len(both) == 2
    assert len({each.case_id for each in both}) == 1
    assert [(each.actor, each.keep_block) for each in both] == [("dpo", True)] * 2
    assert id_ in {each.id for each in both}


@pytest.mark.parametrize(
    ("later", "reason"), [(MINUTE, Reason.BOUNCE), (BOUNCE_IS_HARD_FOR, Reason.STAFF)]
)
def test_a_kept_block_is_for_the_bounce_as_long_as_that_counts(
    join: Join, clock: time_machine.Traveller, later: timedelta, reason: Reason
) -> None:
    join(ADA)
    reported.unsubscribed(Address.parse(ADA), Reason.BOUNCE, None)
    clock.shift(later)
    erased(keep_block=True)

    assert [row.reason for row in rows()] == [reason]
