"""The worker reconciles by itself: every night, and after every hold, a page at a time, and never beyond the limit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.exc import SQLAlchemyError

from newsletter.cli import check
from newsletter.config import Settings
from newsletter.storage import holds, jobs
from newsletter.storage.database import writing
from newsletter.storage.holds import PROBE_EVERY
from newsletter.storage.models import Job
from newsletter.storage.runs import reconciliation as reconciliations
from newsletter.worker.mailchimp.listing import MailchimpMembers
from newsletter.worker.mailchimp_loop import MailchimpLoop
from newsletter.worker.reconcile import walk
from newsletter.worker.reconcile.nightly import NightlyReconciliation
from sandbox.mailchimp import Answer, StandIn
from sandbox.mailchimp.answers import problem, throttled
from sandbox.mailchimp.script import Call
from tests.commands import found_in_use, noticed
from tests.conftest import Clock, Drain, Join
from tests.people import ADA, GRACE, STAFF, ask_staff, said_by, standing_of, status_of
from tests.worker.crowd import join_all, numbered

#: The clock of the tests stands at noon, which is an hour later in Berlin.
TO_THE_NIGHT = timedelta(hours=14)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("clock")


def is_page(call: Call) -> bool:
    return call.method == "GET" and call.path.endswith("/members")


def pages(mailchimp: StandIn) -> list[int]:
    """Where each page of the audience began that was asked for, the archive's left out."""
    walked = [call.query for call in mailchimp.calls if is_page(call)]
    return [int(query["offset"]) for query in walked if "status" not in query]


@pytest.fixture
def mailchimp_loop(app: Flask, members: MailchimpMembers, clock: Clock) -> Iterator[MailchimpLoop]:
    """Mailchimp's side of a worker that began yesterday, and has not reconciled yet."""
    with app.app_context():
        mailchimp_loop = MailchimpLoop(members, "me", NightlyReconciliation(members, "me"))
        mailchimp_loop.step()
        clock.shift(DAY)
        yield mailchimp_loop


def work(mailchimp_loop: MailchimpLoop) -> None:
    while mailchimp_loop.step():
        pass


def test_it_is_done_once_every_night_and_not_before(
    mailchimp: StandIn, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    seen = []
    for shift in (timedelta(0), TO_THE_NIGHT - MINUTE, MINUTE, MINUTE, DAY - 2 * MINUTE, MINUTE):
        clock.shift(shift)
        drain()
        seen.append(len(pages(mailchimp)))

    assert seen == [0, 0, 1, 1, 1, 2]


def test_a_person_whose_unsubscribe_was_not_reported_is_blocked_the_next_night(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA, GRACE)
    mailchimp.unsubscribes(ADA)
    ask_staff(client, "blocks", GRACE, reason="unsubscribed")
    drain()
    mailchimp.add(GRACE)

    clock.shift(DAY)
    drain()

    assert [status_of(client, email) for email in (ADA, GRACE)] == ["blocked", "blocked"]
    assert standing_of(mailchimp, GRACE) == "unsubscribed"


def test_it_is_done_after_every_hold_of_mailchimp(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    mailchimp.unsubscribes(ADA)
    with client.application.app_context():
        holds.begin("mailchimp", "api_key")
    drain()
    assert pages(mailchimp) == []

    clock.shift(PROBE_EVERY)
    drain()
    clock.shift(MINUTE)
    drain()

    assert status_of(client, ADA) == "blocked"
    assert pages(mailchimp) == [0]


def test_after_a_hold_of_the_mail_there_is_nothing_to_compare(
    app: Flask, mailchimp: StandIn, drain: Drain, clock: Clock
) -> None:
    with app.app_context():
        holds.begin("mail", "refused")
        holds.end("mail")
    drain()

    assert pages(mailchimp) == []


def test_the_worker_never_exceeds_the_limit_and_staff_are_told(
    client: FlaskClient,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    clock: Clock,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walk, "FEWEST_TO_STOP", 0)
    join(ADA)
    mailchimp.contacts.clear()
    clock.shift(DAY)
    drain()

    why = "reconciliation stopped: 1 changes are more than 0"
    assert status_of(client, ADA) == "confirmed"
    assert why in said_by(client.get("/ready", headers=STAFF))["reasons"]
    assert "reasons" not in said_by(client.get("/ready"))
    [finding] = found_in_use(client.application, "reconcile")
    assert finding.wrong == why
    assert "--yes" in finding.remedy
    assert why in {finding.wrong for finding in check.findings(settings)}

    monkeypatch.undo()
    clock.shift(DAY)
    drain()
    assert status_of(client, ADA) == "blocked"
    assert found_in_use(client.application, "reconcile") == []


def fill(mailchimp: StandIn, count: int = 1200) -> None:
    for person in numbered(count):
        mailchimp.add(person)


def test_a_walk_continues_where_a_call_failed_temporarily(
    mailchimp_loop: MailchimpLoop, mailchimp: StandIn, clock: Clock
) -> None:
    fill(mailchimp)
    mailchimp.answer_next(throttled(), match=lambda call: call.query.get("offset") == "950")
    work(mailchimp_loop)
    assert pages(mailchimp) == [0, 950]

    clock.shift(5)
    work(mailchimp_loop)

    assert pages(mailchimp) == [0, 950, 950]
    assert noticed() == []
    assert not reconciliations.is_due()


def test_a_walk_that_a_hold_ends_changes_nobody_and_begins_anew_after_it(
    mailchimp_loop: MailchimpLoop, client: FlaskClient, mailchimp: StandIn, clock: Clock
) -> None:
    join_all(client.application, ADA)
    work_alone = MailchimpLoop(mailchimp_loop._mailchimp, "me")
    work(work_alone)
    mailchimp.unsubscribes(ADA)
    fill(mailchimp)
    before = len(pages(mailchimp))
    mailchimp.answer_next(
        problem(401, "API Key Invalid", "Your API key may be invalid."),
        match=lambda call: call.query.get("offset") == "950",
    )
    work(mailchimp_loop)
    assert holds.reason_of("mailchimp") == "api_key"
    assert status_of(client, ADA) == "confirmed"

    clock.shift(PROBE_EVERY)
    work(mailchimp_loop)

    assert pages(mailchimp)[before:] == [0, 950, 0, 950]
    assert status_of(client, ADA) == "blocked"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (throttled(), "reconciling failed: throttled, goes on later"),
        (
            problem(401, "API Key Invalid", "Your API key may be invalid."),
            "reconciling failed: api_key, all that is meant for Mailchimp waits",
        ),
        (
            problem(400, "Bad Request", "Your request is odd."),
            "reconciling failed: rejected 400, left until the next night",
        ),
    ],
)
def test_the_log_says_what_comes_of_a_failure(
    mailchimp_loop: MailchimpLoop,
    mailchimp: StandIn,
    caplog: pytest.LogCaptureFixture,
    answer: Answer,
    told: str,
) -> None:
    mailchimp.answer_next(answer, match=is_page)
    work(mailchimp_loop)

    assert told in caplog.messages


def test_a_rejected_call_waits_for_the_next_night(
    mailchimp_loop: MailchimpLoop, mailchimp: StandIn, clock: Clock
) -> None:
    mailchimp.answer_next(problem(400, "Bad Request", "Your request is odd."), match=is_page)
    work(mailchimp_loop)
    clock.shift(timedelta(hours=2))
    work(mailchimp_loop)
    assert len(pages(mailchimp)) == 1
    assert noticed() == ["reconciliation stopped: rejected 400"]

    clock.shift(DAY)
    work(mailchimp_loop)

    assert noticed() == []


def test_a_walk_begins_anew_when_the_database_was_away(
    mailchimp_loop: MailchimpLoop, mailchimp: StandIn
) -> None:
    fill(mailchimp)
    while not pages(mailchimp):
        mailchimp_loop.step()
    with writing() as session:
        session.execute(text("ALTER TABLE erasure RENAME TO away"))
    with pytest.raises(SQLAlchemyError):
        work(mailchimp_loop)
    with writing() as session:
        session.execute(text("ALTER TABLE away RENAME TO erasure"))

    work(mailchimp_loop)

    assert pages(mailchimp)[-2:] == [0, 950]


def test_a_reconciliation_that_cannot_begin_is_tried_again_after_an_hour(
    mailchimp_loop: MailchimpLoop, mailchimp: StandIn, clock: Clock
) -> None:
    def write(cursor: str | None) -> None:
        with writing() as session:
            job = update(Job).where(Job.name == jobs.RECONCILIATION)
            session.execute(job.values(cursor=cursor))

    write("odd")
    work(mailchimp_loop)
    write(None)
    work(mailchimp_loop)
    assert pages(mailchimp) == []

    clock.shift(timedelta(hours=1))
    work(mailchimp_loop)

    assert pages(mailchimp) == [0]


def test_a_walk_keeps_neither_people_nor_erasures_waiting(
    mailchimp_loop: MailchimpLoop, client: FlaskClient, mailchimp: StandIn
) -> None:
    fill(mailchimp, 3000)
    while not pages(mailchimp):
        mailchimp_loop.step()
    join_all(client.application, ADA)
    ask_staff(client, "erasures", numbered(1)[0])
    for _ in range(3):
        mailchimp_loop.step()

    assert standing_of(mailchimp, ADA) == "subscribed"
    assert numbered(1)[0] in mailchimp.forgotten
    assert len(pages(mailchimp)) == 2


def test_after_a_worker_died_another_one_starts_anew(
    mailchimp_loop: MailchimpLoop, members: MailchimpMembers, mailchimp: StandIn, clock: Clock
) -> None:
    fill(mailchimp)
    another = MailchimpLoop(members, "another", NightlyReconciliation(members, "another"))
    while not pages(mailchimp):
        mailchimp_loop.step()
    assert not another.step()

    clock.shift(jobs.LEASE)
    work(another)
    assert not mailchimp_loop.step()

    assert pages(mailchimp) == [0, 0, 950]


def test_the_worker_waits_while_the_command_walks(
    mailchimp_loop: MailchimpLoop, mailchimp: StandIn, clock: Clock
) -> None:
    assert jobs.take(jobs.RECONCILIATION, "command")
    work(mailchimp_loop)
    assert pages(mailchimp) == []

    jobs.give_back(jobs.RECONCILIATION, "command")
    work(mailchimp_loop)

    assert pages(mailchimp) == [0]


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2026-03-02T01:59:59", "2026-03-01T02:00:00"),
        ("2026-03-02T02:00:00", "2026-03-02T02:00:00"),
        ("2026-03-29T12:00:00", "2026-03-29T01:00:00"),
        ("2026-07-02T00:59:59", "2026-07-01T01:00:00"),
        ("2026-10-25T12:00:00", "2026-10-25T02:00:00"),
    ],
)
def test_the_night_is_at_three_in_the_companys_time(app: Flask, now: str, night: str) -> None:
    with app.app_context():
        last = jobs.last_night(datetime.fromisoformat(now).replace(tzinfo=UTC))

    assert last == datetime.fromisoformat(night).replace(tzinfo=UTC)
