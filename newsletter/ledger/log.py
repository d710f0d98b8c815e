"""The consent log: one row for each thing that has happened, in the transaction in which it happened.

Nothing personal stands in it. The address is bound to it by a commitment, SHA-256 over a random 256-bit nonce and the
address; the nonce lives with the subscription, and when erasing destroys it, nobody can tell whose row it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Event, Reason
from newsletter.storage import statements
from newsletter.storage.models import LedgerRow


def commitment(nonce: bytes, address: Address) -> bytes:
    """Bind an address, in lower case, without naming it."""
    return hashlib.sha256(nonce + address.key.encode()).digest()


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
    actor: str | None = None,
    commitment: bytes | None = None,
) -> None:
    """Write down that something has happened. `detail` is a code, never text that came from outside."""
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
        actor=actor,
        commitment=commitment,
    )


def events_of(session: Session, ref: str) -> Sequence[LedgerRow]:
    """All that has happened under a reference, in order."""
    return session.scalars(
        select(LedgerRow).where(LedgerRow.ref == ref).order_by(LedgerRow.id)
    ).all()


def time_of(session: Session, ref: str, round_: int, event: Event) -> datetime | None:
    """When something first happened in a round."""
    return session.scalar(
        select(LedgerRow.at)
        .where(LedgerRow.ref == ref, LedgerRow.round == round_, LedgerRow.event == event)
        .order_by(LedgerRow.id)
        .limit(1)
    )


def newest_of(session: Session, ref: str, event: Event) -> LedgerRow | None:
    """What is written down of the last time that something happened under a reference."""
    return session.scalar(
        select(LedgerRow)
        .where(LedgerRow.ref == ref, LedgerRow.event == event)
        .order_by(LedgerRow.id.desc())
        .limit(1)
    )
