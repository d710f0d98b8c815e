"""What Mailchimp reports is recorded at once, or looked up where it may be outdated."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter.domain import clock as our_clock
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import MailchimpStatus, Reason
from newsletter.ledger import log
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Subscription
from newsletter.subscriptions import reported
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import Drain, Join
from tests.people import ADA, GRACE, JSON, ask_staff, link_in, sign_up, status_of

SECOND = timedelta(seconds=1)
SUBSCRIBED, UNKNOWN = MailchimpStatus.SUBSCRIBED, MailchimpStatus.UNKNOWN
UNSUBSCRIBED, ABSENT = MailchimpStatus.UNSUBSCRIBED, MailchimpStatus.ABSENT

pytestmark = pytest.mark.usefixtures("clock")


def ada() -> Address:
    return Address.parse(ADA)


def row() -> Subscription:
    with reading() as session:
        return session.scalars(select(Subscription)).one()


def settles(at: datetime) -> None:
    """A call to Mailchimp that is under way may change the contact until then."""
    with writing() as session:
        session.execute(update(Subscription).values(audience_settles_at=at))


def test_an_unsubscribe_is_recorded_with_mailchimp_as_its_actor(app: Flask, join: Join) -> None:
    join(ADA)
    with app.app_context():
        reported.unsubscribed(ada(), Reason.UNSUBSCRIBED, our_clock.now())
        reference = row().ref
        with reading() as session:
            event = log.events_of(session, reference)[-1]

        assert (event.reason, event.actor) == (Reason.UNSUBSCRIBED, "mailchimp")
        assert row().audience is UNSUBSCRIBED


@pytest.mark.parametrize(("later", "status"), [(-SECOND, UNSUBSCRIBED), (SECOND, UNKNOWN)])
def test_a_status_counts_once_no_call_under_way_can_change_it(
    app: Flask, join: Join, later: timedelta, status: MailchimpStatus
) -> None:
    join(ADA)
    with app.app_context():
        settles(our_clock.now() + later)
        reported.unsubscribed(ada(), Reason.UNSUBSCRIBED, None)

        assert row().audience is status


def test_an_unsubscribe_that_came_before_the_confirmation_is_looked_up(
    app: Flask, client: FlaskClient, join: Join
) -> None:
    join(ADA)
    with app.app_context():
        reported.unsubscribed(ada(), Reason.UNSUBSCRIBED, our_clock.now() - SECOND)

        assert row().audience is UNKNOWN
    assert status_of(client, ADA) == "confirmed"


def test_an_unsubscribe_leaves_an_unconfirmed_request_as_it_is(
    app: Flask, client: FlaskClient
) -> None:
    sign_up(client, ADA)
    with app.app_context():
        reported.unsubscribed(ada(), Reason.UNSUBSCRIBED, None)

        assert row().audience is ABSENT
    assert status_of(client, ADA) == "pending"


def test_an_unconfirmed_request_is_never_looked_up(app: Flask, client: FlaskClient) -> None:
    sign_up(client, ADA)
    with app.app_context():
        reported.profile_changed(ada())

        assert row().audience is ABSENT


def test_a_block_without_an_address_keeps_it_while_a_contact_is_looked_up(
    app: Flask, client: FlaskClient, join: Join, drain: Drain
) -> None:
    join(ADA)
    ask_staff(client, "erasures", ADA, keep_block=True)
    drain()
    with app.app_context():
        before = row().address
        reported.profile_changed(ada())

        assert before is None
        assert row().address is not None


@pytest.mark.parametrize("round_", [1, 2])
def test_the_result_of_a_lookup_is_recorded_in_its_own_round(
    app: Flask, join: Join, round_: int
) -> None:
    join(ADA)
    with app.app_context():
        reported.found_left(row().ref, round_, Reason.COMPLAINT, UNSUBSCRIBED)

        assert row().audience is (UNSUBSCRIBED if round_ == 1 else SUBSCRIBED)


def test_a_new_address_that_gets_no_letter_now_is_unsubscribed_at_mailchimp_all_the_same(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
) -> None:
    join(ADA)
    sign_up(client, GRACE)
    drain()
    client.post(link_in(mailbox.letters_to(GRACE)[-1].message, "not-me"), headers=JSON)
    mailchimp.changes_address(ADA, GRACE)
    with app.app_context():
        reported.address_changed(ada(), Address.parse(GRACE), None)
    drain()

    assert status_of(client, GRACE) == "pending"
    assert len(mailbox.letters_to(GRACE)) == 1
    assert mailchimp.contacts[GRACE].status == "unsubscribed"
