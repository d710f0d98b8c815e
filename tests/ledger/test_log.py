"""The ledger holds the events of a person in order, and nothing that identifies them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Event, Reason
from newsletter.ledger import log
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Subscription
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, both_databases
from tests.people import ADA, GRACE, access, ask_staff, confirm, sign_up

pytestmark = both_databases

REF, OTHER = "0" * 32, "1" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NONCE = b"n" * 32


@pytest.fixture
def at_work(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def append(ref: str, event: Event, at: datetime, round_: int | None = None) -> None:
    with writing() as session:
        log.append(session, ref=ref, event=event, at=at, round=round_)


def test_events_are_returned_in_order(at_work: None) -> None:
    append(REF, Event.SIGNUP, NOON)
    append(OTHER, Event.ERASED, NOON)
    append(REF, Event.CONFIRMED, NOON - MINUTE)

    with reading() as session:
        rows = log.events_of(session, REF)
    assert [row.event for row in rows] == [Event.SIGNUP, Event.CONFIRMED]
    assert [row.at for row in rows] == [NOON, NOON - MINUTE]


def test_an_unknown_reference_number_has_no_events(at_work: None) -> None:
    with reading() as session:
        assert list(log.events_of(session, REF)) == []
        assert log.time_of(session, REF, 1, Event.SIGNUP) is None


def test_a_row_holds_every_value_that_was_given(at_work: None) -> None:
    said = {
        "ref": REF,
        "event": Event.BLOCKED,
        "at": NOON,
        "round": 3,
        "reason": Reason.STAFF,
        "detail": "a code",
        "wording": "w" * 64,
        "template": "t" * 64,
        "actor": "dpo",
        "commitment": b"c" * 32,
    }
    with writing() as session:
        log.append(session, **said)  # type: ignore[arg-type]  # one by one they are right

    with reading() as session:
        [row] = log.events_of(session, REF)
    assert {name: getattr(row, name) for name in said} == said


def test_time_of_returns_the_first_time_in_a_round(at_work: None) -> None:
    append(REF, Event.SIGNUP, NOON, 1)
    append(REF, Event.SIGNUP, NOON + MINUTE, 2)
    append(REF, Event.SIGNUP, NOON + 2 * MINUTE, 2)

    with reading() as session:
        assert log.time_of(session, REF, 2, Event.SIGNUP) == NOON + MINUTE
        assert log.time_of(session, REF, 2, Event.CONFIRMED) is None


def append_and_fail() -> None:
    with writing() as session:
        log.append(session, ref=REF, event=Event.SIGNUP, at=NOON)
        raise RuntimeError


def test_an_event_of_a_rolled_back_transaction_is_not_in_the_ledger(at_work: None) -> None:
    with pytest.raises(RuntimeError):
        append_and_fail()

    with reading() as session:
        assert list(log.events_of(session, REF)) == []


def test_a_commitment_binds_the_address_and_reveals_nothing_of_it() -> None:
    ada, grace = Address.parse(ADA), Address.parse(GRACE)
    bound = log.commitment(NONCE, ada)

    assert bound == log.commitment(NONCE, Address.parse(ADA))
    assert bound not in (log.commitment(NONCE, grace), log.commitment(b"x" * 32, ada))
    assert log.commitment(b"", ada) not in bound


def rows(app: Flask) -> list[LedgerRow]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(LedgerRow).order_by(LedgerRow.id)))


def nonce_of(app: Flask) -> bytes:
    with app.app_context(), reading() as session:
        nonce = session.scalars(select(Subscription.nonce)).one()
    assert nonce is not None
    return nonce


def test_every_row_of_a_consent_has_the_commitment_to_the_address(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)
    drain()

    bound = log.commitment(nonce_of(app), Address.parse(ADA))
    assert [(row.event, row.commitment) for row in rows(app)] == [
        (event, bound) for event in (Event.SIGNUP, Event.MAIL_SENT, Event.CONFIRMED, Event.SYNCED)
    ]


def test_a_corrected_spelling_keeps_the_commitment_valid(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)
    ask_staff(client, "rectifications", ADA, new_email=ADA.lower())
    ask_staff(client, "blocks", ADA, reason="unsubscribed")

    held = Address.parse(access(client, ADA)["email"])
    bound = log.commitment(nonce_of(app), held)
    assert {row.commitment for row in rows(app) if row.commitment} == {bound}


@pytest.mark.requires("R2")
def test_sign_up_and_confirmation_name_their_consent_text(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    confirm(client, mailbox.letters[0].message)

    named = {row.event: row.wording for row in rows(app)}
    assert named[Event.SIGNUP] is not None
    assert set(named.values()) == {named[Event.SIGNUP]}


def test_erasing_keeps_the_rows_and_deletes_the_nonce(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    before = [(row.id, row.ref, row.event, row.commitment) for row in rows(app)]
    ask_staff(client, "erasures", ADA)

    after = rows(app)
    assert [(row.id, row.ref, row.event, row.commitment) for row in after][:-1] == before
    assert (after[-1].event, after[-1].ref) == (Event.ERASED, before[0][1])
    with app.app_context(), reading() as session:
        assert session.scalars(select(Subscription)).all() == []


def test_rows_name_staff_by_their_role(app: Flask, client: FlaskClient) -> None:
    sign_up(client, ADA)
    ask_staff(client, "blocks", ADA, reason="complaint")

    assert [(row.event, row.reason, row.actor) for row in rows(app)] == [
        (Event.SIGNUP, None, None),
        (Event.BLOCKED, Reason.COMPLAINT, "dpo"),
    ]


def test_an_events_rows_are_counted_all_or_those_of_an_actor(at_work: None) -> None:
    assert log.count(Event.ERASED) == 0
    append(REF, Event.SIGNUP, NOON)
    append(REF, Event.ERASED, NOON)
    with writing() as session:
        for actor in ("retention", "retention", "dpo"):
            log.append(session, ref=OTHER, event=Event.ERASED, at=NOON, actor=actor)

    assert log.count(Event.ERASED) == 4
    assert log.count(Event.ERASED, actor="retention") == 2
    assert log.count(Event.SIGNUP, actor="retention") == 0


def test_a_time_and_a_newest_row_are_of_one_reference_round_and_event(at_work: None) -> None:
    rows = [(OTHER, Event.SIGNUP, 1), (REF, Event.CONFIRMED, 1), (REF, Event.SIGNUP, 2)]
    rows += [(REF, Event.SIGNUP, 1), (REF, Event.SIGNUP, 1), (REF, Event.CONFIRMED, 2)]
    rows += [(OTHER, Event.SIGNUP, 3), (OTHER, Event.IMPORTED, 1)]
    for number, (ref, event, round_) in enumerate(rows):
        append(ref, event, NOON + number * MINUTE, round_)

    with reading() as session:
        newest = log.newest_of(session, REF, Event.SIGNUP)
        assert newest is not None
        assert newest.at == NOON + 4 * MINUTE
        assert log.newest_of(session, REF, Event.ERASED) is None
        assert log.time_of(session, REF, 1, Event.SIGNUP) == NOON + 3 * MINUTE
        assert [log.is_taken_over(session, ref) for ref in (REF, OTHER)] == [False, True]
