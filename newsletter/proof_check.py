"""Checking a proof or a receipt without us: no database, no settings, nothing but the file and a published key.

What is looked at: the signature over all of it, each ledger row's seal and its place in the chain, that the rows are
bound to the address, and that each consent text is the one its hash names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from newsletter import seals, signing
from newsletter.errors import WrongDocument
from newsletter.formatting import rfc3339
from newsletter.proof_document import Commitment, Consent, Record, Round, Row, Seal

_STEPS = ("signup", "mail_sent", "confirmed")


@dataclass
class Findings:
    """What was looked at and held, and what did not; `key` is whose signature it is, if that fits."""

    held: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    key: Ed25519PublicKey | None = None


def check(octets: bytes, trusted: Ed25519PublicKey | None = None) -> Findings:
    """Look at a file; raise WrongDocument where it is none that can be looked at.

    `trusted` is the issuer's key, if the caller has it from them.
    """
    document = _read(octets)
    found = Findings()
    _look_at_signature(document, trusted, found)
    match document.get("schema"):
        case "doi-consent/1":
            consent = _parse(document)
            for record in (consent, *consent.related):
                found.wrong += _wrong_with(record)
            found.held += _in_words(consent)
        case "doi-erasure/1":
            pass  # all that it says is signed
        case _:
            raise WrongDocument(
                "It is neither a proof nor a receipt: its schema is not known here."
            )
    return found


def _read(octets: bytes) -> dict[str, Any]:
    try:
        document = json.loads(octets.decode())
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise WrongDocument(f"It is no JSON ({where}).") from error
    except UnicodeDecodeError as error:
        raise WrongDocument(f"It is no text in UTF-8 (octet {error.start}).") from error
    except (ValueError, RecursionError) as error:
        raise WrongDocument("It is no JSON that can be read.") from error
    if not isinstance(document, dict):
        raise WrongDocument("It is no JSON object.")
    return document


def _look_at_signature(
    document: dict[str, Any], trusted: Ed25519PublicKey | None, found: Findings
) -> None:
    try:
        found.key = signing.verify(document)
    except WrongDocument as error:
        found.wrong.append(str(error))
        return
    if trusted is None:
        found.held.append("The signature fits all that it says.")
    elif found.key == trusted:
        found.held.append("The signature fits all that it says, and is by the key given.")
    else:
        found.wrong.append("It is signed, but not by the key given.")


def _parse(document: dict[str, Any]) -> Consent:
    try:
        return Consent.model_validate(document)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        raise WrongDocument(f"It is not made as a proof is: see {where}.") from error


def _wrong_with(record: Record) -> Iterator[str]:
    """What does not hold, row by row and text by text."""
    yield from _wrong_seals(record)
    yield from _wrong_commitments(record)
    yield from _wrong_texts(record)
    yield from _wrong_rounds(record)


def _wrong_seals(record: Record) -> Iterator[str]:
    made: dict[int, str] = {0: seals.START.hex()}
    for entry in record.ledger:
        if entry.row.ref != record.record_id:
            yield f"Ledger row {entry.row.id} stands under another reference."
        if entry.seal is None:
            continue
        if not _fits(entry.row, entry.seal):
            yield f"Ledger row {entry.row.id}: its seal does not fit."
        made[entry.seal.position] = entry.seal.seal
    for entry in record.ledger:
        if entry.seal and made.get(entry.seal.position - 1, entry.seal.before) != entry.seal.before:
            yield f"Ledger row {entry.row.id}: its seal does not follow on the one before."


def _fits(row: Row, seal: Seal) -> bool:
    try:
        sealed_at = datetime.fromisoformat(seal.sealed_at)
        made = seals.seal(bytes.fromhex(seal.before), seal.position, sealed_at, row.model_dump())
    except ValueError:
        return False
    return made.hex() == seal.seal and rfc3339(sealed_at) == seal.sealed_at


def _wrong_commitments(record: Record) -> Iterator[str]:
    """Rows of a consent are bound to the address; those before it may be bound by a nonce that was destroyed."""
    commitment, email = record.commitment, record.principal.email
    if commitment is None:
        return
    if (email or "").lower() != commitment.address:
        yield "The address is not the one that the rows are bound to."
    given = {round_.round for round_ in record.rounds if _confirmed_text(round_)}
    for entry in record.ledger:
        if entry.row.round in given and not _is_bound(entry.row, commitment):
            yield f"Ledger row {entry.row.id} is not bound to the address: its commitment does not fit."


def _is_bound(row: Row, commitment: Commitment) -> bool:
    bound = hashlib.sha256(bytes.fromhex(commitment.nonce) + commitment.address.encode())
    # What is no step of a consent, such as a correction, need not be bound.
    is_free = row.commitment is None and row.event not in _STEPS
    return is_free or row.commitment == bound.hexdigest()


def _confirmed_text(round_: Round) -> str | None:
    """The text that was agreed to, where one was."""
    named = [step.wording for step in round_.steps if step.event == "confirmed"]
    return named[-1] if named else None


def _wrong_texts(record: Record) -> Iterator[str]:
    for text in record.wordings:
        if hashlib.sha256(f"{text.language}\n{text.text}".encode()).hexdigest() != text.hash:
            yield f"The consent text {text.hash} is not the one that this hash names."


def _wrong_rounds(record: Record) -> Iterator[str]:
    """What the rounds tell is what the rows say, all of it."""
    rows = {entry.row.id: entry.row for entry in record.ledger}
    texts = {text.hash for text in record.wordings}
    told: set[int] = set()
    for round_ in record.rounds:
        for event in (*round_.steps, *round_.after):
            told.add(event.row)
            row = rows.get(event.row)
            said = (event.event, event.at, event.wording)
            if row is None or said != (row.event, row.at, row.wording):
                yield f"What is told of ledger row {event.row} is not what that row says."
            elif event in round_.steps and row.round != round_.round:
                yield f"Ledger row {event.row} belongs to another round."
        agreed = _confirmed_text(round_)
        if agreed is not None and (agreed != round_.wording or agreed not in texts):
            yield f"The text that was agreed to in round {round_.round} is not there."
    for missing in sorted(rows.keys() - told):
        yield f"Nothing is told of ledger row {missing}."


def _in_words(consent: Consent) -> list[str]:
    records = (consent, *consent.related)
    entries = [entry for record in records for entry in record.ledger]
    sealed = sum(entry.seal is not None for entry in entries)
    waiting = len(entries) - sealed
    return [
        f"Ledger rows: {len(entries)}, of which {sealed} are sealed and {waiting} are not sealed yet.",
        f"Rows bound to the address: {sum(map(_bound_rows, records))}.",
        f"Consent texts: {sum(len(record.wordings) for record in records)}.",
    ]


def _bound_rows(record: Record) -> int:
    commitment = record.commitment
    rows = [entry.row for entry in record.ledger if entry.row.commitment is not None]
    return sum(_is_bound(row, commitment) for row in rows) if commitment else 0
