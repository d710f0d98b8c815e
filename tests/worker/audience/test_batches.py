"""People are subscribed in batches, and each person's outcome is recorded by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.domain.errors import DeliveryFailure
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.storage import jobs
from newsletter.storage.database import reading
from newsletter.storage.models import Subscription
from newsletter.worker.audience.batches import Batches
from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.mailchimp.members import Subscriber
from newsletter.worker.mailchimp_loop import MailchimpLoop
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import CARRIED_OUT_BUT_DROPPED, DROPPED, throttled
from sandbox.mailchimp.problems import invalid
from sandbox.mailchimp.script import Call
from tests.conftest import Clock, Drain
from tests.people import ADA, GRACE, HEDY, ask_staff, events_of, status_of
from tests.worker.crowd import join_all, numbered


def is_batch(call: Call) -> bool:
    return call.method == "POST" and "/members/" not in call.path


def methods(mailchimp: StandIn) -> Counter[str]:
    return Counter("batch" if is_batch(call) else call.method for call in mailchimp.calls)


def test_two_people_are_subscribed_in_one_call(
    app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain
) -> None:
    join_all(app, ADA, GRACE)
    drain()

    assert methods(mailchimp) == {"batch": 1}
    assert {contact.status for contact in mailchimp.contacts.values()} == {"subscribed"}
    assert [events_of(client, person).count("synced") for person in (ADA, GRACE)] == [1, 1]


def test_a_batch_sends_the_same_fields_as_a_single_call(
    app: Flask, mailchimp: StandIn, drain: Drain
) -> None:
    join_all(app, ADA, GRACE)
    drain()

    body = mailchimp.calls[0].body
    assert body is not None
    assert body["update_existing"] is True
    assert [set(member) for member in body["members"]] == [
        {"email_address", "status", "language", "timestamp_signup", "timestamp_opt"}
    ] * 2


def test_a_person_in_compliance_state_gets_one_more_call(
    app: Flask, mailchimp: StandIn, drain: Drain
) -> None:
    mailchimp.add(ADA, "unsubscribed")
    mailchimp.in_compliance.add(ADA.lower())
    join_all(app, ADA, GRACE)
    drain()

    assert methods(mailchimp) == {"batch": 1, "PUT": 1}
    assert mailchimp.contacts[ADA.lower()].status == "pending"
    assert mailchimp.contacts[GRACE.lower()].status == "subscribed"


def test_a_batch_whose_answer_was_lost_is_looked_up_person_by_person_and_not_repeated(
    app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    mailchimp.answer_next(CARRIED_OUT_BUT_DROPPED)
    join_all(app, ADA, GRACE)
    drain()
    clock.shift(5)
    drain()

    assert methods(mailchimp) == {"batch": 1, "GET": 2}
    assert [events_of(client, person).count("synced") for person in (ADA, GRACE)] == [1, 1]


def test_a_block_wins_over_a_batch_that_is_carried_out_late(
    app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    mailchimp.answer_next(DROPPED, match=is_batch)
    join_all(app, ADA, GRACE)
    drain()
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    drain()
    mailchimp.add(ADA, "subscribed")  # the batch that timed out is carried out after all
    for _ in range(3):
        clock.shift(100)
        drain()

    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"
    assert mailchimp.contacts[GRACE.lower()].status == "subscribed"


def test_people_postponed_together_are_in_one_batch_again(
    app: Flask, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    mailchimp.answer_next(throttled(429))
    join_all(app, ADA, GRACE, HEDY)
    drain()
    clock.shift(5)
    drain()

    assert methods(mailchimp) == {"batch": 2}
    assert len(mailchimp.contacts) == 3


class Meanwhile(Mailchimp):
    """Mailchimp, at whose yes something else has happened here."""

    def __init__(self, standin: StandIn, meanwhile: Callable[[], Any]) -> None:
        super().__init__(api_key=standin.api_key, list_id=standin.list_id, api_url=standin.api_url)
        self._meanwhile = meanwhile

    def subscribe_all(
        self, everybody: Sequence[Subscriber]
    ) -> list[MailchimpStatus | DeliveryFailure | None]:
        outcomes = super().subscribe_all(everybody)
        self._meanwhile()
        return outcomes


@pytest.mark.parametrize(
    ("endpoint", "status", "there"),
    [("blocks", "blocked", "unsubscribed"), ("erasures", "unknown", None)],
)
def test_a_person_who_leaves_or_is_erased_during_their_batch_is_so_in_the_end(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    drain: Drain,
    clock: Clock,
    endpoint: str,
    status: str,
    there: str | None,
) -> None:
    fields = {"reason": "unsubscribed"} if endpoint == "blocks" else {}
    join_all(app, ADA, GRACE)
    slow = Meanwhile(mailchimp, lambda: ask_staff(app.test_client(), endpoint, ADA, **fields))
    with app.app_context():
        MailchimpLoop(slow, "me").step()
    slow.close()
    clock.shift(jobs.LEASE)
    drain()

    standing = mailchimp.contacts.get(ADA.lower())
    assert status_of(client, ADA) == status
    assert (standing.status if standing else None) == there
    assert mailchimp.contacts[GRACE.lower()].status == "subscribed"


def test_after_a_process_died_in_its_call_everybody_is_looked_up(
    app: Flask, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    def die() -> None:
        raise SystemExit

    join_all(app, ADA, GRACE)
    dying = Meanwhile(mailchimp, die)
    with app.app_context(), pytest.raises(SystemExit):
        Batches(dying).step()
    dying.close()
    drain()

    assert methods(mailchimp) == {"batch": 1, "GET": 2}
    with app.app_context(), reading() as session:
        assert set(session.scalars(select(Subscription.audience))) == {MailchimpStatus.SUBSCRIBED}


def test_a_batch_refused_because_of_one_person_is_halved_until_the_others_are_subscribed(
    app: Flask, mailchimp: StandIn, drain: Drain
) -> None:
    people = numbered(16)
    join_all(app, *people)
    mailchimp.answer_next(
        invalid([{"field": "members.item:3.language", "message": "This value is too long."}]),
        times=100,
        match=lambda call: is_batch(call) and people[3] in str(call.body),
    )
    drain()

    assert set(mailchimp.contacts) == set(people)
    assert methods(mailchimp)["batch"] <= 9
    assert methods(mailchimp)["PUT"] == 1
