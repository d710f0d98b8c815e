"""What the record of an erasure says from its beginning to its completion."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Reason, TakeOver
from newsletter.storage.database import reading, writing
from newsletter.storage.models import Erasure, Subscription
from newsletter.subscriptions import ending, erasures
from newsletter.subscriptions.erase import erase
from newsletter.subscriptions.person import lock_person
from newsletter.subscriptions.transition import act
from tests.conftest import Join
from tests.people import ADA, access, ask_staff, sign_up

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OF_A_SIGN_UP = ["address", "digest", "standing", "consent", "nonce", "letters"]

pytestmark = pytest.mark.usefixtures("clock")


def records(app: Flask) -> Sequence[Erasure]:
    """In the order of the requests; those of the same time with the open one first."""
    with app.app_context(), reading() as session:
        return session.scalars(
            select(Erasure).order_by(Erasure.requested_at, Erasure.digest.is_(None))
        ).all()


def ends(record: Erasure) -> tuple[datetime | None, ...]:
    """At Mailchimp, in the file, and of all."""
    return record.mailchimp_done_at, record.file_done_at, record.completed_at


def waits(record: Erasure) -> tuple[datetime | None, ...]:
    return record.settles_at, record.try_at


def settles(app: Flask, at: datetime) -> None:
    """A call of Mailchimp may take effect until then."""
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(audience_settles_at=at))


def test_an_erasure_begins_with_what_is_to_be_done(
    app: Flask, client: FlaskClient, join: Join
) -> None:
    join(ADA)
    settles(app, NOW + MINUTE)
    reference = access(client, ADA)["reference"]
    ask_staff(client, "erasures", ADA)

    [record] = records(app)
    assert (record.ref, record.actor, record.keep_block) == (reference, "dpo", False)
    assert (len(record.id), len(record.case_id), record.id != record.case_id) == (32, 32, True)
    assert (record.requested_at, record.deleted_at, record.settles_at) == (NOW, NOW, NOW + MINUTE)
    assert (record.try_at, record.tries, record.error) == (None, 0, None)
    assert record.found == [*OF_A_SIGN_UP, "quota"]
    assert record.found_at_mailchimp is False
    assert ends(record) == (None, None, None)
    with app.app_context():
        assert erasures.address_of(record).text == "Ada@example.org"


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1)])
def test_whoever_signs_up_meanwhile_and_is_erased_again_adds_to_the_open_one(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller, first: int, second: int
) -> None:
    sign_up(client, ADA)
    settles(app, NOW + first * MINUTE)
    ask_staff(client, "erasures", ADA)
    with app.app_context(), writing() as session:
        session.execute(update(Erasure).values(try_at=NOW + MINUTE, file_done_at=NOW))
    sign_up(client, ADA)
    settles(app, NOW + second * MINUTE)
    reference = access(client, ADA)["reference"]
    clock.shift(MINUTE / 2)
    ask_staff(client, "erasures", ADA, keep_block=True)

    open_, added = records(app)
    later = NOW + MINUTE / 2
    assert (open_.requested_at, open_.deleted_at) == (NOW, later)
    assert (open_.settles_at, open_.try_at, open_.file_done_at) == (NOW + 2 * MINUTE, None, None)
    assert open_.digest is not None
    assert (added.ref, added.actor, added.case_id) == (reference, "dpo", open_.case_id)
    assert (open_.keep_block, added.keep_block) == (True, True)
    assert (added.requested_at, added.mailchimp_done_at, added.deleted_at) == (later,) * 3
    assert (added.digest, added.address, added.file_done_at) == (None, None, None)
    assert added.found == [*OF_A_SIGN_UP, "quota"]


def test_of_a_digest_that_is_named_by_its_reference_mailchimp_is_not_asked(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    ask_staff(client, "erasures", ADA, keep_block=True)
    with app.app_context(), writing() as session:
        [record] = session.scalars(select(Erasure))
        erasures.complete_at_mailchimp(record, NOW)
    reference = str(access(client, ADA)["reference"])
    clock.shift(MINUTE)
    with app.app_context():
        erase(reference, actor="dpo", keep_block=False)

    [_, bare] = records(app)
    assert (bare.mailchimp_done_at, bare.digest, bare.address) == (NOW + MINUTE, None, None)


def test_of_somebody_taken_over_who_left_the_evidence_and_the_block_are_found(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context(), writing() as session:
        ada = lock_person(session, Address.parse(ADA))
        act(ada, TakeOver(Reason.UNSUBSCRIBED, evidence="{}"))
    ask_staff(client, "erasures", ADA)

    [record] = records(app)
    assert record.found == ["address", "digest", "standing", "imported", "nonce", "block"]


def test_a_request_that_ends_is_erased_where_mailchimp_may_have_the_contact(
    app: Flask, client: FlaskClient, clock: time_machine.Traveller
) -> None:
    sign_up(client, ADA)
    with app.app_context(), writing() as session:
        session.execute(update(Subscription).values(audience="unsubscribed"))
    clock.shift(timedelta(days=7))
    reference = str(access(client, ADA)["reference"])
    with app.app_context():
        assert ending.expire(reference)

    [record] = records(app)
    assert (record.ref, record.actor, record.keep_block) == (reference, "retention", False)
    assert (record.found, len(record.case_id)) == (OF_A_SIGN_UP, 32)
    assert record.address is not None


def test_an_erasure_is_completed_by_mailchimp_and_then_in_the_file(
    app: Flask, client: FlaskClient
) -> None:
    ask_staff(client, "erasures", ADA)

    with app.app_context(), writing() as session:
        [record] = session.scalars(select(Erasure))
        record.error, record.file_done_at = "http 500", NOW
        erasures.complete_in_file(record, NOW)
        assert ends(record) == (None, NOW, None)
        erasures.complete_at_mailchimp(record, NOW + MINUTE)
        assert (*ends(record), record.deleted_at) == (NOW + MINUTE, None, None, NOW + MINUTE)
        assert {record.digest, record.address, record.error} == {None}
        erasures.complete_in_file(record, NOW + 2 * MINUTE)
        assert ends(record) == (NOW + MINUTE, NOW + 2 * MINUTE, NOW + 2 * MINUTE)


@pytest.mark.parametrize("settles_at", [None, NOW + MINUTE])
def test_the_answer_to_an_earlier_call_lets_the_erasure_go_on(
    app: Flask, client: FlaskClient, settles_at: datetime | None
) -> None:
    ask_staff(client, "erasures", ADA)

    with app.app_context(), writing() as session:
        [record] = session.scalars(select(Erasure))
        record.try_at = record.settles_at = NOW + 2 * MINUTE
        assert record.digest is not None
        erasures.record_answer(session, record.digest, settles_at)
        assert waits(record) == (settles_at, None)
        erasures.record_answer(session, bytes(32), settles_at)  # nobody's: nothing to record


def test_a_case_is_that_of_the_first_digest_with_an_open_erasure(app: Flask) -> None:
    with app.app_context(), writing() as session:
        for number in (1, 2):
            erasures.begin(
                session,
                ref=str(number) * 32,
                digest=bytes([number] * 32),
                address=Address.parse(ADA),
                actor="dpo",
                now=NOW,
                settles_at=None,
                found=[],
                keep_block=False,
                case_id=f"case {number}",
            )
        one, two, other = (bytes([number] * 32) for number in (1, 2, 3))

        assert erasures.case_id_for(session, [other, two, one]) == "case 2"
        assert erasures.case_id_for(session, [one, two]) == "case 1"
        new = {erasures.case_id_for(session, [other]) for _ in range(2)}
        assert {len(each) for each in new} == {32}
        assert len(new) == 2
        assert [each.ref for each in erasures.of_case(session, "case 2")] == ["2" * 32]


def test_the_erasures_of_a_case_are_in_the_order_of_their_requests(app: Flask) -> None:
    asked = [("c", 0), ("b", 2), ("a", 2), ("d", 1)]
    with app.app_context(), writing() as session:
        for id_, minute in asked:
            record = Erasure(id=id_, ref=id_, case_id="case", actor="dpo", found=[])
            record.requested_at = record.deleted_at = NOW + minute * MINUTE
            session.add(record)
            session.flush()

        assert [each.id for each in erasures.of_case(session, "case")] == ["c", "d", "a", "b"]
