"""Inquiries of staff about addresses that are unknown here; the worker asks Mailchimp and DNS.

The ledger records each under the inquiry's own number, which leads to nobody once the inquiry is deleted.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from newsletter.domain import clock
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Event, MailchimpStatus
from newsletter.ledger import log
from newsletter.storage.database import lock, reading, writing
from newsletter.storage.keys import keyring
from newsletter.storage.models import Inquiry
from newsletter.subscriptions.person import digest_of

COLUMN = "inquiry.address"


@dataclass(frozen=True)
class Answer:
    """What is known so far; None where there is no answer yet."""

    id: str
    address: Address
    asked_at: datetime
    place: MailchimpStatus | None
    error: str | None
    has_mail_server: bool | None


def begin(address: Address, *, actor: str) -> str:
    """Begin an inquiry about an address unless there is one; its id."""
    digest = digest_of(address)
    now = clock.now()
    with writing() as session:
        lock(session, digest)
        inquiry = session.scalar(select(Inquiry).where(Inquiry.digest == digest))
        if inquiry is None:
            id_ = secrets.token_hex(16)
            sealed = keyring.current().encrypt(address.text, ref=id_, column=COLUMN)
            inquiry = Inquiry(id=id_, digest=digest, address=sealed, actor=actor, asked_at=now)
            session.add(inquiry)
        log.append(session, ref=inquiry.id, event=Event.VIEWED, at=now, actor=actor)
        return inquiry.id


def find(id_: str) -> Answer | None:
    """An inquiry; None if it does not exist, or no longer."""
    with reading() as session:
        inquiry = session.get(Inquiry, id_)
    if inquiry is None:
        return None
    return Answer(
        inquiry.id,
        address_of(inquiry),
        inquiry.asked_at,
        inquiry.place,
        inquiry.error,
        inquiry.has_mail_server,
    )


def address_of(inquiry: Inquiry) -> Address:
    """The decrypted address; raise Unreadable."""
    return Address.unchecked(
        keyring.current().decrypt(inquiry.address, ref=inquiry.id, column=COLUMN)
    )
