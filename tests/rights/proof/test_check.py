"""Checking a proof without us: every change is found and named."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain.address import Address
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import WrongDocument
from newsletter.domain.lifecycle import Event
from newsletter.ledger import log, seals
from newsletter.rights.proof import check
from newsletter.storage.keys import signing
from newsletter.storage.models import LedgerRow

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
REF, NOON = "0" * 32, datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
ADA, NONCE = Address.parse("Ada@example.org"), b"n" * 32
TEXT = "Ja, ich möchte …"
HASH = hashlib.sha256(f"de\n{TEXT}".encode()).hexdigest()
TEMPLATE = "7" * 64
HAPPENED = (Event.SIGNUP, Event.MAIL_SENT, Event.CONFIRMED, Event.SYNCED)

NO_ROW = "No ledger row of round 1 agrees with the e-mail of"

Document = dict[str, Any]
Change = Callable[[Document], None]


def rows() -> list[LedgerRow]:
    return [
        LedgerRow(
            id=number,
            at=NOON,
            ref=REF,
            round=1,
            event=event,
            wording=None if event is Event.SYNCED else HASH,
            template=None if event is Event.SYNCED else TEMPLATE,
            commitment=log.commitment(NONCE, ADA),
        )
        for number, event in enumerate(HAPPENED, 5)
    ]


def sealed() -> list[Document]:
    """The rows, all but the last with their seals."""
    entries: list[Document] = []
    before = b"b" * 32
    for position, row in enumerate(rows(), 3):
        told = seals.row_as_json(row)
        seal = seals.seal(before, position, NOON, told)
        place = {"position": position, "sealed_at": rfc3339(NOON), "before": before.hex()}
        entries.append({"row": told, "seal": {**place, "seal": seal.hex()}})
        before = seal
    entries[-1]["seal"] = None
    return entries


def event(row: LedgerRow) -> Document:
    states = {Event.SIGNUP: "requested", Event.CONFIRMED: "given"}
    told = {
        "event": str(row.event),
        "at": rfc3339(row.at),
        "row": row.id,
        "state": states.get(row.event),
        "entity_id": REF if row.event in states else "service",
        "wording": row.wording,
        "template": row.template,
    }
    return {name: value for name, value in told.items() if value is not None}


PROOF: Document = {
    "schema": "doi-consent/1",
    "kind": "proof",
    "record_id": REF,
    "principal": {"id": REF, "email": ADA.text},
    "status": "confirmed",
    "reason": None,
    "since": rfc3339(NOON),
    "rounds": [
        {
            "round": 1,
            "state": "given",
            "wording": HASH,
            "presumed": False,
            "steps": [event(row) for row in rows()[:3]],
            "after": [event(row) for row in rows()[3:]],
            "letters": [
                {
                    "kind": "confirmation",
                    "wording": HASH,
                    "template": TEMPLATE,
                    "sent_at": rfc3339(NOON),
                    "failed_at": None,
                    "error": None,
                    "text": "Guten Tag",
                }
            ],
        }
    ],
    "wordings": [{"hash": HASH, "language": "de", "text": TEXT}],
    "commitment": {"algorithm": "SHA-256", "nonce": NONCE.hex(), "address": ADA.key},
    "ledger": sealed(),
    "related": [],
}
FILE = signing.canonical(signing.sign(PROOF, KEY))


def test_a_proof_holds_as_it_was_made() -> None:
    found = check.check(FILE)

    assert found.failed == []
    assert found.key == KEY.public_key()
    assert "Ledger rows: 4, of which 3 are sealed and 1 are not sealed yet." in found.passed
    assert "Rows bound to the address: 4." in found.passed


def test_a_reformatted_file_is_still_valid() -> None:
    turned = json.dumps(dict(reversed(json.loads(FILE).items())), indent=2)

    assert check.check(turned.encode()).failed == []


@pytest.mark.parametrize("within", [b"", b'"principal":'])
def test_what_names_something_twice_can_be_read_in_two_ways_and_is_refused(within: bytes) -> None:
    before, after = FILE.split(within + b"{", 1)
    told = b'"email":"eve@example.org",' if within else b'"status":"blocked",'

    with pytest.raises(WrongDocument, match="twice"):
        check.check(before + within + b"{" + told + after)


def test_what_is_only_signed_is_named() -> None:
    assert (
        "Signed by the issuer, not sealed: kind, rounds.letters.text." in check.check(FILE).passed
    )


def test_a_key_that_is_given_is_compared() -> None:
    assert check.check(FILE, [KEY.public_key()]).failed == []
    assert check.check(FILE, [OTHER_KEY.public_key()]).failed == [
        "It is signed, but not by the key given."
    ]


def test_of_several_keys_one_has_to_be_the_signers() -> None:
    both = [OTHER_KEY.public_key(), KEY.public_key()]

    assert check.check(FILE, both).failed == []
    assert check.check(FILE, both[:1] * 2).failed == [
        "It is signed, but by none of the keys given."
    ]


def is_found(octets: bytes) -> bool:
    try:
        return bool(check.check(octets).failed)
    except WrongDocument:
        return True


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_one_flipped_byte_is_found_wherever_it_is(position: int, mask: int) -> None:
    flipped = bytearray(FILE)
    flipped[position] ^= mask

    assert is_found(bytes(flipped))


def test_every_changed_byte_is_detected() -> None:
    for position in range(len(FILE)):
        flipped = bytearray(FILE)
        flipped[position] ^= 1

        assert is_found(bytes(flipped)), position


@given(st.integers(0, len(FILE) - 1))
def test_what_is_cut_off_is_found(length: int) -> None:
    assert is_found(FILE[:length])


def change_row(document: Document) -> None:
    document["ledger"][1]["row"]["at"] = "2026-03-01T12:00:00Z"


def change_time_of_seal(document: Document) -> None:
    document["ledger"][1]["seal"]["sealed_at"] = "2026-03-01T12:00:02Z"


def change_time_to_no_time(document: Document) -> None:
    document["ledger"][1]["seal"]["sealed_at"] = "noon"


def change_place(document: Document) -> None:
    document["ledger"][1]["seal"]["position"] = 9


def unchain(document: Document) -> None:
    entry = document["ledger"][1]
    seal = entry["seal"]
    seal["before"] = "f" * 64
    made = seals.seal(bytes.fromhex(seal["before"]), seal["position"], NOON, entry["row"])
    seal["seal"] = made.hex()


def change_reference(document: Document) -> None:
    document["ledger"][3]["row"]["ref"] = "1" * 32


def change_address(document: Document) -> None:
    document["commitment"]["address"] = "grace@example.com"


def change_email(document: Document) -> None:
    document["principal"]["email"] = "grace@example.com"


def unbind(document: Document) -> None:
    document["ledger"][3]["row"]["commitment"] = "f" * 64


def change_text(document: Document) -> None:
    document["wordings"][0]["text"] += " Und mehr."


def take_text(document: Document) -> None:
    document["wordings"] = []


def name_another_text(document: Document) -> None:
    document["rounds"][0]["wording"] = None


def change_step(document: Document) -> None:
    document["rounds"][0]["steps"][0]["at"] = "2026-02-01T12:00:00Z"


def move_step(document: Document) -> None:
    document["rounds"][0]["round"] = 2


def make_step_up(document: Document) -> None:
    document["rounds"][0]["after"][0]["row"] = 99


def take_row(document: Document) -> None:
    document["rounds"][0]["after"] = []


def date_letter_back(document: Document) -> None:
    document["rounds"][0]["letters"][0]["sent_at"] = "2026-02-01T12:00:00Z"


def give_letter_another_text(document: Document) -> None:
    document["rounds"][0]["letters"][0]["wording"] = "f" * 64


def give_letter_another_kind(document: Document) -> None:
    document["rounds"][0]["letters"][0]["kind"] = "way_back"


def tell_a_letter_twice(document: Document) -> None:
    document["rounds"][0]["letters"] *= 2


def give_letter_up(document: Document) -> None:
    document["rounds"][0]["letters"][0] |= {"sent_at": None, "failed_at": rfc3339(NOON)}


def change_status(document: Document) -> None:
    document["status"] = "pending"


def change_reason(document: Document) -> None:
    document["reason"] = "complaint"


def change_since(document: Document) -> None:
    document["since"] = "2026-02-01T12:00:00Z"


def change_state(document: Document) -> None:
    document["rounds"][0]["state"] = "withdrawn"


def change_state_of_event(document: Document) -> None:
    document["rounds"][0]["steps"][0]["state"] = "given"


def change_actor(document: Document) -> None:
    document["rounds"][0]["steps"][2]["entity_id"] = "dpo"


def add_reason(document: Document) -> None:
    document["rounds"][0]["after"][0]["reason"] = "complaint"


def add_detail(document: Document) -> None:
    document["rounds"][0]["after"][0]["detail"] = "unsubscribed"


def hide_confirmation(document: Document) -> None:
    round_ = document["rounds"][0]
    round_["after"].insert(0, round_["steps"].pop())


def tell_twice(document: Document) -> None:
    document["rounds"][0]["steps"] *= 2


def take_commitment(document: Document) -> None:
    document["commitment"] = None


def change_person(document: Document) -> None:
    document["principal"]["id"] = "1" * 32


def take_seal(document: Document) -> None:
    document["ledger"][1]["seal"] = None


def swap_rows(document: Document) -> None:
    document["ledger"].reverse()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (change_row, "Ledger row 6: its seal does not fit."),
        (change_time_of_seal, "Ledger row 6: its seal does not fit."),
        (change_time_to_no_time, "Ledger row 6: its seal does not fit."),
        (change_place, "Ledger row 6: its seal does not fit."),
        (unchain, "Ledger row 6: its seal does not follow on the one before."),
        (change_reference, "Ledger row 8 stands under another reference."),
        (change_address, "Ledger row 5 is not bound to the address: its commitment does not fit."),
        (change_email, "The address is not the one that the rows are bound to."),
        (unbind, "Ledger row 8 is not bound to the address: its commitment does not fit."),
        (change_text, f"The consent text {HASH} is not the one that this hash names."),
        (take_text, "The consent text of round 1 is missing."),
        (name_another_text, "The consent text of round 1 is missing."),
        (change_step, "The event of ledger row 5 does not agree with the row."),
        (move_step, "Ledger row 7 belongs to another round."),
        (make_step_up, "The event of ledger row 99 does not agree with the row."),
        (take_row, "Ledger row 8 is not in any round."),
        (date_letter_back, f"{NO_ROW} 2026-02-01T12:00:00Z."),
        (give_letter_another_text, f"{NO_ROW} {rfc3339(NOON)}."),
        (give_letter_another_kind, f"{NO_ROW} {rfc3339(NOON)}."),
        (tell_a_letter_twice, f"{NO_ROW} {rfc3339(NOON)}."),
        (give_letter_up, f"{NO_ROW} {rfc3339(NOON)}."),
        (change_status, "The status does not agree with the rows."),
        (change_reason, "The status does not agree with the rows."),
        (change_since, "The time of the status does not agree with the rows."),
        (change_state, "The state of round 1 does not agree with its rows."),
        (change_state_of_event, "The event of ledger row 5 does not agree with the row."),
        (change_actor, "The event of ledger row 7 does not agree with the row."),
        (add_reason, "The event of ledger row 8 does not agree with the row."),
        (add_detail, "The event of ledger row 8 does not agree with the row."),
        (hide_confirmation, "Ledger row 7 is not in its place in round 1."),
        (tell_twice, "Ledger row 5 occurs more than once."),
        (take_commitment, "An address is named, but nothing binds the consent to it."),
        (change_person, "It is about somebody else than its reference says."),
        (take_seal, "Ledger row 6 has no seal, though a later one has."),
        (swap_rows, "Ledger row 7 is not in its place."),
    ],
)
def test_not_even_its_maker_can_change_it(change: Change, said: str) -> None:
    """With a signature that fits: what is wrong with it is named all the same."""
    document = copy.deepcopy(PROOF)
    change(document)

    found = check.check(signing.canonical(signing.sign(document, KEY)))

    assert said in found.failed


def test_without_the_signature_what_is_wrong_is_named_too() -> None:
    document = json.loads(FILE)
    change_row(document)

    assert check.check(signing.canonical(document)).failed[:2] == [
        "Its signature does not fit what it says.",
        "Ledger row 6: its seal does not fit.",
    ]


def test_the_earlier_address_is_checked_too() -> None:
    document = copy.deepcopy(PROOF)
    document["related"] = [copy.deepcopy(PROOF)]
    change_row(document["related"][0])

    found = check.check(signing.canonical(signing.sign(document, KEY)))

    assert "Ledger row 6: its seal does not fit." in found.failed


def test_bound_by_a_nonce_that_was_destroyed_a_request_proves_nothing_and_hurts_nothing() -> None:
    document = copy.deepcopy(PROOF)
    document["ledger"] = document["ledger"][:2]
    document["rounds"][0] |= {"steps": document["rounds"][0]["steps"][:2], "after": []}
    document["rounds"][0]["state"] = "requested"
    document["status"] = "pending"
    document["commitment"]["nonce"] = "f" * 64

    found = check.check(signing.canonical(signing.sign(document, KEY)))

    assert found.failed == []
    assert "Rows bound to the address: 0." in found.passed


def test_the_first_seal_of_all_follows_on_zeros() -> None:
    document = copy.deepcopy(PROOF)
    told = document["ledger"][0]["row"]
    seal = seals.seal(b"b" * 32, 1, NOON, told).hex()
    document["ledger"][0]["seal"] |= {"position": 1, "seal": seal}

    found = check.check(signing.canonical(signing.sign(document, KEY)))

    assert "Ledger row 5: its seal does not follow on the one before." in found.failed


def test_the_signature_of_an_erasure_receipt_is_checked() -> None:
    receipt = signing.sign({"schema": "doi-erasure/1", "reference": REF}, KEY)

    assert check.check(signing.canonical(receipt)).failed == []
    assert check.check(signing.canonical({**receipt, "reference": "1" * 32})).failed


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", "It is no JSON (line 1, column 1)."),
        (b"\xff", "It is no text in UTF-8 (octet 0)."),
        (b"[]", "It is no JSON object."),
        (b"{}", "It is neither a proof nor a receipt: its schema is not known here."),
        (b'{"schema":["doi-consent/1"]}', "It is neither a proof nor a receipt"),
        (b'{"schema":"doi-consent/1"}', "It is not made as a proof is: see record_id."),
        (b"[" * 100_000, "It is no JSON that can be read."),
        (b'{"a":' + b"9" * 5000 + b"}", "It is no JSON that can be read."),
        (
            FILE.replace(b'"position":3', b'"position":"3"'),
            "It is not made as a proof is: see ledger.0.seal.position.",
        ),
        (
            FILE.replace(b'"actor":null', b'"actor":null,"x":1'),
            "It is not made as a proof is: see ledger.0.row.x.",
        ),
    ],
)
def test_a_file_that_is_no_proof_gets_one_sentence(octets: bytes, said: str) -> None:
    with pytest.raises(WrongDocument) as caught:
        check.check(octets)

    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("text", ["\\ud800", "\\u0000"])
def test_what_is_no_text_is_found(text: str) -> None:
    assert is_found(FILE.replace(TEXT.encode(), text.encode()))
