"""What a row says after each action: where somebody stands, since when, in which round, and what is still kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import MailchimpStatus, Reason, Status
from newsletter.ledger import log
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Letter, Subscription
from sandbox.mailbox import Mailbox
from tests.conftest import Drain, Join
from tests.people import ADA, access, ask_staff, press, sign_up

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)

pytestmark = pytest.mark.usefixtures("clock")


def row(app: Flask) -> Subscription:
    """The only one."""
    with app.app_context(), reading() as session:
        return session.scalars(select(Subscription)).one()


def set_(app: Flask, **columns: Any) -> None:
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(**columns))


def times(row: Subscription) -> tuple[datetime | None, ...]:
    return row.since, row.expires_at, row.left_at


def rounds(row: Subscription) -> tuple[int | None, ...]:
    return row.round, row.confirmed_round


def test_a_sign_up_is_kept_with_its_language_and_its_end(app: Flask, client: FlaskClient) -> None:
    sign_up(client, ADA, locale="en")

    kept = row(app)
    assert (kept.status, kept.reason, kept.hold) == (Status.PENDING, None, False)
    assert times(kept) == (NOW, NOW + WEEK, None)
    assert rounds(kept) == (1, None)
    assert (kept.locale, kept.replaces_ref) == ("en", None)
    assert (kept.audience, kept.audience_tries, kept.audience_error) == ("absent", 0, None)
    assert kept.nonce is not None
    assert len(kept.nonce) == 32


def test_a_further_sign_up_keeps_since_when_the_request_is_there(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    before = row(app)
    clock.shift(DAY)
    sign_up(client, ADA, locale="en")

    kept = row(app)
    assert times(kept) == (NOW, NOW + DAY + WEEK, None)
    assert (kept.nonce, kept.locale, rounds(kept)) == (before.nonce, "en", (1, None))


def test_a_confirmation_ends_the_request_and_is_due_at_mailchimp(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    drain()
    before = row(app)
    set_(app, audience_tries=3, audience_error="http 500", audience_try_at=NOW + WEEK)
    clock.shift(DAY)
    assert press(client, mailbox, ADA) == 200

    kept = row(app)
    assert (kept.status, kept.reason) == (Status.CONFIRMED, None)
    assert times(kept) == (NOW + DAY, None, None)
    assert (rounds(kept), kept.nonce) == ((1, 1), before.nonce)
    assert (kept.audience_tries, kept.audience_error) == (0, None)
    assert (kept.audience_try_at, kept.audience_due_since) == (None, NOW + DAY)


def test_whoever_leaves_keeps_the_proof_and_begins_a_new_round(
    app: Flask, client: FlaskClient, join: Join, clock: time_machine.Traveller
) -> None:
    join(ADA)
    before = row(app)
    set_(app, replaces_ref=before.ref, audience=MailchimpStatus.REFUSED)
    clock.shift(DAY)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")

    kept = row(app)
    assert (kept.status, kept.reason) == (Status.BLOCKED, Reason.UNSUBSCRIBED)
    assert times(kept) == (NOW + DAY, None, NOW + DAY)
    assert (rounds(kept), kept.replaces_ref) == ((2, 1), None)
    assert (kept.nonce, kept.wording) == (before.nonce, before.wording)
    assert kept.address is not None
    assert kept.audience is MailchimpStatus.ABSENT


def test_whoever_asks_again_keeps_the_time_of_leaving_and_the_text_agreed_to(
    app: Flask, client: FlaskClient, join: Join, clock: time_machine.Traveller
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    before = row(app)
    clock.shift(DAY)
    sign_up(client, ADA, locale="en")

    kept = row(app)
    assert (kept.status, kept.reason) == (Status.RETURNING, Reason.UNSUBSCRIBED)
    assert times(kept) == (NOW + DAY, NOW + DAY + WEEK, NOW)
    assert (rounds(kept), kept.nonce) == ((2, 1), before.nonce)
    assert (kept.wording, kept.locale) == (before.wording, "de")

    clock.shift(WEEK)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")  # the overdue request ends first

    ended = row(app)
    assert (ended.status, times(ended)) == (Status.BLOCKED, (NOW + DAY + WEEK, None, NOW))
    assert rounds(ended) == (3, 1)


def test_of_a_request_that_was_blocked_nothing_is_kept_that_proves_a_consent(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    clock.shift(DAY)
    ask_staff(client, "blocks", ADA, reason="staff")

    kept = row(app)
    assert (kept.status, kept.reason) == (Status.BLOCKED, Reason.STAFF)
    assert times(kept) == (NOW + DAY, None, NOW + DAY)
    assert rounds(kept) == (2, None)
    assert (kept.nonce, kept.wording, kept.address) == (None, None, None)


def test_staff_block_an_unknown_address_and_mailchimp_is_asked(
    app: Flask, client: FlaskClient
) -> None:
    ask_staff(client, "blocks", ADA, reason="staff")

    kept = row(app)
    assert (kept.status, kept.reason, kept.hold) == (Status.BLOCKED, Reason.STAFF, False)
    assert times(kept) == (NOW, None, NOW)
    assert (rounds(kept), kept.locale) == ((1, None), "de")
    assert (kept.audience, kept.audience_tries) == (MailchimpStatus.UNKNOWN, 0)
    assert kept.audience_due_since == NOW
    assert access(client, ADA)["email"] == "Ada@example.org"


@pytest.mark.parametrize(
    ("reason", "kept_for"),
    [("unsubscribed", Reason.STAFF), ("not_me", Reason.NOT_ME), ("complaint", Reason.COMPLAINT)],
)
def test_a_block_that_an_erasure_keeps_is_a_digest_with_the_hard_reason_that_there_was(
    app: Flask,
    client: FlaskClient,
    join: Join,
    clock: time_machine.Traveller,
    reason: str,
    kept_for: Reason,
) -> None:
    join(ADA)
    before = row(app)
    set_(app, status=Status.BLOCKED, reason=Reason(reason), left_at=NOW, locale="en")
    clock.shift(DAY)
    ask_staff(client, "erasures", ADA, keep_block=True)

    kept = row(app)
    assert (kept.status, kept.reason) == (Status.BLOCKED, kept_for)
    assert (kept.digest, kept.ref != before.ref, kept.locale) == (before.digest, True, "en")
    assert times(kept) == (NOW + DAY, None, NOW + DAY)
    assert rounds(kept) == (1, None)
    assert (kept.address, kept.nonce, kept.wording) == (None, None, None)
    assert kept.audience is MailchimpStatus.ABSENT


def letters(app: Flask) -> list[tuple[int, bool]]:
    """The round of each letter, and whether it was sent."""
    with app.app_context(), reading() as session:
        found = session.scalars(select(Letter).order_by(Letter.number))
        return [(letter.round, letter.sent_at is not None) for letter in found]


def test_a_further_letter_takes_the_place_of_one_that_waits_and_of_none_that_was_sent(
    app: Flask, client: FlaskClient, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    clock.shift(timedelta(hours=1))
    sign_up(client, ADA)
    assert letters(app) == [(1, False)]
    drain()
    clock.shift(timedelta(hours=1))
    sign_up(client, ADA)

    assert letters(app) == [(1, True), (1, False)]


def test_the_letters_of_a_request_end_with_it_and_those_of_a_consent_stay(
    app: Flask, client: FlaskClient, join: Join, drain: Drain, clock: time_machine.Traveller
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    assert letters(app) == [(1, True)]
    sign_up(client, ADA)
    drain()
    clock.shift(timedelta(hours=1))
    sign_up(client, ADA)
    assert letters(app) == [(1, True), (2, True), (2, False)]

    ask_staff(client, "blocks", ADA, reason="staff")

    assert letters(app) == [(1, True)]


def test_a_letter_that_waits_ends_with_a_consent(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    drain()
    clock.shift(timedelta(hours=1))
    sign_up(client, ADA)
    press(client, mailbox, ADA)

    assert letters(app) == [(1, True)]


def test_the_ledger_says_what_was_shown_why_and_by_whom_and_is_bound_to_the_address(
    app: Flask, client: FlaskClient, join: Join
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    sign_up(client, ADA)
    kept = row(app)
    ask_staff(client, "erasures", ADA)

    assert kept.nonce is not None
    text, bound = kept.wording, log.commitment(kept.nonce, Address.parse(ADA))
    events = ("signup", "confirmed", "blocked", "erased")
    with app.app_context(), reading() as session:
        rows = [each for each in log.events_of(session, kept.ref) if each.event in events]
    assert [(each.event, each.round, each.reason, each.detail, each.actor) for each in rows] == [
        ("signup", 1, None, "presumed", None),
        ("confirmed", 1, None, None, None),
        ("blocked", 1, "unsubscribed", None, "dpo"),
        ("signup", 2, None, "presumed", None),
        ("erased", 2, None, None, "dpo"),
    ]
    assert [(each.wording, each.commitment) for each in rows] == [(text, bound)] * 5
