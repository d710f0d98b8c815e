"""Erasures on their way: gone here at once, tracked until Mailchimp has confirmed and the file holds nothing more.

A person whose address was corrected has several rows, and is erased in all of them: these erasures are one case, and
shown as one. So are those of somebody who came back before the first was completed.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from newsletter.domain.address import Address
from newsletter.storage.database import is_sqlite
from newsletter.storage.keys import keyring
from newsletter.storage.models import Erasure, Letter, Quota, Subscription

COLUMN = "erasure.address"
SUBSCRIPTION, QUOTA = "standing", "quota"


def find_open(session: Session, digest: bytes) -> Erasure | None:
    """The erasure under way for an address."""
    query = select(Erasure).where(Erasure.digest == digest)
    return session.scalar(query.with_for_update())


def case_id_for(session: Session, digests: Sequence[bytes]) -> str:
    """Id shared by all erasures of one person: of one under way (the first digest's before others'), or a new one."""
    query = select(Erasure.digest, Erasure.case_id).where(Erasure.digest.in_(digests))
    under_way = {each.digest: each.case_id for each in session.execute(query)}
    cases = [under_way[digest] for digest in digests if digest in under_way]
    return cases[0] if cases else secrets.token_hex(16)


def what_exists(session: Session, row: Subscription | None, quota_digest: bytes) -> list[str]:
    """Codes of what is held here of an address: all that an erasure may name as deleted."""
    has_quota = session.scalar(select(exists().where(Quota.digest == quota_digest)))
    held = {QUOTA: has_quota}
    if row is not None:
        held = {
            "address": row.address is not None,
            "digest": True,
            SUBSCRIPTION: True,
            "consent": row.wording is not None,
            "nonce": row.nonce is not None,
            "letters": session.scalar(select(exists().where(Letter.ref == row.ref))),
            **held,
            "block": row.reason is not None,
        }
    return [code for code, is_held in held.items() if is_held]


def of_case(session: Session, case_id: str) -> Sequence[Erasure]:
    """All erasures of one person, in the order in which they were asked for."""
    query = select(Erasure).where(Erasure.case_id == case_id)
    return session.scalars(query.order_by(Erasure.requested_at, Erasure.id)).all()


def begin(
    session: Session,
    *,
    ref: str,
    digest: bytes,
    address: Address | None,
    actor: str,
    now: datetime,
    settles_at: datetime | None,
    found: list[str],
    keep_block: bool = False,
    case_id: str | None = None,
) -> Erasure:
    """Begin an erasure, or take up the open one; `settles_at`: until when a call in flight may still be carried out."""
    erasure = find_open(session, digest)
    if erasure is None:
        case_id = case_id or secrets.token_hex(16)
        erasure = _new(case_id, ref=ref, actor=actor, now=now, found=found)
        erasure.digest = digest
        session.add(erasure)
    erasure.keep_block = bool(erasure.keep_block or keep_block)
    if erasure.ref != ref:
        _note_other_reference(session, erasure, ref=ref, actor=actor, now=now, found=found)
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


def _note_other_reference(
    session: Session,
    under_way: Erasure,
    *,
    ref: str,
    actor: str,
    now: datetime,
    found: list[str],
) -> None:
    """Who came back while they were being erased had a new reference: their letters name it, and so does the receipt.

    What Mailchimp is to forget is the same contact, so that nothing waits for this one: it is done with the other.
    """
    other = _new(under_way.case_id, ref=ref, actor=actor, now=now, found=found)
    other.keep_block = under_way.keep_block
    session.add(other)
    forgotten_there(other, now)


def _new(case_id: str, *, ref: str, actor: str, now: datetime, found: list[str]) -> Erasure:
    return Erasure(
        id=secrets.token_hex(16),
        case_id=case_id,
        ref=ref,
        actor=actor,
        requested_at=now,
        tries=0,
        found=found,
        found_at_mailchimp=False,
    )


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
