"""A failure of the whole account puts everything on hold; no try is counted, and it goes on by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.storage.database import reading
from newsletter.storage.models import Subscription
from newsletter.worker.run import Worker
from sandbox.environment import COMPANY as SANDBOX
from sandbox.mailchimp import Answer, StandIn, id_of
from sandbox.mailchimp.answers import problem
from sandbox.mailchimp.problems import no_merge_fields
from tests.commands import Run
from tests.conftest import Clock, Drain
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF,
    ask_staff,
    events_of,
    said_by,
    standing_of,
    status_of,
    webhook,
)
from tests.worker.crowd import (
    ALWAYS,
    at_most_a_minute,
    details_of,
    is_add,
    is_write,
    join_all,
    numbered,
    of_erasure,
    place_of,
    time_passes,
)

JOAN = "joan@example.com"
#: Nothing answers there, whatever else runs on this machine.
ORDERLY = {"IMPRINT": SANDBOX["IMPRINT"], "PUBLIC_URL": "http://localhost:9"}
TEN_MINUTES = [5] * 120

Check = Callable[[], str]


@dataclass
class Wrong:
    """What is wrong with the account, how it is mended, and how staff are told."""

    breaks: Callable[[StandIn], None]
    mends: Callable[[StandIn], None]
    reason: str
    told: str


def answering(answer: Answer, reason: str, told: str) -> Wrong:
    return Wrong(
        lambda mailchimp: mailchimp.answer_next(answer, times=ALWAYS),
        StandIn.answer_normally,
        reason,
        told,
    )


REFUSED = "MAILCHIMP_API_KEY: Mailchimp refuses it"
FORBIDDEN = "MAILCHIMP_API_KEY: Mailchimp forbids what it asks for"
UNKNOWN = "MAILCHIMP_LIST_ID: Mailchimp knows no such audience"
REFUSED_KEY = Wrong(StandIn.refuse_key, StandIn.accept_key, "api_key", REFUSED)
#: One for each reason; test_client.py says of every answer which it is.
ACCOUNT = {
    "a refused key": REFUSED_KEY,
    "a key that lacks rights": answering(
        problem(403, "Forbidden", "You don't have permission to access this."),
        "forbidden",
        FORBIDDEN,
    ),
    "an unknown audience": Wrong(StandIn.lose_list, StandIn.find_list, "list_unknown", UNKNOWN),
}
account = pytest.mark.parametrize("wrong", ACCOUNT.values(), ids=ACCOUNT)


@pytest.fixture
def waiting(app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain, clock: Clock) -> str:
    """Ada and Joan are to be added, Grace has left, Hedy is to be forgotten: the id of her erasure."""
    join_all(app, GRACE, HEDY)
    drain()
    time_passes(clock, drain, 3600)
    mailchimp.calls.clear()
    join_all(app, ADA, JOAN)
    ask_staff(client, "blocks", GRACE, reason="unsubscribed")
    return str(said_by(ask_staff(client, "erasures", HEDY))["id"])


@pytest.fixture
def check(run: Run) -> Check:
    """What `newsletter check` says."""

    def check() -> str:
        result = run("check", **ORDERLY)
        assert result.exit_code == 1
        return result.output

    return check


def reasons(client: FlaskClient) -> list[str]:
    told: list[str] = said_by(client.get("/ready", headers=STAFF))["reasons"]
    return told


def all_have_arrived(client: FlaskClient, mailchimp: StandIn) -> bool:
    for person in (ADA, JOAN):
        assert standing_of(mailchimp, person) == "subscribed"
        assert place_of(client, person) == ("subscribed", None)
        assert events_of(client, person) == ["signup", "confirmed", "synced"]
    assert standing_of(mailchimp, GRACE) == "unsubscribed"
    assert details_of(client, GRACE, "synced") == ["subscribed", "unsubscribed"]
    assert HEDY in mailchimp.forgotten
    assert status_of(client, HEDY) == "unknown"
    return True


@account
def test_ten_minutes_of_a_hold_are_twenty_probes_and_count_no_try(
    app: Flask,
    client: FlaskClient,
    mailchimp: StandIn,
    waiting: str,
    drain: Drain,
    clock: Clock,
    wrong: Wrong,
) -> None:
    wrong.breaks(mailchimp)
    drain()
    time_passes(clock, drain, *TEN_MINUTES)

    # An erasure begins by asking for the contact: that is no write.
    probes = [call for call in mailchimp.calls if is_write(call) or "/members/" in call.path]
    assert 15 <= len(probes) <= 21
    assert at_most_a_minute(probes) <= 2
    # A 404 does not tell a person who is not there from a list that is not: it is asked for once more.
    calls_of_a_probe = 2 if wrong.reason == "list_unknown" else 1
    assert at_most_a_minute(mailchimp.calls) <= 2 * calls_of_a_probe
    for person in (ADA, JOAN):
        assert status_of(client, person) == "confirmed"
        assert place_of(client, person)[0] == "absent"
        assert events_of(client, person) == ["signup", "confirmed"]
    assert status_of(client, GRACE) == "blocked"
    assert status_of(client, HEDY) == "erasing"
    with app.app_context(), reading() as session:
        assert set(session.scalars(select(Subscription.audience_tries))) == {0}


@account
def test_everything_is_sent_by_itself_once_the_cause_is_fixed(
    client: FlaskClient, mailchimp: StandIn, waiting: str, drain: Drain, clock: Clock, wrong: Wrong
) -> None:
    wrong.breaks(mailchimp)
    drain()
    time_passes(clock, drain, *[30] * 10)
    assert standing_of(mailchimp, ADA) is None

    wrong.mends(mailchimp)
    time_passes(clock, drain, 30, 30)

    assert all_have_arrived(client, mailchimp)
    assert of_erasure(client, waiting) == ("done", None)
    assert not [told for told in reasons(client) if "mailchimp" in told]


@account
def test_staff_are_told_why_nothing_is_sent(
    client: FlaskClient,
    mailchimp: StandIn,
    waiting: str,
    drain: Drain,
    clock: Clock,
    check: Check,
    wrong: Wrong,
) -> None:
    wrong.breaks(mailchimp)
    drain()

    assert f"mailchimp on hold: {wrong.reason}" in reasons(client)
    assert wrong.told in check()
    strangers = said_by(client.get("/ready"))
    assert strangers == {"status": "degraded"}
    told = " ".join(reasons(client)) + check()
    assert not [each for each in (ADA, GRACE, HEDY, JOAN) if each.lower() in told.lower()]


def test_changes_during_a_hold_arrive_after_it(
    app: Flask, client: FlaskClient, mailchimp: StandIn, waiting: str, drain: Drain, clock: Clock
) -> None:
    mailchimp.refuse_key()
    drain()
    ask_staff(client, "blocks", ADA, reason="unsubscribed")  # before Mailchimp ever knew her
    join_all(app, GRACE)  # she has changed her mind
    ask_staff(client, "erasures", JOAN)
    join_all(app, "late@example.org")
    time_passes(clock, drain, *[30] * 4)

    mailchimp.accept_key()
    time_passes(clock, drain, 30, 30)

    assert standing_of(mailchimp, ADA) is None
    assert standing_of(mailchimp, GRACE) == "subscribed"
    assert standing_of(mailchimp, JOAN) is None
    assert standing_of(mailchimp, "late@example.org") == "subscribed"
    assert {HEDY} == {each for each in (HEDY, JOAN) if each in mailchimp.forgotten}
    assert status_of(client, JOAN) == "unknown"


def test_who_leaves_at_mailchimp_during_a_hold_is_not_added_again(
    client: FlaskClient, mailchimp: StandIn, join_crowd: None, drain: Drain, clock: Clock
) -> None:
    mailchimp.refuse_key()
    mailchimp.unsubscribes(ADA)
    webhook(
        client,
        type="unsubscribe",
        data_action="unsub",
        data_reason="manual",
        data_list_id=mailchimp.list_id,
        data_email=ADA,
    )
    time_passes(clock, drain, *[30] * 4)
    mailchimp.accept_key()
    time_passes(clock, drain, 30, 30)

    assert status_of(client, ADA) == "blocked"
    assert standing_of(mailchimp, ADA) == "unsubscribed"


@pytest.fixture
def join_crowd(app: Flask, drain: Drain, clock: Clock) -> None:
    """Ada and Grace stand at Mailchimp."""
    join_all(app, ADA, GRACE)
    drain()


def test_a_key_refused_in_the_midst_of_many_costs_no_more_than_a_probe(
    app: Flask, client: FlaskClient, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    people = numbered(60)
    join_all(app, *people[:50])
    drain()
    mailchimp.calls.clear()
    mailchimp.refuse_key()
    join_all(app, *people[50:])
    drain()
    time_passes(clock, drain, *[5] * 24)
    assert at_most_a_minute(mailchimp.calls) <= 2

    mailchimp.accept_key()
    time_passes(clock, drain, 30, 30)

    assert {standing_of(mailchimp, person) for person in people} == {"subscribed"}
    assert {tuple(events_of(client, person)) for person in people[48:52]} == {
        ("signup", "confirmed", "synced")
    }


def test_more_people_than_one_call_takes_are_no_more_calls_to_a_refused_key(
    app: Flask, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    mailchimp.refuse_key()
    join_all(app, *numbered(1001))
    drain()
    time_passes(clock, drain, *[5] * 12)

    assert at_most_a_minute(mailchimp.calls) <= 2


def test_two_workers_probe_no_more_often_than_one(
    app: Flask, mailchimp: StandIn, waiting: str, drain: Drain, clock: Clock
) -> None:
    other = Worker(app)
    mailchimp.refuse_key()

    def both() -> None:
        drain()
        other.drain()

    both()
    time_passes(clock, both, *[5] * 60)
    other.close()

    assert 8 <= len(mailchimp.calls) <= 11
    assert at_most_a_minute(mailchimp.calls) <= 2


def test_if_only_erasing_is_forbidden_others_wait_only_for_a_probe(
    app: Flask, client: FlaskClient, mailchimp: StandIn, waiting: str, drain: Drain, clock: Clock
) -> None:
    forbidden = problem(403, "Forbidden", "You don't have permission to access this.")
    of_hedy = f"/{id_of(HEDY)}/actions/delete-permanent"
    mailchimp.answer_next(forbidden, times=ALWAYS, match=lambda call: call.path.endswith(of_hedy))
    clock.shift(1)
    ask_staff(client, "erasures", JOAN)
    mailchimp.add(JOAN)
    drain()
    time_passes(clock, drain, *[30] * 6)

    assert standing_of(mailchimp, ADA) == "subscribed"
    assert standing_of(mailchimp, GRACE) == "unsubscribed"
    assert JOAN in mailchimp.forgotten
    assert status_of(client, HEDY) == "erasing"


def test_required_merge_fields_put_mailchimp_on_hold_and_are_named(
    client: FlaskClient, mailchimp: StandIn, waiting: str, drain: Drain, clock: Clock
) -> None:
    mailchimp.answer_next(no_merge_fields(["LNAME"]), times=ALWAYS, match=is_add)
    drain()
    time_passes(clock, drain, *[30] * 4)
    assert "mailchimp on hold: merge_fields" in reasons(client)
    assert {place_of(client, person)[0] for person in (ADA, JOAN)} == {"absent"}

    mailchimp.answer_normally()
    time_passes(clock, drain, *[30] * 4)

    assert all_have_arrived(client, mailchimp)
