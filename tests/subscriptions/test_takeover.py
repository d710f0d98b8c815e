"""What is recorded of somebody who is taken over, and what is passed on of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Event, MailchimpStatus, Reason, Status, TakeOver
from newsletter.ledger import log
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Subscription
from newsletter.subscriptions import takeover
from newsletter.subscriptions.person import lock_person
from newsletter.subscriptions.transition import act
from tests.people import ADA

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(days=400)
STATED = {
    "origin": "old",
    "confirmed_at": "2020-01-01T00:00:00Z",
    "export_file": "f",
    "export_row": 7,
}
EVIDENCE = json.dumps(STATED)

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(autouse=True)
def at_work(app: Flask, clock: time_machine.Traveller) -> Iterator[None]:
    with app.app_context():
        yield


def take(action: TakeOver) -> tuple[Subscription, LedgerRow]:
    with writing() as session:
        act(lock_person(session, Address.parse(ADA)), action, actor="dpo")
    with reading() as session:
        return session.scalars(select(Subscription)).one(), session.scalars(select(LedgerRow)).one()


def test_who_is_subscribed_there_keeps_place_and_evidence() -> None:
    row, event = take(
        TakeOver(at_mailchimp=MailchimpStatus.SUBSCRIBED, origin="mailchimp", evidence=EVIDENCE)
    )

    assert (row.status, row.hold, row.left_at) == (Status.CONFIRMED, False, None)
    assert (row.audience, row.synced_round) == (MailchimpStatus.SUBSCRIBED, 1)
    assert (row.round, row.confirmed_round) == (1, 1)
    assert takeover.is_present(row)
    assert takeover.evidence_of(row) == STATED
    assert takeover.evidence_to_export(row) == {
        "origin": "old",
        "confirmed_at": "2020-01-01T00:00:00Z",
    }
    assert (event.event, event.detail, event.actor) == ("imported", "mailchimp", "dpo")
    assert row.nonce is not None
    assert event.commitment == log.commitment(row.nonce, Address.parse(ADA), EVIDENCE)


def test_who_left_there_is_blocked_with_a_consent_that_can_be_proved() -> None:
    row, event = take(
        TakeOver(Reason.UNSUBSCRIBED, evidence=EVIDENCE, kept_since=EARLIER, held=True)
    )

    assert (row.status, row.reason, row.hold) == (Status.BLOCKED, Reason.UNSUBSCRIBED, True)
    assert (row.left_at, event.reason) == (EARLIER, Reason.UNSUBSCRIBED)
    assert (row.audience, row.synced_round) == (MailchimpStatus.UNKNOWN, None)
    assert (row.round, row.confirmed_round) == (2, 1)
    assert takeover.is_present(row)


def test_a_block_without_evidence_proves_nothing_and_is_kept_from_now_on() -> None:
    row, event = take(TakeOver(Reason.COMPLAINT, at_mailchimp=MailchimpStatus.UNSUBSCRIBED))

    assert (row.left_at, row.audience) == (NOW, MailchimpStatus.UNSUBSCRIBED)
    assert (row.round, row.confirmed_round) == (1, None)
    assert (row.imported, row.nonce, event.commitment) == (None, None, None)
    assert not takeover.is_present(row)
    assert takeover.evidence_of(row) is None
    assert takeover.evidence_to_export(row) == {}


def test_a_consent_of_our_own_takes_the_place_of_one_taken_over() -> None:
    row, _ = take(TakeOver(evidence=EVIDENCE))
    row.confirmed_round = 2

    assert not takeover.is_present(row)
    assert takeover.evidence_of(row) == STATED


def test_a_block_of_somebody_known_is_bound_to_no_evidence() -> None:
    take(TakeOver(evidence=EVIDENCE))
    with writing() as session:
        known = lock_person(session, Address.parse(ADA))
        act(known, TakeOver(Reason.COMPLAINT, origin="mailchimp", evidence=EVIDENCE))

    with reading() as session:
        row = session.scalars(select(Subscription)).one()
        blocked = log.newest_of(session, row.ref, Event.BLOCKED)
    assert row.nonce is not None
    assert blocked is not None
    assert (blocked.reason, blocked.detail) == (Reason.COMPLAINT, None)
    assert blocked.commitment == log.commitment(row.nonce, Address.parse(ADA))


@pytest.mark.parametrize(
    ("left_at", "status"), [(EARLIER, Status.CONFIRMED), (NOW, Status.BLOCKED)]
)
def test_who_left_the_other_system_before_they_are_subscribed_here_stays_subscribed(
    left_at: datetime, status: Status
) -> None:
    take(TakeOver(evidence=EVIDENCE))
    with writing() as session:
        known = lock_person(session, Address.parse(ADA))
        act(known, TakeOver(Reason.UNSUBSCRIBED, left_at=left_at))

    with reading() as session:
        assert session.scalars(select(Subscription)).one().status is status
