"""Calls to Mailchimp that are late, lost or overtaken: in the end both sides have the last requested status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.domain.lifecycle import Erase, MailchimpStatus, Status
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Subscription
from newsletter.storage.moments import SETTLING
from newsletter.subscriptions.person import lock_person_by_ref
from newsletter.subscriptions.transition import act
from newsletter.worker.audience import erasing
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import Answer, StandIn
from sandbox.mailchimp.answers import CARRIED_OUT_BUT_DROPPED, DROPPED, problem, throttled
from sandbox.mailchimp.script import Call
from tests.conftest import Clock, Drain, Join
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    access,
    ask_staff,
    events_of,
    press,
    said_by,
    sign_up,
    status_of,
    webhook,
)
from tests.worker.crowd import of_erasure
from tests.worker.mail.test_postman import hold

Settle = Callable[[], None]

PAUSE = timedelta(minutes=10)
KEY = ADA.lower()


@pytest.fixture
def settle(drain: Drain, clock: Clock) -> Settle:
    """The time passes in which a call may still be carried out, and whatever was put off is done."""

    def settle() -> None:
        for _ in range(10):
            clock.shift(100)
            drain()

    return settle


@pytest.fixture
def lost_on_leaving(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, clock: Clock
) -> None:
    """Ada joined, left and asks again; what became of the call that was to unsubscribe her is not known."""
    join(ADA)
    clock.shift(PAUSE)
    mailchimp.answer_next(DROPPED)
    leave(client)
    drain()
    mailchimp.answer_next(throttled(500))
    sign_up(client, ADA)
    drain()


def leave(client: FlaskClient) -> None:
    assert ask_staff(client, "blocks", ADA, reason="unsubscribed").status_code < 300


def is_put(call: Call) -> bool:
    return call.method == "PUT"


def adds_ada(call: Call) -> bool:
    is_batch = call.method == "POST" and "/members/" not in call.path
    return (is_put(call) or is_batch) and KEY in str(call.body).lower()


def rows(app: Flask) -> list[Subscription]:
    with app.app_context(), reading() as session:
        return list(session.scalars(select(Subscription)))


@pytest.mark.parametrize("lost", [DROPPED, CARRIED_OUT_BUT_DROPPED])
def test_our_unsubscribing_for_a_restriction_is_not_taken_for_the_persons_wish(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    settle: Settle,
    lost: Answer,
) -> None:
    join(ADA)
    hold(app, True)
    drain()
    assert mailchimp.contacts[KEY].status == "unsubscribed"

    hold(app, False)
    mailchimp.answer_next(lost)
    settle()

    assert mailchimp.contacts[KEY].status == "subscribed"
    assert events_of(client, ADA)[-3:] == ["synced", "synced", "synced"]


def test_our_call_that_takes_effect_late_does_not_end_a_new_consent(
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    lost_on_leaving: None,
    drain: Drain,
    settle: Settle,
) -> None:
    assert press(client, mailbox, ADA) == 200
    drain()
    mailchimp.is_unsubscribed_by_staff(ADA)  # what was lost on leaving is carried out
    mailchimp.answer_next(DROPPED)  # and the look that would find it is lost, too

    settle()

    assert status_of(client, ADA) == "confirmed"
    assert mailchimp.contacts[KEY].status == "subscribed"


def test_of_two_calls_whose_answers_were_lost_neither_undoes_a_block(
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    lost_on_leaving: None,
    drain: Drain,
    settle: Settle,
) -> None:
    mailchimp.is_unsubscribed_by_staff(ADA)  # what was lost on leaving is carried out
    mailchimp.answer_next(DROPPED, match=is_put)
    assert press(client, mailbox, ADA) == 200
    drain()
    leave(client)
    drain()

    mailchimp.add(ADA, "subscribed")  # what was lost on returning is carried out, too
    settle()

    assert status_of(client, ADA) == "blocked"
    assert mailchimp.contacts[KEY].status == "unsubscribed"


@pytest.mark.parametrize("kind", ["subscribe", "profile"])
def test_a_person_of_whom_only_the_digest_is_kept_is_unsubscribed_although_a_lookup_fails(
    client: FlaskClient, mailchimp: StandIn, drain: Drain, settle: Settle, kind: str
) -> None:
    ask_staff(client, "blocks", ADA, reason="staff")
    drain()
    assert access(client, ADA)["email"] is None

    mailchimp.add(ADA)
    mailchimp.answer_next(DROPPED)
    webhook(client, type=kind, data_list_id=mailchimp.list_id, data_email=ADA)
    settle()

    assert mailchimp.contacts[KEY].status == "unsubscribed"


def test_a_request_whose_address_changed_there_leaves_nothing_stuck(
    app: Flask, client: FlaskClient, mailchimp: StandIn, settle: Settle
) -> None:
    mailchimp.add(ADA)
    sign_up(client, ADA)
    mailchimp.answer_next(DROPPED, times=3)
    mailchimp.changes_address(ADA, GRACE)
    names = {"data_old_email": ADA, "data_new_email": GRACE}
    webhook(client, type="upemail", data_list_id=mailchimp.list_id, **names)
    settle()

    assert {row.status: row.audience for row in rows(app)} == {
        Status.BLOCKED: MailchimpStatus.ABSENT,
        Status.PENDING: MailchimpStatus.UNSUBSCRIBED,
    }
    assert mailchimp.contacts[GRACE].status == "unsubscribed"


def test_a_request_whose_mailbox_bounced_there_leaves_nothing_stuck(
    app: Flask, client: FlaskClient, mailchimp: StandIn, settle: Settle
) -> None:
    mailchimp.add(ADA)
    sign_up(client, ADA)
    mailchimp.hard_bounces(ADA)
    told = {"data_reason": "hard", "data_list_id": mailchimp.list_id, "data_email": ADA}
    webhook(client, type="cleaned", **told)
    settle()

    [row] = rows(app)
    assert access(client, ADA)["reason"] == "bounce"
    assert row.audience is MailchimpStatus.UNSUBSCRIBED
    assert row.address is not None


def test_a_person_whom_mailchimp_forbids_does_not_hold_the_others(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, clock: Clock
) -> None:
    forbidden = problem(403, "Forbidden", "You don't have permission to access this")
    mailchimp.answer_next(forbidden, times=1000, match=adds_ada)
    join(ADA, GRACE, HEDY)
    for _ in range(4):
        clock.shift(30)
        drain()

    assert set(mailchimp.contacts) == {GRACE, HEDY}
    assert status_of(client, ADA) == "confirmed"


def test_a_digest_whose_owner_is_found_at_mailchimp_is_erased_there_too(
    app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain
) -> None:
    ask_staff(client, "blocks", ADA, reason="staff")
    drain()
    mailchimp.add(ADA)
    webhook(client, type="profile", data_list_id=mailchimp.list_id, data_email=ADA)
    with app.app_context(), writing() as session:
        person = lock_person_by_ref(session, session.scalars(select(Subscription.ref)).one())
        assert person is not None
        act(person, Erase(), actor="retention")
    assert KEY not in mailchimp.forgotten

    drain()

    assert KEY in mailchimp.forgotten
    assert status_of(client, ADA) == "unknown"


def test_an_erasure_that_is_carried_out_late_does_not_reach_who_has_joined_again(
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    drain: Drain,
    settle: Settle,
    clock: Clock,
) -> None:
    sign_up(client, ADA)
    drain()
    mailchimp.answer_next(DROPPED, match=lambda call: "delete-permanent" in call.path)
    ask_staff(client, "erasures", ADA)
    drain()
    clock.shift(PAUSE - timedelta(minutes=9))
    drain()
    sign_up(client, ADA)
    drain()
    assert press(client, mailbox, ADA) == 200
    drain()

    assert mailchimp.contacts == {}  # the call that was lost may still come
    settle()
    assert mailchimp.contacts[KEY].status == "subscribed"


def test_an_erasure_whose_worker_is_killed_during_its_call_stays_open_as_long_as_that_may_take_effect(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    join(ADA)
    begun = said_by(ask_staff(client, "erasures", ADA))
    with monkeypatch.context() as dying:
        dying.setattr(erasing, "_settle", die)
        with pytest.raises(KeyboardInterrupt):
            drain()
    drain()

    assert of_erasure(client, begun["id"]) == ("waiting", "settling")
    clock.shift(SETTLING)
    drain()
    assert of_erasure(client, begun["id"]) == ("done", None)
    assert mailchimp.contacts == {}
