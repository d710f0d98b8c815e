"""Hundreds of people are subscribed with a few calls, and a person whom Mailchimp refuses does not stop the others."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.domain.lifecycle import Event
from newsletter.storage.database import reading
from newsletter.storage.models import LedgerRow
from sandbox.mailchimp import Answer, StandIn, id_of
from sandbox.mailchimp.problems import invalid
from sandbox.mailchimp.script import Call
from tests.conftest import Clock, Drain, both_databases, on_sqlite
from tests.people import ADA, GRACE, HEDY, events_of, standing_of, status_of
from tests.worker.crowd import (
    ALWAYS,
    HOUR,
    is_add,
    join_all,
    names,
    numbered,
    place_of,
    time_passes,
)

pytestmark = both_databases

FAKE = "ada@mailinator.com"
CLEANED = "cleaned@example.org"
BUSY = "busy@example.org"


def is_batch(call: Call) -> bool:
    return is_add(call) and call.method == "POST"


def about(mailchimp: StandIn, person: str) -> list[str]:
    """The calls that were about one person alone."""
    return [call.method for call in mailchimp.calls if id_of(person) in call.path]


def subscribed(mailchimp: StandIn) -> set[str]:
    return {key for key, each in mailchimp.contacts.items() if each.status == "subscribed"}


def test_three_hundred_people_reach_mailchimp_in_ten_calls_at_most(
    app: Flask, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    people = numbered(300)
    join_all(app, *people)
    drain()
    time_passes(clock, drain, 5, 3600)

    assert subscribed(mailchimp) == set(people)
    assert len([call for call in mailchimp.calls if not call.path.endswith("/members")]) <= 10
    with app.app_context(), reading() as session:
        synced = select(LedgerRow.ref, func.count()).where(LedgerRow.event == Event.SYNCED)
        counts = [count for _, count in session.execute(synced.group_by(LedgerRow.ref))]
    assert counts == [1] * 300


def test_refused_people_in_a_batch_do_not_stop_the_others_and_get_their_own_outcome(
    app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    mailchimp.forgotten.add(ADA.lower())
    mailchimp.add(GRACE, "unsubscribed")
    mailchimp.add(CLEANED, "cleaned")
    mailchimp.in_compliance.update({GRACE, CLEANED})
    mailchimp.audience.on_too_many_lists.add(BUSY)
    mailchimp.add(HEDY, "archived")
    people = numbered(50)
    join_all(app, *people[:25], FAKE, ADA, GRACE, CLEANED, BUSY, HEDY, *people[25:])
    drain()

    assert subscribed(mailchimp) == {*people, HEDY}
    assert len(list(filter(is_batch, mailchimp.calls))) == 1
    assert {person: place_of(client, person) for person in (FAKE, ADA, GRACE, CLEANED)} == {
        FAKE: ("refused", "fake_or_invalid"),
        ADA: ("refused", "forgotten"),
        GRACE: ("awaiting", None),
        CLEANED: ("refused", "compliance_state"),
    }
    assert standing_of(mailchimp, GRACE) == "pending"
    assert place_of(client, BUSY)[1] == "too_many_signups"
    assert "sync_failed" not in events_of(client, BUSY)

    mailchimp.audience.on_too_many_lists.clear()
    tried = len(mailchimp.calls)
    time_passes(clock, drain, 5)

    assert standing_of(mailchimp, BUSY) == "subscribed"
    assert len(mailchimp.calls) == tried + 1


@on_sqlite
def test_one_refused_person_costs_three_hundred_others_only_a_few_calls(
    app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain
) -> None:
    people = numbered(301)
    odd = people[200]
    refusal = invalid([{"field": "members.item:200.language", "message": "This is too long."}])
    mailchimp.answer_next(
        refusal, times=ALWAYS, match=lambda call: is_add(call) and names(call, odd)
    )
    join_all(app, *people)
    drain()

    assert subscribed(mailchimp) == set(people) - {odd}
    assert place_of(client, odd)[1] == "rejected 400"
    assert "sync_failed" not in events_of(client, odd)
    # Halved again and again: two calls for each doubling of the people.
    assert len(mailchimp.calls) <= 2 * 9 + 5


def answer_to(people: list[str], **more: object) -> Answer:
    """What Mailchimp says of a batch of new people, while it takes all of them."""
    members = [{"email_address": each, "status": "subscribed"} for each in people]
    said = {"new_members": members, "updated_members": [], "errors": [], "total_updated": 0}
    said |= {"total_created": len(members), "error_count": 0, **more}
    return Answer(body=json.dumps(said).encode(), masks=True)


def error_of(person: str, words: str) -> dict[str, str]:
    return {"email_address": person, "error": words, "error_code": "ERROR_GENERIC", "field": ""}


@on_sqlite
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"errors": None},
        {"updated_members": [{"email_address": ADA, "status": "unsubscribed"}]},
        {"updated_members": [{"email_address": ADA}, None]},
        {"errors": [error_of(ADA, "Something went wrong.")], "error_count": 1},
        {"errors": [{"email_address": ADA}]},
    ],
)
def test_a_person_missing_in_the_answer_is_looked_up_alone(
    app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain, more: dict[str, object]
) -> None:
    people = numbered(20)
    mailchimp.answer_next(answer_to(people, **more), match=is_batch)
    join_all(app, *people, ADA)
    drain()

    assert about(mailchimp, ADA) == ["GET"]
    assert len(mailchimp.calls) == 2
    assert place_of(client, ADA) == ("subscribed", None)
    assert events_of(client, ADA) == ["signup", "confirmed", "synced"]
    assert status_of(client, people[0]) == "confirmed"


@on_sqlite
def test_an_answer_without_members_is_no_success(
    app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    nothing = answer_to([])
    mailchimp.answer_next(Answer(body=nothing.body), match=is_batch)
    people = numbered(5)
    join_all(app, *people)
    drain()
    time_passes(clock, drain, HOUR.total_seconds())

    assert subscribed(mailchimp) == set(people)
    assert {events_of(client, person).count("synced") for person in people} == {1}
