"""The ledger: one row for each event, written in the transaction of the event.

It contains no address. A commitment binds the address to it: SHA-256 over a random 256-bit nonce and the address. The
nonce is stored with the subscription. As long as it exists the rows are pseudonymous. Once an erasure has deleted it,
we can attribute them to nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Event, Reason
from newsletter.storage import statements
from newsletter.storage.database import reading
from newsletter.storage.models import LedgerRow


def commitment(nonce: bytes, address: Address, evidence: str = "") -> bytes:
    """SHA-256 over nonce, address in lower case, and the evidence of a takeover; 32 octets."""
    return hashlib.sha256(nonce + address.key.encode() + evidence.encode()).digest()


def append(
    session: Session,
    *,
    ref: str,
    event: Event,
    at: datetime,
    round: int | None = None,
    reason: Reason | None = None,
    detail: str | None = None,
    wording: str | None = None,
    template: str | None = None,
    actor: str | None = None,
    commitment: bytes | None = None,
) -> None:
    """Append an event. `detail` is a code, never text from outside."""
    statements.append(
        session,
        LedgerRow,
        ref=ref,
        event=event,
        at=at,
        round=round,
        reason=reason,
        detail=detail,
        wording=wording,
        template=template,
        actor=actor,
        commitment=commitment,
    )


def events_of(session: Session, ref: str) -> Sequence[LedgerRow]:
    """All events of a reference number, in order."""
    return session.scalars(
        select(LedgerRow).where(LedgerRow.ref == ref).order_by(LedgerRow.id)
    ).all()


def time_of(session: Session, ref: str, round_: int, event: Event) -> datetime | None:
    """When an event first happened in a round."""
    return session.scalar(
        select(LedgerRow.at)
        .where(LedgerRow.ref == ref, LedgerRow.round == round_, LedgerRow.event == event)
        .order_by(LedgerRow.id)
        .limit(1)
    )


def newest_of(session: Session, ref: str, event: Event) -> LedgerRow | None:
    """The last row of an event of a reference number."""
    return session.scalar(
        select(LedgerRow)
        .where(LedgerRow.ref == ref, LedgerRow.event == event)
        .order_by(LedgerRow.id.desc())
        .limit(1)
    )


def is_taken_over(session: Session, ref: str) -> bool:
    """Whether a person was taken over from another system."""
    return newest_of(session, ref, Event.IMPORTED) is not None


def count(event: Event, *, actor: str | None = None) -> int:
    """How many rows an event has, from everybody or from one actor."""
    query = select(func.count()).where(LedgerRow.event == event)
    if actor is not None:
        query = query.where(LedgerRow.actor == actor)
    with reading() as session:
        return session.scalar(query) or 0
