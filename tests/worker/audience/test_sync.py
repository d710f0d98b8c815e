"""People get the wanted status at Mailchimp, and are erased there; failures: test_outcome.py and test_holds.py."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter.app import create_app
from newsletter.config import load
from newsletter.domain.lifecycle import MailchimpStatus
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Erasure, Subscription, db
from newsletter.worker.mailchimp.client import Mailchimp
from newsletter.worker.mailchimp_loop import MailchimpLoop
from newsletter.worker.run import Worker
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import DROPPED, throttled
from tests.conftest import Clock, Drain, on_postgresql
from tests.people import (
    ADA,
    GRACE,
    STAFF,
    access,
    ask_staff,
    confirm,
    events_of,
    said_by,
    sign_up,
    status_of,
    webhook,
)

Join = Callable[[str], None]


@pytest.fixture
def join(client: FlaskClient, mailbox: Mailbox, drain: Drain) -> Join:
    """Sign up and confirm; Mailchimp does not know of it yet."""

    def join(email: str) -> None:
        sign_up(client, email)
        drain()
        assert confirm(client, mailbox.letters_to(email)[-1].message).status_code == 200

    return join


def place_of(client: FlaskClient, email: str) -> str:
    held = access(client, email)["mailchimp"]
    return str(held["status"])


def writes(mailchimp: StandIn) -> list[str]:
    return [call.method for call in mailchimp.calls if call.method != "GET"]


@pytest.mark.requires("R10")
def test_mailchimp_gets_no_address_before_the_confirmation(
    client: FlaskClient, mailchimp: StandIn, drain: Drain
) -> None:
    sign_up(client, ADA)

    drain()

    assert mailchimp.calls == []


def test_a_confirmed_person_is_subscribed_with_the_necessary_fields_only(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)

    drain()
    drain()

    [call] = mailchimp.calls
    assert set(call.body or {}) == {
        "email_address",
        "status",
        "status_if_new",
        "language",
        "timestamp_signup",
        "timestamp_opt",
    }
    assert mailchimp.contacts[ADA.lower()].status == "subscribed"
    assert events_of(client, ADA) == ["signup", "mail_sent", "confirmed", "synced"]


@pytest.mark.requires("R48")
def test_a_person_who_unsubscribes_here_is_unsubscribed_there(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    drain()
    ask_staff(client, "blocks", ADA, reason="unsubscribed")

    drain()

    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"
    assert events_of(client, ADA)[-2:] == ["blocked", "synced"]
    assert writes(mailchimp) == ["PUT", "PATCH"]


def test_a_person_who_unsubscribes_before_the_sync_stays_unknown_there(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")

    drain()

    assert mailchimp.calls == []


def test_a_person_who_unsubscribed_at_mailchimp_and_confirms_again_is_asked_there_once_more(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    drain()
    mailchimp.unsubscribes(ADA)
    webhook(client, **unsubscribed(mailchimp))
    join(ADA)
    drain()
    drain()

    assert place_of(client, ADA) == "awaiting"
    assert mailchimp.contacts[ADA.lower()].status == "pending"
    assert writes(mailchimp) == ["PUT", "PUT", "PUT"]

    mailchimp.confirms_at_mailchimp(ADA)
    webhook(client, type="subscribe", data_list_id=mailchimp.list_id, data_email=ADA)
    drain()

    assert place_of(client, ADA) == "subscribed"
    assert events_of(client, ADA)[-1] == "synced"


def unsubscribed(mailchimp: StandIn, **also: str) -> dict[str, str]:
    """Mailchimp's call when somebody leaves there."""
    return {
        "type": "unsubscribe",
        "data_action": "unsub",
        "data_reason": "manual",
        "data_list_id": mailchimp.list_id,
        "data_email": ADA,
        **also,
    }


@pytest.mark.requires("R47")
def test_a_block_wins_over_an_add_that_takes_effect_late(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, clock: Clock
) -> None:
    mailchimp.answer_next(DROPPED)
    join(ADA)
    drain()
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    drain()
    mailchimp.add(ADA, "subscribed")  # the add that timed out is carried out after all
    clock.shift(119)
    drain()
    assert mailchimp.contacts[ADA.lower()].status == "subscribed"

    clock.shift(60)
    drain()

    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"


def test_without_a_key_everything_for_mailchimp_waits(
    environ: dict[str, Any], mailbox: Mailbox
) -> None:
    app = create_app(load({**environ, "MAILCHIMP_API_KEY": ""}))
    client, worker = app.test_client(), Worker(app)
    sign_up(client, ADA)
    worker.drain()
    confirm(client, mailbox.letters[0].message)
    worker.drain()

    assert place_of(client, ADA) == "absent"
    assert said_by(client.get("/ready"))["status"] == "degraded"
    worker.close()
    with app.app_context():
        db.engine.dispose()


def test_one_row_that_cannot_be_read_does_not_stop_the_rest(
    app: Flask, client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    mailchimp.answer_next(throttled())
    join(ADA)
    join(GRACE)
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(address=b"damaged", audience_try_at=None))
    join("hedy@example.net")
    drain()

    assert mailchimp.contacts["hedy@example.net"].status == "subscribed"


def erase(client: FlaskClient, email: str, **also: Any) -> dict[str, Any]:
    answer = ask_staff(client, "erasures", email, **also)
    assert answer.status_code == 202
    return said_by(answer)


def erasure(client: FlaskClient, id_: str) -> dict[str, Any]:
    return said_by(client.get(f"/admin/erasures/{id_}", headers=STAFF))


def states(body: dict[str, Any]) -> dict[str, str]:
    return {place["place"]: place["state"] for place in body["places"]}


@pytest.mark.requires("R57")
@on_postgresql  # SQLite's file is cleaned at night
def test_an_erasure_reaches_mailchimp_and_is_completed_only_then(
    app: Flask, client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    drain()
    begun = erase(client, ADA)
    assert begun["status"] == "pending"
    assert states(begun)["mailchimp"] == "waiting"
    assert access(client, ADA)["status"] == "erasing"

    drain()

    done = erasure(client, begun["id"])
    # SQLite's file waits for the nightly run.
    assert {states(done)[place] for place in ("database", "mailchimp")} == {"done"}
    assert ADA.lower() in mailchimp.forgotten
    assert status_of(client, ADA) == "unknown"
    with app.app_context(), reading() as session:
        row = session.scalars(select(Erasure)).one()
        assert (row.address, row.digest) == (None, None)


def test_an_unknown_address_is_erased_at_mailchimp_too(
    client: FlaskClient, mailchimp: StandIn, drain: Drain
) -> None:
    mailchimp.add(GRACE)
    begun = erase(client, GRACE)

    drain()

    assert states(erasure(client, begun["id"]))["mailchimp"] == "done"
    assert GRACE in mailchimp.forgotten


@pytest.mark.requires("R55")
def test_erasing_twice_is_one_erasure_that_includes_a_later_sign_up(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    mailchimp.refuse_key()
    join(ADA)
    first = erase(client, ADA)
    join(ADA)
    assert status_of(client, ADA) == "confirmed"

    again = erase(client, ADA)

    assert again["id"] == first["id"]
    assert access(client, ADA)["status"] == "erasing"


def test_during_an_open_erasure_a_new_sign_up_works_except_at_mailchimp(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, clock: Clock
) -> None:
    mailchimp.refuse_key()
    erase(client, ADA)
    join(ADA)
    drain()
    mailchimp.accept_key()
    clock.shift(30)
    drain()

    assert status_of(client, ADA) == "confirmed"
    # Mailchimp never takes back by API whom it has been told to forget.
    assert place_of(client, ADA) == "refused" or ADA.lower() in mailchimp.contacts


def test_an_erasure_waits_for_a_call_that_may_still_take_effect(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, clock: Clock
) -> None:
    mailchimp.answer_next(DROPPED)
    join(ADA)
    drain()
    begun = erase(client, ADA)
    drain()
    assert states(erasure(client, begun["id"]))["mailchimp"] == "waiting"

    clock.shift(121)
    drain()

    assert states(erasure(client, begun["id"]))["mailchimp"] == "done"


@pytest.mark.requires("R52", "R53")
def test_keeping_the_block_leaves_only_a_digest(
    app: Flask, client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    drain()
    erase(client, ADA, keep_block=True)
    drain()

    assert access(client, ADA)["email"] is None
    assert access(client, ADA)["reason"] == "staff"
    sign_up(client, ADA)
    drain()
    assert len(mailbox.letters) == 1


def test_staff_block_somebody_unknown_and_mailchimp_is_asked(
    client: FlaskClient, mailchimp: StandIn, drain: Drain
) -> None:
    mailchimp.add(GRACE)
    ask_staff(client, "blocks", GRACE, reason="staff")
    ask_staff(client, "blocks", ADA, reason="staff")

    drain()

    assert mailchimp.contacts[GRACE].status == "unsubscribed"
    assert access(client, GRACE)["email"] == GRACE
    assert access(client, ADA)["email"] is None


def test_a_late_webhook_is_looked_up_and_not_applied(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    drain()
    webhook(client, **unsubscribed(mailchimp, fired_at="2020-01-01 00:00:00"))
    drain()
    assert status_of(client, ADA) == "confirmed"

    mailchimp.unsubscribes(ADA)
    webhook(client, **unsubscribed(mailchimp, fired_at="2020-01-01 00:00:00"))
    drain()

    assert access(client, ADA)["reason"] == "unsubscribed"


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        ("unsubscribes", "unsubscribed"),
        ("complains", "complaint"),
        ("hard_bounces", "bounce"),
        ("is_archived", "removed_at_mailchimp"),
    ],
)
def test_a_lookup_finds_a_person_who_unsubscribed_in_this_round(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, happens: str, reason: str
) -> None:
    join(ADA)
    drain()
    getattr(mailchimp, happens)(ADA)
    webhook(client, type="profile", data_list_id=mailchimp.list_id, data_email=ADA)

    drain()

    assert access(client, ADA)["reason"] == reason


def test_a_call_in_flight_meets_an_unsubscribe(
    app: Flask, client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    clock.shift(jobs.LEASE)  # the fixture's worker has let go of Mailchimp
    leaving = LeavingMeanwhile(mailchimp, lambda: webhook(client, **unsubscribed(mailchimp)))
    with app.app_context():
        assert MailchimpLoop(leaving, "me").step()
    leaving.close()
    clock.shift(jobs.LEASE)
    drain()

    assert status_of(client, ADA) == "blocked"
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"


class LeavingMeanwhile(Mailchimp):
    """Mailchimp, at whose yes something else has happened here."""

    def __init__(self, standin: StandIn, meanwhile: Callable[[], Any]) -> None:
        super().__init__(api_key=standin.api_key, list_id=standin.list_id, api_url=standin.api_url)
        self._meanwhile = meanwhile

    def subscribe(self, *args: Any, **kwargs: Any) -> MailchimpStatus:
        place = super().subscribe(*args, **kwargs)
        self._meanwhile()
        return place


def test_only_one_worker_at_a_time_calls_mailchimp(
    app: Flask, client: FlaskClient, mailchimp: StandIn, join: Join, clock: Clock
) -> None:
    join(ADA)
    leaving = LeavingMeanwhile(mailchimp, Event().is_set)
    first, second = MailchimpLoop(leaving, "first"), MailchimpLoop(leaving, "second")
    clock.shift(jobs.LEASE)
    with app.app_context():
        assert jobs.take("audience", "first")
        assert not second.step()
        clock.shift(21)
        assert second.step()
        assert not first.step()
    leaving.close()
