"""How many letters a mailbox was written in the last 24 hours, counted in the transaction that writes the next one.

Every sign-up writes its row, whether a letter follows or not, so that neither answer nor time tells them apart.
Whoever reads and writes it holds the address's lock (database.lock), and where that is one of several spellings of the
mailbox, the mailbox's after it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, literal_column, null, select
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

#: Letters, each as [RFC 3339 time, letter's id].
Letters = list[list[str]]

# Built once, and asked about everybody, so that the time of an answer does not tell who was told the way back.
_LETTERS = select(models.Quota.letters).where(models.Quota.digest == bindparam("digest"))
_TOLD_AT = (
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
    Letter.sent_at.is_(None),
    Letter.failed_at.is_(None),
)
# In the ledger, since a link to one's data is deleted once it was sent.
_SENT = select(func.count()).where(
    LedgerRow.ref == bindparam("ref"),
    LedgerRow.round == bindparam("round"),
    # As no parameter it is not made anew each time.
    LedgerRow.event == literal_column(f"'{Event.MAIL_SENT}'"),
)
_COUNTED = (_LETTERS.scalar_subquery(), _WAITING.scalar_subquery() + _SENT.scalar_subquery())
_WRITTEN = select(*_COUNTED, _TOLD_AT.scalar_subquery())
_WRITTEN_WITHOUT_WAY_BACK = select(*_COUNTED, null())


class Quota:
    """The letters to one mailbox; read when it is first asked about.

    `digest` is the address's, under which it is locked; `ref` and `round` name the request, if there is one.
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
        self._locked = digest
        self._digest: bytes | None = None
        self._ref = ref
        self._round = round
        self._now = now
        self._recent: Letters | None = None
        self._of_request = 0
        self._may_tell_way_back = False

    @classmethod
    def empty(cls, session: Session, digest: bytes, now: datetime) -> Quota:
        """One of which nothing is read."""
        quota = cls(session, digest, None, now)
        quota._recent = []
        return quota

    @property
    def digest(self) -> bytes:
        """What the letters are counted under."""
        if self._digest is None:
            self._digest = digest_for(self._address, self._locked)
        return self._digest

    def recent(self) -> Letters:
        """Letters of the last 24 hours."""
        if self._recent is None:
            digest = self.digest
            if digest != self._locked:
                lock(self._session, digest)
            has_way_back = config.current().mailchimp_signup_url is not None
            query = _WRITTEN if has_way_back else _WRITTEN_WITHOUT_WAY_BACK
            letters, self._of_request, told_at = statements.fetch(
                self._session, query, digest=digest, ref=self._ref, round=self._round
            )
            self._recent = [
                each for each in letters or () if counts(datetime.fromisoformat(each[0]), self._now)
            ]
            self._may_tell_way_back = has_way_back and not way_back_told_recently(
                told_at, self._now
            )
        return self._recent

    def sent(self) -> Sent:
        """The same as the table wants to know it."""
        times = tuple(datetime.fromisoformat(at) for at, _ in self.recent())
        return Sent(times, self._of_request, self._may_tell_way_back)

    def count(self, letter: str) -> None:
        """Count one more."""
        self.recent().append([self._now.isoformat(), letter])

    def save(self) -> None:
        """Keep what was counted."""
        statements.insert_or_update(
            self._session,
            models.Quota,
            digest=self.digest,
            letters=self.recent(),
            touched_at=self._now,
        )


def digest_for(address: Address | None, digest: bytes) -> bytes:
    """What letters to an address are counted under: the digest of its mailbox, in whatever spelling."""
    if address is None or (mailbox := address.mailbox) == address.key:
        return digest
    return keyring.current().digest(Address.kept(mailbox))


def count_copy(session: Session, digest: bytes, letter: str, now: datetime) -> None:
    """Count a letter once more: it is sent again, since nobody knows whether it arrived."""
    lock(session, digest)
    row = session.get(models.Quota, digest)
    letters = [*(row.letters if row else ()), [now.isoformat(), letter]]
    statements.insert_or_update(
        session, models.Quota, digest=digest, letters=letters, touched_at=now
    )


def uncount(session: Session, digest: bytes, letter: str, *, since: datetime | None = None) -> None:
    """Take back a letter that could not be delivered; only what was counted since then, if that is given."""
    lock(session, digest)
    row = session.get(models.Quota, digest)
    if row is not None:
        row.letters = [
            [at, counted]
            for at, counted in row.letters
            if counted != letter or (since is not None and datetime.fromisoformat(at) < since)
        ]


def has_room_from(session: Session, digest: bytes, earliest: datetime) -> datetime:
    """When the next letter may go to an address, by the day's cap."""
    row = session.get(models.Quota, digest)
    times = sorted(datetime.fromisoformat(at) for at, _ in row.letters) if row else []
    if len(times) < LETTERS_PER_WINDOW:
        return earliest
    return max(earliest, times[-LETTERS_PER_WINDOW] + LETTERS_WINDOW)
