"""Checks the ledger rows of a proof: their seals, and their binding to the address."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from newsletter.domain.clock import rfc3339
from newsletter.domain.lifecycle import Event
from newsletter.ledger import seals
from newsletter.ledger.consent_state import is_step
from newsletter.rights.proof.schema import Record, Row, Seal
from newsletter.storage.keys.signing import canonical


def failures_in(record: Record) -> Iterator[str]:
    """One sentence for each failed check."""
    yield from _wrong_rows(record)
    yield from _wrong_seals(record)
    yield from _wrong_commitments(record)


def _wrong_rows(record: Record) -> Iterator[str]:
    if record.principal.id != record.record_id:
        yield "It is about somebody else than its reference says."
    before = 0
    sealed = [entry.row.id for entry in record.ledger if entry.seal]
    for entry in record.ledger:
        row = entry.row
        if row.ref != record.record_id:
            yield f"Ledger row {row.id} stands under another reference."
        if row.id <= before:
            yield f"Ledger row {row.id} is not in its place."
        if entry.seal is None and sealed and row.id < sealed[-1]:
            yield f"Ledger row {row.id} has no seal, though a later one has."
        before = row.id


def _wrong_seals(record: Record) -> Iterator[str]:
    made: dict[int, str] = {0: seals.START.hex()}
    for entry in record.ledger:
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
    """The rows of a consent must be bound to the address; earlier ones may be bound by a deleted nonce."""
    commitment, email = record.commitment, record.principal.email
    rows = [entry.row for entry in record.ledger]
    is_taken_over = record.imported is not None
    given = {row.round for row in rows if row.event == Event.CONFIRMED}
    given |= {row.round for row in rows if row.event == Event.IMPORTED and is_taken_over}
    if commitment is None:
        if email is not None and given:
            yield "An address is named, but nothing binds the consent to it."
        return
    if (email or "").lower() != commitment.address:
        yield "The address is not the one that the rows are bound to."
    for row in rows:
        if row.round in given and not _is_bound(row, record):
            yield f"Ledger row {row.id} is not bound to the address: its commitment does not fit."


def _is_bound(row: Row, record: Record) -> bool:
    commitment = record.commitment
    if commitment is None:
        return False
    bound = hashlib.sha256(bytes.fromhex(commitment.nonce) + commitment.address.encode())
    if row.event == Event.IMPORTED and record.imported is not None:
        bound.update(canonical(record.imported))
    # Rows that are no step of a consent, such as a correction, need not be bound.
    is_free = row.commitment is None and not is_step(row)
    return is_free or row.commitment == bound.hexdigest()


def bound_rows(record: Record) -> int:
    """The number of rows bound to the address."""
    rows = [entry.row for entry in record.ledger if entry.row.commitment is not None]
    return sum(_is_bound(row, record) for row in rows)
