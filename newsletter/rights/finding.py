"""Finds a person or an erasure for staff: by address, reference number, or the number of an erasure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from newsletter.domain.address import Address
from newsletter.storage.database import reading
from newsletter.storage.models import Erasure, Subscription
from newsletter.subscriptions.person import digest_of


@dataclass(frozen=True)
class Found:
    """The reference number of a person, or the id of an erasure."""

    kind: Literal["person", "erasure"]
    number: str


def find(text: str) -> Found | None:
    """Whom a text names; None if nobody is known here. Raise InvalidAddress for a text with an @ that is no address."""
    with reading() as session:
        if "@" in text:
            return _by_address(session, Address.parse_leniently(text))
        return _by_number(session, "".join(text.split()).lower())


def _by_address(session: Session, address: Address) -> Found | None:
    digest = digest_of(address)
    ref = session.scalar(select(Subscription.ref).where(Subscription.digest == digest))
    if ref is not None:
        return Found("person", ref)
    id_ = session.scalar(select(Erasure.id).where(Erasure.digest == digest))
    return None if id_ is None else Found("erasure", id_)


def _by_number(session: Session, number: str) -> Found | None:
    if session.scalar(select(Subscription.ref).where(Subscription.ref == number)) is not None:
        return Found("person", number)
    has_number = or_(Erasure.id == number, Erasure.ref == number)
    newest = select(Erasure.id).where(has_number).order_by(Erasure.requested_at.desc()).limit(1)
    id_ = session.scalar(newest)
    return None if id_ is None else Found("erasure", id_)
