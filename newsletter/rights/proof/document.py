"""The documents about a consent: the proof for staff, and the receipt for the person.

Both are signed documents of one schema, which anyone can check with `newsletter proof verify` (check.py). They include
the ledger rows, with their seals, that confirm their contents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.clock import rfc3339
from newsletter.domain.errors import ExpiredLink, NobodyKnown, UnknownReference
from newsletter.domain.lifecycle import Event, Status
from newsletter.ledger import log
from newsletter.rights.proof.facts import rounds_of, sealed, wordings_of
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring, signing
from newsletter.storage.keys.signing import Document
from newsletter.storage.models import Erasure, LedgerRow, Subscription
from newsletter.subscriptions import erasures, takeover
from newsletter.subscriptions.family import family_of, lock_family
from newsletter.subscriptions.leave import unsubscribe_url
from newsletter.subscriptions.links import Link
from newsletter.subscriptions.person import (
    Known,
    address_of,
    digest_of,
    lock_person,
    lock_person_by_ref,
)
from newsletter.texts import legal

SCHEMA = "doi-consent/1"


def of(reference: str, *, actor: str) -> Document:
    """The signed proof under a reference number; raise UnknownReference if it has no events.

    The proof of an erased person contains only events. The view is recorded in the ledger.
    """
    with writing() as session:
        lock_family(session, reference)
        person = lock_person_by_ref(session, reference)
        proof = _proof(session, reference, person.row if person else None, actor)
        if proof is None:
            raise UnknownReference
        return proof


def of_address(address: Address, *, actor: str) -> Document:
    """The signed proof of the person with this address; raise NobodyKnown."""
    with writing() as session:
        by_address = Subscription.digest == digest_of(address)
        ref = session.scalar(select(Subscription.ref).where(by_address))
        if ref is not None:
            lock_family(session, ref)
        person = lock_person(session, address)
        row = person.row if isinstance(person, Known) else None
        erasure = erasures.find_open(session, person.digest) if row is None else None
        reference = row.ref if row else erasure.ref if erasure else None
        proof = _proof(session, reference, row, actor) if reference else None
        if proof is None:
            raise NobodyKnown
        return proof


def receipt(link: Link) -> Document:
    """The receipt of the consent behind a link; raise ExpiredLink if it was erased or withdrawn."""
    with reading() as session:
        # In this order: events read before the status cannot contradict it.
        events = _events(session, link.ref)
        row = session.get(Subscription, link.ref)
        if row is None:
            raise ExpiredLink
        if row.round != link.round or row.status is not Status.CONFIRMED:
            raise ExpiredLink(row.locale)
        return _receipt(session, row, [each for each in events if each.round == row.round])


def _receipt(session: Session, row: Subscription, events: Sequence[LedgerRow]) -> Document:
    """The signed receipt; only for the person, as it contains their unsubscribe link."""
    return _signed(
        {
            **_head("receipt"),
            **_about(session, row, row.ref, events, with_letters=False),
            **legal.consent_record(
                row, row.locale, config.current(), link=unsubscribe_url(row.ref)
            ),
        }
    )


def _proof(
    session: Session, reference: str, row: Subscription | None, actor: str
) -> Document | None:
    events = _events(session, reference)
    if not events:
        return None
    # The caller has locked the whole family, so that events and statuses agree.
    family = family_of(session, row) if row else []
    relatives = [known for ref in family if (known := session.get(Subscription, ref))]
    document = _signed(
        {
            **_head("proof"),
            **_about(session, row, reference, events, with_letters=True),
            "erasure_id": None if row else _erasure_id(session, reference),
            "related": [
                _about(session, each, each.ref, _events(session, each.ref), with_letters=True)
                for each in relatives
            ],
            **legal.consent_record(
                row,
                row.locale if row else config.current().default_locale,
                config.current(),
                is_taken_over=row is not None and takeover.is_present(row),
            ),
        }
    )
    _note_viewed(session, reference, row, actor)
    for relative in relatives:
        _note_viewed(session, relative.ref, relative, actor)
    return document


def _note_viewed(session: Session, reference: str, row: Subscription | None, actor: str) -> None:
    log.append(
        session,
        ref=reference,
        round=row.round if row else None,
        event=Event.VIEWED,
        at=clock.now(),
        actor=actor,
    )


def _head(kind: str) -> Document:
    return {
        "schema": SCHEMA,
        "conforms_to": legal.CONFORMS_TO,
        "kind": kind,
        "made_at": rfc3339(clock.now()),
    }


def _about(
    session: Session,
    row: Subscription | None,
    reference: str,
    events: Sequence[LedgerRow],
    *,
    with_letters: bool,
) -> Document:
    """The record of one address; without the address after an erasure."""
    address = address_of(row) if row else None
    return {
        "record_id": reference,
        "principal": {"id": reference, "email": address.text if address else None},
        "status": str(row.status if row else Status.UNKNOWN),
        "reason": str(row.reason) if row and row.reason else None,
        "since": rfc3339(row.since) if row else None,
        "follows": row.follows_ref if row else None,
        "rounds": rounds_of(session, events, with_letters=with_letters),
        "wordings": wordings_of(session, events),
        "commitment": _commitment(row, address),
        "imported": takeover.evidence_of(row) if row else None,
        "ledger": sealed(session, events),
    }


def _commitment(row: Subscription | None, address: Address | None) -> dict[str, Any] | None:
    """The nonce and address whose hash is the commitment of the rows."""
    if row is None or row.nonce is None or address is None:
        return None
    return {"algorithm": "SHA-256", "nonce": row.nonce.hex(), "address": address.key}


def _events(session: Session, reference: str) -> list[LedgerRow]:
    """The events without views, which prove nothing; the access export shows them."""
    events = log.events_of(session, reference)
    return [row for row in events if row.event is not Event.VIEWED]


def _erasure_id(session: Session, reference: str) -> str | None:
    query = select(Erasure.id).where(Erasure.ref == reference)
    return session.scalar(query.order_by(Erasure.requested_at.desc(), Erasure.id).limit(1))


def _signed(document: Document) -> Document:
    return signing.sign(document, keyring.signer())
