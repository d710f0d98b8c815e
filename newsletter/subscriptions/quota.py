"""The letters written to each mailbox in the last 24 hours, counted in the transaction that writes the next one.

Every sign-up writes a row, whether a letter follows or not, so that neither the answer nor its time reveals it. A
transaction that reads or writes the row has locked the address (database.lock) and then, if the address is one of
several spellings of the mailbox, the mailbox.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache, cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, null, select
from sqlalchemy.orm import Session

from newsletter import config
from newsletter.domain.address import Address
from newsletter.domain.lifecycle import Event
from newsletter.domain.limits import (
    LETTERS_PER_WINDOW,
    LETTERS_WINDOW,
    Sent,
    counts,
    way_back_told_recently,
)
from newsletter.storage import models, statements
from newsletter.storage.database import lock
from newsletter.storage.keys import keyring
from newsletter.storage.models import LedgerRow, Letter, LetterKind
from newsletter.subscriptions.letters import IS_WAITING

#: Letters, each as [RFC 3339 time, id].
Letters = list[list[str]]

# Built once. The same for everybody, so that the time of an answer does not reveal who got a way-back e-mail.
_LETTERS = select(models.Quota.letters).where(models.Quota.digest == bindparam("digest"))
_WAY_BACK_AT = (
    select(Letter.written_at)
    .where(
        Letter.ref == bindparam("ref"),
        Letter.kind == LetterKind.WAY_BACK,
        Letter.failed_at.is_(None),
    )
    .order_by(Letter.number.desc())
    .limit(1)
)
_WAITING = select(func.count()).where(
    Letter.ref == bindparam("ref"),
    Letter.round == bindparam("round"),
    IS_WAITING,
)
# From the ledger, since a my-data e-mail is deleted once it is sent.
_SENT = select(func.count()).where(
    LedgerRow.ref == bindparam("ref"),
    LedgerRow.round == bindparam("round"),
    # A parameter would be converted in each query.
    LedgerRow.event == literal_column(f"'{Event.MAIL_SENT}'"),
)
_COUNTS = (_LETTERS.scalar_subquery(), _WAITING.scalar_subquery() + _SENT.scalar_subquery())
_NOTHING_ELSE = null()


@cache
def _query(other: ColumnElement[Any], *, has_way_back: bool) -> Select[Any]:
    way_back_at = _WAY_BACK_AT.scalar_subquery() if has_way_back else null()
    return select(*_COUNTS, way_back_at, other)


class Quota:
    """The letters to one mailbox, read when they are first needed.

    `digest` is that of the address, which the caller has locked; `ref` and `round` name the request, if there is one.
    """

    def __init__(
        self,
        session: Session,
        digest: bytes,
        address: Address | None,
        now: datetime,
        *,
        ref: str = "",
        round: int = 0,
    ) -> None:
        self._session = session
        self._address = address
        self._address_digest = digest
        self._ref = ref
        self._round = round
        self._now = now
        self._is_read = False
        self._recent: Letters = []
        self._of_request = 0
        self._may_tell_way_back = False

    @classmethod
    def empty(cls, session: Session, digest: bytes, now: datetime) -> Quota:
        """A quota without letters, which reads nothing."""
        quota = cls(session, digest, None, now)
        quota._is_read = True
        return quota

    @cached_property
    def digest(self) -> bytes:
        """The digest of the mailbox."""
        return mailbox_digest(self._address, self._address_digest)

    def read_with(self, other: ColumnElement[Any], **values: object) -> Any:
        """Read the letters now, and another value with them, since each statement is a trip to the server."""
        digest = self.digest
        if digest != self._address_digest:
            lock(self._session, digest)
        has_way_back = config.current().mailchimp_signup_url is not None
        query = _query(other, has_way_back=has_way_back)
        values |= {"digest": digest, "ref": self._ref, "round": self._round}
        letters, self._of_request, way_back_at, found = statements.fetch(
            self._session, query, **values
        )
        self._recent = [
            each for each in letters or () if counts(datetime.fromisoformat(each[0]), self._now)
        ]
        self._may_tell_way_back = has_way_back and not way_back_told_recently(
            way_back_at, self._now
        )
        self._is_read = True
        return found

    def _letters(self) -> Letters:
        if not self._is_read:
            self.read_with(_NOTHING_ELSE)
        return self._recent

    def sent(self) -> Sent:
        """What `decide()` needs to know."""
        times = tuple(datetime.fromisoformat(at) for at, _ in self._letters())
        return Sent(times, self._of_request, self._may_tell_way_back)

    def count(self, letter_id: str) -> None:
        self._letters().append([self._now.isoformat(), letter_id])

    def save(self) -> None:
        statements.insert_or_update(
            self._session,
            models.Quota,
            digest=self.digest,
            letters=self._letters(),
            touched_at=self._now,
        )


def mailbox_digest(address: Address | None, digest: bytes) -> bytes:
    """The digest of the mailbox that an address leads to; `digest`, that of the address, if it is the only spelling."""
    if address is None or (mailbox := address.mailbox) == address.key:
        return digest
    return keyring.current().digest(Address.unchecked(mailbox))


def count_copy(session: Session, digest: bytes, letter_id: str, now: datetime) -> None:
    """Count a letter once more: it is sent again, since it is not known whether it arrived."""
    lock(session, digest)
    row = session.get(models.Quota, digest)
    letters = [*(row.letters if row else ()), [now.isoformat(), letter_id]]
    statements.insert_or_update(
        session, models.Quota, digest=digest, letters=letters, touched_at=now
    )


def uncount(
    session: Session, digest: bytes, letter_id: str, *, since: datetime | None = None
) -> None:
    """Remove an undeliverable letter from the count; if `since` is given, only what was counted from then on."""
    lock(session, digest)
    row = session.get(models.Quota, digest)
    if row is not None:
        row.letters = [
            [at, counted]
            for at, counted in row.letters
            if counted != letter_id or (since is not None and datetime.fromisoformat(at) < since)
        ]


def has_room_from(session: Session, digest: bytes, earliest: datetime) -> datetime:
    """When the daily limit allows the next letter, but not before `earliest`."""
    row = session.get(models.Quota, digest)
    times = sorted(datetime.fromisoformat(at) for at, _ in row.letters) if row else []
    if len(times) < LETTERS_PER_WINDOW:
        return earliest
    return max(earliest, times[-LETTERS_PER_WINDOW] + LETTERS_WINDOW)
