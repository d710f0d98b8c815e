"""The report and the receipt of an erasure; those of a corrected address are one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter.domain.errors import WrongDocument
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring, signing
from newsletter.storage.models import Erasure, Subscription
from sandbox.mailbox import Mailbox
from sandbox.mailchimp import StandIn
from sandbox.mailchimp.answers import CARRIED_OUT_BUT_DROPPED
from tests.conftest import Clock, Drain, Join, on_postgresql
from tests.people import (
    ADA,
    GRACE,
    HEDY,
    STAFF,
    access,
    ask_staff,
    press,
    said_by,
    sign_up,
    status_of,
    webhook,
)
from tests.worker.crowd import is_erasure

Said = dict[str, Any]

pytestmark = pytest.mark.usefixtures("clock")


def erase(client: FlaskClient, email: str, **fields: Any) -> Said:
    return said_by(ask_staff(client, "erasures", email, **fields))


def look(client: FlaskClient, begun: Said) -> Said:
    return said_by(client.get(f"/admin/erasures/{begun['id']}", headers=STAFF))


def codes(report: Said) -> list[str]:
    return [kept["code"] for kept in report["kept"]]


@pytest.fixture
def done(client: FlaskClient, join: Join, drain: Drain) -> Said:
    """Ada, who had confirmed, is erased everywhere."""
    join(ADA)
    begun = erase(client, ADA)
    drain()
    return look(client, begun)


# The report


@pytest.mark.requires("R56")
def test_the_report_lists_what_is_deleted_where_and_what_is_pending(
    client: FlaskClient, join: Join
) -> None:
    join(ADA)

    [database, mailchimp, *_] = erase(client, ADA)["report"]["deleted"]

    assert (database["place"], database["at"] is None) == ("database", False)
    assert [it["code"] for it in database["what"]] == [
        *("address", "digest", "standing", "consent", "nonce", "letters", "quota")
    ]
    assert (mailchimp["place"], mailchimp["at"], mailchimp["what"]) == ("mailchimp", None, [])
    assert "noch nicht bekannt" in mailchimp["note"]


def test_while_it_is_open_the_address_is_kept_and_the_report_says_why(client: FlaskClient) -> None:
    kept = {it["code"]: it for it in erase(client, ADA)["report"]["kept"]}

    assert "Art. 19 DSGVO" in kept["address"]["articles"]
    assert kept["address"]["period"] == "bis die Löschung an jedem Ort erledigt ist"


def test_the_report_is_in_the_requested_language_and_the_receipt_in_both(
    client: FlaskClient, done: Said
) -> None:
    in_english = {**STAFF, "Accept-Language": "en"}

    told = said_by(client.get(f"/admin/erasures/{done['id']}", headers=in_english))

    articles = {it["code"]: it["articles"] for it in told["report"]["kept"]}
    assert articles["ledger"] == ["Art. 5(2) GDPR", "Art. 17(3)(e) GDPR"]
    assert told["report"]["rights"].startswith("The person who requested the deletion")
    assert done["report"]["rights"].startswith("Wer die Löschung verlangt hat")
    assert told["receipt"] == done["receipt"]


@pytest.mark.requires("R56")
def test_in_the_end_the_report_names_every_place_with_its_time_and_until_when_the_rest_is_kept(
    done: Said,
) -> None:
    kept = {it["code"]: it for it in done["report"]["kept"]}

    assert all(place["at"] for place in done["report"]["deleted"])
    assert [place["place"] for place in done["report"]["deleted"]] == [
        place["place"] for place in done["places"]
    ]
    assert list(kept) == ["ledger", "record", "backups"]
    assert kept["record"]["until"] == "2029-12-31"
    assert all(it["why"] and it["articles"] and it["period"] for it in kept.values())


def deleted_in(document: Said) -> dict[str, tuple[bool, list[str]]]:
    """Of every place, whether anybody was known there, and what is named as deleted."""
    return {
        it["place"]: (
            it["was_known"],
            [what if isinstance(what, str) else what["code"] for what in it["what"]],
        )
        for it in document["deleted"]
    }


CONTACT = ["contact", "activity"]


def test_of_somebody_nobody_knew_nothing_is_named_as_deleted(
    client: FlaskClient, join: Join, drain: Drain
) -> None:
    join(GRACE)
    begun = erase(client, ADA)
    drain()

    told = look(client, begun)

    for document in (told["report"], told["receipt"]):
        places = deleted_in(document)
        assert (places["database"], places["mailchimp"]) == ((False, []), (False, []))
    assert [it["note"] for it in told["report"]["deleted"]][:2] == [
        "Hier war unter dieser Adresse niemand bekannt.",
        "Mailchimp kannte zu dieser Adresse keinen Kontakt.",
    ]
    assert "Nobody was known here" in told["receipt"]["statement"]["en"]
    assert "Mailchimp knew no contact" in told["receipt"]["statement"]["en"]
    assert status_of(client, GRACE) == "confirmed"


def test_of_whom_mailchimp_alone_knew_its_contact_alone_is_named(
    client: FlaskClient, mailchimp: StandIn, drain: Drain
) -> None:
    mailchimp.add(ADA)
    begun = erase(client, ADA)
    drain()

    told = look(client, begun)

    for document in (told["report"], told["receipt"]):
        places = deleted_in(document)
        assert (places["database"], places["mailchimp"]) == ((False, []), (True, CONTACT))
    assert "The contact at Mailchimp was permanently deleted" in told["receipt"]["statement"]["en"]


def test_of_an_unconfirmed_sign_up_no_contact_is_named(client: FlaskClient, drain: Drain) -> None:
    sign_up(client, ADA)
    begun = erase(client, ADA)
    drain()

    places = deleted_in(look(client, begun)["receipt"])

    assert places["database"][0]
    assert places["mailchimp"] == (False, [])


def test_a_contact_is_named_though_the_answer_to_its_deletion_was_lost(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    begun = erase(client, ADA)
    mailchimp.answer_next(CARRIED_OUT_BUT_DROPPED, match=is_erasure)
    drain()
    clock.shift(timedelta(days=1))
    drain()

    told = look(client, begun)

    assert told["status"] == "completed"
    assert deleted_in(told["receipt"])["mailchimp"] == (True, CONTACT)


def test_of_a_block_that_was_a_digest_alone_no_address_and_no_e_mail_is_named(
    client: FlaskClient, drain: Drain
) -> None:
    erase(client, ADA, keep_block=True)
    drain()
    begun = erase(client, ADA)
    drain()

    places = deleted_in(look(client, begun)["receipt"])

    assert places["database"] == (True, ["digest", "standing", "block"])
    assert places["mailchimp"] == (False, [])


@pytest.mark.parametrize("number", ["id", "reference"])
def test_an_erasure_is_found_by_its_id_and_by_the_persons_reference(
    client: FlaskClient, done: Said, number: str
) -> None:
    assert look(client, {"id": done[number]}) == done


@pytest.mark.parametrize("keep_block", [True, False])
def test_a_block_is_listed_as_kept_or_deleted_never_both(
    client: FlaskClient, drain: Drain, keep_block: bool
) -> None:
    ask_staff(client, "blocks", ADA, reason="staff")
    begun = erase(client, ADA, keep_block=keep_block)
    drain()

    told = look(client, begun)

    for kept, [database, *_] in (
        (codes(told["report"]), told["report"]["deleted"]),
        (told["receipt"]["kept"], told["receipt"]["deleted"]),
    ):
        deleted = [it if isinstance(it, str) else it["code"] for it in database["what"]]
        assert ("block" in kept, "block" in deleted) == (keep_block, not keep_block)


def test_the_report_names_the_supervisory_authority(client: FlaskClient) -> None:
    report = erase(client, ADA)["report"]

    assert "Art. 77" in report["rights"]
    assert report["authority"] is None


def test_on_sqlite_the_file_is_a_place(client: FlaskClient) -> None:
    places = [place["place"] for place in erase(client, ADA)["report"]["deleted"]]

    assert places == ["database", "mailchimp", "database file"]


@on_postgresql
def test_on_postgresql_there_is_no_file(client: FlaskClient) -> None:
    places = [place["place"] for place in erase(client, ADA)["report"]["deleted"]]

    assert places == ["database", "mailchimp"]


# The receipt


def test_there_is_no_receipt_before_every_place_is_done(client: FlaskClient) -> None:
    assert erase(client, ADA)["receipt"] is None


def test_the_receipt_is_signed_by_our_key_and_names_the_persons_reference(
    app: Flask, client: FlaskClient, join: Join, drain: Drain
) -> None:
    join(ADA)
    reference = access(client, ADA)["reference"]
    begun = erase(client, ADA)
    drain()

    receipt = look(client, begun)["receipt"]

    with app.app_context():
        ours = keyring.current().signing_key.public_key()
    assert signing.fingerprint(signing.verify(receipt)) == signing.fingerprint(ours)
    assert (receipt["schema"], receipt["reference"]) == ("doi-erasure/1", reference)


def test_the_receipt_has_neither_name_nor_address_and_says_so_in_both_languages(done: Said) -> None:
    text = json.dumps(done["receipt"], ensure_ascii=False)

    assert "example" not in text.lower()
    assert {"de", "en"} == done["receipt"]["statement"].keys()
    assert done["receipt"]["kept"] == ["ledger", "record", "backups"]


def test_the_receipt_is_always_the_same(
    app: Flask, client: FlaskClient, done: Said, clock: Clock
) -> None:
    clock.shift(timedelta(days=400))
    app.extensions.pop("keyring")

    assert signing.canonical(look(client, done)["receipt"]) == signing.canonical(done["receipt"])


def test_a_receipt_that_was_changed_is_none(done: Said) -> None:
    with pytest.raises(WrongDocument):
        signing.verify({**done["receipt"], "completed_at": "2020-01-01T00:00:00Z"})


# The rows of a corrected address


@pytest.fixture
def pair(client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain) -> None:
    """Ada, who has confirmed, was corrected to Grace, who has confirmed, too."""
    join(ADA)
    ask_staff(client, "rectifications", ADA, new_email=GRACE)
    drain()
    assert press(client, mailbox, GRACE) == 200
    drain()


@pytest.mark.parametrize(("asked", "relative"), [(ADA, GRACE), (GRACE, ADA)])
def test_an_erasure_is_completed_only_when_that_of_the_corrected_address_is(
    app: Flask, client: FlaskClient, pair: None, drain: Drain, asked: str, relative: str
) -> None:
    begun = erase(client, asked)
    theirs = access(client, relative)["erasure_id"]
    with app.app_context(), writing() as session:
        later = datetime.now(UTC) + timedelta(minutes=5)
        session.execute(update(Erasure).where(Erasure.id == theirs).values(try_at=later, tries=20))
    drain()

    waiting = look(client, begun)
    assert begun["related"] == [theirs]
    assert (waiting["status"], waiting["receipt"]) == ("pending", None)
    assert {place["place"]: place["state"] for place in waiting["places"]}["mailchimp"] == "waiting"

    with app.app_context(), writing() as session:
        session.execute(update(Erasure).where(Erasure.id == theirs).values(try_at=None))
    drain()

    assert look(client, begun)["status"] == "completed"


def test_one_receipt_names_both_references(client: FlaskClient, pair: None, drain: Drain) -> None:
    references = {access(client, person)["reference"] for person in (ADA, GRACE)}
    begun = erase(client, ADA)
    drain()

    receipt = look(client, begun)["receipt"]

    assert {receipt["reference"], *receipt["related_references"]} == references


@pytest.mark.parametrize(("first", "second"), [(ADA, GRACE), (GRACE, ADA)])
def test_a_repeated_erasure_with_a_corrected_address_waits_for_both(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain, first: str, second: str
) -> None:
    mailchimp.refuse_key()
    early = erase(client, first)
    join(ADA)
    ask_staff(client, "rectifications", ADA, new_email=GRACE)

    late = erase(client, second)

    assert late["id"] in look(client, early)["related"]
    assert early["id"] in late["related"]


def test_the_receipt_after_a_new_sign_up_names_both_references(
    client: FlaskClient, join: Join, drain: Drain
) -> None:
    join(ADA)
    first = access(client, ADA)["reference"]
    begun = erase(client, ADA)
    sign_up(client, ADA)
    second = access(client, ADA)["reference"]
    again = erase(client, ADA, keep_block=True)
    [other] = again["related"]
    waiting = look(client, {"id": other})
    drain()
    done = [look(client, {"id": each}) for each in (begun["id"], other)]

    assert (again["id"], waiting["status"]) == (begun["id"], "pending")
    assert [each["keep_block"] for each in done] == [True, True]
    receipts = [each["receipt"] for each in done]
    assert [(it["reference"], it["related_references"]) for it in receipts] == [
        (first, [second]),
        (second, [first]),
    ]


def test_unrelated_people_are_erased_separately(client: FlaskClient) -> None:
    assert [erase(client, person)["related"] for person in (ADA, GRACE, HEDY)] == [[], [], []]


# Late calls of Mailchimp's webhook


LATE: list[dict[str, str]] = [
    {"type": "subscribe", "data_email": ADA},
    {"type": "profile", "data_email": ADA},
    {"type": "upemail", "data_old_email": ADA, "data_new_email": GRACE},
    {"type": "upemail", "data_old_email": GRACE, "data_new_email": ADA},
    {"type": "unsubscribe", "data_action": "unsub", "data_email": ADA},
    {"type": "unsubscribe", "data_action": "delete", "data_email": ADA},
    {"type": "unsubscribe", "data_reason": "abuse", "data_email": ADA},
    {"type": "cleaned", "data_reason": "hard", "data_email": ADA},
    {"type": "cleaned", "data_reason": "abuse", "data_email": ADA},
]


@pytest.mark.parametrize("when", ["while it is under way", "after it"])
def test_a_late_webhook_call_restores_nothing(
    app: Flask,
    client: FlaskClient,
    mailbox: Mailbox,
    mailchimp: StandIn,
    join: Join,
    drain: Drain,
    when: str,
) -> None:
    join(ADA)
    erase(client, ADA)
    if when == "after it":
        drain()
    letters = len(mailbox.letters)

    for call in LATE:
        assert webhook(client, data_list_id=mailchimp.list_id, **call).status_code == 204
        with app.app_context(), reading() as session:
            assert session.scalars(select(Subscription)).all() == [], call
    drain()

    assert [status_of(client, person) for person in (ADA, GRACE)] == ["unknown", "unknown"]
    assert (len(mailbox.letters), mailchimp.contacts) == (letters, {})
    with app.app_context(), reading() as session:
        assert session.scalars(select(Subscription)).all() == []


def test_a_late_call_does_not_lift_a_kept_block(
    client: FlaskClient, mailchimp: StandIn, join: Join, drain: Drain
) -> None:
    join(ADA)
    erase(client, ADA, keep_block=True)
    drain()

    webhook(client, type="subscribe", data_email=ADA, data_list_id=mailchimp.list_id)
    sign_up(client, ADA)
    drain()

    assert status_of(client, ADA) == "blocked"
