"""Addresses that staff correct or that change at Mailchimp, and other changes that Mailchimp reports."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Block, MailchimpStatus, Reason, Status
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Erasure, Subscription
from newsletter.subscriptions import corrections, reported
from newsletter.subscriptions.corrections import lock_both
from newsletter.subscriptions.person import lock_person
from newsletter.subscriptions.transition import act
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.conftest import Drain, Join, on_postgresql, on_sqlite
from tests.journeys.service import wait_until
from tests.patience import PATIENCE
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    JSON,
    STAFF,
    access,
    ask_staff,
    events_of,
    link_in,
    press,
    said_by,
    sign_up,
    status_of,
    webhook,
)

Tell = Callable[..., None]

SECOND = timedelta(seconds=1)
PAUSE = timedelta(minutes=10)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
NOW, EARLIER = "2026-03-01 12:00:00", "2026-03-01 11:59:59"
SOFT = ["unsubscribed", "rectified", "removed_at_mailchimp"]
HARD = ["complaint", "bounce", "not_me", "staff"]

pytestmark = pytest.mark.usefixtures("clock", "sound")


@pytest.fixture
def sound(app: Flask) -> Any:
    """Check after each test that an address is missing only where it is not needed, and that nothing is stuck."""
    yield
    with app.app_context(), reading() as session:
        for row in session.scalars(select(Subscription)):
            if row.address is None:
                kept = (row.status, row.confirmed_round, row.audience)
                assert kept == (Status.BLOCKED, None, MailchimpStatus.ABSENT)
            assert row.audience_error is None


@pytest.fixture
def tell(client: FlaskClient, mailchimp: StandIn) -> Tell:
    """Mailchimp's webhook reports a change of Ada, or of `data_email`."""

    def tell(kind: str, **fields: str) -> None:
        whose = {"data_list_id": mailchimp.list_id, "data_email": ADA}
        assert webhook(client, type=kind, **(whose | fields)).status_code == 204

    return tell


@pytest.fixture
def move(client: FlaskClient, mailchimp: StandIn, tell: Tell) -> Tell:
    """An address changes at Mailchimp, and its webhook reports it."""

    def move(old: str = ADA, new: str = GRACE, **fields: str) -> None:
        mailchimp.changes_address(old, new)
        tell("upemail", data_old_email=old, data_new_email=new, **fields)
        tell("profile", data_email=new, **fields)

    return move


def rectify(client: FlaskClient, old: str = ADA, new: str = GRACE) -> int:
    return ask_staff(client, "rectifications", old, new_email=new).status_code


def statuses(client: FlaskClient, *people: str) -> list[str]:
    return [status_of(client, person) for person in people or (ADA, GRACE)]


def place_of(client: FlaskClient, email: str) -> str:
    return str(access(client, email)["mailchimp"]["status"])


def block(app: Flask, email: str, reason: str) -> None:
    """Block a confirmed person for any reason."""
    with app.app_context(), writing() as session:
        act(lock_person(session, Address.parse(email)), Block(Reason(reason)))


def people(app: Flask) -> int:
    with app.app_context(), reading() as session:
        return session.scalar(select(func.count()).select_from(Subscription)) or 0


# By staff


@pytest.mark.requires("R19")
def test_the_new_address_gets_a_letter_and_the_old_one_keeps_its_status_until_it_confirms(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    assert rectify(client) == 202
    drain()
    assert statuses(client) == ["confirmed", "pending"]
    assert set(mailchimp.contacts) == {ADA.lower()}

    assert press(client, mailbox, GRACE) == 200
    drain()

    assert statuses(client) == ["blocked", "confirmed"]
    assert access(client, ADA)["reason"] == "rectified"
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"
    assert mailchimp.contacts[GRACE].status == "subscribed"


def test_the_letter_to_the_new_address_does_not_say_that_its_owner_entered_it(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    rectify(client)
    drain()

    plain = mailbox.letters_to(GRACE)[-1].message.get_body(("plain",))
    assert plain is not None
    words = " ".join(plain.get_content().split())
    assert "uns als neue Adresse für den Newsletter von Muster & Söhne GmbH genannt." in words
    assert "eingetragen" not in words


def test_the_correction_is_in_the_ledger_of_the_old_address(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    rectify(client)
    drain()
    press(client, mailbox, GRACE)

    assert events_of(client, ADA)[-2:] == ["rectified", "blocked"]
    assert events_of(client, GRACE) == ["signup", "mail_sent", "confirmed"]
    [rectified] = [it for it in access(client, ADA)["events"] if it["event"] == "rectified"]
    assert (rectified["actor"], rectified["round"]) == ("dpo", 1)


def test_confirming_the_new_address_twice_changes_nothing_more(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    rectify(client)
    drain()
    press(client, mailbox, GRACE)
    join(ADA)
    assert statuses(client) == ["confirmed", "confirmed"]

    assert press(client, mailbox, GRACE) == 200
    assert statuses(client) == ["confirmed", "confirmed"]


def test_a_new_sign_up_of_the_old_address_is_not_blocked_when_the_new_one_returns(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    rectify(client)
    drain()
    press(client, mailbox, GRACE)
    join(ADA)
    ask_staff(client, "blocks", GRACE, reason="unsubscribed")
    join(GRACE)

    assert statuses(client) == ["confirmed", "confirmed"]


def test_an_address_can_be_corrected_back(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    rectify(client)
    drain()
    press(client, mailbox, GRACE)
    assert rectify(client, GRACE, ADA) == 202
    drain()

    assert press(client, mailbox, ADA) == 200
    assert statuses(client) == ["confirmed", "blocked"]


def test_after_correcting_back_both_addresses_can_be_shown_and_erased(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    rectify(client)
    drain()
    press(client, mailbox, GRACE)
    rectify(client, GRACE, ADA)
    references = [access(client, person)["reference"] for person in (ADA, GRACE)]

    assert all(reference in ask_staff(client, "access", ADA).text for reference in references)
    assert ask_staff(client, "erasures", ADA).status_code == 202
    drain()
    assert statuses(client) == ["unknown", "unknown"]


def test_a_correction_of_a_correction_ends_at_the_last_address(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    rectify(client)
    rectify(client, GRACE, HEDY)
    drain()
    press(client, mailbox, HEDY)

    assert statuses(client, ADA, GRACE, HEDY) == ["blocked", "blocked", "confirmed"]


def test_a_request_can_be_corrected_too(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, drain: Drain
) -> None:
    sign_up(client, ADA)
    drain()
    assert rectify(client) == 202
    drain()
    assert statuses(client) == ["pending", "pending"]

    press(client, mailbox, GRACE)
    drain()

    assert statuses(client) == ["blocked", "confirmed"]
    assert press(client, mailbox, ADA) == 410
    assert set(mailchimp.contacts) == {GRACE}


@pytest.mark.parametrize("is_proven", [True, False])
def test_the_letter_to_the_new_address_is_in_the_language_of_the_old_one(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, is_proven: bool
) -> None:
    sign_up(client, ADA, locale="en")
    ada, grace = Address.parse(ADA), Address.parse(GRACE)
    with app.app_context():
        corrections.rectify(ada, grace, actor="dpo", is_proven=is_proven)
    drain()

    asked = client.get(link_in(mailbox.letters_to(GRACE)[0].message), headers=JSON)
    assert said_by(asked)["language"] == "en"


def test_a_new_address_with_an_open_request_of_its_own_replaces_the_old_one(
    client: FlaskClient,
    mailbox: Mailbox,
    join: Join,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    join(ADA)
    sign_up(client, GRACE)
    clock.shift(PAUSE)
    assert rectify(client) == 202
    drain()
    press(client, mailbox, GRACE)

    assert statuses(client) == ["blocked", "confirmed"]


@on_sqlite
@pytest.mark.parametrize("reason", SOFT)
def test_a_new_address_with_a_soft_block_gets_a_letter_like_any_other(
    app: Flask, client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, reason: str
) -> None:
    join(ADA)
    join(GRACE)
    block(app, GRACE, reason)
    assert rectify(client) == 202
    drain()
    assert statuses(client) == ["confirmed", "returning"]

    press(client, mailbox, GRACE)

    assert statuses(client) == ["blocked", "confirmed"]


def test_a_new_address_that_is_confirmed_gets_no_letter(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    join(GRACE)

    assert rectify(client) == 202
    drain()

    assert access(client, ADA)["reason"] == "rectified"
    assert status_of(client, GRACE) == "confirmed"
    assert len(mailbox.letters_to(GRACE)) == 1


@on_sqlite
@pytest.mark.parametrize("reason", HARD)
def test_a_new_address_that_is_blocked_hard_is_refused(
    app: Flask, client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, reason: str
) -> None:
    join(ADA)
    join(GRACE)
    block(app, GRACE, reason)
    before = events_of(client, ADA)

    assert rectify(client) == 409
    drain()

    assert statuses(client) == ["confirmed", "blocked"]
    assert events_of(client, ADA) == before
    assert len(mailbox.letters_to(GRACE)) == 1


def test_an_unknown_address_is_404_and_a_blocked_one_cannot_be_corrected(
    client: FlaskClient, join: Join
) -> None:
    assert rectify(client) == 404
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    assert rectify(client) == 409
    sign_up(client, ADA)

    assert rectify(client) == 409
    assert status_of(client, GRACE) == "unknown"


@pytest.mark.parametrize("new", [ADA, ADA.lower(), ADA.upper()])
def test_a_confirmed_address_corrected_to_itself_stays_confirmed(
    client: FlaskClient, join: Join, new: str
) -> None:
    join(ADA)

    rectify(client, ADA, new)

    person = access(client, ADA)
    assert (person["status"], person["email"]) == ("confirmed", Address.parse(new).text)
    assert {it["event"]: it.get("actor") for it in person["events"]}["rectified"] == "dpo"


def test_a_request_corrected_to_its_own_address_can_be_confirmed(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    drain()
    clock.shift(PAUSE)
    rectify(client, ADA, ADA)
    drain()
    press(client, mailbox, ADA)

    assert status_of(client, ADA) == "confirmed"


def test_a_correction_also_keeps_the_pause_between_letters(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    sign_up(client, GRACE)
    drain()
    rectify(client)
    drain()

    assert len(mailbox.letters_to(GRACE)) == 1


def test_a_correction_without_a_possible_letter_is_refused_and_not_logged(
    client: FlaskClient, join: Join, clock: time_machine.Traveller
) -> None:
    join(ADA)
    sign_up(client, GRACE)

    answer = ask_staff(client, "rectifications", ADA, new_email=GRACE)
    clock.shift(PAUSE)

    assert answer.status_code == 409
    assert said_by(answer)["type"].endswith("/problems#written-too-often")
    assert "rectified" not in events_of(client, ADA)
    assert rectify(client) == 202


def test_corrections_write_at_most_three_letters_a_day_to_an_address(
    client: FlaskClient,
    mailbox: Mailbox,
    join: Join,
    drain: Drain,
    clock: time_machine.Traveller,
) -> None:
    join(ADA)
    for _ in range(5):
        rectify(client)
        drain()
        clock.shift(PAUSE)

    assert len(mailbox.letters_to(GRACE)) == 3


def test_a_letter_for_a_correction_counts_for_sign_ups(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    rectify(client)
    drain()
    sign_up(client, GRACE)
    drain()

    assert len(mailbox.letters_to(GRACE)) == 1


def test_a_new_address_that_never_confirms_leaves_the_old_one_alone(
    client: FlaskClient, join: Join, drain: Drain, clock: time_machine.Traveller
) -> None:
    join(ADA)
    rectify(client)
    drain()
    clock.shift(WEEK)
    drain()

    assert statuses(client) == ["confirmed", "unknown"]


def test_a_new_address_that_is_disowned_leaves_the_old_one_alone(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    rectify(client)
    drain()
    client.post(link_in(mailbox.letters_to(GRACE)[0].message, "not-me"))
    drain()

    assert statuses(client) == ["confirmed", "unknown"]
    assert mailchimp.contacts[ADA.lower()].status == "subscribed"


def test_an_old_address_that_unsubscribed_before_the_new_one_confirmed_keeps_its_reason(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    rectify(client)
    drain()
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    press(client, mailbox, GRACE)

    assert access(client, ADA)["reason"] == "unsubscribed"
    assert status_of(client, GRACE) == "confirmed"


def test_the_new_address_can_confirm_after_the_old_request_has_ended(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    rectify(client)
    drain()
    client.post(link_in(mailbox.letters_to(ADA)[0].message, "not-me"))

    assert press(client, mailbox, GRACE) == 200
    assert statuses(client) == ["unknown", "confirmed"]


def test_if_one_of_two_addresses_is_gone_the_other_is_shown_and_erased(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    sign_up(client, ADA)
    rectify(client)
    drain()
    client.post(link_in(mailbox.letters_to(ADA)[0].message, "not-me"))
    assert access(client, GRACE)["status"] == "pending"

    assert ask_staff(client, "erasures", GRACE).status_code == 202
    drain()

    assert statuses(client) == ["unknown", "unknown"]


def test_a_new_address_whose_request_was_just_disowned_gets_no_letter(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    sign_up(client, GRACE)
    drain()
    client.post(link_in(mailbox.letters_to(GRACE)[0].message, "not-me"))
    rectify(client)
    drain()

    assert statuses(client) == ["confirmed", "unknown"]
    assert len(mailbox.letters_to(GRACE)) == 1


def test_a_restricted_new_address_gets_no_letter(
    app: Flask, client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    sign_up(client, GRACE)
    drain()
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(hold=True))
    join(ADA)
    rectify(client)
    drain()

    assert len(mailbox.letters_to(GRACE)) == 1
    assert statuses(client) == ["confirmed", "pending"]


@pytest.mark.parametrize(("asked", "other"), [(ADA, GRACE), (GRACE, ADA)])
def test_access_shows_both_addresses(
    client: FlaskClient, join: Join, asked: str, other: str
) -> None:
    join(ADA)
    rectify(client)
    references = [access(client, person)["reference"] for person in (asked, other)]

    shown = ask_staff(client, "access", asked).text

    assert all(reference in shown for reference in references)


@pytest.mark.parametrize("asked", [ADA, GRACE])
@pytest.mark.parametrize("keep_block", [False, True])
def test_erasing_deletes_both_addresses(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    asked: str,
    keep_block: bool,
) -> None:
    join(ADA)
    rectify(client)
    drain()
    answer = ask_staff(client, "erasures", asked, keep_block=keep_block)
    drain()

    left = "blocked" if keep_block else "unknown"
    assert statuses(client) == [left, left]
    assert ADA.lower() in mailchimp.forgotten
    assert said_by(client.get(answer.location, headers=STAFF))["status"] == "completed"


def waiting(database_url: str) -> int:
    """How many transactions wait for a lock."""
    with psycopg.connect(database_url) as connection:
        counted = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return int(counted[0]) if counted else 0


@on_postgresql
@pytest.mark.parametrize("endpoint", ["rectifications", "erasures"])
def test_simultaneous_actions_on_both_addresses_never_deadlock(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    join: Join,
    drain: Drain,
    database_url: str,
    endpoint: str,
) -> None:
    join(ADA)
    rectify(client)
    drain()
    fields = {"new_email": GRACE} if endpoint == "rectifications" else {}
    with ThreadPoolExecutor(2) as crowd:
        with app.app_context(), writing() as session:
            lock_both(session, Address.parse(ADA), Address.parse(GRACE))
            pressed = crowd.submit(press, app.test_client(), mailbox, GRACE)
            asked = crowd.submit(ask_staff, app.test_client(), endpoint, ADA, **fields)
            wait_until(lambda: waiting(database_url) >= 2, "both wait")

        assert pressed.result(PATIENCE) in (200, 410)
        assert asked.result(PATIENCE).status_code in (202, 404, 409)


# At Mailchimp: upemail


def test_a_change_at_mailchimp_blocks_the_old_address_and_writes_to_the_new_one(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, join: Join, drain: Drain, move: Tell
) -> None:
    join(ADA)
    move()
    drain()
    assert statuses(client) == ["blocked", "pending"]
    assert access(client, ADA)["reason"] == "rectified"
    assert {it.key: it.status for it in mailchimp.contacts.values()} == {GRACE: "unsubscribed"}

    assert press(client, mailbox, GRACE) == 200
    drain()

    assert statuses(client) == ["blocked", "confirmed"]
    assert mailchimp.contacts[GRACE].status == "subscribed"


def test_a_change_at_mailchimp_is_in_the_ledger_with_mailchimp_as_actor(
    client: FlaskClient, join: Join, drain: Drain, move: Tell
) -> None:
    join(ADA)
    move()
    drain()

    told = {it["event"]: it.get("actor") for it in access(client, ADA)["events"]}
    assert (told["rectified"], told["blocked"]) == ("mailchimp", "mailchimp")
    assert events_of(client, GRACE) == ["signup", "mail_sent", "synced"]


def test_nobody_is_subscribed_at_their_new_address_without_confirming(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, move: Tell
) -> None:
    join(ADA)
    move()
    drain()

    assert place_of(client, GRACE) == "unsubscribed"
    assert place_of(client, ADA) == "absent"
    assert mailchimp.contacts[GRACE].status == "unsubscribed"


def test_a_request_whose_address_changed_there_is_blocked_too(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, drain: Drain, move: Tell
) -> None:
    mailchimp.add(ADA)
    sign_up(client, ADA)
    drain()
    move()
    drain()

    assert statuses(client) == ["blocked", "pending"]
    assert place_of(client, ADA) == "absent"
    assert mailchimp.contacts[GRACE].status == "unsubscribed"


@on_sqlite
@pytest.mark.parametrize("reason", HARD)
def test_a_new_address_that_is_blocked_hard_stays_so_and_is_unsubscribed_there(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    move: Tell,
    reason: str,
) -> None:
    join(ADA)
    join(GRACE)
    block(app, GRACE, reason)
    del mailchimp.contacts[GRACE]
    move()
    drain()

    assert [access(client, person)["reason"] for person in (ADA, GRACE)] == ["rectified", reason]
    assert mailchimp.contacts[GRACE].status == "unsubscribed"
    assert len(mailbox.letters_to(GRACE)) == 1


def test_a_new_address_of_which_only_the_digest_is_kept_is_unsubscribed_there(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, join: Join, drain: Drain, move: Tell
) -> None:
    ask_staff(client, "blocks", GRACE, reason="staff")
    drain()
    assert access(client, GRACE)["email"] is None
    join(ADA)
    move()
    drain()

    assert mailchimp.contacts[GRACE].status == "unsubscribed"
    assert access(client, GRACE)["reason"] == "staff"
    assert not mailbox.letters_to(GRACE)


def test_a_new_address_that_is_confirmed_here_stays_subscribed(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, join: Join, drain: Drain, move: Tell
) -> None:
    join(ADA)
    join(GRACE)
    del mailchimp.contacts[GRACE]
    move()
    drain()

    assert statuses(client) == ["blocked", "confirmed"]
    assert mailchimp.contacts[GRACE].status == "subscribed"
    assert len(mailbox.letters_to(GRACE)) == 1


def test_a_new_address_with_a_soft_block_gets_a_letter_and_is_unsubscribed_there(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    move: Tell,
) -> None:
    join(ADA)
    join(GRACE)
    ask_staff(client, "blocks", GRACE, reason="unsubscribed")
    del mailchimp.contacts[GRACE]
    move()
    drain()
    assert statuses(client) == ["blocked", "returning"]
    assert mailchimp.contacts[GRACE].status == "unsubscribed"

    press(client, mailbox, GRACE)
    drain()

    assert mailchimp.contacts[GRACE].status == "subscribed"


def test_a_new_address_that_is_restricted_and_left_is_not_connected(
    client: FlaskClient, mailchimp: StandIn, join: Join, move: Tell
) -> None:
    join(ADA)
    join(GRACE)
    ask_staff(client, "blocks", GRACE, reason="unsubscribed")
    ask_staff(client, "holds", GRACE, hold=True)
    del mailchimp.contacts[GRACE]
    move()

    assert statuses(client) == ["blocked", "blocked"]
    assert access(client, GRACE)["related"] == []


def test_a_change_of_an_unknown_address_creates_no_subscription(
    app: Flask, mailchimp: StandIn, drain: Drain, move: Tell
) -> None:
    mailchimp.add(ADA)
    move()
    drain()

    assert people(app) == 0
    assert mailchimp.calls == []


@pytest.mark.parametrize("returns", [False, True])
def test_a_change_of_a_blocked_address_writes_no_letter(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, move: Tell, returns: bool
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    drain()
    if returns:
        sign_up(client, ADA)
    move()
    drain()

    assert statuses(client) == ["returning" if returns else "blocked", "unknown"]
    assert place_of(client, ADA) == "absent"


def test_a_change_that_fired_before_the_confirmation_is_looked_up_and_not_applied(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, tell: Tell
) -> None:
    join(ADA)
    before = len(mailchimp.calls)
    tell("upemail", data_old_email=ADA, data_new_email=GRACE, fired_at=EARLIER)
    drain()

    assert statuses(client) == ["confirmed", "unknown"]
    assert [call.method for call in mailchimp.calls[before:]] == ["GET"]


@pytest.mark.parametrize("fired", [{"fired_at": NOW}, {}])
def test_a_change_to_an_address_that_is_being_erased_writes_no_letter(
    client: FlaskClient,
    mailbox: Mailbox,
    join: Join,
    tell: Tell,
    drain: Drain,
    clock: time_machine.Traveller,
    fired: dict[str, str],
) -> None:
    join(ADA)
    join(GRACE)
    clock.shift(SECOND)
    ask_staff(client, "erasures", GRACE)

    tell("upemail", data_old_email=ADA, data_new_email=GRACE, **fired)

    assert statuses(client) == ["blocked", "erasing"]
    assert access(client, ADA)["reason"] == "rectified"
    drain()
    assert (status_of(client, GRACE), len(mailbox.letters_to(GRACE))) == ("unknown", 1)


def test_a_change_in_the_same_second_counts_as_later(
    client: FlaskClient, join: Join, move: Tell, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(milliseconds=900))
    join(ADA)
    move(fired_at=NOW)

    assert statuses(client) == ["blocked", "pending"]


def test_a_change_of_upper_and_lower_case_changes_nothing(
    client: FlaskClient, join: Join, drain: Drain, tell: Tell
) -> None:
    join(ADA)
    tell("upemail", data_old_email=ADA, data_new_email=ADA.upper())
    drain()

    assert status_of(client, ADA) == "confirmed"
    assert "rectified" not in events_of(client, ADA)


def test_the_same_change_reported_twice_counts_once(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, move: Tell, tell: Tell
) -> None:
    join(ADA)
    move()
    tell("upemail", data_old_email=ADA, data_new_email=GRACE)
    drain()

    assert events_of(client, ADA).count("rectified") == 1
    assert len(mailbox.letters_to(GRACE)) == 1


def test_a_second_change_writes_to_the_newest_address(
    client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, join: Join, drain: Drain, move: Tell
) -> None:
    join(ADA)
    move()
    drain()
    move(GRACE, HEDY)
    drain()
    press(client, mailbox, HEDY)
    drain()

    assert statuses(client, ADA, GRACE, HEDY) == ["blocked", "blocked", "confirmed"]
    assert press(client, mailbox, GRACE) == 410
    assert mailchimp.contacts[HEDY].status == "subscribed"


def test_changes_back_and_forth_write_at_most_three_letters_a_day(
    client: FlaskClient,
    mailbox: Mailbox,
    join: Join,
    drain: Drain,
    move: Tell,
    clock: time_machine.Traveller,
) -> None:
    join(ADA)
    for old, new in [(ADA, GRACE), (GRACE, ADA)] * 5:
        move(old, new)
        drain()
        clock.shift(SECOND)

    assert len(mailbox.letters_to(GRACE)) <= 3
    assert len(mailbox.letters_to(ADA)) <= 3


@pytest.mark.parametrize("ends", ["expires", "is disowned"])
def test_a_new_address_that_does_not_confirm_is_erased_there_too(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    move: Tell,
    clock: time_machine.Traveller,
    ends: str,
) -> None:
    join(ADA)
    move()
    drain()
    if ends == "expires":
        clock.shift(WEEK)
    else:
        client.post(link_in(mailbox.letters_to(GRACE)[0].message, "not-me"))
    drain()

    assert statuses(client) == ["blocked", "unknown"]
    assert GRACE in mailchimp.forgotten
    with app.app_context(), reading() as session:
        assert session.scalars(select(Erasure)).one().completed_at is not None


@pytest.mark.parametrize("asked", [ADA, GRACE])
def test_erasing_deletes_both_addresses_of_a_change_at_mailchimp(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, move: Tell, asked: str
) -> None:
    join(ADA)
    move()
    drain()
    ask_staff(client, "erasures", asked)
    drain()

    assert statuses(client) == ["unknown", "unknown"]
    assert GRACE in mailchimp.forgotten


# Everything else that Mailchimp tells

WITHDRAWALS = [
    pytest.param({"kind": "unsubscribe"}, id="unsub"),
    pytest.param({"kind": "unsubscribe", "data_action": "delete"}, id="delete"),
    pytest.param({"kind": "cleaned", "data_reason": "hard"}, id="hard"),
]
COMPLAINTS = [
    pytest.param({"kind": "unsubscribe", "data_reason": "abuse"}, id="unsubscribe"),
    pytest.param({"kind": "cleaned", "data_reason": "abuse"}, id="cleaned"),
]


@on_sqlite
@pytest.mark.parametrize("call", WITHDRAWALS)
def test_a_withdrawal_that_fired_before_the_confirmation_is_looked_up(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, tell: Tell, call: Any
) -> None:
    join(ADA)
    before = len(mailchimp.calls)
    tell(**call, fired_at=EARLIER)
    drain()

    assert status_of(client, ADA) == "confirmed"
    assert [it.method for it in mailchimp.calls[before:]] == ["GET"]


@on_sqlite
@pytest.mark.parametrize("call", WITHDRAWALS)
@pytest.mark.parametrize("fired", [{"fired_at": NOW}, {"fired_at": "soon"}, {}])
def test_a_withdrawal_in_the_same_second_or_without_a_time_counts(
    client: FlaskClient,
    join: Join,
    drain: Drain,
    tell: Tell,
    clock: time_machine.Traveller,
    call: Any,
    fired: dict[str, str],
) -> None:
    clock.shift(timedelta(milliseconds=900))
    join(ADA)
    tell(**call, **fired)
    drain()

    assert status_of(client, ADA) == "blocked"


@pytest.mark.parametrize("call", COMPLAINTS)
def test_a_complaint_counts_however_early_it_fired(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, tell: Tell, call: Any
) -> None:
    join(ADA)
    mailchimp.complains(ADA)
    tell(**call, fired_at="2020-01-01 00:00:00")
    drain()

    assert access(client, ADA)["reason"] == "complaint"


def test_a_complaint_about_the_last_letter_before_leaving_makes_the_block_hard(
    client: FlaskClient, join: Join, tell: Tell
) -> None:
    join(ADA)
    tell("unsubscribe")
    tell("cleaned", data_reason="abuse", fired_at=EARLIER)
    tell("unsubscribe")

    assert access(client, ADA)["reason"] == "complaint"
    assert events_of(client, ADA)[-2:] == ["blocked", "blocked"]


@pytest.mark.parametrize("call", COMPLAINTS)
def test_a_complaint_about_a_request_blocks_it(
    client: FlaskClient, mailchimp: StandIn, drain: Drain, tell: Tell, call: Any
) -> None:
    mailchimp.add(ADA)
    sign_up(client, ADA)
    mailchimp.complains(ADA)
    tell(**call)
    drain()

    assert access(client, ADA)["reason"] == "complaint"


def test_an_unsubscribe_of_an_earlier_contact_does_not_end_a_request(
    client: FlaskClient, mailchimp: StandIn, drain: Drain, tell: Tell
) -> None:
    sign_up(client, ADA)
    tell("unsubscribe")
    tell("unsubscribe", data_action="delete")
    drain()

    assert status_of(client, ADA) == "pending"
    assert mailchimp.calls == []


def test_an_unsubscribe_does_not_end_a_return(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, tell: Tell
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    sign_up(client, ADA)
    tell("unsubscribe")
    tell("unsubscribe", data_action="delete")
    drain()

    assert status_of(client, ADA) == "returning"
    assert press(client, mailbox, ADA) == 200


def test_whoever_was_removed_there_is_added_again_after_confirming_again(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, tell: Tell
) -> None:
    join(ADA)
    mailchimp.is_archived(ADA)
    tell("unsubscribe", data_action="delete")
    drain()
    assert place_of(client, ADA) == "absent"

    join(ADA)

    assert mailchimp.contacts[ADA.lower()].status == "subscribed"


@pytest.mark.parametrize("kind", ["subscribe", "profile", "unsubscribe", "cleaned"])
def test_a_webhook_about_an_unknown_address_creates_no_subscription(
    app: Flask, mailchimp: StandIn, drain: Drain, tell: Tell, kind: str
) -> None:
    mailchimp.add(ADA)
    tell(kind, data_reason="abuse")
    tell(kind, data_action="delete")
    drain()

    assert people(app) == 0
    assert mailchimp.calls == []


@pytest.mark.parametrize("kind", ["subscribe", "profile"])
def test_an_unconfirmed_request_does_not_change_the_contact_there(
    client: FlaskClient, mailchimp: StandIn, drain: Drain, tell: Tell, kind: str
) -> None:
    mailchimp.add(ADA)
    sign_up(client, ADA)
    tell(kind)
    drain()

    assert status_of(client, ADA) == "pending"
    assert mailchimp.calls == []


@pytest.mark.parametrize("kind", ["subscribe", "profile"])
def test_a_person_who_is_blocked_here_and_subscribed_there_is_unsubscribed(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, tell: Tell, kind: str
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    drain()
    mailchimp.signs_up_at_mailchimp(ADA)
    tell(kind)
    drain()

    assert status_of(client, ADA) == "blocked"
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"


@pytest.mark.parametrize("kind", ["subscribe", "profile"])
def test_a_person_of_whom_only_the_digest_is_kept_is_unsubscribed_there_too(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, tell: Tell, kind: str
) -> None:
    join(ADA)
    ask_staff(client, "erasures", ADA, keep_block=True)
    drain()
    mailchimp.signs_up_at_mailchimp(ADA)
    tell(kind)
    drain()

    assert access(client, ADA)["reason"] == "staff"
    assert mailchimp.contacts[ADA.lower()].status == "unsubscribed"


@pytest.mark.parametrize("kind", ["subscribe", "profile", "unsubscribe"])
def test_no_address_is_kept_with_a_digest_where_mailchimp_has_no_contact(
    client: FlaskClient, join: Join, drain: Drain, tell: Tell, kind: str
) -> None:
    join(ADA)
    ask_staff(client, "erasures", ADA, keep_block=True)
    drain()
    tell(kind, fired_at=EARLIER)  # it comes late: Mailchimp has forgotten them meanwhile
    drain()

    assert access(client, ADA)["email"] is None


@pytest.mark.parametrize(
    ("happens", "reason"), [("unsubscribes", "unsubscribed"), ("complains", "complaint")]
)
def test_the_result_of_a_lookup_counts_like_a_webhook(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    tell: Tell,
    happens: str,
    reason: str,
) -> None:
    join(ADA)
    getattr(mailchimp, happens)(ADA)
    tell("profile")
    drain()

    assert access(client, ADA)["reason"] == reason


def test_the_result_of_a_lookup_counts_only_in_its_own_round(
    app: Flask, client: FlaskClient, join: Join
) -> None:
    join(ADA)
    reference = str(access(client, ADA)["reference"])
    with app.app_context():
        reported.found_left(reference, 2, Reason.COMPLAINT, MailchimpStatus.UNSUBSCRIBED)
        reported.found_left("0" * 32, 1, Reason.COMPLAINT, MailchimpStatus.UNSUBSCRIBED)

    assert status_of(client, ADA) == "confirmed"
