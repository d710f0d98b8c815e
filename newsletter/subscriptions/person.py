"""A person during a transaction: found by address or reference, the address locked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, object_session

from newsletter import config
from newsletter.config import Locale
from newsletter.domain import clock, periods
from newsletter.domain.address import Address
from newsletter.domain.errors import NobodyKnown, UnknownReference
from newsletter.domain.lifecycle import NOBODY, MailchimpStatus, Standing, Status
from newsletter.ledger import log
from newsletter.storage import statements
from newsletter.storage.database import lock, lock_by_ref
from newsletter.storage.keys import keyring
from newsletter.storage.models import LetterKind, Subscription
from newsletter.subscriptions import letters, wording
from newsletter.subscriptions.quota import Quota, mailbox_digest

ADDRESS_COLUMN = "subscription.address"
OPEN = frozenset({Status.PENDING, Status.RETURNING})

# Built once, since every use case needs them.
_BY_DIGEST = (
    select(Subscription).where(Subscription.digest == bindparam("digest")).with_for_update()
)
_BY_REF = select(Subscription).where(Subscription.ref == bindparam("ref")).with_for_update()


@dataclass(kw_only=True)
class Person:
    """An address that is locked until the transaction ends: Known or Unknown."""

    session: Session
    digest: bytes
    address: Address | None  #: None where only its digest is left
    now: datetime
    quota: Quota

    @property
    def standing(self) -> Standing:
        """What `decide()` needs to know."""
        return NOBODY

    def with_row(self, row: Subscription) -> Known:
        """The same address, after a subscription was inserted."""
        return Known(
            session=self.session,
            digest=self.digest,
            address=self.address,
            now=self.now,
            quota=self.quota,
            row=row,
        )

    def without_row(self, locale: Locale | None) -> Unknown:
        """The same address, after its subscription was deleted."""
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

    locale: Locale | None = None  #: of the subscription that was deleted in this transaction


@dataclass(kw_only=True)
class Known(Person):
    """An address with a subscription."""

    row: Subscription

    @property
    def standing(self) -> Standing:
        return standing_of(self.row, self.now)

    @property
    def is_overdue(self) -> bool:
        """Tell whether the request has ended without a confirmation."""
        return self.row.expires_at is not None and self.row.expires_at <= self.now

    def write(self, kind: LetterKind, *, wording: str) -> None:
        """Queue a letter and count it; `wording` is the hash of its consent text."""
        letter = letters.write(self.session, self.row, kind, wording=wording, now=self.now)
        self.quota.count(letter)

    def tell_way_back(self) -> None:
        # A person who was taken over agreed to a text that is not known here.
        shown = self.row.wording or wording.current_in(self.session, self.row.locale).hash
        self.write(LetterKind.WAY_BACK, wording=shown)


def lock_person(session: Session, address: Address) -> Person:
    """Lock an address until the transaction ends, and read its subscription."""
    digest = digest_of(address)
    lock(session, digest)
    row = statements.find(session, Subscription, _BY_DIGEST, digest=digest)
    if row is not None:
        return known_by(session, row, address)
    now = clock.now()
    quota = Quota(session, digest, address, now)
    return Unknown(session=session, digest=digest, address=address, now=now, quota=quota)


def lock_whom(session: Session, whom: Address | str) -> Person:
    """Lock a person by address or by reference number; raise UnknownReference."""
    if isinstance(whom, Address):
        return lock_person(session, whom)
    person = lock_person_by_ref(session, whom)
    if person is None:
        raise UnknownReference
    return person


def lock_person_by_ref(session: Session, ref: str) -> Known | None:
    """`lock_person` by reference; None if there is no such subscription."""
    lock_by_ref(session, ref)
    row = statements.find(session, Subscription, _BY_REF, ref=ref)
    return None if row is None else known_by(session, row, address_of(row))


def known_by(
    session: Session, row: Subscription, address: Address | None, quota: Quota | None = None
) -> Known:
    """The person of a row; the caller has locked the address."""
    now = clock.now()
    quota = quota or Quota(session, row.digest, address, now, ref=row.ref, round=row.round)
    return Known(session=session, digest=row.digest, address=address, now=now, quota=quota, row=row)


def known(person: Person) -> Known:
    """The same person; raise NobodyKnown for an unknown one."""
    if not isinstance(person, Known):
        raise NobodyKnown
    return person


def quota_digest_of(row: Subscription) -> bytes:
    """The digest under which the letters of a subscription are counted."""
    return mailbox_digest(address_of(row), row.digest)


def digest_of(address: Address) -> bytes:
    """The keyed digest that finds the subscription of an address, 32 octets."""
    return keyring.current().digest(address)


def standing_of(row: Subscription, now: datetime) -> Standing:
    """What `decide()` needs to know of a row."""
    ended_before = periods.ended_before(now, config.current().zone)
    return Standing(
        row.status,
        row.reason,
        row.left_at,
        row.hold,
        at_mailchimp=row.audience,
        refused_as=row.audience_error,
        proof_has_ended=row.left_at is not None and row.left_at < ended_before,
        since=row.since,
    )


def address_of(row: Subscription) -> Address | None:
    """The decrypted address; None where only the digest is kept."""
    if row.address is None:
        return None
    return Address.unchecked(
        keyring.current().decrypt(row.address, ref=row.ref, column=ADDRESS_COLUMN)
    )


def keep_address(row: Subscription, address: Address) -> None:
    """Encrypt an address into its row."""
    row.address = keyring.current().encrypt(address.text, ref=row.ref, column=ADDRESS_COLUMN)


def request_sync(row: Subscription, now: datetime) -> None:
    """Have the worker synchronise the person with Mailchimp at once, without the delay of earlier failures."""
    row.audience_try_at, row.audience_due_since = None, now


def record_mailchimp_status(
    row: Subscription, status: MailchimpStatus, address: Address | None
) -> None:
    """Record a person's status at Mailchimp, and keep the address only as long as it is needed.

    A block without a consent to prove and without a contact at Mailchimp needs only its digest. If only that is stored
    and `address` is given, the address is stored as long as Mailchimp may have the contact, or a letter is queued.
    """
    row.audience = status
    is_bare = row.status is Status.BLOCKED and row.confirmed_round is None
    if is_bare and status is MailchimpStatus.ABSENT and not _awaits_letter(row):
        row.address = None
    elif row.address is None and address is not None:
        keep_address(row, address)


def _awaits_letter(row: Subscription) -> bool:
    session = object_session(row)
    return session is not None and letters.is_my_data_queued(session, row.ref)


def commitment_of(
    row: Subscription, address: Address | None = None, evidence: str = ""
) -> bytes | None:
    """The commitment for a ledger row; None where the nonce or the address is deleted."""
    address = address or address_of(row)
    return log.commitment(row.nonce, address, evidence) if row.nonce and address else None
