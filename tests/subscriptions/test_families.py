"""The subscriptions of a person whose address was corrected, and what access shows of letters and consent."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from newsletter.storage.database import reading
from newsletter.storage.models import Subscription, db
from newsletter.subscriptions.family import family_of
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import Drain, Join, on_postgresql
from tests.listening import listening
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    access,
    ask_staff,
    events_of,
    link_in,
    press,
    sign_up,
    status_of,
    webhook,
)
from tests.storage.test_backlog import MANY

PAUSE = timedelta(minutes=10)
WEEK = timedelta(days=7)
CHAIN = (ADA, GRACE, HEDY)

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def chain(client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain) -> None:
    """Ada, who has confirmed, was corrected to Grace and then to Hedy, who confirms."""
    join(ADA)
    rectify(client, ADA, GRACE)
    rectify(client, GRACE, HEDY)
    drain()
    assert press(client, mailbox, HEDY) == 200


def rectify(client: FlaskClient, old: str, new: str) -> None:
    assert ask_staff(client, "rectifications", old, new_email=new).status_code == 202


def test_correcting_only_the_spelling_changes_the_row_itself(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    reference = access(client, ADA)["reference"]
    rectify(client, ADA, "ADA@example.org")
    drain()

    held = access(client, ADA)
    assert (held["reference"], held["related"]) == (reference, [])
    assert (held["email"], held["status"]) == ("ADA@example.org", "confirmed")
    assert events_of(client, ADA)[-1] == "rectified"
    assert len(mailbox.letters) == 1


def test_a_request_whose_spelling_is_corrected_is_confirmed_by_its_letter(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    rectify(client, ADA, ADA.lower())
    drain()

    assert press(client, mailbox, ADA) == 200

    assert access(client, ADA)["email"] == ADA.lower()
    assert status_of(client, ADA) == "confirmed"


def test_corrections_here_and_at_mailchimp_write_three_letters_a_day_together(
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    join(ADA)
    rectify(client, ADA, GRACE)
    for number in range(4):
        drain()
        clock.shift(PAUSE)
        sign_up(client, old := f"grace-{number}@example.org")
        names = {"data_old_email": old, "data_new_email": GRACE}
        webhook(client, type="upemail", data_list_id=mailchimp.list_id, **names)
    drain()

    assert len(mailbox.letters_to(GRACE)) == 3
    assert status_of(client, GRACE) == "pending"


@pytest.mark.parametrize("asked", CHAIN)
def test_access_shows_every_address_of_a_chain(
    client: FlaskClient, chain: None, asked: str
) -> None:
    references = {access(client, person)["reference"] for person in CHAIN}

    held = access(client, asked)

    shown = {held["reference"], *(relative["reference"] for relative in held["related"])}
    assert shown == references


@pytest.mark.parametrize("asked", CHAIN)
def test_erasing_deletes_every_address_of_a_chain(
    client: FlaskClient, mailchimp: StandIn, chain: None, drain: Drain, asked: str
) -> None:
    ask_staff(client, "erasures", asked)

    drain()

    assert [status_of(client, person) for person in CHAIN] == ["unknown"] * 3
    assert not mailchimp.contacts


@pytest.mark.parametrize("ends", ["expires", "is disowned"])
def test_a_return_that_is_not_confirmed_leaves_the_earlier_proof_as_it_was(
    client: FlaskClient,
    mailbox: Mailbox,
    join: Join,
    drain: Drain,
    clock: time_machine.Traveller,
    ends: str,
) -> None:
    join(ADA)
    proof = access(client, ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    clock.shift(PAUSE)
    sign_up(client, ADA, locale="en")
    drain()
    if ends == "expires":
        clock.shift(WEEK)
    else:
        client.post(link_in(mailbox.letters_to(ADA)[-1].message, "not-me"))
    drain()

    held = access(client, ADA)
    assert held["status"] == "blocked"
    assert [held[part] for part in ("wording", "language", "letters")] == [
        proof[part] for part in ("wording", "language", "letters")
    ]


def test_access_shows_a_letter_with_its_evidence(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()

    [letter] = access(client, ADA)["letters"]
    assert letter["message_id"] == mailbox.letters[0].message["Message-ID"]
    assert letter["reply"].startswith("250")
    assert letter["sent_at"] is not None


def test_a_queued_letter_is_shown_without_a_reply(client: FlaskClient) -> None:
    sign_up(client, ADA)

    [letter] = access(client, ADA)["letters"]
    assert letter["message_id"]
    assert letter["sent_at"] is None
    assert "reply" not in letter


@on_postgresql
def test_a_family_is_found_without_a_look_at_everybody(app: Flask) -> None:
    with app.app_context(), reading() as session:
        session.execute(text(MANY))
        session.execute(text("ANALYZE subscription"))
        row = session.scalars(select(Subscription).limit(1)).one()
        with listening(db.engine) as asked:
            family_of(session, row)
        plans = [
            session.connection().exec_driver_sql(f"EXPLAIN {query}", values).all()
            for query, values in asked
        ]

    assert "ix_subscription_follows_ref" in str(plans)
    assert "Seq Scan" not in str(plans)
