"""Records of erasures: rows are deleted at once, Mailchimp and SQLite's file follow.

A person whose address was corrected has several subscriptions and so several erasures, which form one case and are
shown as one. So do the erasures of a person who signed up again before the first was completed.
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
    """The open erasure of an address."""
    query = select(Erasure).where(Erasure.digest == digest)
    return session.scalar(query.with_for_update())


def case_id_for(session: Session, digests: Sequence[bytes]) -> str:
    """The case of the first digest that has an open erasure, or a new case."""
    query = select(Erasure.digest, Erasure.case_id).where(Erasure.digest.in_(digests))
    case_ids = {each.digest: each.case_id for each in session.execute(query)}
    cases = [case_ids[digest] for digest in digests if digest in case_ids]
    return cases[0] if cases else secrets.token_hex(16)


def what_exists(session: Session, row: Subscription | None, quota_digest: bytes) -> list[str]:
    """Codes of what is stored of an address; an erasure names these as deleted."""
    has_quota = session.scalar(select(exists().where(Quota.digest == quota_digest)))
    held = {QUOTA: has_quota}
    if row is not None:
        held = {
            "address": row.address is not None,
            "digest": True,
            SUBSCRIPTION: True,
            "consent": row.wording is not None,
            "imported": row.imported is not None,
            "nonce": row.nonce is not None,
            "letters": session.scalar(select(exists().where(Letter.ref == row.ref))),
            **held,
            "block": row.reason is not None,
        }
    return [code for code, is_held in held.items() if is_held]


def of_case(session: Session, case_id: str) -> Sequence[Erasure]:
    """All erasures of a case, in the order of the requests."""
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
    keep_block: bool,
    case_id: str | None,
) -> Erasure:
    """Begin an erasure, or add to the open one; `settles_at`: until when an earlier call may still take effect."""
    erasure = find_open(session, digest)
    if erasure is None:
        case_id = case_id or secrets.token_hex(16)
        erasure = _new(case_id, ref=ref, actor=actor, now=now, found=found)
        erasure.digest = digest
        session.add(erasure)
    erasure.keep_block = bool(erasure.keep_block or keep_block)
    if erasure.ref != ref:
        _add_reference(session, erasure, ref=ref, actor=actor, now=now, found=found)
    erasure.deleted_at = now
    erasure.file_done_at = erasure.try_at = None
    if settles_at is not None:
        erasure.settles_at = max(settles_at, erasure.settles_at or settles_at)
    if address is None and erasure.address is None:
        # A block without the address: that was deleted once Mailchimp was known not to have the contact.
        complete_at_mailchimp(erasure, now)
    if address is not None:
        erasure.address = keyring.current().encrypt(address.text, ref=erasure.id, column=COLUMN)
    return erasure


def _add_reference(
    session: Session,
    present: Erasure,
    *,
    ref: str,
    actor: str,
    now: datetime,
    found: list[str],
) -> None:
    """Record the further reference number of a person who signed up again during an erasure, for the receipt.

    The contact at Mailchimp is the same: the present erasure deletes it, and the added one has nothing to wait for.
    """
    other = _new(present.case_id, ref=ref, actor=actor, now=now, found=found)
    other.keep_block = present.keep_block
    session.add(other)
    complete_at_mailchimp(other, now)


def _new(case_id: str, *, ref: str, actor: str, now: datetime, found: list[str]) -> Erasure:
    return Erasure(
        id=secrets.token_hex(16),
        case_id=case_id,
        ref=ref,
        actor=actor,
        requested_at=now,
        found=found,
    )


def record_answer(session: Session, digest: bytes, settles_at: datetime | None) -> None:
    """Record that a call made before the erasure was answered.

    `settles_at`: until when another one may still take effect; None: there is none.
    """
    erasure = find_open(session, digest)
    if erasure is not None:
        erasure.settles_at, erasure.try_at = settles_at, None


def address_of(erasure: Erasure) -> Address:
    """The address to erase at Mailchimp."""
    assert erasure.address is not None  # noqa: S101 - tells mypy; it is kept as long as the erasure is open
    return Address.parse_leniently(
        keyring.current().decrypt(erasure.address, ref=erasure.id, column=COLUMN)
    )


def complete_at_mailchimp(erasure: Erasure, now: datetime) -> None:
    """Record that Mailchimp has confirmed, and delete address and digest; SQLite's file is cleaned of them later."""
    erasure.mailchimp_done_at, erasure.error = now, None
    erasure.address = erasure.digest = None
    erasure.deleted_at = now
    if is_sqlite():
        erasure.file_done_at = None
    else:
        erasure.completed_at = now


def complete_in_file(erasure: Erasure, now: datetime) -> None:
    """Record that SQLite's files hold nothing of what was deleted."""
    erasure.file_done_at = now
    if erasure.mailchimp_done_at is not None:
        erasure.completed_at = now
