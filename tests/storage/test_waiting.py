"""Who waits is listed with its next try and its reason, from indexes alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text

from newsletter.domain import clock as our_clock
from newsletter.domain.lifecycle import (
    UNSETTLED,
    MailchimpStatus,
    Reason,
    Status,
    wanted_mailchimp_status,
)
from newsletter.rights import today
from newsletter.storage import backlog, erasure_list, waiting
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Subscription, db
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import problem
from tests.conftest import Clock, Drain, Join, both_databases
from tests.people import ADA, GRACE, access, ask_staff, press, sign_up
from tests.plans import scans

pytestmark = both_databases

REFUSED = problem(400, "Bad Request", "Your request could not be processed.")


def row(
    number: int, status: Status, place: MailchimpStatus, hold: bool, replaces: bool
) -> dict[str, object]:
    is_open = status in (Status.PENDING, Status.RETURNING)
    is_blocked = status in (Status.BLOCKED, Status.RETURNING)
    now = our_clock.now()
    return {
        "ref": f"{number:032}",
        "digest": number.to_bytes(32),
        "address": b"x",
        "status": status,
        "reason": Reason.STAFF if is_blocked else None,
        "since": now,
        "expires_at": now if is_open else None,
        "locale": "de",
        "hold": hold,
        "replaces_ref": "r" if replaces else None,
        "audience": place,
        "audience_due_since": now,
    }


def test_who_waits_for_mailchimp_is_who_the_rules_want_elsewhere(app: Flask) -> None:
    statuses = [status for status in Status if status is not Status.UNKNOWN]
    kinds = list(product(statuses, MailchimpStatus, (False, True), (False, True)))
    expected = set()
    for number, (status, place, hold, replaces) in enumerate(kinds):
        wanted = wanted_mailchimp_status(status, held=hold, is_successor=replaces)
        if wanted is not None and place in UNSETTLED[wanted]:
            expected.add(f"{number:032}")
    with app.app_context():
        rows = [row(number, *kind) for number, kind in enumerate(kinds)]
        with writing() as session:
            session.execute(insert(Subscription), rows)
        with reading() as session:
            found = set(session.scalars(select(Subscription.ref).where(backlog.is_out_of_sync())))

    assert found == expected


def test_a_letter_that_waits_is_listed_with_its_reason(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("rcpt", "451 4.3.0 try again")
    sign_up(client, ADA)
    drain()

    with app.app_context():
        [letter] = waiting.letters()
        assert (letter.tries, letter.error, letter.failed_at) == (1, "rcpt 451 4.3.0", None)
        assert letter.next_at > our_clock.now()
        assert waiting.failed_letters() == []
    ask_staff(client, "holds", ADA, hold=True)
    with app.app_context():
        assert waiting.letters() == []


def test_letters_are_listed_in_the_order_in_which_they_are_tried(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    mailbox.answer_next("rcpt", "451 4.3.0 try again")
    sign_up(client, ADA)
    drain()
    sign_up(client, GRACE)

    with app.app_context():
        assert [letter.tries for letter in waiting.letters()] == [0, 1]


def test_fifty_letters_are_listed_at_most(app: Flask, client: FlaskClient) -> None:
    for number in range(51):
        sign_up(client, f"person-{number}@example.org")

    with app.app_context():
        assert len(waiting.letters()) == 50


def test_a_letter_that_was_given_up_is_listed(
    app: Flask, client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    mailbox.answer_next("rcpt", "550 5.1.1 no such user")
    sign_up(client, ADA)
    drain()

    with app.app_context():
        [letter] = waiting.failed_letters()
        assert letter.error == "rcpt 550 5.1.1"
        assert waiting.letters() == []


def test_people_are_listed_who_wait_for_mailchimp_or_were_refused(
    app: Flask, client: FlaskClient, mailbox: Mailbox, mailchimp: StandIn, drain: Drain, join: Join
) -> None:
    for person in (ADA, GRACE):
        sign_up(client, person)
    drain()
    fake = problem(400, "Invalid Resource", "grace@example.com looks fake or invalid")
    assert press(client, mailbox, GRACE) == 200
    mailchimp.answer_next(fake)
    drain()
    assert press(client, mailbox, ADA) == 200
    mailchimp.answer_next(REFUSED, times=2)
    drain()

    with app.app_context():
        [waits], [refused] = waiting.people(), waiting.refused_people()
    assert (waits.ref, waits.error) == (access(client, ADA)["reference"], "rejected 400")
    assert (refused.ref, refused.error) == (access(client, GRACE)["reference"], "fake_or_invalid")


#: What SQLite counts among a million people who confirmed and are subscribed.
ALIKE = """INSERT INTO sqlite_stat1 VALUES
    ('subscription', 'ix_subscription_place', '1000000 1000000 1000000 1000000 1000000')"""


def count_a_million_people() -> None:
    """Have SQLite plan as it does once somebody has had it count; PostgreSQL is told not to scan."""
    if db.engine.dialect.name == "sqlite":
        with writing() as session:
            session.execute(text("ANALYZE"))
            session.execute(text(ALIKE))
        db.engine.dispose()  # a new connection reads the counts


LISTS = (
    *(waiting.letters, waiting.failed_letters, waiting.people, waiting.refused_people),
    *(erasure_list.unfinished, erasure_list.completed),
)


@pytest.mark.parametrize(
    "look",
    [*LISTS, backlog.letters, backlog.people, backlog.erasures, today.today],
    ids=lambda look: f"{look.__module__}.{look.__name__}",
)
def test_staffs_lists_scan_no_table(app: Flask, look: Callable[[], object]) -> None:
    with app.app_context():
        count_a_million_people()
        with scans() as found:
            look()

    assert found.sent
    assert found == []
    # Of all that wait, the first are shown: an index has them in order. PostgreSQL, which guesses few, may sort.
    assert look not in LISTS or "FOR ORDER BY" not in found.plans
