"""Erasures on their way: gone here at once, tracked until Mailchimp has confirmed and the file holds nothing more."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter import keyring
from newsletter.address import Address
from newsletter.database import is_sqlite, reading
from newsletter.formatting import rfc3339
from newsletter.models import Erasure

COLUMN = "erasure.address"


def find_open(session: Session, digest: bytes) -> Erasure | None:
    """The erasure under way for an address."""
    query = select(Erasure).where(Erasure.digest == digest)
    return session.scalar(query.with_for_update())


def begin(
    session: Session,
    *,
    ref: str,
    digest: bytes,
    address: Address | None,
    actor: str,
    now: datetime,
    settles_at: datetime | None,
) -> Erasure:
    """Begin an erasure, or take up the one under way: a call in flight since then must settle, too."""
    erasure = find_open(session, digest)
    if erasure is None:
        id_ = secrets.token_hex(16)
        erasure = Erasure(id=id_, ref=ref, digest=digest, actor=actor, requested_at=now, tries=0)
        session.add(erasure)
    erasure.deleted_at = now
    erasure.file_done_at = erasure.try_at = None
    if settles_at is not None:
        erasure.settles_at = max(settles_at, erasure.settles_at or settles_at)
    if address is None and erasure.address is None:
        # A block that was a digest alone: its address went when Mailchimp was known not to have it.
        forgotten_there(erasure, now)
    if address is not None:
        erasure.address = keyring.current().encrypt(address.text, ref=erasure.id, column=COLUMN)
    return erasure


def nothing_in_flight(session: Session, digest: bytes, settles_at: datetime | None) -> None:
    """The call that was in flight when somebody was erased has been answered.

    `settles_at`: until when an earlier one may still be carried out, None if there is none.
    """
    erasure = find_open(session, digest)
    if erasure is not None:
        erasure.settles_at, erasure.try_at = settles_at, None


def address_of(erasure: Erasure) -> Address:
    """The address that Mailchimp is to forget."""
    assert erasure.address is not None  # noqa: S101 - tells mypy; it lives as long as the erasure is open
    return Address.as_held(
        keyring.current().decrypt(erasure.address, ref=erasure.id, column=COLUMN)
    )


def forgotten_there(erasure: Erasure, now: datetime) -> None:
    """Mailchimp has confirmed: address and digest end here, and where there is a file, it is cleaned of them."""
    erasure.mailchimp_done_at, erasure.error = now, None
    erasure.address = erasure.digest = None
    erasure.deleted_at = now
    if is_sqlite():
        erasure.file_done_at = None
    else:
        erasure.completed_at = now


def cleaned_from_file(erasure: Erasure, now: datetime) -> None:
    """SQLite's files hold nothing more of what was deleted before."""
    erasure.file_done_at = now
    if erasure.mailchimp_done_at is not None:
        erasure.completed_at = now


def find(id_: str) -> dict[str, object] | None:
    """An erasure as the admin sees it; None if there is none by this id."""
    with reading() as session:
        erasure = session.get(Erasure, id_)
        return None if erasure is None else as_json(erasure)


def as_json(erasure: Erasure) -> dict[str, object]:
    """The state of every place, without anything personal."""
    places = [
        {"place": "database", "state": "done", "reason": None},
        _place("mailchimp", erasure.mailchimp_done_at, erasure.error),
    ]
    if is_sqlite():
        places.append(_place("database file", erasure.file_done_at, None))
    return {
        "id": erasure.id,
        "status": "pending" if erasure.completed_at is None else "completed",
        "reference": erasure.ref,
        "requested_at": rfc3339(erasure.requested_at),
        "completed_at": rfc3339(erasure.completed_at) if erasure.completed_at else None,
        "keep_block": erasure.keep_block,
        "places": places,
    }


def _place(name: str, done_at: datetime | None, reason: str | None) -> dict[str, object]:
    if done_at is not None:
        return {"place": name, "state": "done", "reason": None}
    # What Mailchimp rejects outright is tried on, but somebody should look.
    is_rejected = reason is not None and reason.startswith("rejected")
    return {"place": name, "state": "failed" if is_rejected else "waiting", "reason": reason}
