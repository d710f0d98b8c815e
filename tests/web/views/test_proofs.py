"""The proof of a consent for staff."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from newsletter.rights.proof import check
from newsletter.storage.database import writing
from newsletter.storage.keys import signing
from sandbox.mailbox import Mailbox
from tests.conftest import Clock, Drain, Join, sealing
from tests.people import (
    ADA,
    GRACE,
    STAFF,
    access,
    ask_staff,
    link_in,
    press,
    said_by,
    sign_up,
)
from tests.web.callers import BROWSER

pytestmark = sealing

PAUSE = timedelta(minutes=10)
DAY = timedelta(days=1)


def proof_of(client: FlaskClient, reference: str) -> dict[str, Any]:
    """The proof, which holds in every way that an outsider can look at."""
    answer = client.get(f"/admin/proofs/{reference}", headers=STAFF)
    assert answer.status_code == 200, answer.text
    assert check.check(answer.data).failed == []
    return said_by(answer)


def reference_of(client: FlaskClient, email: str = ADA) -> str:
    return str(access(client, email)["reference"])


def events(told: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in told]


@pytest.mark.requires("R33")
def test_it_contains_the_three_steps_with_their_times(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    clock.shift(1.5)
    drain()
    clock.shift(timedelta(hours=1))
    press(client, mailbox, ADA)

    [told] = proof_of(client, reference_of(client))["rounds"]

    assert [(step["event"], step["at"]) for step in told["steps"]] == [
        ("signup", "2026-03-01T12:00:00Z"),
        ("mail_sent", "2026-03-01T12:00:01.500000Z"),
        ("confirmed", "2026-03-01T13:00:01.500000Z"),
    ]
    assert (told["round"], told["state"], told["after"]) == (1, "given", [])


@pytest.mark.requires("R47")
def test_later_events_are_listed_with_their_round(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain, clock: Clock
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    drain()
    clock.shift(PAUSE)
    join(ADA)

    first, second = proof_of(client, reference_of(client))["rounds"]

    assert (first["state"], events(first["after"])) == (
        "withdrawn",
        ["synced", "blocked", "synced"],
    )
    assert first["after"][1]["reason"] == "unsubscribed"
    assert first["after"][1]["entity_id"] == "dpo"
    assert (second["round"], second["state"]) == (2, "given")
    assert events(second["steps"]) == ["signup", "mail_sent", "confirmed"]


@pytest.mark.requires("R34")
def test_it_has_the_words_agreed_to_in_full(client: FlaskClient, join: Join) -> None:
    join(ADA)

    proof = proof_of(client, reference_of(client))

    [full] = proof["wordings"]
    assert proof["rounds"][0]["wording"] == full["hash"]
    assert (full["language"], "neuen Werkzeugen für Tischler" in full["text"]) == ("de", True)


@pytest.mark.requires("R33", "R34")
@pytest.mark.parametrize(
    ("locale", "words"), [("de", "[Link nicht aufbewahrt]"), ("en", "[link not kept]")]
)
def test_it_shows_the_letter_as_it_was_sent_without_its_links(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, locale: str, words: str
) -> None:
    sign_up(client, ADA, locale=locale)
    drain()
    message = mailbox.letters[0].message
    plain = message.get_body(("plain",))
    assert plain is not None
    sent = plain.get_content().replace("\r\n", "\n")
    for purpose in ("confirm", "not-me"):
        sent = sent.replace(f"http://localhost:8000{link_in(message, purpose)}", words)

    proof = proof_of(client, reference_of(client))

    [letter] = proof["rounds"][0]["letters"]
    assert letter["text"].replace("\r\n", "\n") == sent
    assert letter["text"].count(words) == 2
    assert letter["subject"] == message["Subject"]
    assert letter["message_id"] == message["Message-ID"]
    assert letter["reply"].startswith("250")
    assert re.fullmatch("[0-9a-f]{64}", letter["template"])
    assert letter["values"]["recipient"] == "Ada@example.org"


def test_no_link_that_opens_anything_is_in_it(
    client: FlaskClient, mailbox: Mailbox, join: Join
) -> None:
    join(ADA)
    links = [link_in(mailbox.letters[0].message, purpose) for purpose in ("confirm", "not-me")]

    shown = client.get(f"/admin/proofs/{reference_of(client)}", headers=STAFF).text

    assert "/unsubscribe/" not in shown
    assert [link for link in links if link.rpartition("/")[2] in shown] == []


def test_unsealed_rows_are_marked_as_such(client: FlaskClient, join: Join) -> None:
    join(ADA)
    reference = reference_of(client)
    ask_staff(client, "blocks", ADA, reason="unsubscribed")

    entries = proof_of(client, reference)["ledger"]

    assert [entry["row"]["event"] for entry in entries if entry["seal"] is None] == ["blocked"]
    assert len(entries) == 5


def test_each_sealed_row_includes_the_previous_seal(client: FlaskClient, join: Join) -> None:
    join(GRACE)
    join(ADA)

    entries = proof_of(client, reference_of(client))["ledger"]

    positions = [entry["seal"]["position"] for entry in entries]
    assert positions == sorted(positions)
    assert positions[0] > 1
    assert entries[1]["seal"]["before"] == entries[0]["seal"]["seal"]


@pytest.mark.parametrize("reason", ["unsubscribed", "staff"])
def test_a_link_to_ones_own_data_breaks_no_later_consent(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock, reason: str
) -> None:
    """While somebody is blocked without a consent to prove, there is no nonce that could bind its row."""
    sign_up(client, ADA)
    drain()
    ask_staff(client, "blocks", ADA, reason=reason)
    clock.shift(PAUSE)
    client.post("/my-data", json={"email": ADA})
    drain()
    ask_staff(client, "lifts", ADA)
    clock.shift(PAUSE)
    sign_up(client, ADA)
    drain()
    press(client, mailbox, ADA)
    drain()

    *_, last = proof_of(client, reference_of(client))["rounds"]

    assert (last["state"], events(last["steps"])) == ("given", ["signup", "mail_sent", "confirmed"])


def test_the_status_agrees_with_the_rows(
    client: FlaskClient, mailbox: Mailbox, drain: Drain, clock: Clock
) -> None:
    """By the rows alone, through a whole life: each of these proofs holds."""
    stood = []

    def look() -> None:
        proof = proof_of(client, reference_of(client))
        stood.append((proof["status"], proof["reason"]))

    sign_up(client, ADA)
    look()
    drain()
    press(client, mailbox, ADA)
    look()
    for reason in ("unsubscribed", "complaint"):
        ask_staff(client, "blocks", ADA, reason=reason)
        look()
    ask_staff(client, "lifts", ADA)
    look()
    clock.shift(PAUSE)
    sign_up(client, ADA)
    look()
    clock.shift(8 * DAY)
    drain()
    look()

    assert stood == [
        ("pending", None),
        ("confirmed", None),
        ("blocked", "unsubscribed"),
        ("blocked", "complaint"),
        ("blocked", "unsubscribed"),
        ("returning", "unsubscribed"),
        ("blocked", "unsubscribed"),
    ]


def test_an_undeliverable_email_agrees_with_its_row(
    client: FlaskClient, mailbox: Mailbox, drain: Drain
) -> None:
    mailbox.answer_next("rcpt", "550 5.1.1 no such mailbox")
    sign_up(client, ADA)
    drain()

    [told] = proof_of(client, reference_of(client))["rounds"]

    assert (events(told["after"]), told["letters"][0]["sent_at"]) == (["mail_failed"], None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("letter SET sent_at = '2020-01-01 00:00:00.000000'", "No ledger row of round 1 agrees"),
        (
            "subscription SET since = '2020-01-01 00:00:00.000000'",
            "The time of the status does not agree",
        ),
        (
            "subscription SET status = 'blocked', reason = 'complaint'",
            "The status does not agree with the rows.",
        ),
    ],
)
def test_a_changed_database_cannot_produce_a_valid_proof(
    client: FlaskClient, app: Flask, join: Join, change: str, said: str
) -> None:
    join(ADA)
    reference = reference_of(client)
    with app.app_context(), writing() as session:
        session.execute(text(f"UPDATE {change}"))

    answer = client.get(f"/admin/proofs/{reference}", headers=STAFF)

    assert [wrong for wrong in check.check(answer.data).failed if said in wrong]


def test_another_address_is_not_the_one_it_is_bound_to(client: FlaskClient, join: Join) -> None:
    join(ADA)
    proof = proof_of(client, reference_of(client))
    assert proof["commitment"]["address"] == ADA.lower()

    proof["commitment"]["address"] = GRACE
    found = check.check(signing.canonical(proof))

    assert "The address is not the one that the rows are bound to." in found.failed
    assert sum("is not bound to the address" in wrong for wrong in found.failed) == 4


def test_it_names_controller_purpose_and_rights(client: FlaskClient, join: Join) -> None:
    join(ADA)

    proof = proof_of(client, reference_of(client))

    [purpose] = proof["purposes"]
    assert (proof["schema"], proof["conforms_to"]) == ("doi-consent/1", "ISO/IEC TS 27560:2023")
    assert "HRB 12345" in proof["controller"]["address"]
    assert "Muster & Söhne GmbH" in purpose["purpose"]
    assert "Mailchimp" in purpose["recipient_third_parties"][0]["name"]
    assert len(proof["privacy_rights"]) == 8


@pytest.mark.parametrize(
    ("locale", "words"), [("de", "bis zum Widerruf"), ("en", "until withdrawn")]
)
def test_its_words_are_in_the_language_of_the_consent(
    client: FlaskClient, drain: Drain, mailbox: Mailbox, locale: str, words: str
) -> None:
    sign_up(client, ADA, locale=locale)
    drain()
    press(client, mailbox, ADA)

    proof = proof_of(client, reference_of(client))

    assert proof["language"] == locale
    assert proof["purposes"][0]["validity_duration"] == words


def test_the_retention_depends_on_the_status(
    client: FlaskClient, drain: Drain, mailbox: Mailbox, clock: Clock
) -> None:
    kept = []
    sign_up(client, ADA, locale="en")
    drain()
    kept.append(proof_of(client, reference_of(client))["purposes"][0]["retention_period"])
    press(client, mailbox, ADA)
    kept.append(proof_of(client, reference_of(client))["purposes"][0]["retention_period"])
    ask_staff(client, "blocks", ADA, reason="unsubscribed")
    kept.append(proof_of(client, reference_of(client))["purposes"][0]["retention_period"])

    assert [each.partition(". The log of events stays;")[0] for each in kept] == [
        "deleted unless confirmed, by 9 March 2026, 13:00 (CET) at the latest",
        "until the consent is withdrawn; its proof until the end of the third calendar year after that "
        "(if withdrawn today, until 31 December 2029)",
        "until 31 December 2029, then deleted",
    ]


@pytest.mark.requires("R62")
def test_every_look_is_logged_and_changes_no_proof(client: FlaskClient, join: Join) -> None:
    join(ADA)
    reference = reference_of(client)

    first, again = proof_of(client, reference), proof_of(client, reference)

    looks = [event for event in access(client, ADA)["events"] if event["event"] == "viewed"]
    assert [look["actor"] for look in looks] == ["dpo"] * 4
    assert first["ledger"] == again["ledger"]


@pytest.mark.requires("R41", "R56")
def test_of_an_erased_person_only_the_events_remain(
    client: FlaskClient, app: Flask, join: Join, drain: Drain
) -> None:
    join(ADA)
    reference = reference_of(client)
    erasure = said_by(ask_staff(client, "erasures", ADA))
    drain()

    proof = proof_of(client, reference)

    assert (proof["principal"]["email"], proof["commitment"]) == (None, None)
    assert (proof["status"], proof["erasure_id"]) == ("unknown", erasure["id"])
    [told] = proof["rounds"]
    assert events(told["steps"]) == ["signup", "mail_sent", "confirmed"]
    assert (events(told["after"]), told["letters"]) == (["synced", "erased"], [])
    assert ADA.lower() not in json.dumps(proof).lower()


def test_of_an_expired_request_only_the_events_remain(
    client: FlaskClient, drain: Drain, clock: Clock
) -> None:
    sign_up(client, ADA)
    reference = reference_of(client)
    clock.shift(8 * DAY)
    drain()

    proof = proof_of(client, reference)

    [told] = proof["rounds"]
    assert (told["state"], proof["principal"]["email"]) == ("expired", None)


def test_a_block_of_an_unknown_address_is_shown(client: FlaskClient) -> None:
    ask_staff(client, "blocks", ADA, reason="staff")

    proof = proof_of(client, reference_of(client))

    [told] = proof["rounds"]
    assert (events(told["after"]), proof["reason"]) == (["blocked"], "staff")


def test_a_corrected_address_includes_the_earlier_one(
    client: FlaskClient, mailbox: Mailbox, join: Join, drain: Drain
) -> None:
    join(ADA)
    old = reference_of(client)
    ask_staff(client, "rectifications", ADA, new_email=GRACE)
    drain()
    press(client, mailbox, GRACE)

    proof = proof_of(client, reference_of(client, GRACE))

    [related] = proof["related"]
    assert (proof["principal"]["email"], proof["follows"]) == (GRACE, old)
    assert (related["record_id"], related["principal"]["email"]) == (old, "Ada@example.org")
    assert events(related["rounds"][0]["steps"]) == ["signup", "mail_sent", "confirmed"]
    viewed = [event for event in access(client, ADA)["events"] if event["event"] == "viewed"]
    assert len(viewed) == 3


@pytest.mark.parametrize("reference", ["0" * 32, "0", "x" * 5000, "ü", "%00", ADA])
def test_a_reference_that_nothing_happened_under_is_not_found(
    client: FlaskClient, reference: str
) -> None:
    answer = client.get(f"/admin/proofs/{reference}", headers=STAFF)

    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert said_by(answer)["type"].endswith("/problems#unknown-reference")


def test_without_a_token_it_is_not_revealed_whether_a_proof_exists(
    client: FlaskClient, join: Join
) -> None:
    join(ADA)
    paths = [f"/admin/proofs/{reference}" for reference in (reference_of(client), "0" * 32)]

    assert [client.get(path).status_code for path in paths] == [401, 401]


@pytest.mark.requires("R34")
@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (
            "de",
            (
                "Nachweis einer Einwilligung",
                "E-Mail versandt",
                "Bestätigt",
                "noch nicht versiegelt",
            ),
        ),
        ("en", ("Proof of a consent", "E-mail sent", "Confirmed", "not sealed yet")),
    ],
)
def test_a_browser_gets_a_page_to_print(
    client: FlaskClient, join: Join, locale: str, words: tuple[str, ...]
) -> None:
    join(ADA)
    ask_staff(client, "blocks", ADA, reason="complaint")
    path = f"/admin/proofs/{reference_of(client)}?locale={locale}"

    page = client.get(path, headers=STAFF | BROWSER)

    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert page.headers["Cache-Control"] == "no-store, no-transform"
    assert [each for each in words if each not in page.text] == []
    assert "Ada@example.org" in page.text
    assert "neuen Werkzeugen für Tischler" in page.text
    assert "250 " in page.text
    assert "<code>complaint" not in page.text


def test_the_page_of_an_erased_person_shows_what_remains(client: FlaskClient, join: Join) -> None:
    join(ADA)
    reference = reference_of(client)
    ask_staff(client, "erasures", ADA)

    page = client.get(f"/admin/proofs/{reference}?locale=en", headers=STAFF | BROWSER).text

    assert "no longer stored" in page
    assert "Deleted" in page
    assert "Widerruf" not in page
