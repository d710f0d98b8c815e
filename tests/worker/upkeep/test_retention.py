"""The nightly run ends data whose period is over, also after an interruption and with unreadable rows."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from newsletter.app import create_app
from newsletter.config import load
from newsletter.domain import clock as our_clock
from newsletter.domain.errors import Unavailable
from newsletter.domain.lifecycle import Event, Status
from newsletter.ledger import log
from newsletter.rights import retention
from newsletter.storage import jobs
from newsletter.storage.database import reading, writing
from newsletter.storage.models import (
    Erasure,
    LedgerRow,
    Letter,
    Model,
    RetentionRun,
    Subscription,
    Wording,
    db,
)
from newsletter.storage.runs import retention as retention_runs
from newsletter.subscriptions import ending, wording
from newsletter.worker.upkeep import retention as nightly
from newsletter.worker.upkeep.retention import Retention, run_now
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from tests.commands import noticed
from tests.conftest import Clock, Drain, Join
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF,
    access,
    ask_staff,
    events_of,
    press,
    said_by,
    sign_up,
    status_of,
)

LAST_SECOND = "2029-12-31T22:59:59+00:00"  #: 23:59:59 in Berlin
MIDNIGHT = "2029-12-31T23:00:00+00:00"
NIGHT = "2030-01-01T02:00:00+00:00"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
WEEK = timedelta(days=7)

Leave = Callable[..., None]

pytestmark = pytest.mark.usefixtures("clock", "at_work")


@pytest.fixture
def at_work(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def run() -> dict[str, int]:
    counts = run_now()
    assert counts is not None
    return dict(counts)


def planned() -> dict[str, int]:
    return {ending.name: len(ended) for ending, ended, _ in retention.plan()}


def runs() -> list[RetentionRun]:
    with reading() as session:
        return list(session.scalars(select(RetentionRun).order_by(RetentionRun.id)))


def count(table: type[Model]) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def row_of(client: FlaskClient, email: str) -> Subscription:
    reference = access(client, email)["reference"]
    with reading() as session:
        return session.scalars(select(Subscription).where(Subscription.ref == reference)).one()


@pytest.fixture
def leave(client: FlaskClient, join: Join, drain: Drain) -> Leave:
    """Confirm, and leave."""

    def leave(email: str, reason: str = "unsubscribed") -> None:
        join(email)
        ask_staff(client, "blocks", email, reason=reason)
        drain()

    return leave


# Proofs


@pytest.mark.requires("R61")
def test_a_proof_ends_at_the_end_of_the_third_calendar_year_here_and_at_mailchimp(
    client: FlaskClient, mailchimp: StandIn, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA)
    clock.move_to(LAST_SECOND)
    drain()
    assert run()["proofs"] == 0
    assert status_of(client, ADA) == "blocked"

    clock.move_to(MIDNIGHT)

    assert run()["proofs"] == 1
    drain()
    assert status_of(client, ADA) == "unknown"
    assert ADA.lower() in mailchimp.forgotten


def test_the_worker_ends_a_proof_in_the_first_night_of_the_year(
    client: FlaskClient, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA)
    clock.move_to("2029-12-31T12:00:00+00:00")
    drain()
    clock.move_to("2030-01-01T01:59:59+00:00")
    drain()
    assert status_of(client, ADA) == "blocked"

    clock.move_to(NIGHT)
    drain()

    assert status_of(client, ADA) == "unknown"


@pytest.mark.parametrize(
    ("zone", "ends_at"),
    [
        ("America/New_York", "2029-01-01T05:00:00+00:00"),
        ("Pacific/Kiritimati", "2029-12-31T10:00:00+00:00"),
    ],
)
def test_the_year_is_that_of_the_time_zone(
    environ: dict[str, Any], clock: Clock, zone: str, ends_at: str
) -> None:
    app = create_app(load({**environ, "TIMEZONE": zone}))
    clock.move_to("2025-12-31T12:00:00+00:00")
    with app.app_context():
        client = app.test_client()
        ask_staff(client, "blocks", ADA, reason="staff")
        with writing() as session:
            session.execute(update(Subscription).values(audience="absent"))
        clock.move_to(datetime.fromisoformat(ends_at) - SECOND)
        before = run()["proofs"]
        clock.move_to(ends_at)
        after = run()["proofs"]
        db.engine.dispose()

    assert (before, after) == (0, 1)


def test_a_stranger_who_signs_them_up_every_four_days_extends_it_by_one_request_at_most(
    client: FlaskClient, mailchimp: StandIn, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA)
    before = row_of(client, ADA)
    clock.move_to("2029-12-22T02:00:00+00:00")
    for _ in range(4):
        sign_up(client, ADA)
        drain()
        assert row_of(client, ADA).ref == before.ref
        clock.shift(4 * DAY)

    sign_up(client, ADA)
    drain()

    assert our_clock.now() < datetime.fromisoformat(MIDNIGHT) + WEEK + HOUR
    assert ADA.lower() in mailchimp.forgotten
    assert letters_of(before.ref) == []
    row = row_of(client, ADA)
    assert row.nonce != before.nonce
    assert (row.status, row.left_at, row.confirmed_round) == (Status.PENDING, None, None)
    assert events_of(client, ADA) == ["signup", "mail_sent"]


def test_a_proof_past_its_period_waits_for_the_open_request_and_no_sign_up_extends_that(
    client: FlaskClient, mailbox: Mailbox, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA)
    clock.move_to("2029-12-30T12:00:00+00:00")
    sign_up(client, ADA)
    drain()
    clock.move_to(NIGHT)
    sign_up(client, ADA)
    drain()

    held = access(client, ADA)
    assert (held["status"], held["expires_at"]) == ("returning", "2030-01-06T12:00:00Z")
    assert press(client, mailbox, ADA) == 200
    assert status_of(client, ADA) == "confirmed"


def test_a_sign_up_after_the_period_does_not_wait_for_the_night_to_end_the_proof(
    client: FlaskClient, mailbox: Mailbox, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA)
    before = row_of(client, ADA)
    clock.move_to(MIDNIGHT)
    sign_up(client, ADA)

    held = access(client, ADA)
    assert (held["status"], held["reference"] != before.ref) == ("pending", True)
    with reading() as session:
        ended = log.newest_of(session, before.ref, Event.ERASED)
        assert ended is not None
        assert ended.actor == "retention"
    drain()
    assert press(client, mailbox, ADA) == 200


def letters_of(ref: str) -> list[Letter]:
    with reading() as session:
        return list(
            session.scalars(select(Letter).where(Letter.ref == ref).order_by(Letter.number))
        )


def test_a_person_who_came_back_is_kept(
    client: FlaskClient, mailbox: Mailbox, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA)
    sign_up(client, ADA)
    drain()
    press(client, mailbox, ADA)
    clock.move_to(NIGHT)
    drain()

    assert status_of(client, ADA) == "confirmed"


def test_of_a_hard_block_only_the_digest_is_kept_and_is_not_ended_again(
    client: FlaskClient, mailchimp: StandIn, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA, "complaint")
    clock.move_to(NIGHT)
    drain()

    row = row_of(client, ADA)
    assert (row.status, row.reason, row.address, row.nonce) == (
        Status.BLOCKED,
        "complaint",
        None,
        None,
    )
    assert ADA.lower() in mailchimp.forgotten
    for _ in range(5):
        clock.shift(366 * DAY)
        drain()
    with reading() as session:
        erased = select(LedgerRow.ref).where(LedgerRow.event == Event.ERASED)
        assert len(session.scalars(erased).all()) == 1
    assert row_of(client, ADA).ref == row.ref


def test_a_soft_block_of_which_only_the_digest_is_kept_ends_too(
    client: FlaskClient, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    drain()
    assert row_of(client, ADA).address is None
    clock.move_to(NIGHT)
    drain()

    assert status_of(client, ADA) == "unknown"
    with reading() as session:
        assert session.scalars(select(Erasure)).one().completed_at is not None


def test_an_old_bounce_is_a_soft_block_and_ends(
    client: FlaskClient, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA, "bounce")
    clock.move_to(NIGHT)
    drain()

    assert status_of(client, ADA) == "unknown"


@pytest.mark.requires("R60")
def test_restricted_data_does_not_end(
    client: FlaskClient, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA)
    leave(HEDY)
    clock.move_to("2029-12-30T12:00:00+00:00")
    sign_up(client, HEDY)
    sign_up(client, GRACE)
    with writing() as session:
        session.execute(update(Subscription).values(hold=True))
    clock.move_to(NIGHT)
    clock.shift(WEEK)
    assert (planned()["requests"], planned()["proofs"]) == (0, 0)
    drain()

    people = (ADA, GRACE, HEDY)
    assert [status_of(client, who) for who in people] == ["blocked", "pending", "returning"]


def test_the_ledger_names_retention_as_the_actor(leave: Leave, clock: Clock) -> None:
    leave(ADA)
    clock.move_to(NIGHT)
    run()

    with reading() as session:
        row = session.scalars(select(LedgerRow).where(LedgerRow.event == Event.ERASED)).one()
    assert (row.actor, row.reason) == ("retention", None)


# Whatever else ends


def test_requests_that_housekeeping_ended_in_between_are_counted(
    client: FlaskClient, drain: Drain, clock: Clock
) -> None:
    drain()
    sign_up(client, ADA)
    clock.shift(WEEK)
    drain()
    clock.shift(DAY)
    drain()

    assert sum(each.counts["requests"] for each in runs()) == 1


def test_a_request_past_its_end_is_ended_by_the_run_too(client: FlaskClient, clock: Clock) -> None:
    sign_up(client, ADA)
    clock.shift(WEEK)

    assert run()["requests"] == 1
    assert status_of(client, ADA) == "unknown"


def test_a_proof_ends_in_the_same_run_as_the_request_that_came_after_it(
    client: FlaskClient, leave: Leave, clock: Clock
) -> None:
    leave(ADA)
    clock.move_to("2029-12-28T12:00:00+00:00")
    sign_up(client, ADA)
    clock.move_to("2030-01-05T12:00:00+00:00")

    counts = run()

    assert (counts["requests"], counts["proofs"]) == (1, 1)
    assert count(Subscription) == 0


def test_the_record_of_an_erasure_ends_three_calendar_years_after_its_completion(
    client: FlaskClient, drain: Drain, clock: Clock
) -> None:
    begun = said_by(ask_staff(client, "erasures", ADA))
    drain()
    clock.move_to(LAST_SECOND)
    assert run()["erasures"] == 0

    clock.move_to(MIDNIGHT)

    assert run()["erasures"] == 1
    assert client.get(f"/admin/erasures/{begun['id']}", headers=STAFF).status_code == 404


def test_the_record_of_an_open_erasure_stays(
    client: FlaskClient, mailchimp: StandIn, clock: Clock
) -> None:
    ask_staff(client, "erasures", ADA)
    clock.move_to("2040-01-01T12:00:00+00:00")

    assert run()["erasures"] == 0


def test_records_of_the_erasures_of_one_person_end_together(clock: Clock) -> None:
    early, late = datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)
    with writing() as session:
        for completed_at in (early, late):
            session.add(_record("one", completed_at))
        session.add(_record("another", early))
    clock.move_to(NIGHT)
    assert run()["erasures"] == 1

    clock.move_to("2031-01-01T02:00:00+00:00")

    assert run()["erasures"] == 2


def _record(case_id: str, completed_at: datetime) -> Erasure:
    at = completed_at
    return Erasure(
        id=secrets.token_hex(16),
        case_id=case_id,
        ref="0" * 32,
        actor="dpo",
        requested_at=at,
        deleted_at=at,
        mailchimp_done_at=at,
        file_done_at=at,
        completed_at=at,
    )


def withdraw(hash_: str, **values: Any) -> None:
    with writing() as session:
        withdrawn = update(Wording).where(Wording.hash == hash_)
        session.execute(withdrawn.values(withdrawn_at=datetime.now(UTC), **values))


def add_wording(hash_: str) -> None:
    with writing() as session:
        now = datetime.now(UTC)
        session.add(Wording(hash=hash_, language="de", text="Ja.", published_at=now))


def text_of(hash_: str) -> str:
    with reading() as session:
        return session.scalars(select(Wording.text).where(Wording.hash == hash_)).one()


def test_a_withdrawn_text_that_nobody_names_ends_a_day_later_and_its_hash_stays(
    clock: Clock,
) -> None:
    add_wording("0" * 64)
    withdraw("0" * 64)
    clock.shift(DAY - SECOND)
    assert run()["wordings"] == 0

    clock.shift(SECOND)

    assert planned()["wordings"] == 1
    assert run()["wordings"] == 1
    assert text_of("0" * 64) == ""
    assert (planned()["wordings"], next_of("wordings")) == (0, 0)
    assert run()["wordings"] == 0


def next_of(name: str) -> int:
    return next(then.count for ending, _, then in retention.plan() if ending.name == name)


def test_a_text_in_use_is_kept(clock: Clock) -> None:
    before = count(Wording)
    clock.shift(400 * DAY)

    assert run()["wordings"] == 0
    assert count(Wording) == before


def test_a_withdrawn_text_of_the_present_settings_ends_too_and_is_not_published_again(
    clock: Clock,
) -> None:
    with reading() as session:
        hashes = session.scalars(select(Wording.hash)).all()
    for hash_ in hashes:
        withdraw(hash_)
    clock.shift(2 * DAY)

    assert run()["wordings"] == 2
    with writing() as session:
        wording.publish(session)
    assert [text_of(hash_) for hash_ in hashes] == ["", ""]


@pytest.mark.requires("R5")
@pytest.mark.parametrize(
    ("names_it", "ended"), [("the subscription", 0), ("the letter", 1), ("the ledger", 0)]
)
def test_a_withdrawn_text_stays_as_long_as_a_record_names_it_and_the_ledger_does_for_good(
    client: FlaskClient, join: Join, clock: Clock, names_it: str, ended: int
) -> None:
    add_wording("0" * 64)
    join(ADA)
    reference = access(client, ADA)["reference"]
    _let_name(names_it, reference)
    withdraw("0" * 64)
    clock.shift(2 * DAY)
    assert run()["wordings"] == 0

    ask_staff(client, "erasures", ADA)

    assert run()["wordings"] == ended


def _let_name(names_it: str, reference: str) -> None:
    with writing() as session:
        row = session.get(Subscription, reference)
        assert row is not None
        match names_it:
            case "the subscription":
                row.wording = "0" * 64
            case "the letter":
                session.execute(update(db.metadata.tables["letter"]).values(wording="0" * 64))
            case _:
                now = datetime.now(UTC)
                session.add(
                    LedgerRow(ref=reference, event=Event.CONFIRMED, at=now, wording="0" * 64)
                )


def test_runs_are_kept_for_three_calendar_years(clock: Clock) -> None:
    run()
    clock.move_to(LAST_SECOND)
    assert planned()["runs"] == 0

    clock.move_to(MIDNIGHT)

    assert run()["runs"] == 1
    assert len(runs()) == 1


# Runs


def test_a_run_that_ended_nothing_leaves_a_row_and_only_one_a_night() -> None:
    assert sum(run().values()) == sum(run().values()) == 0

    assert len(runs()) == 1


def test_every_run_that_ended_something_leaves_a_row_with_its_counts(
    client: FlaskClient, clock: Clock
) -> None:
    run()
    sign_up(client, ADA)
    clock.shift(WEEK)
    run()

    assert [each.counts["requests"] for each in runs()] == [0, 1]


def test_the_worker_runs_once_a_night_and_at_once_when_it_missed_one(
    drain: Drain, clock: Clock
) -> None:
    for moment in (
        "2026-03-01T12:00:00+00:00",
        "2026-03-02T01:59:59+00:00",
        "2026-03-02T02:00:00+00:00",
        "2026-03-02T23:00:00+00:00",
        "2026-03-05T12:00:00+00:00",
    ):
        clock.move_to(moment)
        drain()

    assert [each.ran_at.isoformat()[:13] for each in runs()] == [
        "2026-03-01T12",
        "2026-03-02T02",
        "2026-03-05T12",
    ]


@pytest.mark.requires("R63")
def test_the_plan_is_what_the_run_does(
    client: FlaskClient, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA)
    leave(GRACE, "complaint")
    drain()
    said_by(ask_staff(client, "erasures", "joan@example.com"))
    drain()
    run()
    add_wording("0" * 64)
    withdraw("0" * 64)
    leave("alan@example.com")
    leave("emmy@example.com")
    clock.move_to("2029-12-28T12:00:00+00:00")
    sign_up(client, HEDY)
    sign_up(client, "alan@example.com")
    clock.move_to("2030-01-05T12:00:00+00:00")

    expected = planned()
    counts = run()

    assert counts.pop("unreadable") == 0
    assert counts == expected
    assert {name for name, number in expected.items() if number} == {
        "requests",
        "proofs",
        "erasures",
        "wordings",
        "runs",
    }
    assert (expected["requests"], expected["proofs"]) == (2, 4)
    assert sum(planned().values()) == 0


def test_the_plan_names_what_ends_next(client: FlaskClient, leave: Leave, drain: Drain) -> None:
    leave(ADA)
    sign_up(client, ADA)
    ask_staff(client, "erasures", HEDY)
    drain()

    then = {ending.name: (it.count, str(it.on)) for ending, _, it in retention.plan()}

    assert then == {
        "requests": (1, "2026-03-08"),
        "proofs": (1, "2030-01-01"),
        "erasures": (1, "2030-01-01"),
        "wordings": (0, "None"),
        "runs": (1, "2030-01-01"),
    }


@pytest.fixture
def three(leave: Leave, clock: Clock) -> None:
    """Three who left long enough ago."""
    for person in (ADA, GRACE, HEDY):
        leave(person)
        clock.shift(SECOND)
    clock.move_to(NIGHT)


def test_a_run_killed_between_two_people_is_continued_and_loses_no_count(
    three: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "BATCH", 1)
    killed = Retention("killed")
    assert killed.step()
    assert killed.step()
    assert planned()["proofs"] == 1
    clock.shift(jobs.LEASE)

    another = Retention("another")
    while another.step():
        pass

    assert planned()["proofs"] == 0
    [row] = [each for each in runs() if each.counts["proofs"]]
    assert (row.counts["proofs"], row.ran_at.isoformat()) == (3, NIGHT)


def test_what_a_run_deleted_before_it_was_killed_is_counted(clock: Clock) -> None:
    for number in range(2):
        add_wording(str(number) * 64)
        withdraw(str(number) * 64)
    clock.shift(2 * DAY)
    assert Retention("killed").step()
    assert count(RetentionRun) == 0
    clock.shift(jobs.LEASE)

    assert run()["wordings"] == 2


def test_only_one_worker_at_a_time_runs_retention(
    three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "BATCH", 1)
    assert Retention("one").step()

    assert not Retention("another").step()
    assert run_now() is None
    assert planned()["proofs"] == 2


def test_two_workers_in_turns_end_everybody_once(
    three: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nightly, "BATCH", 1)
    one, another = Retention("one"), Retention("another")
    for worker in (one, another) * 4:
        worker.step()
        clock.shift(jobs.LEASE)

    assert planned()["proofs"] == 0
    assert sum(each.counts["proofs"] for each in runs()) == 3


def test_an_unreadable_row_does_not_stop_the_others_and_is_reported(
    client: FlaskClient,
    three: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(nightly, "BATCH", 1)
    with writing() as session:
        first = select(func.min(Subscription.left_at)).scalar_subquery()
        damaged = update(Subscription).where(Subscription.left_at == first)
        session.execute(damaged.values(address=b"damaged"))

    counts = run()

    assert (counts["proofs"], counts["unreadable"]) == (2, 1)
    assert "could not be ended" in caplog.text
    reasons = client.get("/ready", headers=STAFF).get_json()["reasons"]
    assert "retention: 1 past their end could not be ended, and are kept" in reasons


def end_proofs_by(end: Callable[[str], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    changed = [
        replace(each, end=end) if each.name == "proofs" else each for each in retention.ENDINGS
    ]
    monkeypatch.setattr(retention, "ENDINGS", changed)


def test_a_row_that_raises_any_exception_stops_neither_the_others_nor_later_classes(
    leave: Leave, three: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    true, odd = ending.retire, list[str]()

    def retire(ref: str) -> bool:
        odd[:] = odd or [ref]
        if ref in odd:
            raise ValueError("odd")
        return true(ref)

    monkeypatch.setattr(nightly, "BATCH", 1)
    end_proofs_by(retire, monkeypatch)
    counts = run()

    assert (counts["proofs"], counts["unreadable"]) == (2, 1)
    assert f"proofs ref={odd[0]} could not be ended" in caplog.text
    assert len(runs()) == 1


def test_an_outage_of_the_database_does_not_count_as_a_failed_row(
    three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retire(_: str) -> bool:
        raise Unavailable

    with monkeypatch.context() as away:
        end_proofs_by(retire, away)
        with pytest.raises(Unavailable):
            run()

    assert run()["proofs"] == 3


def retire() -> None:
    """The night has come for a worker."""
    run = Retention("worker of the test")
    while run.step():
        pass


def test_the_log_has_counts_and_no_names(three: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    caplog.clear()
    retire()

    assert "retention has ended proofs (3)" in caplog.text
    assert "example" not in caplog.text.lower()


def test_a_run_that_ended_nothing_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    retire()

    assert [message for message in caplog.messages if "retention" in message] == []


LATE = ["retention has not run for 48 hours: data may be kept past its end"]


@pytest.mark.requires("R78")
def test_a_late_run_is_reported_until_there_is_one(client: FlaskClient, clock: Clock) -> None:
    run()
    clock.shift(timedelta(hours=48) - SECOND)
    before = noticed()
    clock.shift(SECOND)
    assert (before, noticed()) == ([], LATE)

    run()
    assert noticed() == []


def test_a_first_run_that_does_not_end_is_reported(clock: Clock) -> None:
    for _ in range(2):
        retention_runs.begin()
        clock.shift(timedelta(hours=24))

    assert noticed() == LATE


def test_a_person_whose_proof_has_ended_can_sign_up_again(
    client: FlaskClient, leave: Leave, drain: Drain, clock: Clock
) -> None:
    leave(ADA)
    clock.move_to(NIGHT)
    drain()
    sign_up(client, ADA)

    assert events_of(client, ADA) == ["signup"]
