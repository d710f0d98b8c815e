"""Re-encrypts every value with the newest data key, while web and workers run.

Each batch is a short transaction. It skips locked rows, and never overwrites a value that changed meanwhile: the next
walk finds what this one skipped.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Update,
    bindparam,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from newsletter.domain.errors import Unreadable
from newsletter.storage.database import reading, writing
from newsletter.storage.keys import keyring
from newsletter.storage.models import Erasure, Inquiry, Letter, Subscription

#: On SQLite, which has one writer, a sign-up waits a few milliseconds for a batch.
BATCH = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encrypted:
    """A column of encrypted values; the row's `key` is a part of their associated data."""

    key: InstrumentedAttribute[str]
    column: InstrumentedAttribute[Any]

    @property
    def name(self) -> str:
        """The column's part of the associated data."""
        return f"{self.column.class_.__tablename__}.{self.column.key}"

    def has_key(self, key_id: int) -> ColumnElement[bool]:
        """Condition for the values that a data key encrypted."""
        return self._key == keyring.prefix(key_id)

    def has_other_key(self, key_id: int) -> ColumnElement[bool]:
        """Condition for the values that another data key encrypted."""
        return self._key != keyring.prefix(key_id)

    @property
    def replacing(self) -> Update:
        """Statement that replaces a value, unless it has changed."""
        same = (self.key == bindparam("of_row"), self.column == bindparam("from_old"))
        changed: dict[str, Any] = {self.column.key: bindparam("to_new")}
        return update(self.column.class_).where(*same).values(changed)

    @property
    def _key(self) -> ColumnElement[bytes]:
        return func.substr(self.column, 1, len(keyring.prefix(0)), type_=LargeBinary())


#: All encrypted columns; a test looks for others among the models.
ENCRYPTED = (
    Encrypted(Subscription.ref, Subscription.address),
    Encrypted(Subscription.ref, Subscription.imported),
    Encrypted(Letter.id, Letter.evidence),
    Encrypted(Erasure.id, Erasure.address),
    Encrypted(Inquiry.id, Inquiry.address),
)


def left(newest: int) -> int:
    """How many values are not encrypted with the newest data key."""
    with reading() as session:
        counts = [
            session.scalar(select(func.count()).where(encrypted.has_other_key(newest)))
            for encrypted in ENCRYPTED
        ]
    return sum(count or 0 for count in counts)


def uses(session: Session, key_id: int) -> bool:
    """Whether any value is encrypted with a data key."""
    query = (select(exists().where(encrypted.has_key(key_id))) for encrypted in ENCRYPTED)
    return any(session.scalar(each) for each in query)


class Walk:
    """One walk over all encrypted columns: call `step()` until it returns False."""

    def __init__(self) -> None:
        self.seen = 0  #: values that were visited
        self.unreadable = 0  #: damaged ones among them, which stay as they are
        self._waiting = deque(ENCRYPTED)
        self._after = ""

    def step(self) -> bool:
        """Re-encrypt one batch; True if there may be more."""
        if not self._waiting:
            return False
        encrypted, newest = self._waiting[0], max(keyring.current().data)
        is_next = (encrypted.has_other_key(newest), encrypted.key > self._after)
        query = select(encrypted.key).where(*is_next).order_by(encrypted.key).limit(BATCH)
        with reading() as session:
            keys = session.scalars(query).all()
        if not keys:
            self._waiting.popleft()
            self._after = ""
            return bool(self._waiting)
        self._after = keys[-1]
        self._take(encrypted, newest, keys)
        self.seen += len(keys)
        return True

    def _take(self, encrypted: Encrypted, newest: int, keys: Sequence[str]) -> None:
        query = select(encrypted.key, encrypted.column)
        query = query.where(encrypted.key.in_(keys), encrypted.has_other_key(newest))
        with writing() as session:
            # Waiting for a locked row could be a deadlock, in which another transaction would be rolled back.
            free = query.with_for_update(skip_locked=True, key_share=True)
            found = session.execute(free).all()
            changes = [
                {"of_row": ref, "from_old": old, "to_new": new}
                for ref, old in found
                if (new := self._reencrypted(old, ref, encrypted.name)) is not None
            ]
            if changes:
                session.connection().execute(encrypted.replacing, changes)

    def _reencrypted(self, sealed: bytes, ref: str, name: str) -> bytes | None:
        """A value, encrypted with the newest key; None where it cannot be decrypted."""
        ring = keyring.current()
        try:
            plain = ring.decrypt(sealed, ref=ref, column=name)
        except Unreadable:
            log.warning("a value of %s cannot be read: ref=%s", name, ref)
            self.unreadable += 1
            return None
        return ring.encrypt(plain, ref=ref, column=name)
