"""Restriction of processing (Art. 18 GDPR): what is frozen, and what still works; and lifting a block."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.domain.address import Address
from newsletter.domain.clock import now as clock_now
from newsletter.domain.errors import NobodyKnown
from newsletter.domain.lifecycle import Event
from newsletter.ledger import log
from newsletter.storage.database import reading, writing
from newsletter.storage.models import LedgerRow, Subscription
from newsletter.subscriptions import staff
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import Drain, Join
from tests.people import (
    ADA,
    GRACE,
    access,
    ask_staff,
    events_of,
    link_in,
    press,
    sign_up,
    status_of,
    webhook,
)

PAUSE, WEEK = timedelta(minutes=10), timedelta(days=8)

pytestmark = pytest.mark.usefixtures("clock")


def hold(client: FlaskClient, email: str = ADA, *, is_held: bool = True) -> int:
    return ask_staff(client, "holds", email, hold=is_held).status_code


@pytest.mark.requires("R60")
def test_a_restricted_person_gets_nothing_and_is_unsubscribed_at_mailchimp(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)

    assert hold(client) == 202
    drain()

    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"
    assert (status_of(client, ADA), access(client, ADA)["hold"]) == ("confirmed", True)


def test_a_released_person_has_the_status_from_before(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    hold(client)
    drain()

    assert hold(client, is_held=False) == 202
    drain()

    assert mailchimp.contacts[ADA.lower()].status == "subscribed"
    assert (status_of(client, ADA), access(client, ADA)["hold"]) == ("confirmed", False)


def test_the_ledger_names_who_restricted_and_released_and_in_which_round(
    app: Flask, client: FlaskClient, join: Join
) -> None:
    join(ADA)
    hold(client)
    hold(client, is_held=False)

    with app.app_context(), reading() as session:
        events = session.scalars(select(LedgerRow).where(LedgerRow.actor == "dpo"))
        logged = [(each.event, each.round) for each in events]
    assert logged == [("held", 1), ("released", 1)]


@pytest.mark.parametrize("is_held", [True, False])
def test_a_repeated_request_changes_nothing(client: FlaskClient, join: Join, is_held: bool) -> None:
    join(ADA)
    if not is_held:
        hold(client)
    before = len(events_of(client, ADA))

    assert [hold(client, is_held=is_held) for _ in range(3)] == [202, 202, 202]
    assert len(events_of(client, ADA)) == before + 1


def test_an_unknown_address_cannot_be_restricted(client: FlaskClient) -> None:
    assert hold(client) == 404


@pytest.mark.parametrize("given", [None, "true", 1])
def test_a_hold_is_true_or_false(client: FlaskClient, given: object) -> None:
    assert ask_staff(client, "holds", ADA, hold=given).status_code == 422
    assert ask_staff(client, "holds", ADA).status_code == 422


def test_a_sign_up_of_a_restricted_person_is_answered_as_usual_and_does_nothing(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    hold(client)

    answers = [sign_up(client, email) for email in (ADA, GRACE)]
    drain()

    assert [(it.status_code, it.data) for it in answers] == [(202, answers[1].data)] * 2
    assert status_of(client, ADA) == "blocked"
    assert len(mailbox.letters_to(ADA)) == 1


@pytest.mark.requires("R60")
def test_a_queued_letter_is_sent_after_the_release(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    hold(client)
    drain()
    assert not mailbox.letters

    hold(client, is_held=False)
    drain()

    assert press(client, mailbox, ADA) == 200


def test_a_request_cannot_be_confirmed_while_held_and_can_be_once_released(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    hold(client)
    assert press(client, mailbox, ADA) == 410

    hold(client, is_held=False)

    assert press(client, mailbox, ADA) == 200


def test_a_request_whose_time_ran_out_while_held_ends_once_released(
    client: FlaskClient, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    drain()
    hold(client)
    clock.shift(WEEK)
    drain()
    assert status_of(client, ADA) == "pending"

    hold(client, is_held=False)
    drain()

    assert status_of(client, ADA) == "unknown"


@pytest.mark.parametrize("reason", ["unsubscribed", "complaint", "staff"])
def test_a_restricted_person_can_be_blocked_and_stays_restricted(
    client: FlaskClient, join: Join, reason: str
) -> None:
    join(ADA)
    hold(client)

    ask_staff(client, "blocks", ADA, reason=reason)

    held = access(client, ADA)
    assert (held["status"], held["reason"], held["hold"]) == ("blocked", reason, True)


def test_a_person_who_unsubscribed_while_restricted_stays_blocked_after_the_release(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    hold(client)
    drain()
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    hold(client, is_held=False)
    drain()

    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"


@pytest.mark.requires("R60")
def test_a_restricted_person_can_be_erased_everywhere(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    hold(client)
    drain()

    assert ask_staff(client, "erasures", ADA).status_code == 202
    drain()

    assert status_of(client, ADA) == "unknown"
    assert mailchimp.contacts == {}


def test_the_address_of_a_restricted_person_can_be_corrected(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    hold(client)

    assert ask_staff(client, "rectifications", ADA, new_email=GRACE).status_code == 202
    drain()
    assert press(client, mailbox, GRACE) == 200

    assert (access(client, ADA)["reason"], status_of(client, GRACE)) == ("rectified", "confirmed")


def test_an_address_cannot_be_corrected_to_a_restricted_one(
    client: FlaskClient, join: Join, clock: time_machine.Traveller
) -> None:
    join(ADA)
    sign_up(client, GRACE)
    hold(client, GRACE)
    clock.shift(PAUSE)

    answer = ask_staff(client, "rectifications", ADA, new_email=GRACE)

    assert answer.status_code == 409
    assert "rectified" not in events_of(client, ADA)


def test_a_restricted_person_can_disown_the_request(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    hold(client)

    client.post(link_in(mailbox.letters_to(ADA)[0].message, "not-me"))

    assert status_of(client, ADA) == "unknown"


@pytest.mark.parametrize("by", ["address", "reference"])
def test_a_lifted_block_can_be_ended_by_a_sign_up_and_names_who_lifted_it(
    app: Flask, client: FlaskClient, join: Join, by: str
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="staff")
    ada = Address.parse(ADA)
    with app.app_context():
        whom = ada if by == "address" else str(access(client, ADA)["reference"])
        assert staff.lift(whom, actor="dpo") is True
        assert staff.lift(whom, actor="dpo") is False
        with pytest.raises(NobodyKnown):
            staff.lift(Address.parse(GRACE), actor="dpo")

    held = access(client, ADA)
    lifted = [event for event in held["events"] if event["event"] == "lifted"]
    assert (held["status"], held["reason"]) == ("blocked", "unsubscribed")
    assert [event["actor"] for event in lifted] == ["dpo"]


def test_a_bounce_is_a_hard_block_and_can_be_lifted_for_thirty_days(
    app: Flask, client: FlaskClient, join: Join, clock: time_machine.Traveller
) -> None:
    join(ADA)
    webhook(client, type="cleaned", data_reason="hard", data_list_id="a1b2c3d4e5", data_email=ADA)
    assert sign_up(client, ADA).status_code == 202
    assert status_of(client, ADA) == "blocked"
    clock.shift(timedelta(days=30))
    with app.app_context():
        assert staff.lift(Address.parse(ADA), actor="dpo") is False
        clock.shift(-timedelta(seconds=1))
        assert staff.lift(Address.parse(ADA), actor="dpo") is True


def test_a_restriction_is_carried_out_at_once_however_often_mailchimp_failed_before(
    app: Flask, client: FlaskClient, join: Join, clock: time_machine.Traveller
) -> None:
    join(ADA)
    with app.app_context():
        with writing() as session:
            row = session.scalars(select(Subscription)).one()
            row.audience_tries, row.audience_try_at = 5, clock_now() + WEEK
        hold(client)
        with reading() as session:
            row = session.scalars(select(Subscription)).one()
            held = log.newest_of(session, row.ref, Event.HELD)
    assert (row.audience_tries, row.audience_try_at) == (0, None)
    assert held is not None
    assert row.nonce is not None
    assert held.commitment == log.commitment(row.nonce, Address.parse(ADA))


def test_restricting_or_releasing_once_more_is_said_to_change_nothing(
    app: Flask, client: FlaskClient
) -> None:
    sign_up(client, ADA)
    with app.app_context():
        changed = [
            staff.hold(Address.parse(ADA), is_held=is_held, actor="dpo")
            for is_held in (True, True, False, False)
        ]

    assert changed == [True, False, True, False]
