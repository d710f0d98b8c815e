"""Somebody to whom something is done: found by address or by reference, their address locked, known or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, object_session

from newsletter import config
from newsletter.domain import clock, periods
from newsletter.domain.address import Address
from newsletter.domain.errors import NobodyKnown
from newsletter.domain.lifecycle import NOBODY, MailchimpStatus, Standing, Status
from newsletter.ledger import log
from newsletter.storage.database import lock, lock_by_ref
from newsletter.storage.keys import keyring
from newsletter.storage.models import LetterKind, Subscription
from newsletter.subscriptions import letters
from newsletter.subscriptions.quota import Quota, digest_for

ADDRESS_COLUMN = "subscription.address"
OPEN = frozenset({Status.PENDING, Status.RETURNING})

# Built once, as they are asked for whatever anybody does.
_BY_DIGEST = (
    select(Subscription).where(Subscription.digest == bindparam("digest")).with_for_update()
)
_BY_REF = select(Subscription).where(Subscription.ref == bindparam("ref")).with_for_update()


@dataclass(kw_only=True)
class Person:
    """An address that nobody else acts on until the transaction ends: Known or Unknown."""

    session: Session
    digest: bytes
    address: Address | None  #: None where only its digest is left
    now: datetime
    quota: Quota

    @property
    def standing(self) -> Standing:
        """Where they stand, as the table wants to know it."""
        return NOBODY

    def with_row(self, row: Subscription) -> Known:
        """The same address, with a subscription."""
        return Known(
            session=self.session,
            digest=self.digest,
            address=self.address,
            now=self.now,
            quota=self.quota,
            row=row,
        )

    def without_row(self, locale: str | None) -> Unknown:
        """The same address, whose subscription, if any, was deleted."""
        return Unknown(
            session=self.session,
            digest=self.digest,
            address=self.address,
            now=self.now,
            quota=self.quota,
            locale=locale,
        )


@dataclass(kw_only=True)
class Unknown(Person):
    """An address without a subscription."""

    locale: str | None = None  #: of whom was known until now


@dataclass(kw_only=True)
class Known(Person):
    """The owner of a subscription."""

    row: Subscription

    @property
    def standing(self) -> Standing:
        """The same of a row."""
        return standing_of(self.row, self.now)

    @property
    def is_overdue(self) -> bool:
        """Tell whether their request was to be confirmed before now."""
        return self.row.expires_at is not None and self.row.expires_at <= self.now

    def write(self, kind: LetterKind, *, wording: str) -> None:
        """Write a letter, which counts; `wording` is the hash of the consent text that it is about."""
        letter = letters.write(self.session, self.row, kind, wording=wording, now=self.now)
        self.quota.count(letter)

    def tell_way_back(self) -> None:
        """Write how to come back to Mailchimp."""
        assert self.row.wording is not None  # noqa: S101 - tells mypy; they confirmed
        self.write(LetterKind.WAY_BACK, wording=self.row.wording)


def meet(session: Session, address: Address) -> Person:
    """Find somebody by address and let nobody else act on them."""
    digest = digest_of(address)
    lock(session, digest)
    row = session.scalar(_BY_DIGEST, {"digest": digest})
    if row is not None:
        return known_by(session, row, address)
    now = clock.now()
    quota = Quota(session, digest, address, now)
    return Unknown(session=session, digest=digest, address=address, now=now, quota=quota)


def meet_by_ref(session: Session, ref: str) -> Known | None:
    """Find somebody by reference, likewise; None if nobody is there any more."""
    lock_by_ref(session, ref)
    row = session.scalar(_BY_REF, {"ref": ref})
    return None if row is None else known_by(session, row, address_of(row))


def known_by(
    session: Session, row: Subscription, address: Address | None, quota: Quota | None = None
) -> Known:
    """Somebody whose row was read under their address's lock."""
    now = clock.now()
    quota = quota or Quota(session, row.digest, address, now, ref=row.ref, round=row.round)
    return Known(session=session, digest=row.digest, address=address, now=now, quota=quota, row=row)


def known(person: Person) -> Known:
    """Take for known; raise NobodyKnown."""
    if not isinstance(person, Known):
        raise NobodyKnown
    return person


def counted_under(row: Subscription) -> bytes:
    """The digest under which the letters to somebody are counted."""
    return digest_for(address_of(row), row.digest)


def digest_of(address: Address) -> bytes:
    """What an address is recognised by."""
    return keyring.current().digest(address)


def standing_of(row: Subscription, now: datetime) -> Standing:
    """Where somebody stands, as the table wants to know it."""
    ended_before = periods.ended_before(now, config.current().zone) if row.left_at else None
    return Standing(
        row.status,
        row.reason,
        row.left_at,
        row.hold,
        there=row.audience,
        refused_as=row.audience_error,
        proof_has_ended=bool(row.left_at and ended_before and row.left_at < ended_before),
    )


def address_of(row: Subscription) -> Address | None:
    """A row's address; None where only the digest was kept."""
    if row.address is None:
        return None
    return Address.kept(keyring.current().decrypt(row.address, ref=row.ref, column=ADDRESS_COLUMN))


def keep_address(row: Subscription, address: Address) -> None:
    """Put an address into its row, encrypted."""
    row.address = keyring.current().encrypt(address.text, ref=row.ref, column=ADDRESS_COLUMN)


def due_at_mailchimp(row: Subscription, now: datetime) -> None:
    """Let the worker see to somebody's place at Mailchimp at once; from now on they wait for it."""
    row.audience_try_at, row.audience_due_since = None, now


def record_mailchimp_status(
    row: Subscription, place: MailchimpStatus, address: Address | None
) -> None:
    """Record somebody's status at Mailchimp, and keep the address just as long as it is needed.

    A block that has no consent to prove, and that Mailchimp knows nothing of, needs its digest alone; whoever
    names the address again puts it back for as long as Mailchimp may know it, or a letter is to be sent.
    """
    row.audience = place
    is_bare = row.status is Status.BLOCKED and row.confirmed_round is None
    if is_bare and place is MailchimpStatus.ABSENT and not _awaits_letter(row):
        row.address = None
    elif row.address is None and address is not None:
        keep_address(row, address)


def _awaits_letter(row: Subscription) -> bool:
    session = object_session(row)
    return session is not None and letters.my_data_waits(session, row.ref)


def commitment_of(row: Subscription, address: Address | None = None) -> bytes | None:
    """What binds a ledger row to this person; None where there is no nonce to bind with."""
    address = address or address_of(row)
    return log.commitment(row.nonce, address) if row.nonce and address else None
